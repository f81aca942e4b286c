#!/usr/bin/env python3
"""upstreams.py: epi-proxy behind SOCKS 5 servers of others."""
import concurrent.futures
import hashlib
import pathlib
import socket
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_servers
from support import socks_client as wire

MIB = 1024 * 1024
LOGIN = ("ada", "secret")
AT_ONCE = 64


def opened(proxy, server, host=None):
    sock, code = wire.socks5(proxy.port, host or server.host, server.port)
    assert code == 0, f"reply {code}"
    return sock


def chained(hop):
    return flow.proxy("--chain", hop.url())


def carries_both_ways(hop):
    """By address and by name, and a server that speaks first."""
    class Greets(servers.Server):
        def serve(self, sock):
            sock.sendall(b"welcome")
            sock.sendall(b"you said " + wire.read(sock, 5))
    echo, greets, proxy = servers.Echo(), Greets(), chained(hop)
    for host in (flow.LOCAL, "localhost"):
        sock = opened(proxy, echo, host)
        sock.sendall(b"there and back")
        assert wire.read(sock, 14) == b"there and back", host
    sock = opened(proxy, greets)
    assert wire.read(sock, 7) == b"welcome"
    sock.sendall(b"hello")
    assert wire.read(sock, 14) == b"you said hello"
    proxy.wait_line(f"via socks5://{flow.LOCAL}:{hop.port}")


def carries_bulk(hop):
    origin, proxy = servers.Origin(), chained(hop)
    data = servers.body(8 * MIB)
    sock = opened(proxy, origin)
    sock.sendall(f"GET /size/{len(data)} HTTP/1.0\r\n\r\n".encode())
    _, _, got = wire.read_all(sock).partition(b"\r\n\r\n")
    assert got == data, f"{len(got)} bytes down"
    sock = opened(proxy, origin)
    sock.sendall(f"POST /digest HTTP/1.0\r\nContent-Length: {len(data)}"
                 "\r\n\r\n".encode() + data)
    _, _, got = wire.read_all(sock).partition(b"\r\n\r\n")
    assert got.decode() == hashlib.sha256(data).hexdigest(), got


def carries_a_half_closed_flow(hop):
    server, proxy = servers.AfterEnd(2 * MIB), chained(hop)
    sock = opened(proxy, server)
    sock.sendall(b"question")
    sock.shutdown(socket.SHUT_WR)
    got = wire.read_all(sock)
    assert server.got == b"question", server.got
    assert got == servers.body(2 * MIB), f"{len(got)} bytes"


def carries_many_at_once(hop):
    echo, proxy = servers.Echo(), chained(hop)
    together = threading.Barrier(AT_ONCE)

    def talk(number):
        said = number.to_bytes(4, "big") * 5000
        sock = opened(proxy, echo)
        together.wait(60)
        sock.sendall(said)
        assert wire.read(sock, len(said)) == said

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(talk, n) for n in range(AT_ONCE)]:
            done.result()
    assert echo.connections == AT_ONCE, echo.connections


def says_what_failed(hop):
    """A closed port behind the hop is a refusal for the client."""
    proxy, port = chained(hop), flow.free_port()
    sock, code = wire.socks5(proxy.port, flow.LOCAL, port)
    assert code != 0
    assert wire.closed(sock)


def refuses_a_wrong_password(hop):
    hop.login = (LOGIN[0], "mistaken")
    echo, proxy = servers.Echo(), chained(hop)
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code != 0
    assert wire.closed(sock)
    assert echo.connections == 0
    assert "mistaken" not in proxy.text, "a password is in the log"


CASES = [carries_both_ways, carries_bulk, carries_a_half_closed_flow,
         carries_many_at_once, says_what_failed]

# microsocks ends both directions with the first.
for name, start, without in (
        ("microsocks", socks_servers.microsocks, (carries_a_half_closed_flow,)),
        ("danted", socks_servers.danted, ()),
        ("ssh", socks_servers.ssh, ())):
    for each in CASES:
        if each in without:
            continue

        def run(each=each, start=start):
            each(start())
        run.__name__ = f"{name}_{each.__name__}"
        flow.test(run, timeout=90)

for name, start in (("microsocks", socks_servers.microsocks),
                    ("danted", socks_servers.danted)):
    for each in (carries_both_ways, carries_many_at_once,
                 refuses_a_wrong_password):
        def run(each=each, start=start):
            each(start(LOGIN))
        run.__name__ = f"{name}_with_a_login_{each.__name__}"
        flow.test(run, timeout=90)


@flow.test(timeout=60)
def they_are_passed_in_order():
    hops = [socks_servers.microsocks(), socks_servers.danted(LOGIN),
            socks_servers.microsocks(LOGIN)]
    echo = servers.Echo()
    proxy = flow.proxy(*(word for hop in hops
                         for word in ("--chain", hop.url())))
    sock = opened(proxy, echo)
    sock.sendall(b"all the way")
    assert wire.read(sock, 11) == b"all the way"
    proxy.wait_line(" ".join(f"via socks5://{flow.LOCAL}:{hop.port}"
                             for hop in hops))


@flow.test
def a_function_can_be_a_server_of_others():
    """The model puts it in the way, not the command line."""
    hop, echo = socks_servers.danted(), servers.Echo()
    proxy = flow.proxy("--model", flow.file({
        "epi": 1, "nodes": {"here": {"addresses": ["127.0.0.1/32"]}},
        "functions": {"gate": {"provides": ["firewall"],
                               "endpoints": [hop.url()]}},
        "policy": {"default": "allow", "rules": [
            {"id": "walled", "effect": "require", "to": ["here"],
             "attributes": ["firewall"]}]}}, "model.json"))
    sock = opened(proxy, echo)
    sock.sendall(b"through the gate")
    assert wire.read(sock, 16) == b"through the gate"
    proxy.wait_line(f"bridged.* via {hop.url()}")


if __name__ == "__main__":
    flow.main()
