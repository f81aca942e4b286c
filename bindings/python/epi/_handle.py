"""_handle.py: objects of the library, and what calls on them return."""
from __future__ import annotations

import ctypes
from typing import (
    Any,
    Callable,
    Iterator,
    NoReturn,
    Optional,
    Sequence,
    Type,
    TypeVar,
)

from . import _abi as c
from . import errors
from ._foreign import text_of

Kind = TypeVar("Kind")


used = False
"""Whether any object was made; the allocator can then not change."""


def error_of(code: int, detail: str = "",
             problems: Sequence[str] = ()) -> errors.Error:
    """The exception for an error of the C API."""
    kind = errors.CLASSES.get(code)
    if kind is errors.ModelError:
        return errors.ModelError(detail, problems)
    if kind is None:
        made = errors.Error(detail or text_of(c.epi_strerror(code)))
        made.code = code
        return made
    return kind(detail)


def check(result: int, problems: Sequence[str] = ()) -> int:
    """Raise if the result of a call is an error; else return it."""
    if result < 0:
        raise error_of(result, text_of(c.epi_error_detail()), problems)
    return result


def made(new: Callable[..., int], *arguments: Any) -> int:
    """The pointer that a function writes to its first argument."""
    global used
    used = True
    out = ctypes.c_void_p()
    check(new(ctypes.byref(out), *arguments))
    assert out.value is not None
    return out.value


def made_last(function: Callable[..., int], *arguments: Any) -> int:
    """The pointer that a function writes to its last argument."""
    out = ctypes.c_void_p()
    check(function(*arguments, ctypes.byref(out)))
    assert out.value is not None
    return out.value


def taken(out: ctypes.c_void_p) -> str:
    """A text that is to be freed with epi_free()."""
    try:
        return text_of(ctypes.string_at(out.value)) if out.value else ""
    finally:
        c.epi_free(out)


def written(write: Callable[..., int], *arguments: Any) -> str:
    """The text that a function writes to its last argument."""
    out = ctypes.c_void_p()
    check(write(*arguments, ctypes.byref(out)))
    return taken(out)


def texts(count: int, at: Callable[[int], Any]) -> tuple[str, ...]:
    """All texts of a list."""
    return tuple(text_of(at(i)) for i in range(count))


def needed(kind: Type[Kind], value: object) -> Kind:
    """An argument that must be of a class: C takes any pointer for it."""
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise TypeError(f"{article} {kind.__name__} is needed, not"
                        f" {type(value).__name__}")
    return value


class Handle:
    """An object of the library. It is freed when Python lets go of it."""

    __slots__ = ("_pointer", "__weakref__")
    _pointer: Optional[int]
    _free: Callable[[int], None]

    def __init__(self, pointer: int) -> None:
        self._pointer = pointer

    @property
    def _handle(self) -> int:
        """The pointer; InvalidState if there is none any more."""
        pointer = getattr(self, "_pointer", None)
        if pointer is None:
            raise errors.InvalidState(
                f"this {type(self).__name__} is closed, or was never made")
        return int(pointer)

    @property
    def _as_parameter_(self) -> int:
        """What ctypes passes. An object that nothing else holds is passed as
        such, so that it lives as long as the call; never by its pointer."""
        return self._handle

    def __del__(self) -> None:
        pointer = getattr(self, "_pointer", None)
        if pointer is not None:
            self._pointer = None
            type(self)._free(pointer)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be copied or pickled")

    def __reduce_ex__(self, protocol: object) -> Any:
        return self.__reduce__()


class Report(Handle):
    """What a call found wrong, line by line, beyond its one error."""

    __slots__ = ()
    _free = c.epi_report_free

    def __init__(self) -> None:
        super().__init__(made(c.epi_report_new))

    def __len__(self) -> int:
        return int(c.epi_report_count(self._handle))

    def __iter__(self) -> Iterator[str]:
        for index in range(len(self)):
            yield text_of(c.epi_report_line(self._handle, index))
