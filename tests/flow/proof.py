#!/usr/bin/env python3
"""proof.py: functions at endpoints show the next proxy that they saw a flow."""
import pathlib
import re
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.bridging import KEY, REASON, Wire, connect, reply

NODE, PX_A, PX_B, ORIGIN = "127.1.0.5", "127.1.0.2", "127.2.0.2", "127.2.0.9"
AT = {"gate": "127.1.0.7", "scan": "127.1.0.8"}
PROVIDES = {"gate": "firewall", "scan": "inspection"}
SECRET = b"patient 4711 goes through the gate, and is scanned"
INDEX, TICKETS, PROOF = 998, 2012, 2013


def key_file(text=KEY):
    path = flow.file(text, "key")
    path.chmod(0o600)
    return path


def function_key(name, chain_key=KEY):
    """A file with a function's own key."""
    got = flow.run(flow.program_path("epi-proxy"), "key", "--chain-key",
                   key_file(chain_key), "--function", name)
    assert got.returncode == 0 and got.stderr == "", got.stderr
    assert re.fullmatch(r"[0-9a-f]{64}\n", got.stdout), got.stdout
    return key_file(got.stdout)


def own_key(name):
    return "--function", name, "--function-key", function_key(name)


class Network:
    """Two domains with a proxy each, functions on the way from one to the
    other, and a wire before each of these and before the second proxy."""

    def __init__(self, names=("gate", "scan"), keys=own_key, filters=("count",),
                 without=(), **more):
        self.echo = servers.Echo(host=ORIGIN)
        self.wires = {name: Wire(host=AT.get(name, PX_B))
                      for name in (*names, "px-b")}
        self.functions = {}
        for name in names:
            if name not in without:
                options = [part for spec in filters
                           for part in ("--filter", spec)]
                self.functions[name] = flow.proxy(
                    *options, *keys(name), listen=[f"socks://{AT[name]}:0"])
                self.wires[name].to = AT[name], self.functions[name].port
        model = flow.file(self.document(names, more), "model.json")
        self.px_b = flow.proxy("--model", model, "--name", "px-b",
                               "--chain-key", key_file(),
                               listen=[f"socks://{PX_B}:0"])
        self.wires["px-b"].to = PX_B, self.px_b.port
        self.px_a = flow.proxy("--model", model, "--name", "px-a",
                               "--chain-key", key_file(),
                               listen=[f"socks://{PX_A}:0"])

    def document(self, names, more):
        def url(name):
            return f"socks6://{AT.get(name, PX_B)}:{self.wires[name].port}"
        return {
            "epi": 1,
            "nodes": {
                "a": {"domain": "A", "addresses": ["127.1.0.0/16"],
                      "attributes": [PROVIDES[name] for name in names]},
                "b": {"domain": "B", "addresses": ["127.2.0.0/16"]},
            },
            "proxies": {
                "px-a": {"domain": "A", "endpoint": f"socks6://{PX_A}:1"},
                "px-b": {"domain": "B", "endpoint": url("px-b")},
            },
            "functions": {name: {"provides": [PROVIDES[name]],
                                 "endpoints": [url(name)], **more}
                          for name in names},
            "policy": {"rules": [{"id": "ok", "effect": "allow",
                                  "from": ["a"], "to": ["b"]}]},
        }

    def send(self):
        """Ask px-a for the origin, with data; the socket."""
        sock = connect((PX_A, self.px_a.port), NODE)
        sock.sendall(wire.request6(ORIGIN, self.echo.port) + SECRET)
        assert wire.auth_reply6(sock)[0] == 0
        return sock

    def ask(self):
        """The same; the socket, the reply's code and the reason."""
        sock = self.send()
        code, said = reply(sock)
        return sock, code, said.get(REASON, "")

    def passes(self):
        sock, code, why = self.ask()
        assert code == 0, (code, why)
        assert wire.read(sock, len(SECRET)) == SECRET
        return sock

    def take(self, name):
        """What is sent to a function, or px-b, by a flow that gets no
        further."""
        taken = []
        self.wires[name].change = lambda at, data: (
            taken.append(data) or b"" if at == "out" else data)
        self.send()
        flow.until(lambda: SECRET in b"".join(taken), "the request is taken")
        self.wires[name].change = lambda at, data: data
        return b"".join(taken)

    def hand(self, name, request, link=None):
        """Hand a request to somebody, as if the chain had come to that link;
        the reply's code and reason."""
        if link:
            request = change_metadata(request, INDEX, str(link).encode())
        port = (self.px_b if name == "px-b" else self.functions[name]).port
        sock = connect((AT.get(name, PX_B), port), PX_A)
        sock.sendall(request)
        assert wire.auth_reply6(sock)[0] == 0
        code, said = reply(sock)
        return code, said.get(REASON, "")

    def untouched(self):
        return self.echo.connections == 0


