"""errors.py: the exceptions, one for each error of libepi.

Every exception of libepi is an `Error` with the number of the C API in `code`
and, in `detail`, what it was about: what, where, what to do. Details never hold
secrets or payload. Sources: include/epi/error.h."""
from __future__ import annotations

from typing import ClassVar, Sequence


class LibraryNotFound(ImportError):
    """The shared library cannot be loaded."""


class Error(Exception):
    """Something that libepi could not do."""

    code: int = 0
    meaning: ClassVar[str] = "unknown error"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return self.detail or self.meaning


class InvalidArgument(Error, ValueError):
    """A bad argument (EPI_EINVAL)."""

    code = -1
    meaning = "bad argument"


class OutOfMemory(Error, MemoryError):
    """No memory is left (EPI_ENOMEM)."""

    code = -2
    meaning = "out of memory"


class InvalidState(Error):
    """Not possible in this state, as on what was closed (EPI_ESTATE)."""

    code = -3
    meaning = "not possible in this state"


class NotSupported(Error):
    """Not in this build or on this system (EPI_ENOTSUP)."""

    code = -4
    meaning = "not in this build or on this system"


class LimitReached(Error):
    """A limit was reached (EPI_ELIMIT)."""

    code = -5
    meaning = "a limit was reached"


class SystemRefused(Error):
    """The operating system refused (EPI_ESYS)."""

    code = -6
    meaning = "the operating system refused"


class PrivilegeMissing(Error):
    """A privilege is missing (EPI_EPERM)."""

    code = -7
    meaning = "privilege is missing"


class NotFound(Error, LookupError):
    """There is no such thing (EPI_ENOENT)."""

    code = -8
    meaning = "no such thing"


class Busy(Error):
    """Something is in use already, as a port (EPI_EBUSY)."""

    code = -9
    meaning = "already in use"


class ModelError(Error):
    """A document has errors (EPI_EMODEL); `problems` has all of them, each
    with its path."""

    code = -10
    meaning = "the model document has errors"

    def __init__(self, detail: str = "", problems: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.problems: tuple[str, ...] = tuple(problems)


class Denied(Error):
    """Not allowed by policy (EPI_EDENIED). Raise it in a filter to refuse the
    flow; its text is the reason that people read."""

    code = -11
    meaning = "not allowed by policy"


class ProtocolError(Error):
    """The peer broke the protocol (EPI_EPROTO)."""

    code = -12
    meaning = "the peer broke the protocol"


class WrongVersion(Error):
    """The peer speaks another version (EPI_EVERSION)."""

    code = -13
    meaning = "the peer speaks another version"


class AuthenticationFailed(Error):
    """Authentication failed (EPI_EAUTH)."""

    code = -14
    meaning = "authentication failed"


class Refused(Error):
    """The peer refused (EPI_EREFUSED). `reply` is its SOCKS reply code, if it
    sent one."""

    code = -15
    meaning = "the peer refused"
    reply: int | None = None


class TimedOut(Error, TimeoutError):
    """It took too long (EPI_ETIMEOUT)."""

    code = -16
    meaning = "took too long"

    def __str__(self) -> str:
        return self.detail or self.meaning


class Closed(Error):
    """The connection is closed (EPI_ECLOSED)."""

    code = -17
    meaning = "the connection is closed"


class ResolveError(Error):
    """A name did not resolve (EPI_ERESOLVE)."""

    code = -18
    meaning = "the name did not resolve"


class CryptoError(Error):
    """Data is forged, damaged or under another key (EPI_ECRYPTO)."""

    code = -19
    meaning = "data is forged, damaged or under another key"


class FilterFailed(Error):
    """A bridging function failed (EPI_EFILTER)."""

    code = -20
    meaning = "a bridging function failed"


_ALL: tuple[type[Error], ...] = (
    InvalidArgument, OutOfMemory, InvalidState, NotSupported, LimitReached,
    SystemRefused, PrivilegeMissing, NotFound, Busy, ModelError, Denied,
    ProtocolError, WrongVersion, AuthenticationFailed, Refused, TimedOut,
    Closed, ResolveError, CryptoError, FilterFailed)
CLASSES: dict[int, type[Error]] = {kind.code: kind for kind in _ALL}
