"""address.py: where to: a host name or an IP address, and a port."""
from __future__ import annotations

import ctypes
import ipaddress
from typing import Any, Optional, Tuple, Union

from . import _abi as c
from ._foreign import Addr
from ._handle import check
from .errors import InvalidArgument

AddressLike = Union["Address", str, Tuple[str, int]]
IPAddress = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


class Address:
    """A host name or an IP address, and a port from 0 to 65535; 0 is none.

        Address("10.1.2.3", 443)
        Address("ehr.antonius.example", 443)
        Address.parse("[2001:db8::1]:443")

    It never changes. A name is kept in lower case without a final dot, and
    holds no byte that could mislead a log or a resolver; an IPv4 address that
    is dressed as IPv6 is that IPv4 address.

    Raises InvalidArgument for what is neither (include/epi/addr.h).
    """

    __slots__ = ("_c",)
    _c: Addr

    def __init__(self, host: str, port: int = 0) -> None:
        made = Addr()
        if not isinstance(host, str):
            raise TypeError(f"a str is needed, not {type(host).__name__}")
        try:
            # With the zone of a link ("%eth0") it is no address of the API.
            packed = ipaddress.ip_address(host.replace("%", "\0")).packed
        except ValueError:
            check(c.epi_addr_set_name(ctypes.byref(made), host,
                                      len(host.encode(errors="replace")), port))
        else:
            check(c.epi_addr_set_ip(ctypes.byref(made), packed, len(packed),
                                    port))
        object.__setattr__(self, "_c", made)

    @classmethod
    def parse(cls, text: str, default_port: Optional[int] = None) -> Address:
        """Read "host:port", "1.2.3.4:port", "[2001:db8::1]:port" or a bare
        host.

        default_port counts where the text has no port; None makes a port
        mandatory. Raises InvalidArgument."""
        made = Addr()
        port = -1 if default_port is None else default_port
        check(c.epi_addr_parse(ctypes.byref(made), text, port))
        return cls._of(made)

    @classmethod
    def of(cls, value: AddressLike, default_port: Optional[int] = 0) -> Address:
        """An address of what may stand for one: an Address, a text as for
        parse(), or a pair of host and port as the socket module has it."""
        if isinstance(value, Address):
            return value
        if isinstance(value, str):
            return cls.parse(value, default_port)
        if isinstance(value, tuple) and len(value) >= 2:
            return cls(value[0], value[1])
        raise TypeError(f"an Address, a str or a (host, port) is needed, not"
                        f" {type(value).__name__}")

    @classmethod
    def _of(cls, struct: Addr) -> Address:
        made = cls.__new__(cls)
        object.__setattr__(made, "_c", Addr.from_buffer_copy(struct))
        return made

    @classmethod
    def _at(cls, pointer: Any) -> Optional[Address]:
        """A copy of what a pointer shows; None for NULL and for no address."""
        if not pointer or pointer.contents.kind == c.EPI_ADDR_NONE:
            return None
        return cls._of(pointer.contents)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("an Address does not change")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("an Address does not change")

    @property
    def host(self) -> str:
        """The host name, or the IP address as text without brackets."""
        return self._format(0)

    @property
    def port(self) -> int:
        """The port, 0 to 65535."""
        return int(self._c.port)

    @property
    def ip(self) -> Optional[IPAddress]:
        """The IP address, or None for a host name."""
        if self._c.kind == c.EPI_ADDR_NAME:
            return None
        return ipaddress.ip_address(self.host)

    def _format(self, with_port: int) -> str:
        buffer = ctypes.create_string_buffer(c.EPI_ADDR_TEXT_MAX)
        check(c.epi_addr_format(ctypes.byref(self._c), with_port, buffer,
                                len(buffer)))
        return buffer.value.decode()

    def __str__(self) -> str:
        return self._format(1)

    def __repr__(self) -> str:
        return f"Address({self.host!r}, {self.port})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Address):
            return NotImplemented
        return bool(c.epi_addr_equal(ctypes.byref(self._c),
                                     ctypes.byref(other._c)))

    def __hash__(self) -> int:
        return hash(bytes(self._c))

    def __reduce__(self) -> Any:
        return Address, (self.host, self.port)
