#!/usr/bin/env python3
"""udp6.py: UDP ASSOCIATE of SOCKS 6, over TCP and over UDP."""
import contextlib
import pathlib
import select
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import datagrams, dns_server, flow
from support import socks_client as wire
from support.datagrams import (Echo, ERROR, NO, PARITY, Socks6, TOS, TTL,
                               UDP_ERROR, YES, pack6, silent, stack_option,
                               udp, udp_port, unpack6, unpack_remote)

REMOTE = 2
IP_RECVTTL = 12  # Linux: the socket module has no name for it


def with_udp(*options, workers="3", query=""):
    """A proxy with a UDP port, and that port."""
    proxy = flow.proxy("--workers", workers, *options,
                       listen=[f"socks://127.0.0.1:0?udp=0{query}"])
    return proxy, udp_port(proxy)


def empty(client):
    """What only confirms."""
    client.send("0.0.0.0", 0)
    client.confirm()


def associate(proxy, options=b"", **more):
    """An association with stack options; skipped where they are not read."""
    client = Socks6(proxy.port, options=options, **more)
    if options and not client.stack and client.code == 0:
        flow.skip("stack options are not read")
    return client


@flow.test
def carries_datagrams_over_tcp():
    echo, proxy = Echo(), flow.proxy()
    client = Socks6(proxy.port)
    assert client.code == 0 and client.host == flow.LOCAL
    client.send(flow.LOCAL, echo.port, b"hello")
    client.confirm()
    assert client.receive() == (flow.LOCAL, echo.port, b"hello")
    for data in (b"", b"x" * 65000):
        assert client.ask(flow.LOCAL, echo.port, data)[2] == data
    assert {peer for _, peer in echo.got} == {(flow.LOCAL, client.port)}


@flow.test
def carries_datagrams_over_udp():
    echo = Echo()
    proxy, port = with_udp()
    # Many, so that each worker has some: its socket must get their datagrams.
    clients = [Socks6(proxy.port, port) for _ in range(12)]
    assert len({client.id for client in clients}) == 12
    for client in clients:
        client.send(flow.LOCAL, echo.port, b"hello")
        client.confirm()
        assert client.receive() == (flow.LOCAL, echo.port, b"hello")
        assert client.ask(flow.LOCAL, echo.port, b"")[2] == b""


@flow.test
def carries_a_thousand_each_way():
    echo = Echo()
    proxy, port = with_udp()
    for way in ("tcp", port):
        client = Socks6(proxy.port, way)
        empty(client)
        for first in range(0, 1000, 20):
            sent = [struct.pack(">I", first + i) * 25 for i in range(20)]
            for data in sent:
                client.send(flow.LOCAL, echo.port, data)
            assert [client.receive()[2] for _ in sent] == sent
    assert len(echo.got) == 2000


@flow.test
def takes_messages_in_any_pieces():
    echo, proxy = Echo(), flow.proxy()
    client = Socks6(proxy.port)
    client.tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    message = b"".join(pack6(client.id, flow.LOCAL, echo.port, data)
                       for data in (b"one", b"two", b"three"))
    for byte in message:
        client.tcp.sendall(bytes([byte]))
    client.confirm()
    got = [client.receive()[2] for _ in range(3)]
    assert got == [b"one", b"two", b"three"], got


@flow.test
def speaks_draft_12():
    dns = dns_server.Server({"echo.example": ["127.0.0.1"]})
    echo = Echo()
    for draft in (11, 12):
        proxy = dns.proxy(listen=[f"socks://127.0.0.1:0?draft={draft}"])
        client = Socks6(proxy.port, draft=draft)
        client.send("echo.example", echo.port, b"by name")
        client.confirm()
        assert client.receive() == (flow.LOCAL, echo.port, b"by name")


@flow.test
def asks_a_name_server():
    dns = dns_server.Server({"a.example": ["127.0.0.9"]})
    proxy, port = with_udp()
    query = (struct.pack(">HHHHHH", 0x1234, 0x0100, 1, 0, 0, 0) +
             b"\x01a\x07example\x00" + struct.pack(">HH", 1, 1))
    for way in ("tcp", port):
        client = Socks6(proxy.port, way)
        empty(client)
        assert client.ask(dns.host, 53, query)[2].endswith(
            bytes([127, 0, 0, 9]))


@flow.test
def carries_ipv6():
    flow.need_ipv6()
    echo, proxy = Echo("::1"), flow.proxy()
    client = Socks6(proxy.port, host="::")
    assert client.host == "::" and client.port, client.host
    empty(client)
    assert client.ask("::1", echo.port, b"six") == ("::1", echo.port, b"six")
    assert echo.got[0][1][1] == client.port
    other = Socks6(proxy.port)
    empty(other)
    assert other.ask("::1", echo.port, b"both")[2] == b"both"


