"""_foreign.py: how libepi is found, and how Python's values become C's.

ctypes cuts integers that are too large, and passes texts on up to their first
NUL. The types here refuse both, so that no call means something else than what
the caller wrote."""
from __future__ import annotations

import ctypes
import os
import pathlib
from typing import Any, Callable, Optional

from .errors import InvalidArgument, LibraryNotFound, NotSupported

SONAME = "libepi.so.0"

Function = Callable[..., Any]


# ---- the library ----


def _candidates() -> list[str]:
    named = os.environ.get("EPI_LIBRARY")
    if named:
        return [named]
    bundled = pathlib.Path(__file__).parent / "_lib" / SONAME
    return [str(bundled)] if bundled.exists() else [SONAME]


def _load() -> tuple[ctypes.CDLL, ctypes.PyDLL]:
    (name,) = _candidates()
    try:
        released = ctypes.CDLL(name)
        held = ctypes.PyDLL(name)
        held.epi_version  # is it libepi at all?
    except (OSError, AttributeError) as error:
        raise LibraryNotFound(
            f"cannot load {name}: {error}. Build and install libepi"
            " (meson setup build && meson install -C build && ldconfig), or"
            " say where it is with the environment variable EPI_LIBRARY"
        ) from None
    return released, held


_released, _held = _load()


def _missing(name: str) -> Function:
    def missing(*arguments: object) -> Any:
        raise NotSupported(f"the libepi that was loaded is too old: it has no"
                           f" {name}()")
    return missing


def _function(library: ctypes.CDLL, name: str, result: Any,
              parameters: tuple[Any, ...]) -> Function:
    try:
        found = library[name]
    except AttributeError:
        return _missing(name)
    found.restype = result
    found.argtypes = parameters
    if not any(kind in _CHECKED for kind in parameters):
        return found

    def checked(*arguments: object) -> Any:
        try:
            return found(*arguments)
        except ctypes.ArgumentError as error:
            raise _what_is_wrong(parameters, arguments, error) from None

    checked.__name__ = name
    setattr(checked, "argtypes", parameters)
    return checked


def _what_is_wrong(parameters: tuple[Any, ...], arguments: tuple[object, ...],
                   error: Exception) -> Exception:
    """ctypes makes a text of what from_param() raised; find the exception."""
    for kind, value in zip(parameters, arguments):
        if kind in _CHECKED:
            try:
                kind.from_param(value)
            except (TypeError, InvalidArgument) as cause:
                return cause
    return TypeError(str(error))


def quick(name: str, result: Any, *parameters: Any) -> Function:
    """A function that neither waits nor takes long. It keeps the interpreter's
    lock, so that no other thread uses the same object meanwhile."""
    return _function(_held, name, result, parameters)


def long(name: str, result: Any, *parameters: Any) -> Function:
    """A function that may wait or take long. Other threads run meanwhile."""
    return _function(_released, name, result, parameters)


# ---- values ----


def _integer(c_type: Any, lowest: int, highest: int) -> Any:
    class Integer:
        @classmethod
        def from_param(cls, value: object) -> Any:
            if not isinstance(value, int):
                raise TypeError(f"an int is needed, not"
                                f" {type(value).__name__}")
            if not lowest <= value <= highest:
                raise InvalidArgument(f"{value} is not in"
                                      f" {lowest} to {highest}")
            return c_type(value)
    return Integer


Int = _integer(ctypes.c_int, -(2**31), 2**31 - 1)
Int64 = _integer(ctypes.c_int64, -(2**63), 2**63 - 1)
UInt64 = _integer(ctypes.c_uint64, 0, 2**64 - 1)
UInt16 = _integer(ctypes.c_uint16, 0, 2**16 - 1)
Size = ctypes.c_size_t  # only ever a length or an index that was counted here
Diff = ctypes.c_ssize_t
Double = ctypes.c_double


class Text:
    """A str, or a path, as UTF-8."""

    @classmethod
    def from_param(cls, value: object) -> Any:
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        if not isinstance(value, str):
            raise TypeError(f"a str is needed, not {type(value).__name__}")
        try:
            encoded = value.encode()
        except UnicodeEncodeError:
            raise InvalidArgument("a text has a lone surrogate") from None
        if b"\0" in encoded:
            raise InvalidArgument("a text has a NUL inside")
        return ctypes.c_char_p(encoded)


class MaybeText(Text):
    """The same, or None."""

    @classmethod
    def from_param(cls, value: object) -> Any:
        return None if value is None else super().from_param(value)


class Addr(ctypes.Structure):
    """epi_addr, the one public struct (addr.h)."""

    _fields_ = [
        ("kind", ctypes.c_uint8),
        ("name_len", ctypes.c_uint8),
        ("port", ctypes.c_uint16),
        ("ip", ctypes.c_uint8 * 16),
        ("name", ctypes.c_char * 256),
    ]


_CHECKED = (Int, Int64, UInt64, UInt16, Double, Text, MaybeText)

Bytes = ctypes.c_void_p
Handle = ctypes.c_void_p
Out = ctypes.POINTER(ctypes.c_void_p)
Texts = ctypes.POINTER(ctypes.c_char_p)
Sizes = ctypes.POINTER(ctypes.c_size_t)
Ints = ctypes.POINTER(ctypes.c_int)
Int64s = ctypes.POINTER(ctypes.c_int64)
AddrPointer = ctypes.POINTER(Addr)
AddrPointers = ctypes.POINTER(AddrPointer)

_callbacks: dict[tuple[Any, ...], Any] = {}


def Callback(result: Any, *parameters: Any) -> Any:
    """The type of a C callback; one type for each shape."""
    shape = (result, *parameters)
    if shape not in _callbacks:
        _callbacks[shape] = ctypes.CFUNCTYPE(*shape)
    return _callbacks[shape]


def data_of(data: object) -> bytes:
    """Bytes of a bytes-like object; they stay while the call lasts."""
    if isinstance(data, bytes):
        return data
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    raise TypeError(f"bytes are needed, not {type(data).__name__}")


def text_of(found: Optional[bytes]) -> str:
    """A text that is never NULL."""
    return (found or b"").decode(errors="replace")


def maybe_text_of(found: Optional[bytes]) -> Optional[str]:
    return None if found is None else found.decode(errors="replace")
