"""filter.py: bridging functions in process, written in Python or built in."""
from __future__ import annotations

import enum
from typing import Any, Optional, Union

from . import _abi as c
from . import pipe as pipes
from ._foreign import data_of, text_of
from ._handle import Handle, check, made
from .errors import InvalidState
from .pipe import PASS, Direction, Pass, Pipe, Written

__all__ = ["Bound", "Filter", "NativeFilter", "PASS"]


class Bound(enum.IntEnum):
    """Bounds of a filter (include/epi/filter.h)."""

    MEMORY = c.EPI_FILTER_MEMORY
    DEADLINE_MS = c.EPI_FILTER_DEADLINE_MS
    FAIL_OPEN = c.EPI_FILTER_FAIL_OPEN


class Filter:
    """A bridging function in Python. Override what it needs:

        class Upper(Filter):
            def data(self, pipe, direction, data):
                return data.upper()

    One object serves all flows of the engines that it is added to; what
    belongs to a flow goes into `pipe.state`. Callbacks run in the engine's
    workers, several at a time for different flows, and must not block.

    - Raise Denied("why") to refuse the flow, or to cut it: people read the
      reason (in open(), SOCKS reply 2).
    - Any other exception is a failure of the filter: it refuses the flow in
      open() (reply 1), and cuts it later, unless the filter may fail open. It
      is logged under "epi.filter".
    - Return PASS from open(), data() or timer() to see no more of the flow.

    `name` is used in logs; `memory` is how many bytes of a flow the filter may
    hold (Pipe.hold()), `deadline_ms` how long it may hold data back, 0 for
    ever; `fail_open` lets flows go on without it when it fails.
    """

    name: str = ""
    memory: int = 1024 * 1024
    deadline_ms: int = 30000
    fail_open: bool = False

    def open(self, pipe: Pipe) -> Optional[Pass]:
        """A flow opens, before any data."""
        return None

    def data(self, pipe: Pipe, direction: Direction,
             data: bytes) -> Union[Written, Pass]:
        """Data came. Return what goes on instead; the same object to pass it
        on as it is; or None to keep it, and Pipe.write() it later."""
        return data

    def end(self, pipe: Pipe, direction: Direction) -> Written:
        """A direction ends. Return what is still to be written into it."""
        return None

    def close(self, pipe: Pipe) -> None:
        """The flow ends, whatever the reason, if open() succeeded."""

    def timer(self, pipe: Pipe) -> Optional[Pass]:
        """The time that Pipe.set_timer() asked for has come."""
        return None

    def _made(self) -> NativeFilter:
        """A filter of the C API that calls this one, and keeps it alive."""
        kind = type(self)
        native = NativeFilter._of(made(c.epi_filter_new,
                                       self.name or kind.__name__.lower()))
        handle = native._handle
        for bound, value in ((Bound.MEMORY, self.memory),
                             (Bound.DEADLINE_MS, self.deadline_ms),
                             (Bound.FAIL_OPEN, int(self.fail_open))):
            check(c.epi_filter_set(handle, bound, value))
        number = next(pipes.numbers)
        pipes.filters[number] = self
        c.epi_filter_on_free(handle, pipes.ON_FREE, number)
        c.epi_filter_on_open(handle, pipes.ON_OPEN, number)
        c.epi_filter_on_close(handle, pipes.ON_CLOSE, number)
        if (kind.data is not Filter.data or kind.end is not Filter.end
                or kind.timer is not Filter.timer):
            # Without these, flows pass when they open, and cost nothing.
            c.epi_filter_on_data(handle, pipes.ON_DATA, number)
            c.epi_filter_on_end(handle, pipes.ON_END, number)
        if kind.timer is not Filter.timer:
            c.epi_filter_on_timer(handle, pipes.ON_TIMER, number)
        return native


class NativeFilter(Handle):
    """A filter that is no Python: built in, or from a shared object."""

    __slots__ = ("_used",)
    _free = c.epi_filter_free
    _used: bool

    def __init__(self) -> None:
        raise TypeError("use NativeFilter.builtin() or NativeFilter.load()")

    @classmethod
    def _of(cls, pointer: int) -> NativeFilter:
        native = cls.__new__(cls)
        Handle.__init__(native, pointer)
        native._used = False
        return native

    @classmethod
    def builtin(cls, spec: str, key: Optional[bytes] = None) -> NativeFilter:
        """A built-in filter, `NAME[:ARGS]` (doc/filters.md). key is for those
        that need one and whose arguments name no file.

        Raises NotFound, InvalidArgument, PrivilegeMissing, LimitReached,
        SystemRefused."""
        data = None if key is None else data_of(key)
        return cls._of(made(c.epi_filter_new_builtin, spec, data,
                            len(data or b"")))

    @classmethod
    def load(cls, spec: str) -> NativeFilter:
        """A filter in a shared object, `PATH[:ARGS]`, where PATH has a /. Its
        code may do whatever this process may.

        Raises NotFound, PrivilegeMissing (everybody can change the file),
        InvalidArgument (no filter), WrongVersion."""
        return cls._of(made(c.epi_filter_new_from_file, spec))

    @property
    def name(self) -> str:
        """The filter's name."""
        return text_of(c.epi_filter_name(self._handle))

    def set(self, bound: Bound, value: int) -> None:
        """Set a bound, before the filter is used. Raises InvalidArgument."""
        if self._used:
            raise InvalidState("the filter is in use")
        check(c.epi_filter_set(self._handle, bound, value))

    def __copy__(self) -> NativeFilter:
        """The same filter once more."""
        copied = NativeFilter._of(c.epi_filter_ref(self._handle))
        copied._used = self._used
        return copied

    def __repr__(self) -> str:
        return f"<NativeFilter {self.name}>"


def native_of(filter: Any) -> NativeFilter:
    """What an engine takes for a filter."""
    if isinstance(filter, Filter):
        return filter._made()
    if isinstance(filter, NativeFilter):
        filter._used = True
        return filter
    if isinstance(filter, str):
        return NativeFilter.builtin(filter)
    raise TypeError(f"a Filter is needed, not {type(filter).__name__}")
