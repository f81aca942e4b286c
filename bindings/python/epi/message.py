"""message.py: requests and replies of SOCKS 5 and 6, without I/O.

The version is an argument of reading and writing only. Sources: RFC 1928, RFC
1929, draft-olteanu-intarea-socks-6-11 and -12; include/epi/socks.h, auth.h,
stack.h; doc/socks6.md."""
from __future__ import annotations

import ctypes
import enum
import operator
from typing import (
    Any,
    Callable,
    Iterator,
    Mapping,
    MutableMapping,
    Optional,
    Tuple,
    TypeVar,
)

from . import _abi as c
from ._foreign import data_of, maybe_text_of, text_of
from ._handle import Handle, check, made
from .address import Address, AddressLike
from .errors import InvalidArgument, InvalidState

Message = TypeVar("Message", bound="_Message")


class Version(enum.IntEnum):
    """What is spoken. The drafts of SOCKS 6 differ in details; SOCKSX is
    socksx's dialect of it, CONNECT alone."""

    SOCKS5 = c.EPI_SOCKS5
    SOCKS6 = c.EPI_SOCKS6
    SOCKS6_12 = c.EPI_SOCKS6_12
    SOCKSX = c.EPI_SOCKSX


class Command(enum.IntEnum):
    """What a request asks for; NOOP is of SOCKS 6 only."""

    NOOP = c.EPI_NOOP
    CONNECT = c.EPI_CONNECT
    BIND = c.EPI_BIND
    UDP_ASSOCIATE = c.EPI_UDP_ASSOCIATE


class ReplyCode(enum.IntEnum):
    """What came of a request; others, up to 255, may come from peers."""

    SUCCESS = c.EPI_REPLY_SUCCESS
    FAILURE = c.EPI_REPLY_FAILURE
    NOT_ALLOWED = c.EPI_REPLY_NOT_ALLOWED
    NETWORK_UNREACHABLE = c.EPI_REPLY_NETWORK_UNREACHABLE
    HOST_UNREACHABLE = c.EPI_REPLY_HOST_UNREACHABLE
    REFUSED = c.EPI_REPLY_REFUSED
    TTL_EXPIRED = c.EPI_REPLY_TTL_EXPIRED
    NO_COMMAND = c.EPI_REPLY_NO_COMMAND
    NO_ADDRESS_TYPE = c.EPI_REPLY_NO_ADDRESS_TYPE
    TIMED_OUT = c.EPI_REPLY_TIMED_OUT


def reply_text(code: int) -> str:
    """What a reply code means, in the words of the RFC."""
    return text_of(c.epi_reply_text(code))


class Meta(enum.IntEnum):
    """Keys of metadata (doc/chains.md); link i of a chain is CHAIN_LINK + i.
    Those from SOURCE on are libepi's own."""

    APPLICATION = c.EPI_META_APPLICATION
    LOCATION = c.EPI_META_LOCATION
    JOB = c.EPI_META_JOB
    CHAIN_INDEX = c.EPI_META_CHAIN_INDEX
    CHAIN_LENGTH = c.EPI_META_CHAIN_LENGTH
    CHAIN_LINK = c.EPI_META_CHAIN_LINK
    SOURCE = c.EPI_META_SOURCE
    SOURCE_NODE = c.EPI_META_SOURCE_NODE
    PURPOSE = c.EPI_META_PURPOSE
    DATASET = c.EPI_META_DATASET
    USER = c.EPI_META_USER
    RULE = c.EPI_META_RULE
    MODEL = c.EPI_META_MODEL
    PLAN = c.EPI_META_PLAN
    PASSED = c.EPI_META_PASSED
    ISSUED = c.EPI_META_ISSUED
    AUTHENTICATOR = c.EPI_META_AUTHENTICATOR
    REASON = c.EPI_META_REASON
    TICKETS = c.EPI_META_TICKETS
    PROOF = c.EPI_META_PROOF
    AUTHENTICATED = c.EPI_META_AUTHENTICATED


class Leg(enum.IntFlag):
    """Which connection of the proxy a stack option is about."""

    CLIENT = c.EPI_LEG_CLIENT
    REMOTE = c.EPI_LEG_REMOTE
    BOTH = c.EPI_LEG_BOTH


