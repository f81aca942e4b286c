#!/usr/bin/env python3
"""held_reply.py: replies of SOCKS 6 that go out together with the answer to what
the client sent along, while the proxy has much to do."""
import concurrent.futures
import pathlib
import socket
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire

CLIENTS = 24


class Silent(servers.Server):
    """Takes all, and never answers."""

    def serve(self, sock):
        wire.read_all(sock)


class Deaf(servers.Server):
    """Closes at once what it was sent."""

    def serve(self, sock):
        sock.recv(100)


class Early(servers.Server):
    """Answers, ends its side and reads on."""

    def serve(self, sock):
        sock.sendall(b"answer to " + wire.read(sock, 4))
        sock.shutdown(socket.SHUT_WR)
        wire.read_all(sock)


def asked(proxy, server):
    """A request with data right behind it, and the connection."""
    sock = wire.connect(proxy.port)
    sock.sendall(wire.request6(flow.LOCAL, server.port) + b"data")
    wire.auth_reply6(sock)
    code = wire.reply6(sock)[0]
    assert code == 0, f"reply {code}"
    return sock


def at_once(work):
    """Run it from many clients, over and over: the proxy never rests."""
    start = threading.Barrier(CLIENTS)

    def many():
        start.wait(60)
        for _ in range(20):
            work()

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(many) for _ in range(CLIENTS)]:
            done.result()


@flow.test(timeout=120)
def reply_and_answer_are_both_whole():
    echo, proxy = servers.Echo(), flow.proxy("--workers", "1", "--quiet")

    def work():
        with asked(proxy, echo) as sock:
            assert wire.read(sock, 4) == b"data"
            sock.sendall(b"more")
            sock.shutdown(socket.SHUT_WR)
            assert wire.read_all(sock) == b"more"

    at_once(work)


@flow.test(timeout=120)
def a_destination_that_says_nothing_holds_up_no_reply():
    silent, echo = Silent(), servers.Echo()
    proxy = flow.proxy("--workers", "1", "--quiet")

    def work():
        with asked(proxy, silent), asked(proxy, echo) as sock:
            assert wire.read(sock, 4) == b"data"

    at_once(work)


@flow.test(timeout=120)
def a_destination_that_ends_at_once():
    deaf, proxy = Deaf(), flow.proxy("--workers", "1", "--quiet")

    def work():
        with asked(proxy, deaf) as sock:
            assert wire.read_all(sock) == b""

    at_once(work)


@flow.test(timeout=120)
def either_side_may_end_first():
    early, proxy = Early(), flow.proxy("--workers", "1", "--quiet")

    def work():
        with asked(proxy, early) as sock:
            assert wire.read_all(sock) == b"answer to data"
            sock.sendall(b"and on")

    at_once(work)


@flow.test(timeout=120)
def what_a_proxy_behind_sends_at_once_arrives_at_once():
    echo = servers.Echo()
    behind = flow.proxy("--quiet")
    proxy = flow.proxy("--workers", "1", "--quiet", "--chain",
                       f"socks6://127.0.0.1:{behind.port}")

    def work():
        with asked(proxy, echo) as sock:
            assert wire.read(sock, 4) == b"data"

    at_once(work)


flow.main()
