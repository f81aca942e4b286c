#!/usr/bin/env python3
"""metadata.py: what travels with a request, hop by hop, and comes back."""
import pathlib
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.bridging import connect, links, metadata, read_metadata, reply

INDEX, LENGTH, LINK, REASON = 998, 999, 1000, 2011
OTHERS = {1: "train", 2: "umc", 3: "job-7", 77: "unknown", 5000: "theirs"}


class Hop(servers.Server):
    """A proxy of SOCKS 6 that keeps the metadata of requests, and answers
    with some of its own."""

    def __init__(self, code=0, says=None, **where):
        self.code, self.says, self.requests = code, says or {}, []
        super().__init__(**where)

    def serve(self, sock):
        version, _, size, _, _, kind = struct.unpack(">BBHHBB",
                                                     wire.read(sock, 8))
        assert version == 6
        wire.read_address(sock, kind, pad=True)
        self.requests.append(read_metadata(wire.read(sock, size)))
        said = metadata(self.says)
        sock.sendall(struct.pack(">BBH", 6, 0, 0) +
                     struct.pack(">BBHHBB4s", 6, self.code, len(said), 0, 0,
                                 1, bytes(4)) + said)
        sock.recv(1)


def ask(port, options=b"", host=flow.LOCAL, to=9):
    sock = connect((flow.LOCAL, port), flow.LOCAL)
    sock.sendall(wire.request6(host, to, options))
    assert wire.auth_reply6(sock)[0] == 0
    return sock, *reply(sock)


def chain_of(request):
    """The links of a request, and the index."""
    return ([request[LINK + i] for i in range(int(request[LENGTH]))],
            int(request[INDEX]))


@flow.test
def everything_goes_to_every_hop():
    for between in ("socks6", "socks5"):
        last = Hop()
        middle = flow.proxy("--chain", f"socks6://{flow.LOCAL}:{last.port}")
        # Behind a hop of SOCKS 5, the first proxy speaks to the next itself.
        chain = (["--chain", f"socks5://{flow.LOCAL}:{flow.proxy().port}"]
                 if between == "socks5" else [])
        first = flow.proxy(*chain, "--chain",
                           f"socks6://{flow.LOCAL}:{middle.port}")
        _, code, _ = ask(first.port, metadata(OTHERS))
        assert code == 0
        got = last.requests[0]
        assert OTHERS.items() <= got.items(), got


@flow.test
def what_a_reply_says_comes_back():
    for code in (0, 5):
        last = Hop(code, {3: "job-7", 5001: "ready", 2000: "not ours"})
        middle = flow.proxy("--chain", f"socks6://{flow.LOCAL}:{last.port}")
        first = flow.proxy("--chain", f"socks6://{flow.LOCAL}:{middle.port}")
        _, got, said = ask(first.port)
        assert got == code, got
        assert said.get(3) == "job-7" and said.get(5001) == "ready", said
        assert 2000 not in said, said


@flow.test
def links_of_a_proxy_are_a_detour():
    last = Hop()
    here = f"socks6://{flow.LOCAL}:{last.port}"
    one, two, three, five = (f"socks6://127.0.0.1:{n}" for n in (1, 2, 3, 5))
    proxy = flow.proxy("--chain", here, "--chain", five)
    _, code, _ = ask(proxy.port, links(two, three, index=1))
    assert code == 0
    assert chain_of(last.requests[0]) == (
        ["socks6://root:1080", two, here, five, three], 2)
    # And where the chain is at its end.
    _, code, _ = ask(proxy.port, links(one, two, index=2))
    assert code == 0
    assert chain_of(last.requests[1]) == (
        ["socks6://root:1080", one, two, here, five], 3)


@flow.test
def a_detour_is_taken_and_left():
    echo = servers.Echo()
    taps = [servers.Tap(flow.proxy().port) for _ in range(3)]
    four, five, three = (f"socks6://127.0.0.1:{tap.port}" for tap in taps)
    proxy = flow.proxy("--chain", four, "--chain", five)
    sock, code, said = ask(proxy.port, links("socks6://127.0.0.1:1", three,
                                             index=1), to=echo.port)
    assert code == 0, said
    sock.sendall(b"there and back")
    assert wire.read(sock, 14) == b"there and back"
    assert [tap.connections for tap in taps] == [1, 1, 1]


@flow.test
def over_16_hops_are_refused():
    last = Hop()
    proxy = flow.proxy("--chain", f"socks6://{flow.LOCAL}:{last.port}")
    many = [f"socks6://127.0.0.1:{i + 1}" for i in range(16)]
    _, code, said = ask(proxy.port, links(*many, index=15))
    assert code == 2, code
    assert "over 16 hops" in said[REASON], said
    _, code, _ = ask(proxy.port, links(*many[:15], index=15))
    assert code == 0, code
    assert len(last.requests) == 1


@flow.test
def a_loop_is_refused_at_once():
    ports = [flow.free_port() for _ in range(2)]
    ends = [f"socks6://{flow.LOCAL}:{port}" for port in ports]
    proxies = [flow.proxy("--chain", ends[1 - i],
                          listen=[f"socks://{flow.LOCAL}:{ports[i]}"])
               for i in range(2)]
    _, code, _ = ask(proxies[0].port)
    assert code == 2, code
    proxies[0].wait_line("a loop: the flow passed this proxy before")


@flow.test
def a_link_that_is_this_proxy_is_a_loop():
    for listen in ("socks://127.0.0.1:0", "socks://0.0.0.0:0"):
        proxy = flow.proxy(listen=[listen])
        for scheme in ("socks5", "socks6"):
            _, code, said = ask(proxy.port, links(
                f"{scheme}://127.0.0.1:{proxy.port}"))
            assert code == 2, (listen, scheme, code)
            assert "is this proxy" in said[REASON], said


flow.main()
