#!/usr/bin/env python3
"""hops.py: flows that pass proxies between the two that bridge them."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.bridging import (ANT, KEY, NODE, ORIGIN, SECRET, UMC, Wire,
                              connect, model, reply)

MIDDLE = "127.3.0.2"


class Line:
    """Three proxies in a line, and the wires behind the first two."""

    def __init__(self, reach=("px-mid",)):
        self.server = servers.Echo(host=ORIGIN)
        self.to_mid, self.to_far = Wire(host=MIDDLE), Wire(host=ANT)
        document = model(self.server.port, far=self.to_far.port)
        document["nodes"]["exchange"] = {"domain": "mid",
                                         "addresses": ["127.3.0.0/24"]}
        document["proxies"]["px-umc"]["reach"] = list(reach)
        document["proxies"]["px-mid"] = {
            "domain": "mid",
            "endpoint": f"socks6://{MIDDLE}:{self.to_mid.port}"}
        self.path = flow.file(document, "model.json")
        self.far = self.proxy("px-ant", ANT)
        self.middle = self.proxy("px-mid", MIDDLE)
        self.near = self.proxy("px-umc", UMC)
        self.to_far.to = (ANT, self.far.port)
        self.to_mid.to = (MIDDLE, self.middle.port)

    def proxy(self, name, host):
        return flow.proxy("--model", self.path, "--name", name, "--chain-key",
                          flow.file(KEY, "key"), listen=[f"socks://{host}:0"])

    def ask(self, to=None, source=NODE):
        sock = connect(to or (UMC, self.near.port), source)
        sock.sendall(wire.request6(self.server.host, self.server.port) +
                     SECRET)
        assert wire.auth_reply6(sock)[0] == 0
        return sock, *reply(sock)


@flow.test
def a_proxy_between_forwards_what_it_cannot_read():
    line = Line()
    sock, code, said = line.ask()
    assert code == 0, (code, said)
    assert wire.read(sock, len(SECRET)) == SECRET
    for crossed in (line.to_mid.crossed, line.to_far.crossed):
        for data in crossed.values():
            assert data and SECRET not in data, data


@flow.test
def nothing_leaves_where_there_is_no_way():
    line = Line(reach=())
    _, code, said = line.ask()
    assert code == 2, (code, said)
    assert "cannot reach" in " ".join(said.values()), said
    assert line.to_mid.connections == line.server.connections == 0


@flow.test
def a_node_cannot_begin_in_the_middle():
    line = Line()
    _, code, said = line.ask(to=(MIDDLE, line.middle.port))
    assert code == 2, (code, said)
    assert line.server.connections == 0


flow.main()
