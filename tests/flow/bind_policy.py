#!/usr/bin/env python3
"""bind_policy.py: who connects to a BIND is judged by the model: the host is
the source, the client the destination, at the port that was bound."""
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow
from support import socks_client as wire
from support.bound import ANY, Bound, exchange
from support.bridging import KEY, metadata

PROXY, CLIENT = "127.1.0.1", "127.1.0.5"
FRIEND, FOE, WEAK, STRANGER = ("127.2.0.9", "127.3.0.9", "127.4.0.9",
                               "127.9.0.9")


def document(function="count", **parts):
    """Friends may connect to the client, others must not; what comes from the
    weak node must pass a function."""
    return {
        "epi": 1,
        "nodes": {
            "client": {"domain": "here", "addresses": ["127.1.0.0/24"]},
            "friend": {"domain": "there",
                       "addresses": ["127.2.0.0/24", "localhost"]},
            "foe": {"domain": "there", "addresses": ["127.3.0.0/24"]},
            "weak": {"domain": "there", "addresses": ["127.4.0.0/24"],
                     "attributes": ["metering"]},
        },
        "functions": {"meter": {"provides": ["metering"],
                                "filter": function}},
        "policy": {"default": "deny", "rules": [
            {"id": "foes", "effect": "deny", "from": ["foe"],
             "reason": "it never was a friend"},
            {"id": "in", "effect": "allow", "from": ["friend", "weak"],
             "to": ["client"]},
        ]},
        **parts,
    }


def start(document, *options):
    path = flow.file(document, "model.json")
    proxy = flow.proxy("--model", path, *options,
                       listen=[f"socks://{PROXY}:0"])
    proxy.path = path
    return proxy


def change(proxy, document):
    new = proxy.path.with_suffix(".new")
    new.write_text(json.dumps(document))
    new.rename(proxy.path)


def bind(proxy, version=5, host=ANY, **more):
    return Bound(version, proxy.port, host, proxy=PROXY, source=CLIENT, **more)


@flow.test
def who_is_allowed_connects():
    proxy = start(document())
    for version in (5, 6):
        bound = bind(proxy, version)
        assert bound.code == 0 and bound.host == PROXY
        host = bound.connect(FRIEND)
        assert bound.again() == (0, FRIEND, host.getsockname()[1])
        exchange(bound.sock, host)
    proxy.wait_line(rf"{FRIEND}:\d+ \(friend\) > {CLIENT}:\d+ \(client\)"
                    " direct by rule in")


@flow.test
def a_node_that_is_refused_ends_the_wait():
    proxy = start(document())
    for version in (5, 6):
        bound = bind(proxy, version)
        assert bound.shuts_out(FOE)
        assert bound.again()[0] == 2
        assert wire.closed(bound.sock)
    proxy.wait_line("foe > client is denied by rule foes: it never was")


@flow.test
def a_stranger_does_not():
    proxy = start(document())
    for version in (5, 6):
        bound = bind(proxy, version)
        for _ in range(3):
            assert bound.shuts_out(STRANGER)
        proxy.wait_line(f"{STRANGER}:\\d+ may not connect")
        host = bound.connect(FRIEND)
        assert bound.again()[:2] == (0, FRIEND)
        exchange(bound.sock, host)


@flow.test
def an_expected_host_is_judged_at_the_request():
    proxy = start(document())
    assert bind(proxy, host=FOE).code == 2
    assert bind(proxy, host=STRANGER).code == 2
    assert bind(proxy, host="no-such-host.invalid").code == 4
    for name, source in ((FRIEND, FRIEND), (WEAK, WEAK)):
        bound = bind(proxy, host=name)
        host = bound.connect(source)
        assert bound.again()[:2] == (0, source)
        exchange(bound.sock, host)


