#!/usr/bin/env python3
"""udp5.py: UDP ASSOCIATE of SOCKS 5."""
import contextlib
import pathlib
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import datagrams, dns_server, flow
from support import socks_client as wire
from support.datagrams import Echo, Socks5, pack5, silent, udp, unpack5


@flow.test
def carries_datagrams_both_ways():
    echo, proxy = Echo(), flow.proxy()
    client = Socks5(proxy.port)
    assert client.code == 0 and client.host == flow.LOCAL, client.host
    for data in (b"hello", b"", b"x" * 65000):
        got = client.ask(flow.LOCAL, echo.port, data)
        assert got == (flow.LOCAL, echo.port, data), got[:2]
    assert len({peer for _, peer in echo.got}) == 1, "one port to remotes"


@flow.test
def carries_a_thousand_each_way():
    echo, proxy = Echo(), flow.proxy()
    client = Socks5(proxy.port)
    for first in range(0, 1000, 20):
        sent = [struct.pack(">I", first + i) * 25 for i in range(20)]
        for data in sent:
            client.send(flow.LOCAL, echo.port, data)
        assert [client.receive()[2] for _ in sent] == sent
    assert len(echo.got) == 1000


@flow.test
def carries_ipv6():
    flow.need_ipv6()
    echo, proxy = Echo("::1"), flow.proxy()
    client = Socks5(proxy.port)
    assert client.ask("::1", echo.port, b"six") == ("::1", echo.port, b"six")


@flow.test
def serves_clients_of_ipv6():
    flow.need_ipv6()
    echo, proxy = Echo(), flow.proxy(listen=["socks://[::1]:0"])
    client = Socks5(proxy.port, "::", proxy="::1")
    assert client.host == "::1", client.host
    assert client.ask(flow.LOCAL, echo.port, b"four")[2] == b"four"


@flow.test
def asks_a_name_server():
    dns, proxy = dns_server.Server({"a.example": ["127.0.0.9"]}), flow.proxy()
    query = (struct.pack(">HHHHHH", 0x1234, 0x0100, 1, 0, 0, 0) +
             b"\x01a\x07example\x00" + struct.pack(">HH", 1, 1))
    _, port, answer = Socks5(proxy.port).ask(dns.host, 53, query)
    assert port == 53 and answer[:2] == b"\x12\x34", answer
    assert answer.endswith(bytes([127, 0, 0, 9])), answer


@flow.test
def resolves_names():
    dns = dns_server.Server({"echo.example": ["127.0.0.1"]},
                            silent=["silent.example"])
    echo, proxy = Echo(), dns.proxy()
    client, began = Socks5(proxy.port), time.monotonic()
    client.send("silent.example", 9, b"lost")
    for data in (b"one", b"two"):
        client.send("echo.example", echo.port, data)
    for data in (b"one", b"two"):
        assert client.receive() == (flow.LOCAL, echo.port, data)
    # Who waits for two seconds asks again.
    assert len(dns.asked) <= 6 or time.monotonic() > began + 1.9, dns.asked
    client.send("gone.example", echo.port, b"nowhere")
    assert client.ask(flow.LOCAL, echo.port, b"on")[2] == b"on"
    proxy.wait_line("gone.example.* refused")


@flow.test
def keeps_to_one_client():
    echo, proxy = Echo(), flow.proxy()
    client = Socks5(proxy.port)
    stranger, neighbour = udp("127.0.0.2"), udp()
    stranger.sendto(pack5(flow.LOCAL, echo.port, b"spoofed"),
                    (client.host, client.port))
    assert silent(stranger)
    assert client.ask(flow.LOCAL, echo.port, b"mine")[2] == b"mine"
    neighbour.sendto(pack5(flow.LOCAL, echo.port, b"late"),
                     (client.host, client.port))
    assert silent(neighbour)
    assert [data for data, _ in echo.got] == [b"mine"], echo.got


@flow.test
def takes_the_address_that_was_announced():
    echo, proxy = Echo(), flow.proxy()
    announced, other = udp(), udp()
    client = Socks5(proxy.port, flow.LOCAL, announced.getsockname()[1],
                    local=announced)
    other.sendto(pack5(flow.LOCAL, echo.port, b"first"),
                 (client.host, client.port))
    assert silent(other)
    assert client.ask(flow.LOCAL, echo.port, b"mine")[2] == b"mine"


