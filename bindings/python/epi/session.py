"""session.py: one SOCKS handshake, client or server, without I/O.

Feed it what came from the peer, send what there is to peek at, ack what was
sent, and ask what is next (include/epi/session.h)."""
from __future__ import annotations

import enum
import operator
import os
import threading
from typing import Any, Optional

from . import _abi as c
from ._foreign import data_of
from ._handle import Handle, check, made, needed
from .errors import InvalidArgument
from .message import AuthReply, Reply, Request, Version, blob


class Next(enum.IntEnum):
    """What a session needs. Send what there is to peek at in any case."""

    READ = c.EPI_NEXT_READ
    LOGIN = c.EPI_NEXT_LOGIN
    REPLY = c.EPI_NEXT_REPLY
    DONE = c.EPI_NEXT_DONE
    REFUSED = c.EPI_NEXT_REFUSED
    FAILED = c.EPI_NEXT_FAILED


class Accept(enum.IntFlag):
    """Which versions a server takes; SOCKSX with SOCKS6 are told apart by the
    first bytes."""

    SOCKS5 = c.EPI_ACCEPT_SOCKS5
    SOCKS6 = c.EPI_ACCEPT_SOCKS6
    SOCKSX = c.EPI_ACCEPT_SOCKSX


class SessionTable(Handle):
    """The sessions of requests that servers keep, whose they are, and which of
    their tokens are spent. It has no clock: callers say what time it is, in
    milliseconds on a clock that never steps.

    key, 32 bytes that nobody can guess, makes the ids; random if it is None.
    Threads: any (include/epi/auth.h)."""

    __slots__ = ("_callbacks",)
    _free = c.epi_session_table_free
    PARAMETERS = {"sessions": c.EPI_SESSIONS_MAX,
                  "per_owner": c.EPI_SESSIONS_PER_OWNER,
                  "idle_ms": c.EPI_SESSIONS_IDLE_MS,
                  "tokens": c.EPI_SESSIONS_TOKENS}

    def __init__(self, key: Optional[bytes] = None) -> None:
        key = os.urandom(32) if key is None else data_of(key)
        super().__init__(made(c.epi_session_table_new, key, len(key)))
        lock = threading.Lock()
        of = c.epi_session_table_on_lock.argtypes  # type: ignore[attr-defined]
        self._callbacks: Any = (of[1](lambda user: _quietly(lock.acquire)),
                                of[2](lambda user: _quietly(lock.release)))
        c.epi_session_table_on_lock(self._handle, *self._callbacks, None)

    def set(self, parameter: str, value: int) -> None:
        """Set a parameter of PARAMETERS, for what comes from now on: how many
        "sessions" at once, "per_owner", "idle_ms", and the largest window of
        "tokens". Raises InvalidArgument."""
        if parameter not in self.PARAMETERS:
            raise InvalidArgument(f"no parameter {parameter!r}; there are"
                                  f" {', '.join(self.PARAMETERS)}")
        check(c.epi_session_table_set(
            self._handle, self.PARAMETERS[parameter], value))

    def expire(self, now_ms: int) -> int:
        """Forget the sessions that were idle for too long; how many."""
        return int(c.epi_session_table_expire(self._handle, now_ms))

    def __len__(self) -> int:
        return int(c.epi_session_table_count(self._handle))

    def __bool__(self) -> bool:
        return True

    def hold(self, number: int) -> None:
        """Keep a session from counting as idle while a flow of it is open.
        Raises NotFound if it has ended."""
        check(c.epi_session_table_hold(self._handle, number))

    def release(self, number: int, now_ms: int) -> None:
        """The flow is no longer open."""
        c.epi_session_table_release(self._handle, number, now_ms)


def _quietly(function: Any) -> None:
    function()


