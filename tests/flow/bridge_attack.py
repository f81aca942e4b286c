#!/usr/bin/env python3
"""bridge_attack.py: whoever is between two proxies, or claims to be one."""
import contextlib
import copy
import pathlib
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.bridging import (ANT, Bridge, KEY, Keeper, NODE, ORIGIN, REASON,
                              SECRET, UMC, bridged, connect, links, metadata,
                              model, reply)


@flow.test
def nothing_on_the_wire_can_be_read():
    bridge = Bridge(servers.Echo(host=ORIGIN))
    bridged(bridge)
    for direction, crossed in bridge.wire.crossed.items():
        assert len(crossed) > len(SECRET), direction
        assert SECRET[:12] not in crossed, direction
        assert KEY.encode() not in crossed, direction


@flow.test
def without_sealing_the_wire_can_be_read():
    bridge = Bridge(servers.Echo(host=ORIGIN), function="count")
    bridged(bridge)
    for direction, crossed in bridge.wire.crossed.items():
        assert SECRET in crossed, direction


def tamper(direction):
    """Change one byte of what a running flow sends in a direction."""
    server = servers.Echo(host=ORIGIN)
    bridge = Bridge(server)
    sock = bridged(bridge)
    bridge.wire.change = lambda at, data: (
        data[:-1] + bytes([data[-1] ^ 1]) if at == direction else data)
    with contextlib.suppress(OSError):
        sock.sendall(SECRET)
    got = wire.read_all(sock)
    assert got == b"", f"{direction}: got {got!r}"
    finder = bridge.far if direction == "out" else bridge.near
    finder.wait_line("forged, damaged")


@flow.test
def one_changed_byte_on_its_way_out_cuts_the_flow():
    tamper("out")


@flow.test
def one_changed_byte_on_its_way_back_cuts_the_flow():
    tamper("back")


@flow.test
def no_changed_byte_reaches_the_destination():
    server = Keeper(host=ORIGIN)
    bridge = Bridge(server)
    sock, code, _ = bridge.ask(data=b"a")
    assert code == 0
    flow.until(lambda: server.got == b"a", "the first byte arrives")
    bridge.wire.change = lambda _, data: data[:-20] + bytes(
        byte ^ 128 for byte in data[-20:])
    sock.sendall(SECRET)
    assert wire.closed(sock), "the flow was not cut"
    assert server.got == b"a", f"got {server.got!r}"


@flow.test
def a_stream_that_is_cut_off_is_no_end():
    server = servers.AfterEnd(1000, host=ORIGIN)
    bridge = Bridge(server)
    sock, code, _ = bridge.ask(data=SECRET)
    assert code == 0
    flow.until(lambda: server.got == SECRET, "the data arrives")
    # The frame that says "the end" does not arrive; the end does.
    bridge.wire.change = lambda at, data: b"" if at == "out" else data
    sock.shutdown(socket.SHUT_WR)
    assert wire.read_all(sock) == b""
    bridge.far.wait_line("cut off")


@flow.test
def the_far_proxy_serves_no_node_directly():
    bridge = Bridge(servers.Echo(host=ORIGIN))
    _, code, said = bridge.ask(to=(ANT, bridge.far.port))
    assert code == 2, f"reply {code}"
    assert "px-umc first" in said[REASON], said
    bridge.far.wait_line("must pass px-umc first")
    assert bridge.server.connections == 0


@flow.test
def a_wrong_chain_key_is_refused():
    bridge = Bridge(servers.Echo(host=ORIGIN),
                    far_key="another key that somebody made up")
    _, code, said = bridge.ask(data=SECRET)
    assert code == 2, f"reply {code}"
    assert "forged" in said[REASON], said
    bridge.far.wait_line("forged, or made with another chain key")
    assert bridge.server.connections == 0


@flow.test
def a_replayed_request_is_refused():
    bridge = Bridge(Keeper(host=ORIGIN))
    sock, code, _ = bridge.ask(data=SECRET)
    assert code == 0
    flow.until(lambda: bridge.server.got == SECRET, "the data arrives")
    sock.close()
    for source in (NODE, UMC):
        again = connect((ANT, bridge.far.port), source)
        again.sendall(bridge.wire.crossed["out"])
        assert wire.auth_reply6(again)[0] == 0
        code, said = reply(again)
        assert code == 2, f"reply {code}"
        assert "used before" in said[REASON], said
    assert bridge.server.connections == 1
    assert bridge.server.got == SECRET


@flow.test
def a_request_from_before_a_restart_is_refused():
    bridge = Bridge(Keeper(host=ORIGIN))
    _, code, _ = bridge.ask(data=SECRET)
    assert code == 0
    flow.until(lambda: bridge.server.got == SECRET, "the data arrives")
    time.sleep(1.1)  # the claims tell the time in seconds
    again = flow.proxy("--model", bridge.path, "--name", "px-ant",
                       "--chain-key", flow.file(KEY, "key"),
                       listen=[f"socks://{ANT}:0"])
    sock = connect((ANT, again.port))
    sock.sendall(bridge.wire.crossed["out"])
    assert wire.auth_reply6(sock)[0] == 0
    code, said = reply(sock)
    assert code == 2, f"reply {code}"
    assert "start" in said[REASON], said


