#!/usr/bin/env python3
"""dns_by_socks.py: clients that CONNECT to 0.0.0.0:53 get a name server."""
import json
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire


class NameServer(servers.Server):
    """Answers each query over TCP (RFC 7766) with itself, in capitals."""

    def serve(self, sock):
        try:
            while True:
                size = struct.unpack(">H", wire.read(sock, 2))[0]
                sock.sendall(struct.pack(">H", size) +
                             wire.read(sock, size).upper())
        except (EOFError, OSError):
            pass


def query(sock, text):
    sock.sendall(struct.pack(">H", len(text)) + text)


def answer(sock):
    return wire.read(sock, struct.unpack(">H", wire.read(sock, 2))[0])


def ask6(port, host, to=53):
    sock = wire.connect(port)
    sock.sendall(wire.request6(host, to))
    assert wire.auth_reply6(sock)[0] == 0
    return sock, wire.reply6(sock)


@flow.test
def socks_6_clients_are_served():
    server = NameServer()
    proxy = flow.proxy("--dns", f"{flow.LOCAL}:{server.port}")
    for host in ("0.0.0.0", "::"):
        sock, reply = ask6(proxy.port, host)
        assert reply == (0, "0.0.0.0", 0), reply
        query(sock, b"first")
        query(sock, b"second")
        assert answer(sock) == b"FIRST"
        assert answer(sock) == b"SECOND"
    assert server.connections == 2


@flow.test
def socks_5_clients_are_served():
    server = NameServer()
    proxy = flow.proxy("--dns", f"{flow.LOCAL}:{server.port}")
    sock = wire.connect(proxy.port)
    sock.sendall(wire.greeting(wire.NONE))
    wire.read(sock, 2)
    sock.sendall(wire.request5("0.0.0.0", 53))
    assert wire.reply5(sock) == (0, "0.0.0.0", 0)
    query(sock, b"query")
    assert answer(sock) == b"QUERY"


@flow.test
def without_a_server_they_are_refused():
    proxy = flow.proxy()
    for host in ("0.0.0.0", "::"):
        _, (code, *_) = ask6(proxy.port, host)
        assert code == 5, f"reply {code}"
    _, code = wire.socks5(proxy.port, "0.0.0.0", 53)
    assert code == 5, f"reply {code}"
    proxy.wait_line("no name server is offered")


@flow.test
def a_server_that_is_down_is_reply_5():
    proxy = flow.proxy("--dns", f"{flow.LOCAL}:{flow.free_port()}")
    _, (code, *_) = ask6(proxy.port, "0.0.0.0")
    assert code == 5, f"reply {code}"


@flow.test
def other_ports_are_no_name_server():
    server = NameServer()
    proxy = flow.proxy("--dns", f"{flow.LOCAL}:{server.port}")
    _, (code, *_) = ask6(proxy.port, "127.0.0.1", flow.free_port())
    assert code == 5, f"reply {code}"
    assert server.connections == 0


def model(allowed):
    return flow.file(json.dumps({
        "epi": 1,
        "nodes": {"here": {"addresses": ["127.0.0.1"]},
                  "resolver": {"addresses": ["127.0.5.3"]}},
        "policy": {"default": "deny", "rules": [
            {"id": "dns", "effect": "allow" if allowed else "deny",
             "to": ["resolver"]}]},
    }), "model.json")


@flow.test
def the_server_is_judged_as_a_destination():
    server = NameServer("127.0.5.3")
    for allowed, expected in ((1, 0), (0, 2)):
        proxy = flow.proxy("--dns", f"127.0.5.3:{server.port}",
                           "--model", model(allowed))
        _, (code, *_) = ask6(proxy.port, "0.0.0.0")
        assert code == expected, f"reply {code}, not {expected}"
        proxy.wait_line(r"127\.0\.5\.3.* by rule dns")
    flow.until(lambda: server.connections, "the one is accepted")
    assert server.connections == 1


@flow.test
def the_server_is_reached_through_the_chain():
    server = NameServer()
    hop = flow.proxy()
    proxy = flow.proxy("--dns", f"{flow.LOCAL}:{server.port}",
                       "--chain", f"socks6://{flow.LOCAL}:{hop.port}")
    sock, reply = ask6(proxy.port, "0.0.0.0")
    assert reply == (0, "0.0.0.0", 0), reply
    query(sock, b"query")
    assert answer(sock) == b"QUERY"


@flow.test
def a_server_without_a_host_is_refused_at_the_start():
    for text in ("", ":53", "a b", "1.2.3.4:0", "1.2.3.4:99999"):
        ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                       "socks://127.0.0.1:0", "--dns", text)
        assert ran.returncode == 2, f"{text}: {ran.returncode}"
        assert "--dns" in flow.complaint(ran)[0], ran.stderr


if __name__ == "__main__":
    flow.main()
