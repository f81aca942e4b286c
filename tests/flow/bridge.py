#!/usr/bin/env python3
"""bridge.py: two proxies that bridge flows between two hospitals."""
import contextlib
import copy
import pathlib
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.bridging import (ANT, Bridge, Greeter, KEY, NODE, ORIGIN, SECRET,
                              UMC, bridged, connect, links, metadata, model,
                              reply, reset)


@flow.test
def a_flow_is_bridged_end_to_end():
    bridge = Bridge(servers.Echo(host=ORIGIN))
    bridged(bridge)
    bridge.near.wait_line(r"\(umc\) > .* \(antonius\) bridged by rule train"
                          r" through seal via socks6://127\.2")
    bridge.far.wait_line(rf"{NODE}:\d+ \(umc\) > .* bridged by rule train"
                         r" through open")


@flow.test
def a_socks5_client_is_bridged_as_well():
    bridge = Bridge(servers.Origin(host=ORIGIN))
    got = flow.run(flow.need("curl"), "-sS", "--interface", NODE, "--socks5",
                   f"{UMC}:{bridge.near.port}", bridge.server.url())
    assert got.stdout == "hello", got


@flow.test
def a_loop_ends_at_once():
    echo, port = servers.Echo(), flow.free_port()
    other = flow.proxy("--chain", f"socks6://127.0.0.1:{port}")
    proxy = flow.proxy("--chain", f"socks6://127.0.0.1:{other.port}",
                       listen=[f"socks://127.0.0.1:{port}"])
    start = time.monotonic()
    _, code = wire.socks5(port, flow.LOCAL, echo.port)
    assert code == 2, f"reply {code}"
    assert time.monotonic() - start < 10
    proxy.wait_line("a loop: the flow passed this proxy before")
    assert echo.connections == 0


@flow.test
def more_than_16_proxies_are_a_loop():
    echo, proxy = servers.Echo(), flow.proxy()
    for count, expected in ((16, 0), (17, 2)):
        passed = ",".join(f"{i:016x}" for i in range(count))
        sock = wire.connect(proxy.port)
        sock.sendall(wire.request6(flow.LOCAL, echo.port,
                                   metadata({2008: passed})))
        assert wire.auth_reply6(sock)[0] == 0
        code, _ = reply(sock)
        assert code == expected, f"{count}: reply {code}"


@flow.test
def links_are_followed_without_model_and_key():
    echo, last, first = servers.Echo(), flow.proxy(), flow.proxy()
    tap = servers.Tap(last.port)
    sock = wire.connect(first.port)
    sock.sendall(wire.request6(flow.LOCAL, echo.port, links(
        f"socks6://127.0.0.1:{tap.port}")) + b"along")
    assert wire.auth_reply6(sock)[0] == 0
    code, _ = reply(sock)
    assert code == 0, f"reply {code}"
    assert wire.read(sock, 5) == b"along"
    assert tap.connections == 1


@flow.test
def a_function_at_an_endpoint_hands_the_claims_on():
    server = servers.Echo(host=ORIGIN)
    bridge = Bridge(server)
    gate = flow.proxy("--filter", "count", listen=["socks://127.1.0.3:0"])
    document = copy.deepcopy(bridge.document)
    document["nodes"]["umc"]["attributes"].append("inspection")
    document["functions"]["gate"] = {
        "provides": ["inspection"], "proof": "none",
        "endpoints": [f"socks6://127.1.0.3:{gate.port}"]}
    bridge.put_in_force(document)
    bridged(bridge)
    gate.wait_line("through count via socks6")


@flow.test(timeout=150)
def large_data_goes_both_ways():
    size = 20 * 1024 * 1024
    data = servers.body(size)
    for workers in ("1", "4"):
        bridge = Bridge(servers.Echo(host=ORIGIN),
                        options=("--workers", workers))
        sock, code, _ = bridge.ask()
        assert code == 0
        sock.settimeout(60)
        sender = threading.Thread(target=lambda: (
            sock.sendall(data), sock.shutdown(socket.SHUT_WR)), daemon=True)
        sender.start()
        got = bytearray()
        while more := sock.recv(1 << 20):
            got += more
        sender.join()
        assert len(got) == size, f"{len(got)} bytes came back"
        assert bytes(got) == data


