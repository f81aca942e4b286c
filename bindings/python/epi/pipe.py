"""pipe.py: bridging functions in Python: one flow's passage through a filter,
and the callbacks that bring it there."""
from __future__ import annotations

import ctypes
import enum
import itertools
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Iterator, Optional, Union

from . import _abi as c
from ._foreign import data_of, maybe_text_of, text_of
from ._handle import check
from .address import Address
from .decision import Decision, decision_at
from .errors import CLASSES, Denied, Error, InvalidArgument, InvalidState

if TYPE_CHECKING:
    from .filter import Filter

log = logging.getLogger("epi.filter")


class Direction(enum.IntEnum):
    """Where data goes: from the flow's source to its destination, or back."""

    FORWARD = c.EPI_FORWARD
    BACKWARD = c.EPI_BACKWARD

    @property
    def other(self) -> Direction:
        """The opposite direction."""
        return Direction(1 - self)


class Pass(enum.Enum):
    """The type of PASS."""

    PASS = c.EPI_PASS


PASS = Pass.PASS
"""What a filter returns to see nothing more of a flow."""

Written = Union[None, bytes, bytearray, memoryview]


class _Inside(threading.local):
    """Whether this thread runs a callback of an engine."""

    depth = 0


inside = _Inside()


@dataclass(frozen=True)
class FlowInfo:
    """A flow that opens: where from and where to, who logged in (or ""), the
    decision that lets it live, None without a model, and the metadata that came
    with it, of the keys of Meta but for chains, tickets and proofs."""

    source: Optional[Address]
    dest: Optional[Address]
    user: str
    decision: Optional[Decision]
    metadata: dict[int, str]


class Pipe:
    """One flow's passage through one filter. It may be used in the filter's
    callbacks only, from their thread; elsewhere it raises InvalidState.

    `state` is the filter's own, one for each flow; None at first."""

    __slots__ = ("state", "_pointer", "_thread")

    def __init__(self) -> None:
        self.state: Any = None
        self._pointer: Optional[int] = None
        self._thread = 0

    @property
    def _at(self) -> int:
        if self._pointer is None or self._thread != threading.get_ident():
            raise InvalidState("a pipe can be used in its filter's callbacks"
                               " only")
        return self._pointer

    def write(self, direction: int, data: bytes) -> None:
        """Pass data on; the flow's other filters see it before this returns.

        Raises LimitReached over 4 MiB for one piece of data, InvalidState if
        the direction has ended; the flow is cut then, whatever follows."""
        data = data_of(data)
        check(c.epi_pipe_write(self._at, _direction(direction), data,
                               len(data)))

    def pause(self, direction: int) -> None:
        """Ask for no data of a direction, until resume()."""
        c.epi_pipe_pause(self._at, _direction(direction), 1)

    def resume(self, direction: int) -> None:
        """Ask for data of a direction again."""
        c.epi_pipe_pause(self._at, _direction(direction), 0)

    def note(self, text: str) -> None:
        """Say something for the line that logs the flow's end; at most 100
        bytes are kept. No payload."""
        c.epi_pipe_note(self._at, text)

    def hold(self, count: int) -> None:
        """Say that the filter holds so many bytes more of this flow, or less
        if negative. Raises LimitReached over Filter.memory; the filter then
        fails."""
        check(c.epi_pipe_hold(self._at, count))

    def set_timer(self, ms: Optional[int]) -> None:
        """Have Filter.timer() called after so many milliseconds; None takes it
        back."""
        check(c.epi_pipe_set_timer(self._at, -1 if ms is None else ms))

    @property
    def now_ms(self) -> int:
        """Milliseconds on a clock that never steps."""
        return int(c.epi_pipe_now_ms(self._at))

    @property
    def wall_time(self) -> int:
        """Seconds since 1970 UTC."""
        return int(c.epi_pipe_wall_time(self._at))

    @property
    def source(self) -> Optional[Address]:
        """Where the flow comes from: the original source, if an authenticated
        proxy named it, else the TCP peer."""
        return Address._at(c.epi_pipe_source(self._at))

    @property
    def dest(self) -> Optional[Address]:
        """Where the flow goes to."""
        return Address._at(c.epi_pipe_dest(self._at))

    @property
    def user(self) -> str:
        """Who logged in, or ""."""
        return text_of(c.epi_pipe_user(self._at))

    def metadata(self, key: int) -> Optional[str]:
        """Metadata that came with the flow (Meta); libepi's own only if it was
        authenticated."""
        return maybe_text_of(c.epi_pipe_metadata(self._at, key))

    def set_metadata(self, key: int, value: Optional[str]) -> None:
        """Send metadata along to the next proxies, in Filter.open() alone;
        None removes what there is. Raises InvalidArgument for the keys of
        libepi and of chains, InvalidState later."""
        check(c.epi_pipe_set_metadata(self._at, key, value))

    @property
    def decision(self) -> Optional[Decision]:
        """The decision that lets the flow live; None without a model."""
        found = c.epi_flow_decision(c.epi_pipe_flow(self._at))
        return decision_at(found) if found else None

    @property
    def flow(self) -> FlowInfo:
        """All of that in an object that may be kept."""
        flow = c.epi_pipe_flow(self._at)
        found = c.epi_flow_decision(flow)
        keys = (c.EPI_META_APPLICATION, c.EPI_META_LOCATION, c.EPI_META_JOB,
                *range(c.EPI_META_SOURCE, c.EPI_META_REASON + 1),
                c.EPI_META_AUTHENTICATED)
        said = ((key, maybe_text_of(c.epi_flow_metadata(flow, key)))
                for key in keys)
        return FlowInfo(
            source=Address._at(c.epi_flow_source(flow)),
            dest=Address._at(c.epi_flow_dest(flow)),
            user=text_of(c.epi_flow_user(flow)),
            decision=decision_at(found) if found else None,
            metadata={key: text for key, text in said if text is not None})


