#!/usr/bin/env python3
"""socksx_peer.py: epi-proxy and epi-redirector with socksx on either side."""
import concurrent.futures
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, redirected, servers, socksx
from support import socks_client as wire

MIB = 1024 * 1024
TIMEOUT = socksx.BUILD_TIMEOUT + 60


def test(function):
    return flow.test(function, timeout=TIMEOUT)


def to(port, dialect="?dialect=socksx"):
    return f"socks6://{flow.LOCAL}:{port}{dialect}"


def ours(*links, dialect="auto"):
    """An epi-proxy that goes through links in socksx's dialect."""
    return flow.proxy(*(word for port in links
                        for word in ("--chain", to(port))),
                      listen=[f"socks://{flow.LOCAL}:0?dialect={dialect}"])


def opened(proxy, server, host=flow.LOCAL):
    sock, code = wire.socks5(proxy.port, host, server.port)
    assert code == 0, f"{host}: reply {code}"
    return sock


def goes_through(proxy, server=None):
    server = server or servers.Echo()
    for host in (flow.LOCAL, "localhost"):
        sock = opened(proxy, server, host)
        sock.sendall(b"there and back")
        assert wire.read(sock, 14) == b"there and back", host
    return server


@test
def its_socks5_is_a_hop():
    hop = socksx.proxy("-s", "5")
    goes_through(flow.proxy("--chain", f"socks5://{flow.LOCAL}:{hop.port}"))


@test
def our_proxy_goes_through_its():
    socksx.need_dialect()
    hop = socksx.proxy()
    goes_through(ours(hop.port))


@test
def bulk_and_half_closed_flows_pass_it():
    socksx.need_dialect()
    server, proxy = servers.AfterEnd(4 * MIB), ours(socksx.proxy().port)
    sock, sent = opened(proxy, server), servers.body(4 * MIB)
    sock.sendall(sent)
    sock.shutdown(socket.SHUT_WR)
    got = wire.read_all(sock)
    assert server.got == sent, f"{len(server.got)} bytes there"
    assert got == servers.body(4 * MIB), f"{len(got)} bytes back"


@test
def many_flows_pass_it_at_once():
    socksx.need_dialect()
    echo, proxy = servers.Echo(), ours(socksx.proxy().port)

    def talk(number):
        said = number.to_bytes(4, "big") * 1000
        sock = opened(proxy, echo)
        sock.sendall(said)
        assert wire.read(sock, len(said)) == said

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for done in [pool.submit(talk, n) for n in range(64)]:
            done.result()


@test
def data_with_the_request_passes_it():
    """socksx's own client announces such data and never sends it; its proxy
    takes it all the same."""
    socksx.need_dialect()
    echo, proxy = servers.Echo(), ours(socksx.proxy().port)
    early = b"longer than the twelve bytes of its own client"
    sock = wire.connect(proxy.port)
    sock.sendall(wire.request6(flow.LOCAL, echo.port) + early)
    assert wire.auth_reply6(sock)[0] == 0
    assert wire.reply6(sock)[0] == 0
    assert wire.read(sock, len(early)) == early


@test
def its_chain_goes_through_ours():
    """A chain of its own command line: it, ours, the destination."""
    socksx.need_dialect()
    for dialect in ("auto", "socksx"):
        last = ours(dialect=dialect)
        hop = socksx.proxy("-c", to(last.port, ""))
        goes_through(ours(hop.port))
        flow.until(lambda: flow.flows(last) == 2, "two flows")


@test
def the_rest_of_our_chain_is_its_next_link():
    """Ours, it, ours, it: the links travel as metadata."""
    socksx.need_dialect()
    end = socksx.proxy()
    middle = ours()
    begin = socksx.proxy()
    tap = servers.Tap(end.port)
    goes_through(ours(begin.port, middle.port, tap.port))
    flow.until(lambda: flow.flows(middle) == 2, "two flows")
    assert tap.connections == 2, f"{tap.connections} at the end"


@test
def its_detour_comes_before_the_rest_of_our_chain():
    """It inserts links of its own behind itself."""
    socksx.need_dialect()
    last, detour = ours(), ours()
    hop = socksx.proxy("-c", to(detour.port, ""))
    goes_through(ours(hop.port, last.port))
    flow.until(lambda: flow.flows(detour) == 2, "two flows")
    flow.until(lambda: flow.flows(last) == 2, "two flows")


@test
def a_destination_that_it_cannot_reach_is_a_refusal():
    """All that it does then is to close."""
    socksx.need_dialect()
    proxy, port = ours(socksx.proxy().port), flow.free_port()
    sock, code = wire.socks5(proxy.port, flow.LOCAL, port)
    assert code != 0
    assert wire.closed(sock)


@test
def more_than_its_limit_is_a_refusal():
    """It then sends an operation reply in the place of an authentication
    reply."""
    socksx.need_dialect()
    echo, hop = servers.Echo(), socksx.proxy("-l", "1")
    proxy = ours(hop.port)

    def first():
        # The look whether it listens counts as a connection for a while.
        sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
        return sock if code == 0 else None
    held = flow.until(first, "a first flow")
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code != 0
    assert wire.closed(sock)
    held.sendall(b"alive")
    assert wire.read(held, 5) == b"alive"


@test
def our_redirector_goes_to_its_proxy():
    socksx.need_dialect()
    program = socksx.need()
    site = redirected.Site()
    site.far.start(program, "-h", site.far.address, "-p",
                   redirected.PROXY_PORT, cwd=flow.folder())
    flow.until(lambda: f":{redirected.PROXY_PORT}" in
               site.far.run("ss", "-Hltn").stdout, "socksx listens")
    site.redirector(url=site.url + "?dialect=socksx")
    origin = site.origin()
    got = site.curl(origin.url())
    assert got.stdout == "hello", got
    assert not site.goes_direct(origin)


if __name__ == "__main__":
    flow.main()