@flow.test
def takes_datagrams_of_no_host_but_the_one_that_asked():
    echo, proxy, elsewhere = Echo(), flow.proxy(), udp("127.0.0.3")
    port = elsewhere.getsockname()[1]
    client = Socks5(proxy.port, "127.0.0.3", port)
    elsewhere.sendto(pack5(flow.LOCAL, echo.port, b"not mine"),
                     (client.host, client.port))
    assert silent(elsewhere)
    assert client.ask(flow.LOCAL, echo.port, b"mine")[2] == b"mine", "as if NAT"
    assert [data for data, _ in echo.got] == [b"mine"], echo.got


@flow.test
def drops_what_it_cannot_use():
    echo, proxy = Echo(), flow.proxy()
    client = Socks5(proxy.port)
    client.send(flow.LOCAL, echo.port, b"fragment", fragment=1)
    client.send(flow.LOCAL, echo.port, b"last fragment", fragment=0x81)
    client.send(flow.LOCAL, 0, b"no port")
    client.send("0.0.0.0", echo.port, b"no address")
    for junk in (b"", b"\0\0\0", b"\0\0\0\x02", b"\0\0\0\x03\x01 \0\x35"):
        client.sock.send(junk)
    client.tcp.sendall(b"nothing belongs here")
    assert client.ask(flow.LOCAL, echo.port, b"good")[2] == b"good"
    assert [data for data, _ in echo.got] == [b"good"], echo.got


@flow.test
def ends_with_the_connection():
    echo, proxy = Echo(), flow.proxy()
    client = Socks5(proxy.port)
    client.ask(flow.LOCAL, echo.port, b"hello")
    client.tcp.close()
    proxy.wait_line("ended after .* 5 bytes out, 5 back: the client closed")
    try:
        client.send(flow.LOCAL, echo.port, b"too late")
        assert silent(client.sock)
    except ConnectionRefusedError:
        pass
    assert len(echo.got) == 1


@flow.test
def ends_when_idle():
    echo, proxy = Echo(), flow.proxy("--udp-idle-timeout", "300")

    def in_time():
        client = Socks5(proxy.port, local=udp(timeout=1))
        with contextlib.suppress(OSError):  # it was idle before it asked
            client.ask(flow.LOCAL, echo.port, b"hello")
            return client
        return None

    client = flow.until(in_time, "one that asked in time")
    assert wire.closed(client.tcp)
    proxy.wait_line("nothing moved for too long")


@flow.test
def says_the_address_that_it_is_told_to():
    echo = Echo()
    proxy = flow.proxy(listen=["socks://127.0.0.1:0?bnd=127.0.0.1",
                               "socks://127.0.0.1:0?bnd=192.0.2.7"])
    assert Socks5(proxy.port).ask(flow.LOCAL, echo.port, b"a")[2] == b"a"
    tcp = wire.connect(proxy.ports[1])
    tcp.sendall(wire.greeting(0) + b"")
    wire.read(tcp, 2)
    tcp.sendall(wire.request5("0.0.0.0", 0, wire.UDP_ASSOCIATE))
    code, host, port = wire.reply5(tcp)
    assert (code, host) == (0, "192.0.2.7") and port, (code, host, port)


@flow.test
def caps_associations():
    proxy = flow.proxy("--associations", "4", "--client-associations", "2")
    first = [Socks5(proxy.port) for _ in range(3)]
    assert [client.code for client in first] == [0, 0, 1]
    second = [Socks5(proxy.port, source="127.0.0.2") for _ in range(2)]
    assert [client.code for client in second] == [0, 0]
    assert Socks5(proxy.port, source="127.0.0.3").code == 1
    proxy.wait_line("as many as a client may have")
    proxy.wait_line("as many as the limit allows")
    first[0].tcp.close()
    proxy.wait_line("the client closed its connection")
    flow.until(lambda: Socks5(proxy.port, source="127.0.0.3").code == 0,
               "there is room")


@flow.test
def refuses_what_it_cannot_carry():
    for options in (("--chain", "socks5://127.0.0.1:9"),
                    ("--filter", "count")):
        proxy = flow.proxy(*options)
        assert Socks5(proxy.port).code == 7
        proxy.wait_line("datagrams do not go through")


@flow.test
def answers_come_from_whom_they_come():
    proxy, remote, other = flow.proxy(), udp(), udp()
    client = Socks5(proxy.port)
    client.send(*remote.getsockname(), b"question")
    data, relay = remote.recvfrom(100)
    assert data == b"question"
    other.sendto(b"unasked", relay)  # without a model, all is let in
    remote.sendto(b"answer", relay)
    assert unpack5(client.sock.recv(99)) == (*other.getsockname(), b"unasked")
    assert client.receive() == (*remote.getsockname(), b"answer")


if __name__ == "__main__":
    flow.main()
