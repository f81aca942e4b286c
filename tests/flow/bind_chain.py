#!/usr/bin/env python3
"""bind_chain.py: BIND through further proxies, which have the port then."""
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.bound import ANY, HOST, Bound, exchange

OTHER = "127.0.0.8"


def through(*schemes, options=()):
    """A proxy that goes through others, one for each scheme; it, and they."""
    others = [flow.proxy(listen=[f"socks://127.0.0.{30 + i}:0"])
              for i in range(len(schemes))]
    links = [f"{scheme}://127.0.0.{30 + i}:{others[i].port}"
             for i, scheme in enumerate(schemes)]
    chain = [a for link in links for a in ("--chain", link)]
    return flow.proxy(*chain, *options), others


class Scripted(servers.Server):
    """A SOCKS 5 server that answers a request with what it is told."""

    def __init__(self, answer):
        self.answer = answer
        super().__init__()

    def serve(self, sock):
        wire.read(sock, 3)
        sock.sendall(b"\5\0")
        wire.read(sock, 10)
        sock.sendall(self.answer)
        wire.read_all(sock)


def reply5(code, host, port):
    return bytes([5, code, 0, 1]) + socket.inet_aton(host) + port.to_bytes(
        2, "big")


@flow.test(timeout=60)
def the_last_proxy_has_the_port():
    for schemes in (["socks5"], ["socks6"], ["socks5", "socks5"],
                    ["socks6", "socks6"], ["socks5", "socks6"],
                    ["socks6", "socks5"]):
        proxy, others = through(*schemes)
        for version in (5, 6):
            bound = Bound(version, proxy.port)
            assert bound.code == 0, f"{schemes}: reply {bound.code}"
            assert bound.host == f"127.0.0.{29 + len(schemes)}", bound.host
            bound.sock.sendall(b"early")
            host = bound.connect()
            host.sendall(b"early too")
            assert bound.again() == (0, HOST, host.getsockname()[1])
            assert wire.read(host, 5) == b"early"
            assert wire.read(bound.sock, 9) == b"early too"
            exchange(bound.sock, host)
        others[-1].wait_line("waits at")


@flow.test
def socks5_passes_on_whom_to_expect():
    proxy, _ = through("socks5")
    bound = Bound(5, proxy.port, HOST, 21)
    assert bound.shuts_out(OTHER)
    host = bound.connect(HOST)
    assert bound.again()[:2] == (0, HOST)
    exchange(bound.sock, host)


@flow.test
def socks6_passes_on_what_to_bind():
    proxy, _ = through("socks6")
    port = flow.free_port("127.0.0.44")
    bound = Bound(6, proxy.port, "127.0.0.44", port)
    assert (bound.code, bound.host, bound.port) == (0, "127.0.0.44", port)
    host = bound.connect()
    assert bound.again()[0] == 0
    exchange(bound.sock, host)


@flow.test
def what_a_version_cannot_say():
    proxy, _ = through("socks5")
    assert Bound(6, proxy.port, "127.0.0.44").code == 1
    assert Bound(6, proxy.port, ANY, 4711).code == 1
    proxy, _ = through("socks6")
    assert Bound(5, proxy.port, "localhost").code == 8
    bound = Bound(5, proxy.port, HOST)
    assert bound.shuts_out(OTHER)
    assert bound.again()[0] == 2, "it was not expected"
    bound = Bound(5, proxy.port, HOST)
    host = bound.connect(HOST)
    assert bound.again()[0] == 0
    exchange(bound.sock, host)


@flow.test
def refusals_come_back():
    proxy, others = through("socks5")
    others[0].stop()
    assert Bound(5, proxy.port).code == 5
    hop = Scripted(reply5(2, ANY, 0))
    proxy = flow.proxy("--chain", f"socks5://127.0.0.1:{hop.port}")
    assert Bound(5, proxy.port).code == 2
    hop.answer = reply5(0, ANY, 4711) + reply5(5, ANY, 0)
    bound = Bound(6, proxy.port)
    assert (bound.code, bound.host, bound.port) == (0, flow.LOCAL, 4711)
    assert bound.again()[0] == 5
    hop.answer = reply5(0, ANY, 4711) + b"\4"
    assert Bound(6, proxy.port).again()[0] == 1, "no reply of SOCKS 5"


@flow.test
def replies_and_data_may_come_at_once():
    hop = Scripted(reply5(0, "192.0.2.1", 4711) + reply5(0, HOST, 20) +
                   b"data")
    proxy = flow.proxy("--chain", f"socks5://127.0.0.1:{hop.port}")
    for version in (5, 6):
        bound = Bound(version, proxy.port)
        assert (bound.host, bound.port) == ("192.0.2.1", 4711)
        assert bound.again() == (0, HOST, 20)
        assert wire.read(bound.sock, 4) == b"data"


@flow.test
def the_wait_has_an_end():
    proxy, others = through("socks6", options=("--bind-timeout", "400"))
    bound = Bound(6, proxy.port)
    assert bound.again()[0] == 9
    assert wire.closed(bound.sock)
    others[0].wait_line("the client left")
    flow.until(lambda: not flow.answers(bound.port, bound.host),
               "it stops listening")


@flow.test
def a_client_that_leaves_is_gone_everywhere():
    proxy, others = through("socks5", "socks6")
    bound = Bound(5, proxy.port)
    bound.sock.close()
    for one in (proxy, others[1]):
        one.wait_line("the client left while it waited")
    flow.until(lambda: not flow.answers(bound.port, bound.host),
               "it stops listening")


@flow.test
def who_connects_far_away_is_judged_here():
    model = flow.file({
        "epi": 1,
        "nodes": {"client": {"addresses": ["127.0.0.1/32"]},
                  "host": {"addresses": [f"{HOST}/32"]}},
        "policy": {"rules": [{"id": "in", "effect": "allow",
                              "from": ["host"], "to": ["client"]}]},
    }, "model.json")
    for scheme in ("socks5", "socks6"):
        proxy, _ = through(scheme, options=("--model", model))
        bound = Bound(5, proxy.port)
        host = bound.connect(HOST)
        assert bound.again()[0] == 0
        exchange(bound.sock, host)
        bound = Bound(6, proxy.port)
        assert bound.shuts_out(OTHER)
        assert bound.again()[0] == 2
        assert Bound(5, proxy.port, OTHER).code == 2


if __name__ == "__main__":
    flow.main()