def find_metadata(request, key):
    """Where the value of a key is: the start and the end."""
    for match in re.finditer(re.escape(struct.pack(">H", key)), request):
        size, = struct.unpack(">H", request[match.end():match.end() + 2])
        kind = request[match.start() - 4:match.start() - 2]
        if kind == struct.pack(">H", 65000):
            return match.end() + 2, match.end() + 2 + size
    raise AssertionError(f"no metadata {key}")


def change_metadata(request, key, value):
    start, end = find_metadata(request, key)
    assert len(value) == end - start, (value, request[start:end])
    return request[:start] + value + request[end:]


@flow.test
def what_passed_every_function_arrives():
    net = Network()
    net.passes()
    net.functions["gate"].wait_line(rf"{NODE}:\d+ > {ORIGIN}:\d+ through count")
    net.px_b.wait_line(rf"{NODE}:\d+ \(a\) > {ORIGIN}:\d+ \(b\) bridged")
    for name, stamps in (("gate", 0), ("scan", 1), ("px-b", 2)):
        request = net.wires[name].crossed["out"]
        start, end = find_metadata(request, TICKETS)
        assert end - start == 129, request[start:end]
        if stamps:
            start, end = find_metadata(request, PROOF)
            assert end - start == 65 * stamps - 1, request[start:end]
    assert KEY.encode() not in b"".join(
        part for at in net.wires.values() for part in at.crossed.values())


@flow.test
def a_function_may_have_the_chain_key_instead_of_its_own():
    net = Network(keys=lambda name: ("--function", name, "--chain-key",
                                     key_file()))
    net.passes()


@flow.test
def a_function_judges_the_source_that_the_proxy_names():
    net = Network(names=("gate",), filters=(f"gate:from={NODE}",))
    net.passes()


@flow.test
def a_skipped_function_is_noticed():
    net = Network(names=("gate",))
    code, why = net.hand("px-b", net.take("gate"), link=2)
    assert (code, why) == (2, "no proof that gate saw the flow")
    net.px_b.wait_line("refused .*: no proof that gate saw the flow")
    assert net.untouched()


@flow.test
def both_functions_or_the_first_skipped_is_noticed():
    net = Network()
    request = net.take("gate")
    code, why = net.hand("px-b", request, link=3)
    assert (code, why) == (2, "no proof that gate saw the flow")
    code, why = net.hand("scan", net.take("gate"), link=2)
    assert code == 2 and "1 functions come before this one" in why, why
    assert net.untouched()


@flow.test
def the_last_function_skipped_is_noticed():
    net = Network()
    code, why = net.hand("px-b", net.take("scan"), link=3)
    assert (code, why) == (2, "no proof that scan saw the flow")
    assert net.untouched()


@flow.test
def stamps_in_another_order_or_of_another_flow_are_noticed():
    net = Network()
    net.passes()
    old = net.wires["px-b"].crossed["out"]
    start, end = find_metadata(old, PROOF)
    first, second = old[start:end].split(b",")
    for stamps in (first + b"," + second, second + b"," + first):
        request = change_metadata(net.take("px-b"), PROOF, stamps)
        code, why = net.hand("px-b", request)
        assert (code, why) == (2, "no proof that gate saw the flow")
    request = net.take("px-b")
    start, end = find_metadata(request, PROOF)
    first, second = request[start:end].split(b",")
    code, why = net.hand("px-b", change_metadata(request, PROOF,
                                                 second + b"," + first))
    assert (code, why) == (2, "no proof that gate saw the flow")
    assert net.echo.connections == 1


@flow.test
def a_stamp_counts_once_like_the_claims_that_it_is_on():
    net = Network()
    net.passes()
    code, why = net.hand("px-b", net.wires["px-b"].crossed["out"])
    assert code == 2 and "used before" in why, why
    code, why = net.hand("gate", net.wires["gate"].crossed["out"])
    assert code == 2 and "used before" in why, why
    assert net.echo.connections == 1


@flow.test
def a_function_with_another_key_or_name_is_noticed():
    for keys in (lambda name: ("--function", name, "--function-key",
                               function_key(name, "another key, made up")),
                 lambda name: own_key("scan")):
        net = Network(names=("gate",), keys=keys)
        _, code, why = net.ask()
        assert code == 2 and "no ticket is for this function" in why, why
        net.functions["gate"].wait_line("refused .*: no ticket is for this")
        assert net.untouched()


@flow.test
def a_function_without_a_key_proves_nothing():
    net = Network(names=("gate",), keys=lambda name: ())
    _, code, why = net.ask()
    assert code == 2 and "no proof that gate saw the flow" in why, why
    assert net.untouched()
    net = Network(names=("gate",), keys=lambda name: (), proof="none")
    net.passes()


@flow.test
def a_function_with_a_key_serves_nobody_else():
    net = Network(names=("gate",))
    port = net.functions["gate"].port
    sock = connect((AT["gate"], port), NODE)
    sock.sendall(wire.request6(ORIGIN, net.echo.port))
    assert wire.auth_reply6(sock)[0] == 0
    code, said = reply(sock)
    assert code == 2 and "there is no ticket" in said[REASON], said
    sock = connect((AT["gate"], port), NODE)
    sock.sendall(wire.greeting(wire.NONE))
    assert wire.read(sock, 2) == b"\x05\x00"
    sock.sendall(wire.request5(ORIGIN, net.echo.port))
    assert wire.reply5(sock)[0] == 2
    reverse = flow.proxy(*own_key("gate"), listen=[
        f"tcp://{AT['gate']}:0={ORIGIN}:{net.echo.port}"])
    assert wire.turned_away(reverse.port, AT["gate"], NODE)
    reverse.wait_line("takes what proxies send alone, by SOCKS 6")
    assert net.untouched()


