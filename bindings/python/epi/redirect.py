"""redirect.py: interception rules for a node's connections."""
from __future__ import annotations

import enum
import threading
from typing import Iterable

from . import _abi as c
from ._handle import Handle, check, made, written
from .address import Address, AddressLike

MARK: int = c.EPI_MARK
"""The mark of connections that are never intercepted."""


class Backend(enum.IntEnum):
    """How the kernel is told."""

    NFTABLES = c.EPI_BACKEND_NFTABLES
    IPTABLES = c.EPI_BACKEND_IPTABLES


class Redirect(Handle):
    """What to intercept, and where to send it: TCP, IPv4 and IPv6, of
    connections that this network namespace opens.

        Redirect(42000, ports=[443], ranges=["10.0.0.0/8"],
                 excepting=[("10.1.0.2", 1080)]).apply()

    `port` is where the redirector listens, on 127.0.0.1 and ::1. Without ports
    all are intercepted, without ranges all addresses but loopback, unless
    `loopback` is set. `excepting` has addresses that are never intercepted, as
    the proxy's (port 0: all of its ports), `excepting_uids` users.

    Raises InvalidArgument, LimitReached (include/epi/redirect.h)."""

    __slots__ = ()
    _free = c.epi_redirect_free

    def __init__(self, port: int, *, ports: Iterable[int] = (),
                 ranges: Iterable[str] = (),
                 excepting: Iterable[AddressLike] = (),
                 excepting_uids: Iterable[int] = (),
                 loopback: bool = False) -> None:
        super().__init__(made(c.epi_redirect_new, port))
        handle = self._handle
        for one in ports:
            check(c.epi_redirect_add_port(handle, one))
        for text in ranges:
            check(c.epi_redirect_add_range(handle, text))
        for address in excepting:
            check(c.epi_redirect_except(handle, Address.of(address)._c))
        for uid in excepting_uids:
            check(c.epi_redirect_except_uid(handle, uid))
        c.epi_redirect_set_loopback(handle, int(loopback))

    def render(self, backend: int = Backend.NFTABLES, family: int = 4) -> str:
        """The rules as text: what `nft -f` takes, or iptables-restore, or with
        family 6 ip6tables-restore."""
        return written(c.epi_redirect_render, self._handle, backend, family)

    def apply(self, backend: int = Backend.NFTABLES) -> None:
        """Put the rules in force, all or none, instead of those of an earlier
        redirect. They stay until remove() is called.

        Raises PrivilegeMissing (CAP_NET_ADMIN), NotSupported,
        SystemRefused."""
        with _lock:
            check(c.epi_redirect_apply(self._handle, backend))

    @staticmethod
    def remove(backend: int = Backend.NFTABLES) -> bool:
        """Remove the rules of any redirect from this network namespace;
        whether there were some. Raises as apply()."""
        with _lock:
            return bool(check(c.epi_redirect_remove(backend)))

    @staticmethod
    def present(backend: int = Backend.NFTABLES) -> bool:
        """Whether rules of a redirect are in force in this network namespace.
        Raises as apply()."""
        with _lock:
            return bool(check(c.epi_redirect_present(backend)))


_lock = threading.Lock()