@flow.test
def lets_a_remote_speak_first():
    proxy, port = with_udp()
    for way in ("tcp", port):
        client, remote = Socks6(proxy.port, way), udp()
        empty(client)
        remote.sendto(b"first", (client.host, client.port))
        assert client.receive() == (*remote.getsockname(), b"first")
        client.send(*remote.getsockname(), b"second")
        assert remote.recvfrom(99) == (b"second", (client.host, client.port))


@flow.test
def binds_where_it_is_told_to():
    proxy, port = flow.proxy(), flow.free_port()
    client = Socks6(proxy.port, host="127.0.0.5", port=port)
    assert (client.code, client.host, client.port) == (0, "127.0.0.5", port)
    assert Socks6(proxy.port, host="127.0.0.5", port=port).code == 1
    assert Socks6(proxy.port, host="192.0.2.1").code == 4
    assert Socks6(proxy.port, host="a.example").code == 8
    assert Socks6(proxy.port, port=123).code == 2, "a port of the system's"


@flow.test
def takes_datagrams_of_no_host_but_the_one_that_asked():
    echo = Echo()
    proxy, port = with_udp()
    client, elsewhere = Socks6(proxy.port, port), udp("127.0.0.3")
    elsewhere.sendto(pack6(client.id, flow.LOCAL, echo.port, b"not mine"),
                     (flow.LOCAL, port))
    assert silent(elsewhere)
    empty(client)
    assert client.ask(flow.LOCAL, echo.port, b"mine")[2] == b"mine"
    assert [data for data, _ in echo.got] == [b"mine"], echo.got


@flow.test
def keeps_to_the_first_way():
    echo = Echo()
    proxy, port = with_udp()
    client, other = Socks6(proxy.port, port), udp()
    empty(client)
    message = pack6(client.id, flow.LOCAL, echo.port, b"not mine")
    other.sendto(message, (flow.LOCAL, port))
    client.tcp.sendall(message)
    assert silent(other)
    assert client.ask(flow.LOCAL, echo.port, b"mine")[2] == b"mine"
    assert [data for data, _ in echo.got] == [b"mine"], echo.got
    client = Socks6(proxy.port)
    empty(client)
    other.sendto(pack6(client.id, flow.LOCAL, echo.port, b"no"),
                 (flow.LOCAL, port))
    assert silent(other) and len(echo.got) == 1


@flow.test
def drops_what_it_cannot_use():
    echo = Echo()
    proxy, port = with_udp()
    client = Socks6(proxy.port, port)
    good = pack6(client.id, flow.LOCAL, echo.port, b"good")
    for bad in (b"", good[:8], good[:-1], b"\x05" + good[1:],
                pack6(client.id ^ 1 << 40, flow.LOCAL, echo.port, b"id"),
                pack6(client.id ^ 1, flow.LOCAL, echo.port, b"id"),
                pack6(client.id, flow.LOCAL, echo.port, b"kind", kind=2),
                good[:12] + b"\x02" + good[13:]):
        client.sock.send(bad)
    client.sock.send(good + b"padding")
    client.confirm()
    assert client.receive()[2] == b"good"
    assert [data for data, _ in echo.got] == [b"good"], echo.got


@flow.test
def ends_connections_that_break_the_protocol():
    proxy = flow.proxy()
    for junk in (b"\x05", b"\x06\x09", b"\x06\x03\x00\x00",
                 struct.pack(">BBHQ", 6, 2, 12, 0)):
        client = Socks6(proxy.port)
        client.send_raw(junk)
        assert wire.closed(client.tcp), junk
    client = Socks6(proxy.port)
    client.send_raw(pack6(client.id ^ 1, flow.LOCAL, 9, b"dropped"))
    empty(client)


@flow.test
def waits_for_the_first_datagram():
    proxy, port = with_udp("--handshake-timeout", "400", "--udp-idle-timeout",
                           "1200")

    def in_time(*first):
        """An association whose client was not late, and when it spoke."""
        with contextlib.suppress(OSError, EOFError):
            client, now = Socks6(proxy.port, port), time.monotonic()
            for do in first:
                do(client)
            return client, now
        return None

    client, spoke = flow.until(lambda: in_time(empty), "one that spoke")
    idle, _ = flow.until(in_time, "one that did not")
    assert wire.closed(idle.tcp)
    proxy.wait_line("no datagram of the client came in time")
    assert wire.closed(client.tcp)
    assert time.monotonic() - spoke > 1.19, "it had its time"
    proxy.wait_line("nothing moved for too long")


@flow.test
def drops_rather_than_holds():
    proxy = flow.proxy()
    client, remote = Socks6(proxy.port), udp()
    empty(client)
    for _ in range(400):  # nobody reads: 24 MB
        remote.sendto(b"x" * 60000, (client.host, client.port))
    remote.sendto(b"", (client.host, client.port))
    whole, data = 0, None
    while data != b"again":
        if select.select([client.tcp], [], [], 0.5)[0]:
            data = client.receive()[2]
            assert len(data) in (0, 60000) or data == b"again", data[:99]
            whole += len(data) == 60000
        else:  # all that was held has come
            remote.sendto(b"again", (client.host, client.port))
    assert 0 < whole < 400, whole


