"""socks6.py: requests and replies, and chains of proxies."""
from __future__ import annotations

import asyncio
from typing import Optional, Sequence

from ... import message
from ...address import Address
from ..._abi import EPI_METADATA_MAX
from ...client import Link, handshake
from ...errors import Closed, InvalidArgument, ProtocolError
from ...message import AuthReply, Meta, Reply, ReplyCode, Version
from ...session import Accept, Next, Session
from .socket import Socket, SocketAddress, _connect, address_of, begun

_ROOT = "socks6://root:1080"  # link 0: whoever made the chain


class ChainLink:
    """A proxy of a chain."""

    def __init__(self, url: str) -> None:
        link = Link.parse(url)
        self._link = link
        self.host = link.address.host
        self.port = link.address.port

    def __repr__(self) -> str:
        return f"ChainLink({self.host}:{self.port})"


class Chain:
    """The proxies that a flow passes, and the one that it is at."""

    def __init__(self, index: int, links: Sequence[str]) -> None:
        if not 0 <= index < len(links):
            raise ProtocolError(f"a chain of {len(links)} links has no link"
                                f" {index}")
        self._index = index
        self._links = list(links)

    def has_next(self) -> bool:
        """Whether there is a proxy behind the current one."""
        return self._index + 1 < len(self._links)

    def next_link(self) -> Optional[ChainLink]:
        """Go on to the next proxy; None at the end."""
        if not self.has_next():
            return None
        self._index += 1
        return ChainLink(self._links[self._index])

    def _detour(self, links: Sequence[str]) -> None:
        """Put links behind the current one."""
        at = self._index + 1
        self._links[at:at] = links

    def _metadata(self) -> dict[int, str]:
        if len(self._links) + 2 > EPI_METADATA_MAX:
            raise InvalidArgument("the chain is too long")
        return {Meta.CHAIN_INDEX: str(self._index),
                Meta.CHAIN_LENGTH: str(len(self._links)),
                **{Meta.CHAIN_LINK + i: _without_login(url)
                   for i, url in enumerate(self._links)}}


def _without_login(url: str) -> str:
    """Credentials are for who connects, and not for the proxies before."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


class Request:
    """What a client asks."""

    def __init__(self, request: message.Request) -> None:
        dest = request.dest
        if dest is None:
            raise ProtocolError("the request has no destination")
        self.command = request.command
        self.destination = SocketAddress._of(dest)
        self.initial_data_length = request.initial_data
        self._metadata = dict(request.metadata)

    def chain(self, links: Optional[Sequence[str]] = None) -> Optional[Chain]:
        """The chain that came with the request, with a proxy's own links put
        behind the current one; None if there are neither.

        Raises ProtocolError for a chain that makes no sense."""
        found = self._came()
        if found is None and links:
            found = Chain(0, [_ROOT])
        if found is not None and links:
            for url in links:
                Link.parse(url)
            found._detour(links)
        return found

    def _came(self) -> Optional[Chain]:
        said = self._metadata
        if Meta.CHAIN_INDEX not in said and Meta.CHAIN_LENGTH not in said:
            return None
        try:
            index = int(said[Meta.CHAIN_INDEX])
            length = int(said[Meta.CHAIN_LENGTH])
            if length > EPI_METADATA_MAX:
                raise ValueError(length)
            links = [said[Meta.CHAIN_LINK + i] for i in range(length)]
        except (KeyError, ValueError) as error:
            raise ProtocolError(f"the chain in the request makes no sense:"
                                f" {error!r}") from None
        return Chain(index, links)


class Client:
    """A client of the proxy at "HOST:PORT"."""

    def __init__(self, address: str) -> None:
        self._link = Link(address_of(address), Version.SOCKSX, False, None,
                          None)

    def connect(self, destination: SocketAddress,
                chain: Optional[Chain] = None) -> asyncio.Future[Socket]:
        """Connect to a destination through the proxy; the rest of a chain goes
        along."""
        metadata = chain._metadata() if chain else {}
        return begun(self._connect(address_of(destination), metadata))

    async def _connect(self, dest: Address,
                       metadata: dict[int, str]) -> Socket:
        socket = await _connect(self._link.address)
        loop = asyncio.get_running_loop()
        try:
            steps = handshake(self._link, dest, metadata)
            step = next(steps)
            while True:
                if isinstance(step, int):
                    got = await loop.sock_recv(socket._sock, step)
                    step = steps.send(got)
                else:
                    await socket._send(step)
                    step = next(steps)
        except StopIteration:
            return socket
        except BaseException:
            socket.close()
            raise


def read_request(socket: Socket) -> asyncio.Future[Request]:
    """Read a request, in socksx's layout or in that of draft-11.

    Raises ProtocolError and the like; the socket is then of no more use."""
    return begun(_read_request(socket))


async def _read_request(socket: Socket) -> Request:
    session = Session.server(Accept.SOCKS6 | Accept.SOCKSX)
    data = b""
    while session.next == Next.READ:
        got = await socket._receive()
        if not got:
            raise Closed("the client closed the connection in its request")
        data += got
        try:
            data = data[session.feed(data):]
        except BaseException:
            await socket._send(session.take())
            raise
    request = session.request
    if request is None:
        await socket._send(session.take())
        raise ProtocolError("the request was refused")
    socket._session, socket._early = session, data
    return Request(request)


def write_no_authentication(socket: Socket) -> asyncio.Future[None]:
    """Tell a client that it need not authenticate itself."""
    session = socket._session
    return begun(socket._send(session.take() if session else
                              AuthReply().write(Version.SOCKSX)))


def write_success_reply(socket: Socket) -> asyncio.Future[None]:
    """Tell a client that its request was carried out."""
    return begun(_reply(socket, ReplyCode.SUCCESS))


def write_connection_refused_reply(socket: Socket) -> asyncio.Future[None]:
    """Tell a client that the destination refused the connection."""
    return begun(_reply(socket, ReplyCode.REFUSED))


async def _reply(socket: Socket, code: int) -> None:
    session = socket._session
    if session is None or session.next != Next.REPLY:
        await socket._send(Reply(code).write(Version.SOCKSX))
        return
    session.reply(Reply(code))
    await socket._send(session.take())