@flow.test
def what_fails_open_is_left_out_by_its_proxy_alone():
    net = Network(names=("gate",), fail="open")
    code, why = net.hand("px-b", net.take("gate"), link=2)
    assert (code, why) == (2, "no proof that gate saw the flow")
    net = Network(names=("gate",), without=("gate",), fail="open")
    net.wires["gate"].close()
    net.passes()
    net.px_a.wait_line("goes on WITHOUT socks6://127.1.0.7")


@flow.test
def the_last_step_needs_no_proof():
    echo = servers.Echo(host=ORIGIN)
    gate = flow.proxy(*own_key("gate"), listen=[f"socks://{AT['gate']}:0"])
    for proof in ("required", "none"):
        model = flow.file({
            "epi": 1,
            "nodes": {"a": {"domain": "A", "addresses": ["127.1.0.0/16"],
                            "attributes": ["firewall"]},
                      "b": {"addresses": ["127.2.0.0/16"]}},
            "proxies": {"px-a": {"domain": "A"}},
            "functions": {"gate": {
                "provides": ["firewall"], "proof": proof,
                "endpoints": [f"socks6://{AT['gate']}:{gate.port}"]}},
            "policy": {"default": "allow"},
        }, "model.json")
        px_a = flow.proxy("--model", model, "--name", "px-a", "--chain-key",
                          key_file(), listen=[f"socks://{PX_A}:0"])
        sock = connect((PX_A, px_a.port), NODE)
        sock.sendall(wire.request6(ORIGIN, echo.port) + SECRET)
        assert wire.auth_reply6(sock)[0] == 0
        code, said = reply(sock)
        assert code == (0 if proof == "required" else 2), said
    flow.until(lambda: echo.connections == 1, "it was let through once")


@flow.test
def the_last_of_several_is_not_skipped_either():
    echo = servers.Echo(host=ORIGIN)
    at = {name: flow.proxy(*own_key(name), listen=[f"socks://{AT[name]}:0"])
          for name in AT}
    path = Wire(host=AT["gate"])
    path.to = AT["gate"], at["gate"].port
    ports = {"gate": path.port, "scan": at["scan"].port}
    model = flow.file({
        "epi": 1,
        "nodes": {"a": {"domain": "A", "addresses": ["127.1.0.0/16"],
                        "attributes": list(PROVIDES.values())},
                  "b": {"addresses": ["127.2.0.0/16"]}},
        "proxies": {"px-a": {"domain": "A"}},
        "functions": {name: {
            "provides": [PROVIDES[name]],
            "endpoints": [f"socks6://{AT[name]}:{ports[name]}"]}
            for name in AT},
        "policy": {"default": "allow"},
    }, "model.json")
    px_a = flow.proxy("--model", model, "--name", "px-a", "--chain-key",
                      key_file(), listen=[f"socks://{PX_A}:0"])
    for index in (b"1", b"2"):
        path.change = lambda at, data, index=index: (
            change_metadata(data, INDEX, index)
            if at == "out" and SECRET in data else data)
        sock = connect((PX_A, px_a.port), NODE)
        sock.sendall(wire.request6(ORIGIN, echo.port) + SECRET)
        assert wire.auth_reply6(sock)[0] == 0
        code, said = reply(sock)
        assert code == (0 if index == b"1" else 2), said
    assert "no link is left" in said[REASON], said
    flow.until(lambda: echo.connections == 1, "it was let through once")


@flow.test
def keys_that_cannot_be_are_refused_at_the_start():
    def fails(*options):
        got = flow.run(flow.program_path("epi-proxy"), *options)
        assert got.returncode == 2 and not got.stdout, got
        return "\n".join(flow.complaint(got))
    ours, chain = function_key("gate"), key_file()
    open_to_all = function_key("gate")
    open_to_all.chmod(0o644)
    named = ("--listen", "socks://127.0.0.1:0", "--function", "gate")
    assert "needs --function-key or" in fails(*named)
    assert "one of them" in fails(*named, "--function-key", ours,
                                  "--chain-key", chain)
    assert "64 hexadecimal digits" in fails(*named, "--function-key", chain)
    assert "chmod o-r" in fails(*named, "--function-key", open_to_all)
    assert "needs --function" in fails("--function-key", ours)
    assert "proxies judge" in fails(*named, "--function-key", ours, "--model",
                                    flow.EXAMPLES / "hospitals.json")
    assert "needs --chain-key and --function" in fails("key")
    assert "1 to 255 bytes" in fails("key", "--chain-key", chain,
                                     "--function", "")


flow.main()
