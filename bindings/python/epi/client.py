"""client.py: a socket to a destination, through proxies."""
from __future__ import annotations

import asyncio
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Any, Generator, Mapping, Optional, Sequence, Tuple, Union
from urllib.parse import parse_qs, unquote, urlsplit

from .address import Address, AddressLike
from .errors import (
    Closed,
    InvalidArgument,
    NotSupported,
    Refused,
    ResolveError,
    SystemRefused,
    TimedOut,
)
from .message import Request, Version, reply_text
from .session import Next, Session

_PIECE = 16384

Via = Union[str, Sequence[str]]


@dataclass(frozen=True)
class Link:
    """A proxy on the way, as its URL says."""

    address: Address
    version: Version
    tls: bool
    user: Optional[str]
    password: Optional[str] = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Link:
        """Read `socks5://` or `socks6://`, or these with `+tls`, then
        `[USER:PASS@]HOST:PORT`, and of socks6 `?draft=11`, `?draft=12` or
        `?dialect=socksx`. Raises InvalidArgument."""
        if not isinstance(url, str):
            raise TypeError(f"a str is needed, not {type(url).__name__}")
        head, _, rest = url.partition("://")
        login, at, place = rest.rpartition("@")
        user, _, password = login.partition(":")
        try:
            # A login may hold what ends one in other URLs.
            parts = urlsplit(f"{head}://{place}")
        except ValueError:  # it would tell the whole text
            raise _no_link(url) from None
        scheme, _, more = parts.scheme.partition("+")
        query = parse_qs(parts.query, keep_blank_values=True)
        unknown = set(query) - {"draft", "dialect"}
        if (scheme not in ("socks5", "socks6") or more not in ("", "tls")
                or unknown or parts.path.strip("/")
                or parts.fragment or (at and not user)):
            raise _no_link(url)
        return cls(
            address=Address.parse(parts.netloc),
            version=_version(scheme, query), tls=more == "tls",
            user=unquote(user) if at else None,
            password=unquote(password) if at else None)


def _no_link(url: str) -> InvalidArgument:
    scheme, found, rest = url.rpartition("@")[2].partition("://")
    if not found and "://" in url:  # the scheme was before the login
        scheme, found, rest = url.partition("://")
    return InvalidArgument(
        f"no link {scheme}{found}{rest.rpartition('@')[2]}: it is socks5:// or"
        " socks6://[USER:PASS@]HOST:PORT")


def _version(scheme: str, query: Mapping[str, Sequence[str]]) -> Version:
    draft = (query.get("draft") or ["11"])[-1]
    dialect = (query.get("dialect") or ["draft"])[-1]
    if scheme == "socks5":
        if query:
            raise InvalidArgument("SOCKS 5 has neither drafts nor dialects")
        return Version.SOCKS5
    if dialect == "socksx":
        return Version.SOCKSX
    if dialect != "draft" or draft not in ("11", "12"):
        raise InvalidArgument("draft is 11 or 12, dialect draft or socksx")
    return Version.SOCKS6 if draft == "11" else Version.SOCKS6_12


def _links(via: Via) -> list[Link]:
    links = [Link.parse(url)
             for url in ([via] if isinstance(via, str) else via)]
    if any(link.tls for link in links[1:]):
        raise NotSupported("TLS to a proxy behind another one")
    return links


Step = Union[bytes, int]


def handshake(link: Link, dest: Address,
              metadata: Mapping[int, str]) -> Generator[Step, Any, None]:
    """The client's side of one handshake, for any kind of socket: it yields
    bytes that are to be sent, or the most that is to be received, and then is
    sent what was received.

    It asks for so few bytes that none of those behind the handshake comes
    with it: a proxy may send the destination's first words along."""
    request = Request(dest, user=link.user, password=link.password,
                      metadata=metadata if link.version != Version.SOCKS5
                      else None)
    session = Session.client(link.version, request)
    while True:
        data = session.take()
        if data:
            yield data
        if session.next != Next.READ:
            break
        # One byte at a time is how to know where the handshake ends.
        got: Any = yield 1
        if not got:
            raise Closed(f"{link.address} closed the connection in the"
                         " handshake")
        try:
            session.feed(got)
        except Refused as error:
            raise _refused(link, session) from error
    if session.next != Next.DONE:
        raise _refused(link, session)


def _refused(link: Link, session: Session) -> Refused:
    reply = session.result
    code = reply.code if reply else None
    why = reply_text(code) if code is not None else "no reply"
    reason = reply.metadata.get(2011) if reply else None
    made = Refused(f"{link.address} refused: {reason or why}")
    made.reply = code
    return made


def _context(link: Link, context: Optional[ssl.SSLContext],
             ) -> Optional[ssl.SSLContext]:
    if not link.tls:
        return None
    return context or ssl.create_default_context()


