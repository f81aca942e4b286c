#!/usr/bin/env python3
"""bridge_model.py: what bridged flows may do, and when that changes."""
import contextlib
import copy
import json
import pathlib
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.bridging import (ANT, Bridge, KEY, ORIGIN, OTHER_NODE, REASON,
                              SECRET, UMC, bridged, connect, model, reply)


@flow.test
def different_models_are_refused():
    def rename(document):
        document["functions"]["unseal"] = document["functions"].pop("open")
        document["functions"]["seal"]["pair"] = "unseal"

    def direct(document):
        document["nodes"]["antonius"]["attributes"].append("encryption")

    def one_proxy(document):
        document["nodes"]["umc"]["domain"] = "ant"
        del document["proxies"]["px-umc"]

    for change in (rename, direct, one_proxy):
        bridge = Bridge(servers.Echo(host=ORIGIN), far_model=change)
        _, code, said = bridge.ask(data=SECRET)
        assert code == 2, f"{change.__name__}: reply {code}"
        assert "another plan" in said[REASON], (change.__name__, said)
        bridge.far.wait_line("do both have the same model")
        assert bridge.server.connections == 0, change.__name__


@flow.test
def a_plan_needs_a_model():
    server = servers.Echo(host=ORIGIN)
    bridge = Bridge(server)
    bare = flow.proxy("--chain-key", flow.file(KEY, "key"),
                      listen=[f"socks://{ANT}:0"])
    bridge.wire.to = (ANT, bare.port)
    _, code, said = bridge.ask(data=SECRET)
    assert code == 2, f"reply {code}"
    assert "a plan is left" in said[REASON], said
    assert server.connections == 0


@flow.test
def a_denied_flow_is_told_why():
    bridge = Bridge(servers.Echo(host=ORIGIN))
    _, code, said = bridge.ask(port=8080)
    assert code == 2, f"reply {code}"
    assert "registry" in said[REASON], said
    assert "the registry is closed: ask for it" in said[REASON], said
    sock = connect((UMC, bridge.near.port))
    sock.sendall(wire.greeting(0))
    wire.read(sock, 2)
    sock.sendall(wire.request5(ORIGIN, 8080))
    assert wire.reply5(sock)[0] == 2


@flow.test
def a_new_model_cuts_a_bridged_flow():
    bridge = Bridge(servers.Echo(host=ORIGIN))
    sock = bridged(bridge)
    document = copy.deepcopy(bridge.document)
    document["policy"]["rules"].insert(0, {
        "id": "no-more", "effect": "deny", "to": ["antonius"],
        "reason": "consent was withdrawn"})
    bridge.put_in_force(document)
    assert wire.closed(sock, 10), "the flow was not cut"
    bridge.near.wait_line("cut by the new model: denied by rule no-more:"
                          " consent was withdrawn|ended")
    flow.until(lambda: "rule no-more" in bridge.near.text + bridge.far.text,
               "the rule is named")
    _, code, said = bridge.ask()
    assert code == 2 and "consent was withdrawn" in said[REASON]


@flow.test
def a_function_with_a_new_meaning_cuts_a_flow():
    bridge = Bridge(servers.Echo(host=ORIGIN))
    sock = bridged(bridge)
    document = copy.deepcopy(bridge.document)
    for name in ("seal", "open"):
        document["functions"][name]["filter"] = "count"
    bridge.set_model(document)
    assert wire.closed(sock, 10), "the flow was not cut"
    flow.until(lambda: "another chain is needed" in
               bridge.near.text + bridge.far.text, "the log says why")


@flow.test
def a_model_that_changes_nothing_cuts_nothing():
    bridge = Bridge(servers.Echo(host=ORIGIN))
    sock = bridged(bridge)
    document = copy.deepcopy(bridge.document)
    document["policy"]["rules"][0]["reason"] = "it is closed"
    bridge.put_in_force(document)
    time.sleep(0.1)
    sock.sendall(b"still here")
    assert wire.read(sock, 10) == b"still here"


@flow.test(timeout=90)
def old_flows_are_judged_while_new_ones_come():
    server = servers.Echo(host=ORIGIN)
    bridge = Bridge(server, function="count", options=("--workers", "1"))
    running = threading.Event()
    running.set()

    def load():
        while running.is_set():
            with contextlib.suppress(OSError, EOFError, AssertionError):
                with socket.create_connection(
                        (UMC, bridge.near.port), 5,
                        source_address=(OTHER_NODE, 0)) as sock:
                    sock.sendall(wire.request6(ORIGIN, 8080))
                    wire.read_all(sock)
    threads = [threading.Thread(target=load, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    flow.at_end(running.clear)
    denied = copy.deepcopy(bridge.document)
    denied["policy"]["rules"].insert(0, {
        "id": "no-more", "effect": "deny", "to": ["antonius"]})
    for _ in range(5):
        sock = bridged(bridge)
        bridge.put_in_force(denied)
        assert wire.closed(sock), "an old flow lives on"
        bridge.put_in_force(bridge.document)
        bridged(bridge).close()  # flows are allowed again
    running.clear()
    for thread in threads:
        thread.join()


@flow.test
def an_address_of_another_node_is_skipped():
    document = model(1, function="count")
    for name, place in ("named", "localhost"), ("here", "127.0.0.1"):
        document["nodes"][name] = {"addresses": [place],
                                   "attributes": ["firewall"]}
    document["policy"] = {"default": "allow"}
    document["private"] = "any"
    del document["proxies"]
    echo = servers.Echo()
    path = flow.file(document, "model.json")
    proxy = flow.proxy("--model", path, listen=["socks://127.2.0.2:0"])
    sock = connect(("127.2.0.2", proxy.port), "127.2.0.9")
    sock.sendall(wire.request6("localhost", echo.port))
    assert wire.auth_reply6(sock)[0] == 0
    code, said = reply(sock)
    assert code != 0, "another node was reached"
    proxy.wait_line(r"skipping 127\.0\.0\.1:\d+, which is another node's")
    assert echo.connections == 0
    # A name that keeps to its node is fine; it is cut when it does not.
    fine = copy.deepcopy(document)
    fine["nodes"]["here"]["addresses"] = ["127.0.0.9"]
    path.write_text(json.dumps(fine))
    proxy.wait_line("is in force")
    sock = connect(("127.2.0.2", proxy.port), "127.2.0.9")
    sock.sendall(wire.request6("localhost", echo.port) + b"a")
    assert wire.auth_reply6(sock)[0] == 0
    assert reply(sock)[0] == 0
    assert wire.read(sock, 1) == b"a"
    path.write_text(json.dumps(document))
    assert wire.closed(sock, 10), "it lives on at another node"
    proxy.wait_line("address is another node's")


flow.main()
