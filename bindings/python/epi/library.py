"""library.py: the library that was loaded, and what it can do."""
from __future__ import annotations

import ctypes
import enum
import os
from typing import Any

from . import _abi as c
from . import _handle
from ._foreign import text_of
from ._handle import check
from .errors import InvalidState


class TlsFeature(enum.IntEnum):
    """What the TLS library may have or not."""

    EARLY_DATA = c.EPI_TLS_EARLY_DATA
    AES_HARDWARE = c.EPI_TLS_AES_HARDWARE
    DTLS13 = c.EPI_TLS_DTLS13


def version() -> str:
    """The version of the library that was loaded, "MAJOR.MINOR.PATCH"."""
    return text_of(c.epi_version())


def tls_library() -> str:
    """The TLS library and its version, as "wolfSSL 5.5.4"."""
    return text_of(c.epi_tls_library())


def tls_has(feature: int) -> bool:
    """Whether the TLS library has a feature. Raises InvalidArgument."""
    return bool(check(c.epi_tls_has(feature)))


def wipe(secret: Any) -> None:
    """Overwrite a secret in a bytearray, or another writable buffer, with
    zeroes. A bytes object cannot be wiped: Python may have copies."""
    size = memoryview(secret).nbytes
    c.epi_wipe((ctypes.c_char * size).from_buffer(secret), size)


def read_secret(source: str | os.PathLike[str]) -> bytearray:
    """A secret, from a file that not everybody can read, or for `env:NAME` from
    the environment variable NAME, whose name begins with EPI_SECRET_: programs
    that libepi starts do not get those. It is the file's bytes or the
    variable's value as it is, line ends too; at most 65536 bytes. wipe() it.

    Raises InvalidArgument (no source, or a variable of another name), NotFound,
    PrivilegeMissing (everybody can read the file, or this process cannot),
    LimitReached, TimedOut (a pipe that nobody writes to for 5 seconds) or
    SystemRefused."""
    out, size = ctypes.c_void_p(), ctypes.c_size_t()
    check(c.epi_secret_read(os.fspath(source), ctypes.byref(out),
                            ctypes.byref(size)))
    secret = bytearray(ctypes.string_at(out.value or 0, size.value))
    c.epi_wipe(out, size.value)
    c.epi_free(out)
    return secret


_kept: list[Any] = []


def use_allocator(library: ctypes.CDLL) -> None:
    """Have libepi take memory from another library's malloc, realloc and free,
    as `use_allocator(ctypes.CDLL("libjemalloc.so.2"))`.

    Call it before anything else of this package. Raises InvalidState once an
    object was made, and AttributeError for a library without these."""
    if _handle.used:
        raise InvalidState("memory was taken already")
    functions = [library[name] for name in ("malloc", "realloc", "free")]
    kinds = getattr(c.epi_set_allocator, "argtypes", ())
    check(c.epi_set_allocator(
        *(ctypes.cast(function, kind)
          for function, kind in zip(functions, kinds))))
    _kept.append(library)