@flow.test
def ports_count():
    port = flow.free_port(PROXY)
    model = document()
    model["policy"]["rules"][1]["ports"] = [port]
    proxy = start(model)
    bound = bind(proxy, 6, to=port)
    host = bound.connect(FRIEND)
    assert bound.again()[0] == 0
    exchange(bound.sock, host)
    other = bind(proxy, 6)
    assert other.port != port
    assert other.shuts_out(FRIEND)
    assert other.again()[0] == 2


@flow.test
def functions_see_the_host_as_the_source():
    proxy = start(document())
    bound = bind(proxy)
    host = bound.connect(WEAK)
    assert bound.again()[0] == 0
    host.sendall(b"x" * 1000)
    assert wire.read(bound.sock, 1000) == b"x" * 1000
    bound.sock.sendall(b"y" * 10)
    assert wire.read(host, 10) == b"y" * 10
    bound.sock.close()
    host.close()
    proxy.wait_line(rf"{WEAK}:\d+ \(weak\) > {CLIENT}:\d+ \(client\) bridged"
                    " by rule in through count")
    ended = proxy.wait_line("1000 bytes out, 10 back; (.*): ").group(1)
    assert sorted(ended.split(", ")) == [  # whichever side was done first
        "counted 10 bytes back", "counted 1000 bytes out"], ended


@flow.test
def seal_works_from_the_host_to_the_client():
    key = flow.file(KEY, "key")
    proxy = start(document(f"seal:key={key}"))
    bound = bind(proxy)
    host = bound.connect(WEAK)
    assert bound.again()[0] == 0
    host.sendall(b"a secret")
    bound.sock.settimeout(5)
    assert b"a secret" not in bound.sock.recv(4096), "it is not sealed"


@flow.test
def what_needs_another_proxy_is_refused():
    model = document(proxies={
        "px-here": {"domain": "here", "endpoint": "socks6://127.1.0.1:1"},
        "px-there": {"domain": "there", "endpoint": "socks6://127.2.0.1:1"}})
    proxy = start(model, "--name", "px-here")
    bound = bind(proxy)
    assert bound.shuts_out(WEAK)
    assert bound.again()[0] == 2
    proxy.wait_line("the flow must pass px-there, and a BIND cannot")
    assert bind(proxy, host=WEAK).code == 2, "it is known at the request"
    model = document(functions={"meter": {
        "provides": ["metering"], "endpoints": ["socks5://127.1.0.1:1"]}})
    proxy = start(model)
    assert bind(proxy, host=WEAK).code == 2
    proxy.wait_line("cannot pass the function meter")


@flow.test
def a_new_model_judges_who_waits_and_who_runs():
    proxy = start(document())
    running = bind(proxy)
    host = running.connect(FRIEND)
    assert running.again()[0] == 0
    expects, waits = bind(proxy, host=FRIEND), bind(proxy, 6)
    same = document()
    same["policy"]["rules"][0]["reason"] = "it is a foe"
    change(proxy, same)
    proxy.wait_line("is in force")
    time.sleep(0.1)
    host.sendall(b"still here")
    assert wire.read(running.sock, 10) == b"still here"
    other = document()
    other["policy"]["rules"][1]["from"] = ["weak"]
    change(proxy, other)
    assert expects.again()[0] == 2, "nobody may come whom it expects"
    assert wire.closed(running.sock) and wire.closed(host)
    proxy.wait_line("cut by the new model")
    late = waits.connect(WEAK)
    assert waits.again()[0] == 0, "anybody may be somebody else"
    exchange(waits.sock, late)


@flow.test
def a_plan_that_comes_along_is_refused():
    proxy = start(document(), "--chain-key", flow.file(KEY, "key"))
    sock = wire.ask6(proxy.port, ANY, 0, wire.BIND,
                     metadata({998: "0", 999: "2", 1000: "socks6://root:1080",
                               1001: "socks6://127.0.0.1:1"}),
                     source=CLIENT, proxy=PROXY)
    assert wire.reply6(sock)[0] == 2
    proxy.wait_line("chain metadata that is not authenticated")


if __name__ == "__main__":
    flow.main()
