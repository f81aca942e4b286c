"""estimate.py: how long it takes until the first response is there: the
paper's set-up time model, Eq. 6 to 9, and which method serves a need."""
from __future__ import annotations

import enum
from collections.abc import Iterable

from . import _abi as c
from ._foreign import text_of
from ._handle import check
from .errors import InvalidArgument


class Method(enum.IntEnum):
    """How a connection is made (include/epi/estimate.h)."""

    DIRECT = c.EPI_METHOD_DIRECT
    REVERSE = c.EPI_METHOD_REVERSE
    SOCKS5 = c.EPI_METHOD_SOCKS5
    SOCKS5_LOGIN = c.EPI_METHOD_SOCKS5_LOGIN
    SOCKS6 = c.EPI_METHOD_SOCKS6
    SOCKS6_EARLY = c.EPI_METHOD_SOCKS6_EARLY
    SOCKS6_WARM = c.EPI_METHOD_SOCKS6_WARM
    SOCKS6_WARM_TFO = c.EPI_METHOD_SOCKS6_WARM_TFO

    @property
    def label(self) -> str:
        """As epi-check prints it."""
        return text_of(c.epi_method_name(self))

    @property
    def advantages(self) -> Advantage:
        """What the paper's Table II says that it is better at."""
        return Advantage(c.epi_method_advantages(self))


class Advantage(enum.IntFlag):
    """What a method is better at than others: the paper's Table II."""

    TIME = c.EPI_ADVANTAGE_TIME
    RATE = c.EPI_ADVANTAGE_RATE
    PORTS = c.EPI_ADVANTAGE_PORTS
    RECONFIGURE = c.EPI_ADVANTAGE_RECONFIGURE
    DYNAMIC = c.EPI_ADVANTAGE_DYNAMIC
    SECURITY = c.EPI_ADVANTAGE_SECURITY

    @property
    def text(self) -> str:
        """One advantage in words."""
        return text_of(c.epi_advantage_text(self))


class For(enum.IntEnum):
    """What a flow needs most."""

    LATENCY = c.EPI_FOR_LATENCY
    RATE = c.EPI_FOR_RATE
    BOTH = c.EPI_FOR_BOTH


def estimate_ms(method: int, *, rtt_cp_ms: float = 0, rtt_ps_ms: float = 0,
                rtt_cs_ms: float = 0, busy_ms: float = 0) -> float:
    """The set-up time of one request and response over a new connection, in
    milliseconds.

    The round-trip times are those between client (c), proxy (p) and server
    (s); busy_ms is the sum of the t_server, t_proxy and t_redirector that the
    method's equation has. Raises InvalidArgument for an unknown method and for
    times that are negative or not finite."""
    found: float = c.epi_estimate_ms(method, rtt_cp_ms, rtt_ps_ms, rtt_cs_ms,
                                     busy_ms)
    if found < 0:
        raise InvalidArgument(f"no method {method}, or a bad time")
    return found


def busy_ms(method: int, *, server_ms: float = 0, proxy_ms: float = 0,
            redirector_ms: float = 0) -> float:
    """The sum of the t_server, t_proxy and t_redirector that the method's
    equation has. Raises as estimate_ms()."""
    found: float = c.epi_estimate_busy_ms(method, server_ms, proxy_ms,
                                          redirector_ms)
    if found < 0:
        raise InvalidArgument(f"no method {method}, or a bad time")
    return found


def _bits(methods: Iterable[int]) -> int:
    return sum(1 << method for method in set(methods))


def choose_method(need: int, methods: Iterable[int], *, rtt_cp_ms: float,
                  rtt_ps_ms: float) -> Method:
    """The method that serves a need best, as sections VI and VII of the paper
    reason: for latency by the least estimate, for rate by the paper's Fig. 13,
    for both by the sum of its places in these two orders.

    methods are those to choose from, without the direct one. Raises
    InvalidArgument."""
    return Method(check(c.epi_estimate_choose(need, _bits(methods), rtt_cp_ms,
                                              rtt_ps_ms)))


def is_good_place(need: int, methods: Iterable[int], place: tuple[float, float],
                  other: tuple[float, float]) -> bool:
    """Whether one place for the proxy is as good as another, with the method
    that choose_method() chooses for each. A place is its round-trip times to
    client and server. Raises InvalidArgument."""
    return bool(check(c.epi_estimate_place(need, _bits(methods), *place,
                                           *other)))