class Stack(enum.IntEnum):
    """Stack options of SOCKS 6: how the proxy treats IP, TCP and UDP. Those
    that are wanted or not have the values NO and YES of StackValue."""

    TOS = c.EPI_STACK_TOS
    HAPPY_EYEBALLS = c.EPI_STACK_HAPPY_EYEBALLS
    TTL = c.EPI_STACK_TTL
    NO_FRAGMENT = c.EPI_STACK_NO_FRAGMENT
    TFO = c.EPI_STACK_TFO
    MULTIPATH = c.EPI_STACK_MULTIPATH
    BACKLOG = c.EPI_STACK_BACKLOG
    UDP_ERROR = c.EPI_STACK_UDP_ERROR
    PORT_PARITY = c.EPI_STACK_PORT_PARITY


class StackValue(enum.IntEnum):
    """Values of stack options that are wanted or not, or in force or not."""

    NO = c.EPI_STACK_NO
    YES = c.EPI_STACK_YES


class Parity(enum.IntFlag):
    """Values of Stack.PORT_PARITY: a parity, and RESERVE for the port's
    counterpart."""

    ANY = c.EPI_PARITY_ANY
    EVEN = c.EPI_PARITY_EVEN
    ODD = c.EPI_PARITY_ODD
    RESERVE = c.EPI_PARITY_RESERVE


class SessionUse(enum.IntEnum):
    """What a request does to a session of requests."""

    NONE = c.EPI_SESSION_NONE
    BEGIN = c.EPI_SESSION_BEGIN
    JOIN = c.EPI_SESSION_JOIN
    END = c.EPI_SESSION_END


class SessionState(enum.IntEnum):
    """What an authentication reply says of a session that was joined."""

    NONE = 0
    OK = c.EPI_SESSION_OK
    INVALID = c.EPI_SESSION_INVALID


class TokenState(enum.IntEnum):
    """What an authentication reply says of a token."""

    NONE = 0
    ACCEPTED = c.EPI_TOKEN_ACCEPTED
    REJECTED = c.EPI_TOKEN_REJECTED


def blob(read: Callable[..., int], *arguments: Any) -> Optional[bytes]:
    """Bytes that a function shows; None if it says that there are none."""
    out = ctypes.c_void_p()
    length = read(*arguments, ctypes.byref(out))
    if length < 0:
        return None
    return ctypes.string_at(out.value, length) if out.value else b""


class _Message(Handle):
    """A message, of its own or as part of a session, which then keeps it."""

    __slots__ = ("_owner",)
    _owner: Optional[Handle]
    _new: Callable[..., int]
    _read: Callable[..., int]
    _write: Callable[..., int]

    def __init__(self) -> None:
        super().__init__(made(type(self)._new))
        self._owner = None

    @classmethod
    def _part(cls: type[Message], pointer: int, owner: Handle) -> Message:
        part = cls.__new__(cls)
        Handle.__init__(part, pointer)
        part._owner = owner
        return part

    @property
    def _handle(self) -> int:
        owner = getattr(self, "_owner", None)
        if owner is not None:
            owner._handle  # what it is part of must be there
        return super()._handle

    @property
    def _writable(self) -> int:
        handle = self._handle
        if getattr(self, "_owner", None) is not None:
            raise InvalidState(f"this {type(self).__name__} is part of a"
                               " session, and cannot be changed")
        return handle

    def __del__(self) -> None:
        if getattr(self, "_owner", None) is None:
            super().__del__()

    @classmethod
    def read(cls: type[Message], data: bytes,
             version: int) -> Optional[Tuple[Message, int]]:
        """Read a message from its first byte: it and the bytes used; None
        while it is not all there.

        Raises ProtocolError, WrongVersion, LimitReached."""
        message = cls()
        data = data_of(data)
        used = check(cls._read(message._handle, version, data, len(data)))
        return (message, used) if used else None

    def write(self, version: int) -> bytes:
        """The message as bytes.

        Raises InvalidArgument for what the version cannot say, LimitReached
        for options over its limit."""
        write = type(self)._write
        size = check(write(self._handle, version, None, 0))
        buffer = ctypes.create_string_buffer(size)
        used = check(write(self._handle, version, buffer, size))
        return buffer.raw[:used]


