#!/usr/bin/env python3
"""redirector.py: what epi-redirector intercepts and carries, and what it leaves
alone."""
import concurrent.futures
import pathlib
import re
import socket
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, redirected, servers, sshd
from support import socks_client as wire

MIB = 1024 * 1024
NOBODY = "65534"


def both_families(scheme):
    site = redirected.Site()
    proxy = site.proxy()
    site.redirector(url=f"{scheme}://{site.far.address}:1080")
    for host, shown in ((site.far.address, site.far.address),
                        (site.far.address6, f"[{site.far.address6}]")):
        origin = site.origin(host)
        got = site.curl(origin.url())
        assert got.stdout == "hello", got
        assert not site.goes_direct(origin), f"{host}: not intercepted"
        proxy.wait_line(rf"> {re.escape(shown)}:{origin.port}\b")


@flow.test
def connections_go_through_a_socks6_proxy():
    both_families("socks6")


@flow.test
def connections_go_through_a_socks5_proxy():
    both_families("socks5")


class Banner(servers.Server):
    """Speaks first, as servers of mail and SSH do, and only then listens."""

    def serve(self, sock):
        sock.sendall(b"220 mail.example ready\r\n")
        self.got = wire.read(sock, 6)
        sock.sendall(b"221 bye\r\n")


@flow.test
def a_server_may_speak_first():
    for scheme in ("socks5", "socks6"):
        site = redirected.Site()
        site.proxy()
        site.redirector(url=f"{scheme}://{site.far.address}:1080")
        sock = site.connect(site.server(Banner))
        assert wire.read(sock, 24) == b"220 mail.example ready\r\n"
        sock.sendall(b"QUIT\r\n")
        assert wire.read_all(sock) == b"221 bye\r\n"


@flow.test(timeout=60)
def ssh_works():
    ssh, site = flow.need("ssh"), redirected.Site()
    options = sshd.start(site.far.address, 2222, site.far.name)
    proxy = site.proxy()
    site.redirector("--port", 2222)
    got = site.node.run(ssh, *options, "-p", "2222", site.far.address,
                        "head -c 3000000 /dev/zero | cksum", timeout=40)
    assert got.returncode == 0, got.stderr
    assert got.stdout.split()[-1] == "3000000", got.stdout
    proxy.wait_line(rf"> {re.escape(site.far.address)}:2222\b")


@flow.test
def a_half_closed_connection_gets_all_of_its_answer():
    site = redirected.Site()
    server = site.server(servers.AfterEnd, 8 * MIB)
    site.proxy()
    site.redirector()
    sock = site.connect(server)
    sock.sendall(b"question")
    sock.shutdown(socket.SHUT_WR)
    got = wire.read_all(sock)
    assert server.got == b"question", server.got
    assert got == servers.body(8 * MIB), f"{len(got)} bytes"


@flow.test
def a_hundred_connections_at_once():
    site = redirected.Site()
    origin = site.origin()
    site.proxy()
    site.redirector()
    together = threading.Barrier(100)

    def fetch(number):
        size = 100000 + number
        sock = site.connect(origin)
        together.wait(20)
        sock.sendall(f"GET /size/{size} HTTP/1.0\r\n\r\n".encode())
        _, _, got = wire.read_all(sock).partition(b"\r\n\r\n")
        assert got == servers.body(size), f"{len(got)} of {size} bytes"

    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        for done in [pool.submit(fetch, n) for n in range(100)]:
            done.result()
    assert origin.connections == 100


@flow.test
def a_proxy_on_the_same_node_is_left_alone():
    site = redirected.Site()
    origin = site.origin()
    proxy = site.proxy(space=site.node)
    redirector = site.redirector(url=f"socks6://{site.node.address}:1080")
    got = site.curl(origin.url())
    assert got.stdout == "hello", got
    proxy.wait_line("ended after")
    redirector.wait_line("ended after")
    for program in (proxy, redirector):
        assert flow.flows(program) == 1, "intercepted again"
    # A chain, whose hop the proxy itself connects to, is no loop either.
    proxy.stop()
    far = site.proxy()
    site.proxy("--chain", site.url, space=site.node)
    assert site.curl(origin.url()).stdout == "hello"
    far.wait_line("ended after")
    assert flow.flows(far) == 1


def each_backend(function):
    """Register a test once for each backend, with its options."""
    for name, options in redirected.BACKENDS.items():
        def run(options=options):
            if options:
                flow.need("iptables")
            function(options)
        run.__name__ = f"{function.__name__}_{name}"
        flow.test(run)
    return function


@each_backend
def ports_and_ranges_limit_what_is_intercepted(backend):
    site = redirected.Site()
    here, there = site.origin(), site.origin()
    six = site.origin(site.far.address6)
    site.proxy()
    one = site.redirector("--port", here.port, *backend)
    assert not site.goes_direct(here) and site.goes_direct(there)
    one.stop()
    one = site.redirector("--port", here.port, "--port", there.port, *backend)
    assert not site.goes_direct(here) and not site.goes_direct(there)
    assert site.goes_direct(six)
    one.stop()
    # A range of IPv6 alone leaves IPv4 alone, and the other way round.
    one = site.redirector("--to", site.far.address6 + "/128", *backend)
    assert site.goes_direct(here) and not site.goes_direct(six)
    one.stop()
    one = site.redirector("--to", site.far.address + "/32", "--port",
                          there.port, *backend)
    assert site.goes_direct(here) and not site.goes_direct(there)
    assert site.goes_direct(six)


@each_backend
def exceptions_are_left_alone(backend):
    site = redirected.Site()
    here, there = site.origin(), site.origin()
    six = site.origin(site.far.address6)
    site.proxy()
    one = site.redirector("--except", f"{site.far.address}:{here.port}",
                          *backend)
    assert site.goes_direct(here) and not site.goes_direct(there)
    one.stop()
    one = site.redirector("--except", site.far.address, *backend)
    assert site.goes_direct(here) and site.goes_direct(there)
    assert not site.goes_direct(six)
    one.stop()
    site.redirector("--except-uid", NOBODY, "--except",
                    f"[{site.far.address6}]:{six.port}", *backend)
    as_nobody = [flow.need("setpriv"), "--reuid", NOBODY]
    assert site.goes_direct(here, prefix=as_nobody)
    assert not site.goes_direct(here)
    assert site.goes_direct(six)


@flow.test
def loopback_is_intercepted_only_if_asked():
    site = redirected.Site()
    with site.node.inside():
        local = servers.Echo()
    site.proxy(space=site.node)
    url = f"socks6://{site.node.address}:1080"
    for options, wanted in (((), 0), (("--loopback",), 1)):
        redirector = site.redirector(*options, url=url)
        sock = site.connect(local)
        sock.sendall(b"there and back")
        assert wire.read(sock, 14) == b"there and back", options
        if wanted:
            redirector.wait_line(r" flow \d+: \S+ > ")
        assert flow.flows(redirector) == wanted, options
        redirector.stop()


@flow.test
def connections_that_were_open_stay():
    site = redirected.Site()
    echo = site.server(servers.Echo)
    site.proxy()
    sock = site.connect(echo)
    redirector = site.redirector()
    for word in (b"before", b"during"):
        sock.sendall(word)
        assert wire.read(sock, 6) == word
    assert "flow" not in redirector.text
    redirector.stop()
    sock.sendall(b"behind")
    assert wire.read(sock, 6) == b"behind"


flow.main()