def _way(dest: AddressLike, via: Via) -> Tuple[Address, list[Link],
                                               list[Address]]:
    """The destination, the links, and what each of them is asked for."""
    to = Address.of(dest, None)
    if not to.port:
        raise InvalidArgument(f"{to.host} needs a port")
    links = _links(via)
    return to, links, [*(link.address for link in links[1:]), to]


class _Deadline:
    """The seconds that are left of a time-out."""

    def __init__(self, timeout: Optional[float]) -> None:
        self.end = None if timeout is None else time.monotonic() + timeout

    def left(self) -> Optional[float]:
        if self.end is None:
            return None
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimedOut("no connection within the time-out")
        return left


def connect(dest: AddressLike, via: Via = (), *,
            metadata: Optional[Mapping[int, str]] = None,
            timeout: Optional[float] = 30,
            ssl_context: Optional[ssl.SSLContext] = None) -> socket.socket:
    """Connect to a destination through proxies, one after another.

        sock = epi.connect("ehr.antonius.example:443",
                           via=["socks6://10.1.0.2:1080"],
                           metadata={epi.Meta.PURPOSE: "research"})

    dest is an Address, "host:port" or a pair. via has the proxies in the order
    in which they are passed: `socks5://` or `socks6://[USER:PASS@]HOST:PORT`,
    with `?draft=12` or `?dialect=socksx`, the first one also with `+tls`,
    which ssl_context is for. Each proxy is asked for the next one, so none of
    them can leave another one out; each that speaks SOCKS 6 gets the metadata
    (Meta). Without proxies, it connects directly. timeout is in seconds, for
    all of it, None for ever.

    Returns a blocking socket. Raises Refused with the reply in `reply`,
    TimedOut, ResolveError, Closed, SystemRefused, AuthenticationFailed,
    ProtocolError, WrongVersion or InvalidArgument."""
    to, links, asked = _way(dest, via)
    deadline = _Deadline(timeout)
    first = links[0].address if links else to
    try:
        sock = socket.create_connection((first.host, first.port),
                                        deadline.left())
    except OSError as error:
        raise _failed(first, error) from error
    try:
        context = _context(links[0], ssl_context) if links else None
        if context:
            sock.settimeout(deadline.left())
            sock = context.wrap_socket(sock, server_hostname=first.host)
        for link, target in zip(links, asked):
            _shake(sock, handshake(link, target, metadata or {}), deadline)
        sock.settimeout(None)
        return sock
    except OSError as error:
        sock.close()
        raise _failed(first, error) from error
    except BaseException:
        sock.close()
        raise


def _shake(sock: socket.socket, steps: Any, deadline: _Deadline) -> None:
    got: Optional[bytes] = None
    while True:
        try:
            step = steps.send(got)
        except StopIteration:
            return
        sock.settimeout(deadline.left())
        if isinstance(step, int):
            got = sock.recv(step)
        else:
            sock.sendall(step)
            got = None


def _failed(first: Address, error: OSError) -> Exception:
    """What went wrong below SOCKS, as an exception of this package."""
    if isinstance(error, (TimedOut, ssl.SSLError)):
        return error
    if isinstance(error, (TimeoutError, socket.timeout)):
        return TimedOut(f"no connection to {first} within the time-out")
    if isinstance(error, socket.gaierror):
        return ResolveError(f"{first.host}: {error.strerror}")
    return SystemRefused(f"{first}: {error.strerror or error}")


async def open_connection(
        dest: AddressLike, via: Via = (), *,
        metadata: Optional[Mapping[int, str]] = None,
        timeout: Optional[float] = 30,
        ssl_context: Optional[ssl.SSLContext] = None,
) -> Tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The same under asyncio: a pair of streams, as asyncio.open_connection()
    has it. Raises as connect()."""
    to, links, asked = _way(dest, via)
    first = links[0].address if links else to
    context = _context(links[0], ssl_context) if links else None
    writer: Optional[asyncio.StreamWriter] = None

    async def through() -> Tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        nonlocal writer
        reader, writer = await asyncio.open_connection(
            first.host, first.port, ssl=context)
        for link, target in zip(links, asked):
            await _shake_streams(reader, writer,
                                 handshake(link, target, metadata or {}))
        return reader, writer

    try:
        return await asyncio.wait_for(through(), timeout)
    except BaseException as error:
        if writer is not None:
            writer.close()
        if isinstance(error, asyncio.TimeoutError):
            raise TimedOut(f"no connection to {to} within the time-out"
                           ) from error
        if isinstance(error, OSError):
            raise _failed(first, error) from error
        raise


async def _shake_streams(reader: asyncio.StreamReader,
                         writer: asyncio.StreamWriter, steps: Any) -> None:
    got: Optional[bytes] = None
    while True:
        try:
            step = steps.send(got)
        except StopIteration:
            return
        if isinstance(step, int):
            got = await reader.read(step)
        else:
            writer.write(step)
            await writer.drain()
            got = None