class Metadata(MutableMapping[int, str]):
    """Metadata of a request or a reply: keys 0 to 65535 (Meta), texts of up to
    4,096 bytes. At most 64 entries; LimitReached beyond."""

    def __init__(self, message: _Message, get: Callable[..., Any],
                 put: Callable[..., int], key_at: Callable[..., int]) -> None:
        self._message, self._get = message, get
        self._put, self._key_at = put, key_at

    def __getitem__(self, key: int) -> str:
        found = maybe_text_of(self._get(self._message._handle, key))
        if found is None:
            raise KeyError(key)
        return found

    def __setitem__(self, key: int, value: str) -> None:
        if value is None:
            raise TypeError("a str is needed; del removes a key")
        check(self._put(self._message._writable, key, value))

    def __delitem__(self, key: int) -> None:
        self[key]
        check(self._put(self._message._writable, key, None))

    def __iter__(self) -> Iterator[int]:
        keys: list[int] = []
        index = 0
        while True:
            key = self._key_at(self._message._handle, index)
            if key < 0:
                return iter(keys)
            keys.append(key)
            index += 1

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))


class StackOptions(MutableMapping[Tuple[Leg, Stack], int]):
    """Stack options of a request or a reply, by leg and option."""

    def __init__(self, message: _Message, get: Callable[..., int],
                 put: Callable[..., int]) -> None:
        self._message, self._get, self._put = message, get, put

    def __getitem__(self, key: Tuple[Leg, Stack]) -> int:
        leg, option = key
        found = self._get(self._message._handle, leg, option)
        if found == c.EPI_ENOENT:
            raise KeyError(key)
        return check(found)

    def __setitem__(self, key: Tuple[Leg, Stack], value: int) -> None:
        if value < 0:
            raise InvalidArgument("a stack option is 0 or more")
        check(self._put(self._message._writable, *key, value))

    def __delitem__(self, key: Tuple[Leg, Stack]) -> None:
        self[key]
        check(self._put(self._message._writable, *key, -1))

    def __iter__(self) -> Iterator[Tuple[Leg, Stack]]:
        for leg in (Leg.CLIENT, Leg.REMOTE):
            for option in Stack:
                if self._get(self._message._handle, leg, option) >= 0:
                    yield leg, option

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))


