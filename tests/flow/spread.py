#!/usr/bin/env python3
"""spread.py: connections are spread over the workers, few as well as many."""
import contextlib
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire


def watched(program):
    """How many descriptors each event loop of a program watches."""
    folder, counts = pathlib.Path(f"/proc/{program.process.pid}"), []
    for entry in sorted((folder / "fd").iterdir()):
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(entry) == "anon_inode:[eventpoll]":
                info = (folder / "fdinfo" / entry.name).read_text()
                counts.append(info.count("tfd:"))
    return counts


def opened(proxy, server):
    sock, code = wire.socks5(proxy.port, flow.LOCAL, server.port)
    assert code == 0, f"reply {code}"
    return sock


@flow.test
def no_worker_gets_nearly_all():
    proxy, server = flow.proxy("--workers", "3"), servers.Echo()
    before = flow.until(  # each its listener, and what wakes it
        lambda: (now := watched(proxy)) and min(now) >= 2 and now,
        "all workers have begun")
    kept = []
    for _ in range(12):
        kept.append(opened(proxy, server))
    more = flow.until(
        lambda: sum(now := watched(proxy)) == sum(before) + 24 and
        [b - a for a, b in zip(before, now)], "two sockets for each flow")
    assert max(more) - min(more) <= 2 * 2, f"{more} sockets more"
    for number, sock in enumerate(kept):
        sock.sendall(b"%d" % number)
        assert wire.read(sock, len(str(number))) == b"%d" % number


@flow.test
def those_on_their_way_count():
    server, kept = servers.Echo(), []
    proxy = flow.proxy("--workers", "3", "--limit", "12")
    for _ in range(12):
        kept.append(opened(proxy, server))
    late = wire.connect(proxy.port)
    late.sendall(wire.greeting(0))
    late.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        raise AssertionError(f"served over the limit: {late.recv(2)!r}")
    kept.pop().close()
    late.settimeout(10)
    assert wire.read(late, 2) == b"\5\0"


@flow.test
def what_comes_while_it_stops_is_closed():
    server = servers.Echo()
    for _ in range(5):
        proxy = flow.proxy("--workers", "4")
        kept = [wire.connect(proxy.port) for _ in range(40)]
        for sock in kept:
            sock.sendall(wire.greeting(0) +
                         wire.request5(flow.LOCAL, server.port))
        assert proxy.stop() == 0
        for sock in kept:
            assert wire.closed(sock), "a connection is left behind"


flow.main()
