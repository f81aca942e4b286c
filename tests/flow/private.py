#!/usr/bin/env python3
"""private.py: with a model, private and local destinations are refused unless
the model names them; an address is judged when it is dialled, and it is that
address that is dialled. All in a network namespace that has addresses like the
Internet's, so that a test sees what is reached."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import dns_server, flow, netns, servers, socks_client as wire
from support.datagrams import Echo, Socks5, silent

PUBLIC, OTHER, PRIVATE, NAMED = ("198.51.100.7", "203.0.113.9", "10.66.0.7",
                                 "10.77.0.7")
NOBODY = "a private address that no node has"


class Site:
    """A namespace with all of these addresses, and an echo at each."""

    def __init__(self):
        self.space = netns.Namespace()
        for address in PUBLIC, OTHER, PRIVATE, NAMED:
            assert self.space.run("ip", "addr", "add", f"{address}/32", "dev",
                                  "lo").returncode == 0
        with self.space.inside():
            first = servers.Echo(PUBLIC)
            self.port = first.port
            self.echo = {PUBLIC: first}
            for address in OTHER, PRIVATE, NAMED, flow.LOCAL:
                self.echo[address] = servers.Echo(address, self.port)

    def names(self, records):
        with self.space.inside():
            return dns_server.Server(records)

    def proxy(self, model, *options, dns=None, **more):
        self.path = flow.file(model, "model.json")
        return (dns or flow).proxy("--model", self.path, *options,
                                   namespace=self.space.name, **more)

    def ask(self, proxy, host, port=None):
        """The code of the reply; what was reached has echoed."""
        with self.space.inside():
            sock, code = wire.socks5(proxy.port, host, port or self.port)
        if code == 0:
            sock.sendall(b"hello")
            assert wire.read(sock, 5) == b"hello"
        sock.close()
        return code

    def reached(self):
        return [a for a, echo in self.echo.items() if echo.connections]


def model(*rules, **parts):
    return {"epi": 1,
            "nodes": {"named": {"addresses": ["10.77.0.0/16",
                                              "named.example"]}},
            "policy": {"default": "deny", "rules": [
                *rules,
                {"id": "out", "effect": "allow", "from": ["unknown"],
                 "to": ["unknown", "named"]}]},
            **parts}


@flow.test
def refuses_what_is_private_and_of_no_node():
    site = Site()
    proxy = site.proxy(model())
    assert site.ask(proxy, PUBLIC) == 0
    assert site.ask(proxy, NAMED) == 0
    for host in (PRIVATE, flow.LOCAL, "0.0.0.0", "169.254.169.254",
                 "::ffff:127.0.0.1", "::1", "64:ff9b::7f00:1",
                 "2002:7f00:1::1", "::127.0.0.1", "fd00::1", "224.0.0.1"):
        assert site.ask(proxy, host) == 2, host
    proxy.wait_line(rf"denied by rule default: {NOBODY}")
    assert site.reached() == [PUBLIC, NAMED]


@flow.test
def epi_check_says_the_same():
    path = flow.file(model())
    check = flow.program_path("epi-check")
    ran = flow.run(check, path, "--flow", f"192.0.2.1:{PRIVATE}:80", "--json")
    said = json.loads(ran.stdout)
    assert ran.returncode == 1 and said["verdict"] == "denied", said
    assert said["reason"] == NOBODY and said["rule"] == "default", said
    ran = flow.run(check, path, "--flow", f"192.0.2.1:{PRIVATE}:80",
                   "--explain")
    assert "a private address of no node" in ran.stdout, ran.stdout
    ran = flow.run(check, path, "--flow", f"192.0.2.1:{PUBLIC}:80")
    assert ran.returncode == 0, ran.stdout


@flow.test
def without_a_model_nothing_is_refused():
    site = Site()
    proxy = flow.proxy(namespace=site.space.name)
    assert site.ask(proxy, PRIVATE) == 0 and site.ask(proxy, flow.LOCAL) == 0


@flow.test
def a_name_that_changes_its_address_gains_nothing():
    site = Site()
    dns = site.names({"evil.example": [PUBLIC]})
    proxy = site.proxy(model(), "--dns-cache", "0", dns=dns)
    assert site.ask(proxy, "evil.example") == 0
    for address in PRIVATE, flow.LOCAL:
        dns.records["evil.example"] = [address]
        assert site.ask(proxy, "evil.example") == 2
        proxy.wait_line(rf"skipping {address}:\d+, which is {NOBODY}")
    # Both in one answer: the other one is taken.
    dns.records["evil.example"] = [PRIVATE, flow.LOCAL, OTHER]
    assert site.ask(proxy, "evil.example") == 0
    assert site.reached() == [PUBLIC, OTHER]


@flow.test
def the_name_of_a_node_has_its_addresses_alone():
    site = Site()
    dns = site.names({"named.example": [flow.LOCAL, PRIVATE, NAMED]})
    proxy = site.proxy(model(), dns=dns)
    assert site.ask(proxy, "named.example") == 0
    assert site.reached() == [NAMED]


@flow.test
def a_rule_about_a_range_counts_for_names():
    site = Site()
    dns = site.names({"a.example": [PRIVATE], "b.example": [PUBLIC]})
    proxy = site.proxy(model(
        {"id": "not-there", "effect": "deny", "to": ["198.51.100.0/24"]},
        {"id": "lan", "effect": "allow", "from": ["unknown"],
         "to": ["10.66.0.0/16"]}), dns=dns)
    assert site.ask(proxy, PRIVATE) == 0
    assert site.ask(proxy, "a.example") == 0
    assert site.ask(proxy, PUBLIC) == 2
    assert site.ask(proxy, "b.example") == 2, "a name got around a rule"
    proxy.wait_line(r"skipping 198.51.100.7:\d+, which is .*rule not-there")
    assert site.reached() == [PRIVATE]


@flow.test
def what_the_operator_names_is_reached():
    site = Site()
    private = f"tcp://127.0.0.1:0={PRIVATE}:{site.port}"
    proxy = site.proxy(model(), listen=["socks://127.0.0.1:0", private])
    with site.space.inside():
        sock = wire.connect(proxy.ports[1])
    sock.sendall(b"there?")
    assert wire.read(sock, 6) == b"there?"
    # A hop is no destination, and may be anywhere.
    near = flow.proxy("--chain", f"socks5://127.0.0.1:{proxy.port}",
                      "--model", site.path, namespace=site.space.name)
    assert site.ask(near, PUBLIC) == 0
    assert site.ask(near, PRIVATE) == 2
    # An endpoint is reached at its port.
    proxy = site.proxy(model(functions={"f": {"endpoints": [
        f"socks5://{flow.LOCAL}:{site.port}"]}}))
    assert site.ask(proxy, flow.LOCAL) == 0
    assert site.ask(proxy, flow.LOCAL, site.port + 1) == 2


@flow.test
def datagrams_are_judged_alike():
    site = Site()
    dns = site.names({"evil.example": [PRIVATE]})
    with site.space.inside():
        echo, inner = Echo(PUBLIC), Echo(PRIVATE)
    proxy = site.proxy(model(), dns=dns)
    with site.space.inside():
        client = Socks5(proxy.port)
        client.send(PRIVATE, inner.port, b"in")
        client.send("evil.example", inner.port, b"in by name")
        assert client.ask(PUBLIC, echo.port, b"out")[2] == b"out"
    proxy.wait_line(rf"datagrams .*{PRIVATE}.* refused: .*{NOBODY}")
    proxy.wait_line(rf"datagrams .*evil.example.* refused: .*{NOBODY}")
    assert silent(client.sock) and not inner.got


@flow.test
def who_binds_is_a_destination():
    """A host that connects to a BIND sends to the client: who is of no node,
    and at a private address, is not what `unknown` means."""
    site = Site()
    for parts, code in ({}, 2), ({"private": "any"}, 0):
        proxy = site.proxy(model(**parts))
        with site.space.inside():
            sock = wire.ask5(proxy.port, PUBLIC, site.port, 2)
        assert wire.reply5(sock)[0] == code, parts


@flow.test
def a_model_may_allow_it_and_take_it_back():
    site = Site()
    proxy = site.proxy(model(private="any"))
    assert site.ask(proxy, PRIVATE) == 0
    with site.space.inside():
        sock, code = wire.socks5(proxy.port, flow.LOCAL, site.port)
    assert code == 0
    site.path.write_text(json.dumps(model()))
    assert wire.closed(sock, 10), "it lives on"
    proxy.wait_line(f"cut by the new model: .*{NOBODY}")
    assert site.ask(proxy, PRIVATE) == 2


flow.main()