class AuthData(MutableMapping[int, bytes]):
    """Authentication data by method, 1 to 254 without 2, which is the login.
    What is read has NULs behind it, up to a multiple of 4 less 1."""

    def __init__(self, message: _Message, get: Callable[..., int],
                 put: Callable[..., int]) -> None:
        self._message, self._get, self._put = message, get, put

    def __getitem__(self, method: int) -> bytes:
        found = blob(self._get, self._message._handle, method)
        if found is None:
            raise KeyError(method)
        return found

    def __setitem__(self, method: int, data: bytes) -> None:
        data = data_of(data)
        check(self._put(self._message._writable, method, data, len(data)))

    def __delitem__(self, method: int) -> None:
        self[method]
        check(self._put(self._message._writable, method, None, 0))

    def __iter__(self) -> Iterator[int]:
        out = ctypes.c_void_p()
        for method in range(1, 255):
            if self._get(self._message._handle, method,
                         ctypes.byref(out)) >= 0:
                yield method

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Request(_Message):
    """What a client asks.

        Request(Address("ehr.antonius.example", 443), user="me", password="x",
                metadata={Meta.PURPOSE: "research"})

    `dest` is where to; user and password have 1 to 255 and 0 to 255 bytes; a
    password is never shown. Raises InvalidArgument, LimitReached."""

    __slots__ = ()
    _free = c.epi_request_free
    _new = c.epi_request_new
    _read = c.epi_request_read
    _write = c.epi_request_write

    def __init__(self, dest: Optional[AddressLike] = None,
                 command: int = Command.CONNECT, *, user: Optional[str] = None,
                 password: Optional[str] = None,
                 metadata: Optional[Mapping[int, str]] = None,
                 stack: Optional[Mapping[Tuple[Leg, Stack], int]] = None,
                 ) -> None:
        super().__init__()
        self.command = command
        if dest is not None:
            self.dest = Address.of(dest)
        if user is not None or password is not None:
            self.set_login(user, password)
        self.metadata.update(metadata or {})
        self.stack.update(stack or {})

    @property
    def command(self) -> int:
        """What is asked for, Command."""
        return int(c.epi_request_command(self._handle))

    @command.setter
    def command(self, command: int) -> None:
        check(c.epi_request_set_command(self._writable, command))

    @property
    def dest(self) -> Optional[Address]:
        """Where to."""
        return Address._at(c.epi_request_dest(self._handle))

    @dest.setter
    def dest(self, dest: AddressLike) -> None:
        check(c.epi_request_set_dest(self._writable, Address.of(dest)._c))

    def set_login(self, user: Optional[str], password: Optional[str]) -> None:
        """Set user name and password; both None for none."""
        check(c.epi_request_set_login(self._writable, user, password))

    @property
    def user(self) -> Optional[str]:
        """The user name, or None."""
        return maybe_text_of(c.epi_request_user(self._handle))

    @property
    def password(self) -> Optional[str]:
        """The password, or None. Never print it."""
        return maybe_text_of(c.epi_request_password(self._handle))

    @property
    def metadata(self) -> Metadata:
        """Metadata that goes along."""
        return Metadata(self, c.epi_request_metadata,
                        c.epi_request_set_metadata,
                        c.epi_request_metadata_key)

    @property
    def stack(self) -> StackOptions:
        """Stack options that the client asks for."""
        return StackOptions(self, c.epi_request_stack, c.epi_request_set_stack)

    @property
    def auth_data(self) -> AuthData:
        """Authentication data of methods other than user and password."""
        return AuthData(self, c.epi_request_auth_data,
                        c.epi_request_set_auth_data)

    def offer_method(self, method: int) -> None:
        """Advertise an authentication method, 1 to 254."""
        check(c.epi_request_offer_method(self._writable, method))

    def offers_method(self, method: int) -> bool:
        """Whether a method is advertised; method 0 always is."""
        return bool(c.epi_request_offers_method(self._handle, method))

    @property
    def initial_data(self) -> int:
        """How many bytes of application data, 0 to 16,384, come before the
        exchange of a method."""
        return int(c.epi_request_initial_data(self._handle))

    @initial_data.setter
    def initial_data(self, length: int) -> None:
        if not 0 <= operator.index(length) <= c.EPI_INITIAL_DATA_MAX:
            raise InvalidArgument(
                f"initial data has 0 to {c.EPI_INITIAL_DATA_MAX} bytes")
        check(c.epi_request_set_initial_data(self._writable, length))

    def set_session(self, use: int, id: Optional[bytes] = None) -> None:
        """Begin a session of requests, or join or end the one with this id."""
        data = None if id is None else data_of(id)
        check(c.epi_request_set_session(self._writable, use, data,
                                        len(data or b"")))

    @property
    def session(self) -> SessionUse:
        """What the request does to a session."""
        return SessionUse(c.epi_request_session(self._handle))

    @property
    def session_id(self) -> bytes:
        """The id of the request's session, b"" for none."""
        return blob(c.epi_request_session_id, self._handle) or b""

    @property
    def token_window(self) -> int:
        """How many tokens are asked for, 0 for none."""
        return int(c.epi_request_token_window(self._handle))

    @token_window.setter
    def token_window(self, size: int) -> None:
        check(c.epi_request_set_token_window(self._writable, size))

    @property
    def token(self) -> Optional[int]:
        """The token to be spent, 0 to 4,294,967,295, or None."""
        token = int(c.epi_request_token(self._handle))
        return None if token < 0 else token

    @token.setter
    def token(self, token: Optional[int]) -> None:
        check(c.epi_request_set_token(self._writable,
                                      -1 if token is None else token))

    def __repr__(self) -> str:
        return f"<Request command {self.command} to {self.dest}>"


