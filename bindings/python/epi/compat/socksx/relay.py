"""relay.py: bytes between two sockets."""
from __future__ import annotations

import asyncio
import contextlib
import socket as sockets

from .socket import Socket, begun


def copy_bidirectional(a: Socket, b: Socket) -> asyncio.Future[None]:
    """Carry bytes between two sockets until both have ended, through the
    functions that were applied to them. A side that has sent everything still
    gets what the other one has to say. Closes both."""
    return begun(_both(a, b))


async def _both(a: Socket, b: Socket) -> None:
    ways = [asyncio.ensure_future(_one_way(a, b)),
            asyncio.ensure_future(_one_way(b, a))]
    try:
        await asyncio.gather(*ways)
    finally:
        for way in ways:
            way.cancel()
        # Whoever waits on a descriptor must have let go before it is closed.
        await asyncio.gather(*ways, return_exceptions=True)
        a.close()
        b.close()


async def _one_way(source: Socket, dest: Socket) -> None:
    while True:
        data = await source._receive()
        function = source._function
        if not data:
            break
        await dest._send(function.partial(data) if function else data)
    if function:
        await dest._send(function.end() or b"")
    with contextlib.suppress(OSError):  # it may be closed already
        dest._sock.shutdown(sockets.SHUT_WR)