class Session(Handle):
    """One handshake. Make it with client() or server():

        session = Session.client(Version.SOCKS5, Request(("example.org", 80)))
        while session.next == Next.READ:
            sock.sendall(session.take())
            session.feed(sock.recv(4096))

    What feed() does not use belongs to what follows the handshake. Secrets are
    wiped at the end."""

    __slots__ = ("_table",)
    _free = c.epi_session_free
    _table: Optional[SessionTable]

    def __init__(self) -> None:
        raise TypeError("use Session.client() or Session.server()")

    @classmethod
    def _made(cls, *arguments: Any) -> Session:
        session = cls.__new__(cls)
        Handle.__init__(session, made(*arguments))
        session._table = None
        return session

    @classmethod
    def client(cls, version: int, request: Request) -> Session:
        """The client's side. The request is copied; its login is used when the
        server asks (SOCKS 5), or sent along (SOCKS 6).

        Raises InvalidArgument for a request that the version cannot say, and
        LimitReached for metadata over its options."""
        return cls._made(c.epi_session_new_client, version,
                         needed(Request, request)._handle)

    @classmethod
    def server(cls, accept: int = Accept.SOCKS5 | Accept.SOCKS6, *,
               draft: int = Version.SOCKS6, login: bool = False) -> Session:
        """The server's side; the client's first byte chooses the version.
        login demands user name and password. Raises InvalidArgument."""
        return cls._made(c.epi_session_new_server, accept, draft, int(login))

    def feed(self, data: bytes) -> int:
        """Take bytes from the peer; how many were used. What is behind a
        message that must be answered first is not used: feed it again.

        Raises ProtocolError, WrongVersion, AuthenticationFailed, Refused,
        LimitReached; next is then REFUSED or FAILED and stays so, and there
        may be a last message to send."""
        data = data_of(data)
        return check(c.epi_session_feed(self._handle, data, len(data)))

    def peek(self) -> bytes:
        """What is to be sent; b"" for nothing."""
        return blob(c.epi_session_peek, self._handle) or b""

    def ack(self, count: int) -> None:
        """Say that the first count bytes of it were sent."""
        if operator.index(count) < 0:
            raise InvalidArgument("less than nothing was sent")
        check(c.epi_session_ack(self._handle, count))

    def take(self) -> bytes:
        """Peek at what is to be sent, and ack it."""
        data = self.peek()
        self.ack(len(data))
        return data

    @property
    def next(self) -> Next:
        """What is needed next."""
        return Next(c.epi_session_next(self._handle))

    @property
    def version(self) -> Optional[Version]:
        """The version that is spoken; None while a server does not know."""
        version = c.epi_session_version(self._handle)
        return Version(version) if version else None

    @property
    def may_send(self) -> bool:
        """Whether a client may send application data right behind what peek()
        shows, without waiting for the peer."""
        return bool(c.epi_session_may_send(self._handle))

    @property
    def request(self) -> Optional[Request]:
        """The request: a client's own; a server's from Next.REPLY on, its
        login from Next.LOGIN on."""
        pointer = c.epi_session_request(self._handle)
        return Request._part(pointer, self) if pointer else None

    def login(self, ok: bool) -> None:
        """Server: answer Next.LOGIN. Raises InvalidState if not asked."""
        check(c.epi_session_login(self._handle, int(ok)))

    def reply(self, reply: Reply) -> None:
        """Server: answer Next.REPLY. A BIND has two replies. Raises
        InvalidState if not asked, LimitReached."""
        check(c.epi_session_reply(self._handle, needed(Reply, reply)._handle))

    def bind_whole(self) -> None:
        """Server: one reply is all of a BIND, for which a listen backlog was
        granted. Raises InvalidState if no BIND waits for its first reply."""
        check(c.epi_session_bind_whole(self._handle))

    def use_table(self, table: SessionTable, owner: str, now_ms: int) -> None:
        """Server, before the first feed: keep sessions of requests in a table,
        which belong to owner, the client's address, without a login.

        Raises InvalidState if it is too late."""
        check(c.epi_session_use_table(self._handle,
                                      needed(SessionTable, table)._handle,
                                      owner, now_ms))
        self._table = table

    @property
    def member(self) -> int:
        """Server: the number of the session of requests that the request began
        or joined, 0 for none."""
        return int(c.epi_session_member(self._handle))

    @property
    def auth(self) -> Optional[AuthReply]:
        """Client: the last authentication reply of SOCKS 6."""
        pointer = c.epi_session_auth(self._handle)
        return AuthReply._part(pointer, self) if pointer else None

    @property
    def initial_data(self) -> bytes:
        """Server: application data that came before an authentication
        exchange, at most 16,384 bytes; it goes before all that follows."""
        return blob(c.epi_session_initial_data, self._handle) or b""

    @property
    def result(self) -> Optional[Reply]:
        """Client: the server's last reply."""
        pointer = c.epi_session_result(self._handle)
        return Reply._part(pointer, self) if pointer else None

    @property
    def replies(self) -> int:
        """How many operation replies came or were given, 0 to 2."""
        return int(c.epi_session_replies(self._handle))

    def __del__(self) -> None:
        # The table must live longer than the handshake that uses it.
        super().__del__()
        self._table = None