class Reply(_Message):
    """What came of a request: the operation reply of SOCKS 6, or that of RFC
    1928 section 6. `code` is 0 to 255, `bound` the address that the proxy
    bound."""

    __slots__ = ()
    _free = c.epi_reply_free
    _new = c.epi_reply_new
    _read = c.epi_reply_read
    _write = c.epi_reply_write

    def __init__(self, code: int = ReplyCode.SUCCESS,
                 bound: Optional[AddressLike] = None, *,
                 metadata: Optional[Mapping[int, str]] = None,
                 stack: Optional[Mapping[Tuple[Leg, Stack], int]] = None,
                 session_id: bytes = b"") -> None:
        super().__init__()
        self.code = code
        if bound is not None:
            self.bound = Address.of(bound)
        self.metadata.update(metadata or {})
        self.stack.update(stack or {})
        if session_id:
            self.session_id = session_id

    @property
    def code(self) -> int:
        """The code, ReplyCode or another one up to 255."""
        return int(c.epi_reply_code(self._handle))

    @code.setter
    def code(self, code: int) -> None:
        check(c.epi_reply_set_code(self._writable, code))

    @property
    def bound(self) -> Optional[Address]:
        """The address that the proxy bound."""
        return Address._at(c.epi_reply_bound(self._handle))

    @bound.setter
    def bound(self, bound: AddressLike) -> None:
        check(c.epi_reply_set_bound(self._writable, Address.of(bound)._c))

    @property
    def metadata(self) -> Metadata:
        """Metadata; SOCKS 5 has no room for it."""
        return Metadata(self, c.epi_reply_metadata, c.epi_reply_set_metadata,
                        c.epi_reply_metadata_key)

    @property
    def stack(self) -> StackOptions:
        """What the proxy really did of the stack options."""
        return StackOptions(self, c.epi_reply_stack, c.epi_reply_set_stack)

    @property
    def session_id(self) -> bytes:
        """The id of the session that was begun, b"" for none."""
        return blob(c.epi_reply_session_id, self._handle) or b""

    @session_id.setter
    def session_id(self, id: bytes) -> None:
        id = data_of(id)
        check(c.epi_reply_set_session_id(self._writable, id, len(id)))

    def __repr__(self) -> str:
        return f"<Reply {self.code}: {reply_text(self.code)}>"


class AuthReply(_Message):
    """The authentication reply of SOCKS 6."""

    __slots__ = ()
    _free = c.epi_auth_reply_free
    _new = c.epi_auth_reply_new
    _read = c.epi_auth_reply_read
    _write = c.epi_auth_reply_write

    @property
    def ok(self) -> bool:
        """Whether authentication succeeded."""
        return bool(c.epi_auth_reply_ok(self._handle))

    @ok.setter
    def ok(self, ok: bool) -> None:
        check(c.epi_auth_reply_set_ok(self._writable, int(ok)))

    @property
    def method(self) -> Optional[int]:
        """The method whose exchange must follow, 255 for no acceptable one."""
        return _unless(c.epi_auth_reply_method(self._handle))

    @method.setter
    def method(self, method: Optional[int]) -> None:
        check(c.epi_auth_reply_set_method(self._writable, _or_none(method)))

    @property
    def login(self) -> Optional[int]:
        """The status of a login (RFC 1929: 0 is success), or None."""
        return _unless(c.epi_auth_reply_login(self._handle))

    @login.setter
    def login(self, status: Optional[int]) -> None:
        check(c.epi_auth_reply_set_login(self._writable, _or_none(status)))

    @property
    def auth_data(self) -> AuthData:
        """Authentication data, as in requests."""
        return AuthData(self, c.epi_auth_reply_auth_data,
                        c.epi_auth_reply_set_auth_data)

    @property
    def session(self) -> SessionState:
        """What became of the session that was joined."""
        return SessionState(c.epi_auth_reply_session(self._handle))

    @session.setter
    def session(self, state: int) -> None:
        check(c.epi_auth_reply_set_session(self._writable, state))

    @property
    def session_id(self) -> bytes:
        """The id of the session that was begun, b"" for none."""
        return blob(c.epi_auth_reply_session_id, self._handle) or b""

    @session_id.setter
    def session_id(self, id: bytes) -> None:
        id = data_of(id)
        check(c.epi_auth_reply_set_session_id(self._writable, id, len(id)))

    @property
    def token_window(self) -> Optional[range]:
        """The tokens that may be spent, which count on from 0 behind
        4,294,967,295; None for none."""
        base = ctypes.c_int64()
        size = c.epi_auth_reply_token_window(self._handle, ctypes.byref(base))
        return range(base.value, base.value + size) if size > 0 else None

    @token_window.setter
    def token_window(self, window: Optional[range]) -> None:
        if window is not None and window.step != 1:
            raise InvalidArgument("a window is a range without a step")
        base, size = (window.start, len(window)) if window else (0, 0)
        check(c.epi_auth_reply_set_token_window(self._writable, base, size))

    @property
    def token(self) -> TokenState:
        """What became of the token."""
        return TokenState(c.epi_auth_reply_token(self._handle))

    @token.setter
    def token(self, state: int) -> None:
        check(c.epi_auth_reply_set_token(self._writable, state))


def _unless(number: int) -> Optional[int]:
    return None if number < 0 else int(number)


def _or_none(number: Optional[int]) -> int:
    return -1 if number is None else number
