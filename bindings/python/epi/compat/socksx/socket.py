"""socket.py: sockets, and functions that change what is read from them."""
from __future__ import annotations

import asyncio
import socket as sockets
import struct
from typing import Any, Coroutine, Optional, TypeVar

from ...address import Address
from ...errors import InvalidArgument
from ...session import Session

Result = TypeVar("Result")

_PIECE = 65536
_ORIGINAL_DST = 80  # SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST of Linux


def begun(work: Coroutine[Any, Any, Result]) -> asyncio.Future[Result]:
    """Something that runs from now on, whether it is waited for or not."""
    return asyncio.ensure_future(work)


class SocketAddress:
    """Where to, from "HOST:PORT". Raises ValueError."""

    def __init__(self, address: str) -> None:
        self._address = Address.parse(address)

    @classmethod
    def _of(cls, address: Address) -> SocketAddress:
        made = cls.__new__(cls)
        made._address = address
        return made

    @property
    def ip(self) -> str:
        """The IP address, or the host name, as text."""
        return self._address.host

    @property
    def port(self) -> int:
        """The port."""
        return self._address.port

    def __str__(self) -> str:
        return str(self._address)

    def __repr__(self) -> str:
        return f"SocketAddress({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SocketAddress):
            return NotImplemented
        return self._address == other._address

    def __hash__(self) -> int:
        return hash(self._address)


def address_of(address: object) -> Address:
    if isinstance(address, SocketAddress):
        return address._address
    if isinstance(address, str):
        return Address.parse(address)
    raise TypeError(f"a SocketAddress is needed, not {type(address).__name__}")


class SocketFunction:
    """Changes what is read from a socket that it is applied to."""

    def partial(self, data: bytes) -> bytes:
        """Data came; return what takes its place."""
        return data

    def end(self) -> Optional[bytes]:
        """No more comes; return what is still to follow."""
        return None


class Socket:
    """A connection."""

    def __init__(self, sock: sockets.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._early = b""
        self._function: Optional[SocketFunction] = None
        self._session: Optional[Session] = None

    @staticmethod
    def connect(address: SocketAddress) -> asyncio.Future[Socket]:
        """Connect to an address."""
        return begun(_connect(address_of(address)))

    def apply(self, function: SocketFunction) -> None:
        """Change with a function what is read from this socket from now on."""
        if not hasattr(function, "partial") or not hasattr(function, "end"):
            raise TypeError("a function has partial() and end()")
        self._function = function

    def flush(self) -> asyncio.Future[None]:
        """Wait until all is sent; nothing is ever held back."""
        return begun(_nothing())

    def get_raw_fd(self) -> int:
        """The file descriptor."""
        return self._sock.fileno()

    def get_original_dst(self) -> asyncio.Future[SocketAddress]:
        """Where the connection was meant to go before the kernel redirected
        it. Raises OSError if it did not."""
        return begun(_original_dst(self._sock))

    def try_read_initial_data(self) -> asyncio.Future[bytes]:
        """What is there already; b"" for nothing. It does not wait, because
        there are protocols in which the server speaks first."""
        return begun(self._read_initial())

    async def _read_initial(self) -> bytes:
        early, self._early = self._early, b""
        try:
            return early + self._sock.recv(_PIECE)
        except BlockingIOError:
            return early

    async def _receive(self) -> bytes:
        """The next bytes, as they came; b"" at the end."""
        if self._early:
            early, self._early = self._early, b""
            return early
        return await asyncio.get_running_loop().sock_recv(self._sock, _PIECE)

    async def _send(self, data: bytes) -> None:
        if data:
            await asyncio.get_running_loop().sock_sendall(self._sock, data)

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()


class SocketServer:
    """Takes connections."""

    def __init__(self, sock: sockets.socket) -> None:
        sock.setblocking(False)
        self._sock = sock

    @staticmethod
    def bind(host: str, port: int) -> asyncio.Future[SocketServer]:
        """Listen on an address; port 0 lets the kernel choose."""
        return begun(_bind(host, port))

    def accept(self) -> asyncio.Future[Socket]:
        """Wait for the next connection."""
        return begun(self._accept())

    async def _accept(self) -> Socket:
        sock, _ = await asyncio.get_running_loop().sock_accept(self._sock)
        return Socket(sock)

    def get_raw_fd(self) -> int:
        """The file descriptor."""
        return self._sock.fileno()

    def close(self) -> None:
        """Take no more connections."""
        self._sock.close()


async def _nothing() -> None:
    return None


async def _bind(host: str, port: int) -> SocketServer:
    family = sockets.AF_INET6 if ":" in host else sockets.AF_INET
    return SocketServer(sockets.create_server((host, port), family=family))


async def _connect(address: Address) -> Socket:
    loop = asyncio.get_running_loop()
    error: OSError = OSError(f"{address.host} has no address")
    for family, kind, protocol, _, where in await loop.getaddrinfo(
            address.host, address.port, type=sockets.SOCK_STREAM):
        sock = sockets.socket(family, kind, protocol)
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, where)
            return Socket(sock)
        except OSError as failed:
            error = failed
            sock.close()
        except BaseException:
            sock.close()
            raise
    raise error


async def _original_dst(sock: sockets.socket) -> SocketAddress:
    if sock.family == sockets.AF_INET6:
        found = sock.getsockopt(sockets.IPPROTO_IPV6, _ORIGINAL_DST, 28)
        _, port, _, packed = struct.unpack("!HHI16s4x", found)
        host = sockets.inet_ntop(sockets.AF_INET6, packed)
    elif sock.family == sockets.AF_INET:
        found = sock.getsockopt(sockets.IPPROTO_IP, _ORIGINAL_DST, 16)
        _, port, packed = struct.unpack("!HH4s8x", found)
        host = sockets.inet_ntop(sockets.AF_INET, packed)
    else:
        raise InvalidArgument("this is no connection of IPv4 or IPv6")
    return SocketAddress._of(Address(host, port))
