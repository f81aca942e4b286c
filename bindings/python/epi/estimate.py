"""estimate.py: how long it takes until the first response is there: the
paper's set-up time model, Eq. 6 to 9."""
from __future__ import annotations

import enum

from . import _abi as c
from .errors import InvalidArgument


class Method(enum.IntEnum):
    """How a connection is made (include/epi/estimate.h)."""

    DIRECT = c.EPI_METHOD_DIRECT
    REVERSE = c.EPI_METHOD_REVERSE
    SOCKS5 = c.EPI_METHOD_SOCKS5
    SOCKS5_LOGIN = c.EPI_METHOD_SOCKS5_LOGIN
    SOCKS6 = c.EPI_METHOD_SOCKS6
    SOCKS6_EARLY = c.EPI_METHOD_SOCKS6_EARLY


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
