"""datagram.py: what UDP ASSOCIATE carries, of SOCKS 5 and 6, without I/O.

Sources: RFC 1928 section 7, draft-11 section 7.3; include/epi/datagram.h."""
from __future__ import annotations

import ctypes
import enum
from dataclasses import dataclass
from typing import Any, Optional, Tuple

from . import _abi as c
from ._foreign import data_of
from ._handle import Handle, check, made
from .address import Address
from .message import blob


class DatagramType(enum.IntEnum):
    """Types of messages; SOCKS 5 has DATAGRAM alone."""

    INIT = c.EPI_UDP_INIT
    CONFIRM = c.EPI_UDP_CONFIRM
    DATAGRAM = c.EPI_UDP_DATAGRAM
    ERROR = c.EPI_UDP_ERROR


class UdpError(enum.IntEnum):
    """What a message of type ERROR says; TOO_BIG is of IPv6 only."""

    NETWORK = c.EPI_UDP_ERROR_NETWORK
    HOST = c.EPI_UDP_ERROR_HOST
    TTL = c.EPI_UDP_ERROR_TTL
    TOO_BIG = c.EPI_UDP_ERROR_TOO_BIG


@dataclass(frozen=True)
class Datagram:
    """One message, of at most 65,535 bytes in SOCKS 6.

    `remote` is where a client's datagram goes to, where a proxy's came from,
    what an error is about; `association` the association's id, of SOCKS 6;
    `error` and `reporter` (an IP address) what type ERROR says; `fragment` the
    fragment number of SOCKS 5, 0 for a datagram that stands alone."""

    remote: Optional[Address] = None
    data: bytes = b""
    type: DatagramType = DatagramType.DATAGRAM
    association: int = 0
    error: Optional[UdpError] = None
    reporter: Optional[Address] = None
    fragment: int = 0

    @classmethod
    def read(cls, data: bytes, version: int) -> Optional[Tuple[Datagram, int]]:
        """Read a message from its first byte: it and the bytes used; None if
        it is not all there (of one that came in a datagram: drop it).

        Raises ProtocolError or WrongVersion."""
        message = _Message()
        data = data_of(data)
        used = check(c.epi_datagram_read(message._handle, version, data,
                                         len(data)))
        return (message.said(), used) if used else None

    def write(self, version: int) -> bytes:
        """The message as bytes.

        Raises InvalidArgument if the version has no such type or `remote` is
        not set, LimitReached if it is too long."""
        message = _Message()
        message.say(self)
        return message.written(c.epi_datagram_write, version, len(self.data))

    def write_header(self, version: int) -> bytes:
        """All of the message that comes before the data."""
        message = _Message()
        message.say(self)
        return message.written(c.epi_datagram_write_header, version, 0)


class _Message(Handle):
    """epi_datagram; made for one call."""

    __slots__ = ("_kept",)
    _free = c.epi_datagram_free

    def __init__(self) -> None:
        super().__init__(made(c.epi_datagram_new))
        self._kept = b""  # what the message refers to

    def say(self, what: Datagram) -> None:
        handle = self._handle
        check(c.epi_datagram_set_type(handle, what.type))
        c.epi_datagram_set_association(handle, what.association)
        if what.remote is not None:
            check(c.epi_datagram_set_remote(handle, what.remote._c))
        if what.error is not None:
            reporter = (what.reporter or Address("0.0.0.0"))._c
            check(c.epi_datagram_set_error(handle, what.error, reporter))
        self._kept = data_of(what.data)
        check(c.epi_datagram_set_data(handle, self._kept, len(self._kept)))

    def said(self) -> Datagram:
        handle = self._handle
        kind = DatagramType(c.epi_datagram_type(handle))
        error, reporter = None, None
        if kind == DatagramType.ERROR:
            at = ctypes.POINTER(type(Address("0.0.0.0")._c))()
            error = UdpError(c.epi_datagram_error(handle, ctypes.byref(at)))
            reporter = Address._at(at)
        return Datagram(
            remote=Address._at(c.epi_datagram_remote(handle)),
            data=blob(c.epi_datagram_data, handle) or b"", type=kind,
            association=c.epi_datagram_association(handle), error=error,
            reporter=reporter, fragment=c.epi_datagram_fragment(handle))

    def written(self, write: Any, version: int, length: int) -> bytes:
        size = c.EPI_UDP_HEADER_MAX + length
        # An error quotes a whole header behind its own.
        buffer = ctypes.create_string_buffer(size + c.EPI_UDP_HEADER_MAX)
        used = check(write(self._handle, version, buffer, len(buffer)))
        return buffer.raw[:used]