@flow.test
def reports_errors_to_who_asks():
    proxy, port = with_udp()
    for way in ("tcp", port):
        client = associate(proxy, stack_option(REMOTE, UDP_ERROR, YES),
                           way=way)
        assert client.stack[(REMOTE, *UDP_ERROR)][0] == YES
        empty(client)
        echo, closed = Echo(), flow.free_port()
        client.send(flow.LOCAL, closed, b"nobody there")
        kind, body = client.receive_message()
        assert kind == ERROR, kind
        host, at, rest = unpack_remote(body)
        assert (host, at) == (flow.LOCAL, closed)
        assert rest == bytes([1, 2, 0, 0, 127, 0, 0, 1]), rest.hex()
        for _ in range(5):
            client.send(flow.LOCAL, closed, b"nobody there")
            client.receive_message()
            assert client.ask(flow.LOCAL, echo.port, b"on")[2] == b"on"


@flow.test
def reports_no_errors_unasked():
    echo, proxy = Echo(), flow.proxy()
    client = Socks6(proxy.port)
    empty(client)
    for _ in range(5):
        client.send(flow.LOCAL, flow.free_port(), b"nobody there")
    assert client.ask(flow.LOCAL, echo.port, b"on")[2] == b"on"


@flow.test
def acts_on_stack_options():
    remote, proxy = udp(), flow.proxy()
    remote.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    remote.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
    client = associate(proxy, stack_option(REMOTE, TOS, 0x28) +
                       stack_option(REMOTE, TTL, 7) +
                       stack_option(REMOTE, datagrams.NO_FRAGMENT, YES))
    assert client.stack[(REMOTE, *TOS)][0] == 0x28, client.stack
    assert client.stack[(REMOTE, *TTL)][0] == 7
    assert client.stack[(REMOTE, *datagrams.NO_FRAGMENT)][0] == YES
    empty(client)
    client.send(*remote.getsockname(), b"marked")
    _, extra, _, _ = remote.recvmsg(99, 999)
    found = {kind: data[0] for _, kind, data in extra}
    assert found[socket.IP_TOS] == 0x28 and found[socket.IP_TTL] == 7, found


@flow.test
def marks_what_goes_to_the_client():
    proxy, port = with_udp()
    client = associate(proxy, stack_option(1, TOS, 0x48) +
                       stack_option(1, TTL, 9), way=port)
    client.sock.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    client.sock.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
    echo = Echo()
    empty(client)
    client.send(flow.LOCAL, echo.port, b"x")
    _, extra, _, _ = client.sock.recvmsg(999, 999)
    found = {kind: data[0] for _, kind, data in extra}
    assert found[socket.IP_TOS] == 0x48 and found[socket.IP_TTL] == 9, found


@flow.test
def grants_parity_and_reserves_the_counterpart():
    proxy = flow.proxy()
    for parity in (1, 2):
        client = associate(proxy, stack_option(REMOTE, PARITY, parity, 1))
        assert client.stack[(REMOTE, *PARITY)] == bytes([parity, 1])
        assert client.port % 2 == parity - 1, client.port
        other = client.port ^ 1
        assert Socks6(proxy.port, port=other, source="127.0.0.2").code == 2
        claimed = Socks6(proxy.port, port=other)
        assert (claimed.code, claimed.port) == (0, other)
        claimed.tcp.close()
        proxy.wait_line("the client closed its connection")
        flow.until(lambda: Socks6(proxy.port, port=other,
                                  source="127.0.0.2").code == 0,
                   "it is free again")


@flow.test
def reservations_end_with_their_association():
    proxy = flow.proxy()
    client = associate(proxy, stack_option(REMOTE, PARITY, 0, 1))
    assert client.stack[(REMOTE, *PARITY)] == bytes([0, 1])
    other = client.port ^ 1
    client.tcp.close()
    flow.until(lambda: Socks6(proxy.port, port=other,
                              source="127.0.0.2").code == 0, "it is free")


@flow.test
def ignores_the_parity_of_a_port_that_is_named():
    proxy, port = flow.proxy(), flow.free_port()
    client = associate(proxy, stack_option(REMOTE, PARITY, 2 - port % 2, 0),
                       port=port)
    assert client.port == port
    assert client.stack[(REMOTE, *PARITY)] == bytes([0, 0])


@flow.test
def answers_at_the_address_that_was_asked():
    echo = Echo()
    proxy = flow.proxy(listen=["socks://0.0.0.0:0?udp=0"])
    port, sock = udp_port(proxy), udp()
    client = Socks6(proxy.port, port, local=sock)
    sock.connect(("127.0.0.8", port))
    empty(client)
    assert client.ask(flow.LOCAL, echo.port, b"here")[2] == b"here"


if __name__ == "__main__":
    flow.main()
