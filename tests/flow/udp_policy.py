#!/usr/bin/env python3
"""udp_policy.py: datagrams go where the model lets them, and nowhere else."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import datagrams, dns_server, flow
from support.datagrams import Echo, Socks5, Socks6, silent, udp

CLIENT, OPEN, SHUT, FAR = "127.1.0.5", "127.2.0.9", "127.3.0.9", "127.4.0.9"


def document(port, **parts):
    """A client that may send to one node, at one port, as it is."""
    return {
        "epi": 1,
        "nodes": {
            "client": {"addresses": ["127.1.0.0/24"],
                       "attributes": ["firewall"]},
            "open": {"addresses": ["127.2.0.0/24", "open.example"],
                     "attributes": ["firewall"]},
            "shut": {"addresses": ["127.3.0.0/24"],
                     "attributes": ["firewall"]},
            "far": {"addresses": ["127.4.0.0/24"]},
        },
        "functions": {"meter": {"provides": ["firewall"],
                                "filter": "count"}},
        "policy": {"default": "deny", "rules": [
            {"id": "questions", "effect": "allow", "from": ["client"],
             "to": ["open", "far"], "ports": [port]},
        ]},
        **parts,
    }


class Judged:
    """A proxy with a model, and a client that sends from its node."""

    def __init__(self, port, dns=None, **parts):
        self.path = flow.file(document(port, **parts), "model.json")
        self.proxy = (dns or flow).proxy("--model", self.path,
                                         listen=["socks://127.1.0.1:0"])

    def change(self, document):
        """Put another model in its place, and wait until it counts."""
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(document))
        before = len(self.proxy.lines)
        new.rename(self.path)
        flow.until(lambda: any("model" in line for line in
                               self.proxy.lines[before:]), "the new model")

    def socks5(self):
        return Socks5(self.proxy.port, proxy="127.1.0.1", source=CLIENT)

    def socks6(self):
        client = Socks6(self.proxy.port, proxy="127.1.0.1", source=CLIENT)
        client.send("0.0.0.0", 0)
        client.confirm()
        return client

    def both(self):
        yield self.socks5()
        yield self.socks6()


@flow.test
def lets_through_what_is_allowed():
    echo = Echo(OPEN)
    judged = Judged(echo.port)
    for client in judged.both():
        assert client.ask(OPEN, echo.port, b"hello")[2] == b"hello"


@flow.test
def refuses_the_rest_and_goes_on():
    echo, shut, other = Echo(OPEN), Echo(SHUT), Echo(OPEN)
    judged = Judged(echo.port)
    for client in judged.both():
        for _ in range(3):
            client.send(SHUT, shut.port, b"denied")
            client.send(OPEN, other.port, b"another port")
            client.send("192.0.2.1", echo.port, b"unknown")
        assert client.ask(OPEN, echo.port, b"on")[2] == b"on"
    assert not shut.got and not other.got
    refused = datagrams.log_refusals(judged.proxy)
    assert len(refused) == 6, "once for each destination and client"
    assert sum("denied by rule default" in line for line in refused) == 6


@flow.test
def sends_nothing_around_a_function():
    far = Echo(FAR)
    judged = Judged(far.port)
    client = judged.socks5()
    client.send(FAR, far.port, b"in the clear")
    judged.proxy.wait_line("client > far needs a chain")
    assert silent(client.sock) and not far.got


@flow.test
def lets_in_answers_alone():
    remote, other, stranger = udp(OPEN), udp(OPEN), udp(SHUT)
    judged = Judged(remote.getsockname()[1])
    for client in judged.both():
        client.send(*remote.getsockname(), b"question")
        _, relay = remote.recvfrom(99)
        stranger.sendto(b"not asked", relay)
        other.sendto(b"not asked either", relay)
        remote.sendto(b"answer", relay)
        assert client.receive() == (*remote.getsockname(), b"answer")
    judged.proxy.wait_line(f"datagrams {SHUT}:.* > {CLIENT}:.* refused")


@flow.test
def lets_in_who_may_send_by_himself():
    remote = udp(SHUT)
    judged = Judged(9, policy={"default": "deny", "rules": [
        {"id": "push", "effect": "allow", "from": ["shut"],
         "to": ["client"]}]})
    client = judged.socks6()
    relay = (client.host, client.port)
    remote.sendto(b"pushed", relay)
    assert client.receive() == (*remote.getsockname(), b"pushed")
    client.send(*remote.getsockname(), b"no answer")
    judged.proxy.wait_line("datagrams .* refused: client > shut is denied")
    assert silent(remote)


@flow.test
def judges_names_as_names():
    dns = dns_server.Server({"open.example": [SHUT, OPEN],
                             "shut.example": [OPEN],
                             "a.open.example": [SHUT]})
    echo, shut = Echo(OPEN), Echo(SHUT)
    judged = Judged(echo.port, dns)
    for client in judged.both():
        client.send("shut.example", echo.port, b"an unknown name")
        client.send("a.open.example", echo.port, b"another node's address")
        client.send("open.example", echo.port, b"hello")
        assert client.receive() == (OPEN, echo.port, b"hello")
    judged.proxy.wait_line("a.open.example.* none of its addresses may be "
                           "used, the last is another node's")
    judged.proxy.wait_line("shut.example.* refused")
    assert not shut.got and len(echo.got) == 2


@flow.test
def follows_the_model():
    echo, shut = Echo(OPEN), Echo(SHUT)
    judged = Judged(echo.port)
    clients = list(judged.both())
    for client in clients:
        assert client.ask(OPEN, echo.port, b"one")[2] == b"one"
    changed = document(shut.port)
    changed["policy"]["rules"][0]["to"] = ["shut"]
    judged.change(changed)
    for client in clients:
        client.send(OPEN, echo.port, b"no more")
        assert client.ask(SHUT, shut.port, b"now")[2] == b"now"
    assert [data for data, _ in echo.got] == [b"one", b"one"]


@flow.test
def log_lines_have_an_end():
    judged = Judged(1)
    client = judged.socks5()
    for port in range(2, 400):
        client.send(SHUT, port, b"")
    judged.proxy.wait_line("further ones go unsaid")
    assert len(datagrams.log_refusals(judged.proxy)) == 100


if __name__ == "__main__":
    flow.main()
