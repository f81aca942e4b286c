"""audit.py: has anybody changed an audit log (doc/audit.md)?"""
from __future__ import annotations

import enum
import os
import pathlib
from dataclasses import dataclass
from typing import Iterable, Optional, Union

from . import _abi as c
from ._foreign import data_of, text_of
from ._handle import Handle, check, made
from .errors import InvalidArgument, ProtocolError

_PIECE = 1 << 16


class OnAuditError(enum.IntEnum):
    """What happens to flows while no line of the audit log can be written:
    REFUSE them, or IGNORE it, loudly."""

    REFUSE = c.EPI_AUDIT_REFUSE
    IGNORE = c.EPI_AUDIT_IGNORE


@dataclass(frozen=True)
class Audited:
    """How far a log goes: lines, the numbers and times of the first and the
    last one, and the MAC of the last; and in which line of the last file, and
    how, it is `broken`, None if it is not."""

    lines: int
    first: int
    last: int
    first_time: str
    last_time: str
    mac: str
    broken_line: int
    broken: Optional[str]

    def __bool__(self) -> bool:
        """Whether nothing was changed."""
        return self.broken is None


class AuditCheck(Handle):
    """Checks a log of which the bytes are fed in. The key has
    EPI_AUDIT_KEY_MIN (16) to EPI_AUDIT_KEY_MAX (1024) bytes."""

    __slots__ = ()
    _free = c.epi_audit_free

    def __init__(self, key: bytes) -> None:
        key = data_of(key)
        if not c.EPI_AUDIT_KEY_MIN <= len(key) <= c.EPI_AUDIT_KEY_MAX:
            raise InvalidArgument(f"an audit key has {c.EPI_AUDIT_KEY_MIN} to"
                                  f" {c.EPI_AUDIT_KEY_MAX} bytes")
        super().__init__(made(c.epi_audit_new, key, len(key)))

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raises ProtocolError if the chain is broken, or
        a line is longer than EPI_AUDIT_LINE_MAX."""
        data = data_of(data)
        for at in range(0, len(data), _PIECE):
            piece = data[at:at + _PIECE]
            check(c.epi_audit_feed(self._handle, piece, len(piece)))

    def end(self) -> None:
        """This was the end of a file. Raises ProtocolError if its last line is
        cut off."""
        check(c.epi_audit_end(self._handle))

    def found(self, broken: Optional[str] = None) -> Audited:
        """What was found so far; broken is what an error said."""
        def number(what: int) -> int:
            return check(c.epi_audit_number(self._handle, what))

        def text(what: int) -> str:
            return text_of(c.epi_audit_text(self._handle, what))

        return Audited(number(c.EPI_AUDIT_LINES), number(c.EPI_AUDIT_FIRST),
                       number(c.EPI_AUDIT_LAST), text(c.EPI_AUDIT_FIRST_TIME),
                       text(c.EPI_AUDIT_LAST_TIME), text(c.EPI_AUDIT_MAC),
                       int(c.epi_audit_broken_line(self._handle)), broken)


def check_audit(paths: Iterable[Union[str, os.PathLike[str]]],
                key: bytes) -> Audited:
    """Check files that follow each other, the oldest first."""
    audit = AuditCheck(key)
    try:
        for path in paths:
            with pathlib.Path(path).open("rb") as file:
                while piece := file.read(_PIECE):
                    audit.feed(piece)
            audit.end()
    except ProtocolError as error:
        return audit.found(error.detail)
    return audit.found()