@flow.test
def a_sealed_stream_does_not_open_in_another_flow():
    server = Keeper(host=ORIGIN)
    bridge = Bridge(server)
    _, code, _ = bridge.ask(data=SECRET)
    assert code == 0
    flow.until(lambda: server.got == SECRET, "the data arrives")
    sealed = bridge.wire.crossed["out"]
    sealed = sealed[sealed.index(b"EPS2"):]

    def swap(at, data):
        return (data[:data.index(b"EPS2")] + sealed
                if at == "out" and b"EPS2" in data else data)
    bridge.wire.change = swap
    sock, _, _ = bridge.ask(data=b"mine")
    assert wire.closed(sock), "the flow was not cut"
    assert server.got == SECRET, f"got {server.got!r}"
    bridge.far.wait_line("forged, damaged")


def forged():
    """What a proxy would say of a flow that comes from the node."""
    return metadata({
        1: "train", 2000: f"{NODE}:4000", 2001: "umc", 2005: "train",
        2007: '[{"proxy":"px-ant","functions":["open"]}]',
        2009: f"{int(time.time())} {'1f' * 16}", 2010: "ab" * 32})


@flow.test
def a_forged_source_is_not_believed():
    bridge = Bridge(servers.Echo(host=ORIGIN))
    sock = connect((ANT, bridge.far.port), "127.9.0.1")
    sock.sendall(wire.request6(ORIGIN, bridge.server.port, forged()))
    assert wire.auth_reply6(sock)[0] == 0
    code, said = reply(sock)
    assert code == 2, f"reply {code}"
    assert "forged" in said[REASON], said
    # Without an authenticator, the peer is the source: a stranger.
    sock = connect((UMC, bridge.near.port), "127.9.0.1")
    sock.sendall(wire.request6(ORIGIN, bridge.server.port, metadata(
        {1: "train", 2000: f"{NODE}:4000", 2001: "umc"})))
    assert wire.auth_reply6(sock)[0] == 0
    code, said = reply(sock)
    assert code == 2, f"reply {code}"
    assert "unknown > antonius" in said[REASON], said
    assert bridge.server.connections == 0


@flow.test
def what_a_client_claims_is_not_signed():
    bridge = Bridge(servers.Echo(host=ORIGIN))
    sock, code, _ = bridge.ask(data=b"a", options=metadata({
        2002: "commercial", 2003: "registry", 2004: "root",
        2000: "1.2.3.4:5"}))
    assert code == 0
    assert wire.read(sock, 1) == b"a"
    crossed = bridge.wire.crossed["out"]
    for lie in (b"commercial", b"registry", b"root", b"1.2.3.4"):
        assert lie not in crossed, lie


@flow.test
def links_of_a_stranger_are_refused_by_a_proxy_with_a_model():
    bridge = Bridge(servers.Echo(host=ORIGIN))
    elsewhere = servers.Tap(1)
    _, code, said = bridge.ask(
        options=links(f"socks6://127.0.0.1:{elsewhere.port}"))
    assert code == 2, f"reply {code}"
    assert "not authenticated" in said[REASON], said
    assert elsewhere.connections == 0


@flow.test
def links_of_others_name_no_files():
    thief, first = servers.Tap(1), flow.proxy()
    secret = flow.file("root:digest\n", "credentials")
    sock = wire.connect(first.port)
    sock.sendall(wire.request6(flow.LOCAL, 9, links(
        f"socks6://127.0.0.1:{thief.port}?credentials={secret}")))
    assert wire.auth_reply6(sock)[0] == 0
    code, _ = reply(sock)
    assert code == 1, f"reply {code}"
    assert thief.connections == 0


@flow.test
def a_turned_back_index_sends_nothing_back():
    server = servers.Echo(host=ORIGIN)
    bridge = Bridge(server)
    gate = flow.proxy(listen=["socks://127.1.0.3:0"])
    document = copy.deepcopy(bridge.document)
    document["nodes"]["umc"]["attributes"].append("inspection")
    document["functions"]["gate"] = {
        "provides": ["inspection"], "proof": "none",
        "endpoints": [f"socks6://127.1.0.3:{gate.port}"]}
    bridge.put_in_force(document)
    index = struct.pack(">HH", 998, 1)
    bridge.wire.change = lambda _, data: data.replace(index + b"2",
                                                      index + b"0")
    _, code, said = bridge.ask(data=SECRET)
    assert code == 2, (code, said)
    assert "behind the plan" in said[REASON], said
    assert server.connections == 0


flow.main()