def _direction(direction: int) -> int:
    if direction not in (c.EPI_FORWARD, c.EPI_BACKWARD):
        raise InvalidArgument(f"there is no direction {direction!r}")
    return int(direction)


# ---- callbacks ----
#
# C knows a filter and a pipe by a number, so that no pointer to a Python
# object can outlive it.

numbers: Iterator[int] = itertools.count(1)
filters: dict[int, Filter] = {}
_pipes: dict[int, Pipe] = {}


def _run(pipe: Pipe, pointer: int, call: Callable[[], Any]) -> int:
    """Make a call for a pipe: 0, PASS or an error."""
    before = pipe._pointer, pipe._thread
    pipe._pointer, pipe._thread = pointer, threading.get_ident()
    inside.depth += 1
    try:
        return int(call())
    except BaseException as error:  # nothing may pass through C
        return _failed(pointer, error)
    finally:
        inside.depth -= 1
        pipe._pointer, pipe._thread = before


def _failed(pointer: int, error: BaseException) -> int:
    """The error of C for an exception; never 0 or PASS, with which the flow
    would go on."""
    if isinstance(error, Denied):
        return int(c.epi_pipe_refuse(pointer, _reason(error)))
    try:
        # The traceback says where; its text may hold payload, and stays here.
        log.error("a filter failed", exc_info=error)
        c.epi_pipe_note(pointer, type(error).__name__)
    except BaseException:  # of a log handler of the program's own
        pass
    if isinstance(error, Error) and error.code in CLASSES:
        return int(error.code)
    return int(c.EPI_EFILTER)


def _reason(refusal: Denied) -> str:
    try:
        reason = str(refusal)
    except BaseException:
        reason = Denied.meaning
    return reason.replace("\0", "?").encode(errors="replace").decode()


def _result(returned: object) -> int:
    if returned is None:
        return 0
    if returned is PASS:
        return int(c.EPI_PASS)
    raise TypeError(f"None or PASS is needed, not {type(returned).__name__}")


def _write(pointer: int, direction: int, returned: Any) -> int:
    """Write what a filter returned: nothing, bytes, or PASS."""
    if returned is None or returned is PASS:
        return _result(returned)
    data = data_of(returned)
    result = c.epi_pipe_write(pointer, direction, data, len(data))
    return min(int(result), 0)


def _open(pointer: int, user: int) -> int:
    pipe, number = Pipe(), next(numbers)
    filter = filters[user]
    _pipes[number] = pipe
    c.epi_pipe_set_state(pointer, number)
    result = _run(pipe, pointer, lambda: _result(filter.open(pipe)))
    if result < 0:
        _pipes.pop(number, None)  # close() does not come
    return result


def _data(pointer: int, direction: int, data: int, length: int,
          user: int) -> int:
    pipe, filter = _pipes[c.epi_pipe_state(pointer)], filters[user]
    return _run(pipe, pointer, lambda: _write(
        pointer, direction, filter.data(pipe, Direction(direction),
                                        ctypes.string_at(data, length))))


def _end(pointer: int, direction: int, user: int) -> int:
    pipe, filter = _pipes[c.epi_pipe_state(pointer)], filters[user]
    return _run(pipe, pointer, lambda: _write(
        pointer, direction, filter.end(pipe, Direction(direction))))


def _close(pointer: int, user: int) -> None:
    pipe, filter = _pipes.pop(c.epi_pipe_state(pointer)), filters[user]

    def close() -> int:
        filter.close(pipe)
        return 0

    _run(pipe, pointer, close)


def _timer(pointer: int, user: int) -> int:
    pipe, filter = _pipes[c.epi_pipe_state(pointer)], filters[user]
    return _run(pipe, pointer, lambda: _result(filter.timer(pipe)))


def _free(user: int) -> None:
    filters.pop(user, None)


def callback(register: Any, function: Callable[..., Any]) -> Any:
    """A function as the callback that a function of the API takes."""
    kinds = getattr(register, "argtypes", ())
    return next(t for t in kinds if hasattr(t, "_flags_"))(function)


ON_OPEN = callback(c.epi_filter_on_open, _open)
ON_DATA = callback(c.epi_filter_on_data, _data)
ON_END = callback(c.epi_filter_on_end, _end)
ON_CLOSE = callback(c.epi_filter_on_close, _close)
ON_TIMER = callback(c.epi_filter_on_timer, _timer)
ON_FREE = callback(c.epi_filter_on_free, _free)
