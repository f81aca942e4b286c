#!/usr/bin/env python3
"""bounds.py: what flows may cost: their number, memory, processor time."""
import contextlib
import os
import pathlib
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire

TICKS = os.sysconf("SC_CLK_TCK")


class Deaf(servers.Server):
    """Reads nothing; with `end` it ends its own direction at once."""

    def __init__(self, end=False):
        self.end = end
        self.open = threading.Event()
        super().__init__()
        flow.at_end(self.open.set)

    def serve(self, sock):
        if self.end:
            sock.shutdown(socket.SHUT_WR)
        self.open.wait(60)


class Fountain(servers.Server):
    """Sends for as long as somebody takes it."""

    def serve(self, sock):
        with contextlib.suppress(OSError):
            while True:
                sock.sendall(bytes(65536))


def busy_seconds(program):
    fields = pathlib.Path(f"/proc/{program.process.pid}/stat").read_text()
    user, system = fields.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / TICKS


def resident_mib(program):
    text = pathlib.Path(f"/proc/{program.process.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


def fill(sock):
    """Send until nothing more is taken."""
    sock.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        while True:
            sock.sendall(bytes(1 << 20))
    sock.settimeout(15)


def open_flow(proxy, server):
    sock, code = wire.socks5(proxy.port, flow.LOCAL, server.port)
    assert code == 0, f"reply {code}"
    return sock


def stays_idle(proxy, what):
    def idle():  # once it has done what there was to do
        before = busy_seconds(proxy)
        time.sleep(1)
        return busy_seconds(proxy) - before < 0.3
    time.sleep(0.2)
    flow.until(idle, f"{what}: a second with less than 0.3 s")


@flow.test
def over_the_limit_clients_wait():
    echo = servers.Echo()
    proxy = flow.proxy("--limit", "3", "--workers", "1")
    socks = [open_flow(proxy, echo) for _ in range(3)]
    late = wire.connect(proxy.port)
    late.sendall(wire.greeting(0))
    late.settimeout(0.5)
    try:
        got = late.recv(2)
        raise AssertionError(f"served over the limit: {got!r}")
    except TimeoutError:
        pass
    proxy.wait_line("further ones wait")
    assert proxy.text.count("further ones wait") == 1, proxy.text
    socks[0].close()
    late.settimeout(10)
    assert wire.read(late, 2) == b"\5\0"


@flow.test(timeout=120)
def waiting_costs_no_processor_time():
    proxy = flow.proxy("--workers", "1")
    kept = []
    for end in (False, True):
        sock = open_flow(proxy, Deaf(end))
        fill(sock)
        kept.append(sock)
        stays_idle(proxy, f"a server that does not read, end {end}")
        sock = open_flow(proxy, Deaf(end))
        fill(sock)
        sock.shutdown(socket.SHUT_WR)
        kept.append(sock)
        stays_idle(proxy, f"and the client ended, end {end}")
        sock = open_flow(proxy, Deaf(end))
        fill(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        sock.close()
        stays_idle(proxy, f"and the client is gone, end {end}")
    kept.append(open_flow(proxy, Fountain()))
    stays_idle(proxy, "a client that does not read")
    kept[-1].shutdown(socket.SHUT_WR)
    stays_idle(proxy, "a client that ended and does not read")


@flow.test
def who_does_not_read_holds_back_who_writes():
    proxy = flow.proxy("--workers", "1", "--filter", "count")
    before = resident_mib(proxy)
    server = Fountain()
    kept = [open_flow(proxy, server) for _ in range(20)]
    time.sleep(1)
    grown = resident_mib(proxy) - before
    room = 200 if flow.SANITIZED else 20
    assert grown < room, f"{grown} MiB for {len(kept)} flows"


flow.main()
