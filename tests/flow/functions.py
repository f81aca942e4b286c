#!/usr/bin/env python3
"""functions.py: bridging functions at endpoints, between the two proxies."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire

NODE, PX_A, PX_B, ORIGIN = "127.1.0.5", "127.1.0.2", "127.2.0.2", "127.2.0.9"
GATE = "127.1.0.7"


class Network:
    """Two domains with a proxy each, and a firewall in between that runs
    elsewhere: an epi-proxy without a model, and without a key."""

    def __init__(self, gate="socks6", gate_options=()):
        self.echo = servers.Echo(ORIGIN)
        a, b, c = (flow.free_port(host) for host in (PX_A, PX_B, GATE))
        model = flow.file(json.dumps({
            "epi": 1,
            "nodes": {
                "a": {"domain": "A", "addresses": ["127.1.0.0/16"],
                      "attributes": ["firewall"]},
                "b": {"domain": "B", "addresses": ["127.2.0.0/16"]},
            },
            "proxies": {
                "px-a": {"domain": "A", "endpoint": f"socks6://{PX_A}:{a}"},
                "px-b": {"domain": "B", "endpoint": f"socks6://{PX_B}:{b}"},
            },
            "functions": {"gate": {"provides": ["firewall"], "proof": "none",
                                   "endpoints": [f"{gate}://{GATE}:{c}"]}},
            "policy": {"rules": [{"id": "ok", "effect": "allow",
                                  "from": ["a"], "to": ["b"]}]},
        }), "model.json")
        key = flow.file("k" * 32, "chain.key")
        key.chmod(0o600)
        self.gate = flow.proxy("--filter", "count", *gate_options,
                               listen=[f"socks://{GATE}:{c}"])
        self.px_a = flow.proxy("--model", model, "--chain-key", key,
                               listen=[f"socks://{PX_A}:{a}"])
        self.px_b = flow.proxy("--model", model, "--chain-key", key,
                               listen=[f"socks://{PX_B}:{b}"])

    def connect(self):
        sock = wire.connect(self.px_a.port, PX_A, source=NODE)
        sock.sendall(wire.greeting(wire.NONE))
        assert wire.read(sock, 2) == b"\x05\x00"
        sock.sendall(wire.request5(ORIGIN, self.echo.port))
        return sock, wire.reply5(sock)[0]


@flow.test
def a_function_elsewhere_is_passed_on_the_way():
    net = Network()
    sock, code = net.connect()
    assert code == 0, f"reply {code}"
    sock.sendall(b"through the gate")
    assert wire.read(sock, 16) == b"through the gate"
    net.px_a.wait_line(rf"bridged by rule ok via socks6://{GATE}.*{PX_B}")
    net.gate.wait_line(f"through count via socks6://{PX_B}")
    net.px_b.wait_line(rf"{NODE}:\d+ \(a\) > {ORIGIN}:\d+ \(b\) bridged")
    sock.close()
    net.gate.wait_line("counted 16 bytes out, counted 16 bytes back")


@flow.test
def a_function_that_speaks_socks5_is_tunnelled_through():
    net = Network(gate="socks5")
    sock, code = net.connect()
    assert code == 0, f"reply {code}"
    sock.sendall(b"through the gate")
    assert wire.read(sock, 16) == b"through the gate"
    net.px_b.wait_line(rf"{NODE}:\d+ \(a\) > {ORIGIN}:\d+ \(b\) bridged")


@flow.test
def without_its_function_a_flow_is_refused():
    net = Network()
    net.gate.stop()
    _, code = net.connect()
    assert code == 5, f"reply {code}"
    net.px_a.wait_line(f"cannot connect to the proxy socks6://{GATE}")
    assert not any("allowed" in line for line in net.px_b.lines)


if __name__ == "__main__":
    flow.main()