@flow.test
def half_closed_flows_get_their_answer():
    bridge = Bridge(servers.AfterEnd(300000, host=ORIGIN))
    sock, code, _ = bridge.ask(data=SECRET)
    assert code == 0
    sock.shutdown(socket.SHUT_WR)
    assert wire.read_all(sock) == servers.body(300000)
    assert bridge.server.got == SECRET


@flow.test
def a_client_that_ends_with_its_request_gets_its_answer():
    bridge = Bridge(servers.AfterEnd(1000, host=ORIGIN))
    sock = connect((UMC, bridge.near.port))
    sock.sendall(wire.request6(ORIGIN, bridge.server.port) + SECRET)
    sock.shutdown(socket.SHUT_WR)
    assert wire.auth_reply6(sock)[0] == 0
    assert reply(sock)[0] == 0
    assert wire.read_all(sock) == servers.body(1000)


@flow.test
def a_server_may_speak_first():
    for workers in ("1", "4"):
        bridge = Bridge(Greeter(host=ORIGIN), options=("--workers", workers))
        sock, code, _ = bridge.ask()
        assert code == 0
        assert wire.read(sock, 8) == b"welcome\n"
        sock.sendall(SECRET)
        assert wire.read(sock, len(SECRET)) == SECRET


class EagerHop(servers.Server):
    """A SOCKS 5 server whose destination speaks first: its greeting comes in
    one piece with the reply. Then it gives back what it gets."""

    def serve(self, sock):
        wire.read(sock, 3)
        sock.sendall(b"\5\0")
        wire.read(sock, 10)
        sock.sendall(b"\5\0\0\1" + bytes(6) + b"welcome\n")
        with contextlib.suppress(OSError):
            while data := sock.recv(65536):
                sock.sendall(data)


@flow.test
def a_server_behind_another_hop_may_speak_first():
    bridge = Bridge(servers.Echo(host=ORIGIN))
    hop = EagerHop()
    far = flow.proxy("--model", bridge.path, "--name", "px-ant",
                     "--chain-key", flow.file(KEY, "key"), "--chain",
                     f"socks5://127.0.0.1:{hop.port}",
                     listen=[f"socks://{ANT}:0"])
    bridge.wire.to = (ANT, far.port)
    held = []

    # The header of the sealed stream comes late: behind the greeting.
    def hold(at, data):
        if at == "out" and b"EPS2" in data:
            start = data.index(b"EPS2")
            held.append(data[start:])
            return data[:start]
        if at == "out" and held:
            return held.pop() + data
        return data
    bridge.wire.change = hold
    sock = connect((UMC, bridge.near.port))
    sock.sendall(wire.request6(ORIGIN, bridge.server.port))
    assert wire.auth_reply6(sock)[0] == 0
    assert reply(sock)[0] == 0
    flow.until(lambda: held, "the header is held back")
    sock.sendall(b"x")
    assert wire.read(sock, 9) == b"welcome\nx"


@flow.test
def many_flows_at_once():
    for workers in ("1", "4"):
        bridge = Bridge(servers.Echo(host=ORIGIN),
                        options=("--workers", workers))
        socks = [bridge.ask(data=b"%06d" % i)[0] for i in range(100)]
        for i, sock in enumerate(socks):
            assert wire.read(sock, 6) == b"%06d" % i


@flow.test
def a_noop_is_answered_and_closed():
    proxy = flow.proxy()
    sock = wire.connect(proxy.port)
    sock.sendall(wire.request6("0.0.0.0", 0, command=wire.NOOP) +
                 b"unread" * 10000)
    assert wire.auth_reply6(sock)[0] == 0
    assert reply(sock)[0] == 0
    with contextlib.suppress(OSError):  # it may have lost its patience
        sock.shutdown(socket.SHUT_WR)
    assert wire.closed(sock)


@flow.test(timeout=60)
def resets_in_the_handshake_do_no_harm():
    echo, proxy = servers.Echo(), flow.proxy("--workers", "1")
    data = wire.greeting(0) + wire.request5(flow.LOCAL, echo.port)
    for _ in range(200):
        proxy.signal(signal.SIGSTOP)  # all is there before it looks
        socks = [socket.create_connection((flow.LOCAL, proxy.port))
                 for _ in range(5)]
        for sock in socks:
            sock.sendall(data)
            reset(sock)
            sock.close()
        proxy.signal(signal.SIGCONT)
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 0
    sock.sendall(b"fine")
    assert wire.read(sock, 4) == b"fine"


flow.main()
