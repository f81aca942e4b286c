"""The names of the package `socksx`, so that its scripts run with libepi:

    from epi.compat import socksx

Messages are in socksx's own layout of SOCKS 6, which differs from the drafts;
what is read may be in either. Functions return futures that have begun, as
socksx's do, so call them while an event loop runs. What is wrong is an
`epi.Error` or an OSError.

Defects of socksx that are not kept: initial data of any length passes, and what
is announced is sent; nothing waits for a client that does not speak first;
addresses are IPv4, IPv6 or names; a chain that makes no sense is an error
instead of an abort.
"""
from __future__ import annotations

from . import socket, socks6
from .relay import copy_bidirectional

__all__ = ["copy_bidirectional", "socket", "socks6"]
