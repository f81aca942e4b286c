#!/usr/bin/env python3
"""bind.py: BIND of both versions: who may connect, and what happens until
then."""
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow
from support import socks_client as wire
from support.bound import ANY, ANY6, HOST, Bound, exchange

OTHER = "127.0.0.8"


def descriptors(proxy):
    """How many a proxy has open."""
    return len(list(pathlib.Path(f"/proc/{proxy.process.pid}/fd").iterdir()))


@flow.test
def both_replies_of_both_versions():
    proxy = flow.proxy()
    for version in (5, 6):
        bound = Bound(version, proxy.port)
        assert bound.code == 0 and bound.host == flow.LOCAL, bound.host
        assert bound.port >= 1024
        host = bound.connect()
        assert bound.again() == (0, HOST, host.getsockname()[1])
        assert not flow.answers(bound.port), "it listens still"
        exchange(bound.sock, host)
    proxy.wait_line(rf"flow \d+: {HOST}:\d+ > {flow.LOCAL}:\d+$")


@flow.test
def early_data_of_both_sides_arrives():
    proxy = flow.proxy()
    for version in (5, 6):
        bound = Bound(version, proxy.port)
        bound.sock.sendall(b"from the client")
        time.sleep(0.1)
        host = bound.connect()
        host.sendall(b"from the host")
        assert bound.again()[0] == 0
        assert wire.read(bound.sock, 13) == b"from the host"
        assert wire.read(host, 15) == b"from the client"
        exchange(bound.sock, host)


@flow.test
def only_the_expected_host_gets_through():
    proxy = flow.proxy()
    bound = Bound(5, proxy.port, HOST, 21)
    for _ in range(40):
        assert bound.shuts_out(OTHER)
    proxy.wait_line(f"{OTHER}:\\d+ connected, and is not expected")
    host = bound.connect(HOST)
    assert bound.again() == (0, HOST, host.getsockname()[1])
    exchange(bound.sock, host)


@flow.test
def a_host_may_be_expected_by_name():
    proxy = flow.proxy()
    bound = Bound(5, proxy.port, "localhost", 21)
    assert bound.shuts_out(OTHER)
    source = "::1" if ":" in bound.host else flow.LOCAL
    host = bound.connect(source)
    assert bound.again()[:2] == (0, source)
    exchange(bound.sock, host)
    bound = Bound(5, proxy.port, "no-such-host.invalid", 21)
    assert bound.code == 4, f"reply {bound.code}"


@flow.test
def socks6_says_what_to_bind():
    proxy = flow.proxy()
    port = flow.free_port("127.0.0.5")
    bound = Bound(6, proxy.port, "127.0.0.5", port)
    assert (bound.code, bound.host, bound.port) == (0, "127.0.0.5", port)
    assert Bound(6, proxy.port, "127.0.0.5", port).code == 1, "it is taken"
    host = bound.connect()
    assert bound.again()[0] == 0
    exchange(bound.sock, host)
    assert Bound(6, proxy.port, "192.0.2.1").code == 1, "no address of ours"
    assert Bound(6, proxy.port, "host.example").code == 8, "no address"


@flow.test
def ports_are_from_the_range():
    proxy = flow.proxy()
    assert Bound(6, proxy.port, ANY, 1023).code == 2
    proxy.wait_line("may not have that port")
    low = next(port for port in range(30000, 31000)
               if not any(flow.answers(port + i) for i in range(3)))
    proxy = flow.proxy("--bind-ports", f"{low}-{low + 2}")
    assert Bound(6, proxy.port, ANY, low + 3).code == 2
    bounds = [Bound(version, proxy.port) for version in (5, 6, 5)]
    assert {b.port for b in bounds} == {low, low + 1, low + 2}
    assert Bound(5, proxy.port).code == 1, "there were three ports"
    bounds[0].sock.close()
    flow.until(lambda: Bound(5, proxy.port).code == 0, "a port is free again")


@flow.test
def a_wrong_range_is_said():
    for ports in ("2000-1000", "0-5", "70000", "x", "1-"):
        ran = flow.run(flow.program_path("epi-proxy"), "--bind-ports", ports,
                       "--listen", "socks://127.0.0.1:0")
        assert ran.returncode == 2, (ports, ran)
        assert "port" in ran.stderr, ran.stderr


@flow.test
def the_wait_has_an_end():
    proxy = flow.proxy("--bind-timeout", "500")
    for version, wanted in ((5, 4), (6, 9)):
        start = time.monotonic()
        bound = Bound(version, proxy.port)
        code = bound.again()[0]  # or the socket's own time is up
        assert code == wanted, f"reply {code} of version {version}"
        assert time.monotonic() - start > 0.4
        assert wire.closed(bound.sock)
        flow.until(lambda: not flow.answers(bound.port), "it stops listening")
    proxy.wait_line("nobody connected in time")


@flow.test
def a_client_that_leaves_frees_everything():
    proxy = flow.proxy("--client-binds", "2")
    before = descriptors(proxy)
    for i in range(8):
        bound = Bound(5 + i % 2, proxy.port)
        bound.sock.sendall(b"early")
        bound.sock.close()
        proxy.wait_line(f"flow {i + 1} .*the client left while it waited")
        flow.until(lambda: not flow.answers(bound.port), "it stops listening")
    flow.until(lambda: descriptors(proxy) == before,
               "all sockets are closed")


@flow.test
def a_client_has_a_limit():
    proxy = flow.proxy("--client-binds", "2")
    first, second = Bound(5, proxy.port), Bound(6, proxy.port)
    assert Bound(5, proxy.port).code == 1
    proxy.wait_line("the client has 2 already")
    assert Bound(5, proxy.port, source=OTHER).code == 0, "another client"
    host = first.connect()
    assert first.again()[0] == 0
    third = Bound(5, proxy.port)
    assert third.code == 0, "the first one does not wait any more"
    exchange(first.sock, host)
    assert wire.closed(second.sock, 1) == 0


@flow.test
def an_operator_may_refuse_all():
    proxy = flow.proxy("--client-binds", "0")
    for version in (5, 6):
        assert Bound(version, proxy.port).code == 1


@flow.test
def replies_say_the_address_that_is_set():
    proxy = flow.proxy(listen=["socks://127.0.0.1:0?bnd=192.0.2.7",
                               "socks://127.0.0.1:0?bnd=127.0.0.6"])
    nat = Bound(5, proxy.ports[0])
    assert nat.code == 0 and nat.host == "192.0.2.7", nat.host
    host = wire.connect(nat.port, host="127.0.0.77")
    assert nat.again()[0] == 0
    exchange(nat.sock, host)
    for version in (5, 6):
        own = Bound(version, proxy.ports[1])
        assert own.host == "127.0.0.6"
        assert own.port in proxy.ports or not flow.answers(own.port), \
            "it listens there alone"
        host = own.connect()
        assert own.again()[0] == 0
        exchange(own.sock, host)
    for bad in ("host.example", "0.0.0.0", "1.2.3.4:80"):
        ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                       f"socks://127.0.0.1:0?bnd={bad}")
        assert ran.returncode == 2 and "bnd" in ran.stderr, ran


@flow.test
def ipv6_works_too():
    flow.need_ipv6()
    proxy = flow.proxy(listen=["socks://[::1]:0"])
    for version, host in ((5, "::1"), (6, ANY6), (5, ANY)):
        bound = Bound(version, proxy.port, host, proxy="::1")
        assert bound.code == 0 and bound.host == "::1", bound.host
        host = bound.connect("::1")
        assert bound.again() == (0, "::1", host.getsockname()[1])
        exchange(bound.sock, host)


@flow.test
def a_client_of_one_family_waits_for_the_other():
    flow.need_ipv6()
    proxy = flow.proxy()
    bound = Bound(5, proxy.port, "::1", 21)
    assert bound.code == 0 and bound.host == "::1", bound.host
    host = bound.connect("::1")
    assert bound.again()[0] == 0
    exchange(bound.sock, host)
    bound = Bound(6, proxy.port, ANY6)
    assert bound.code == 0 and bound.host == ANY6, bound.host
    host = wire.connect(bound.port, host="::1")
    assert bound.again()[0] == 0
    exchange(bound.sock, host)


@flow.test(timeout=60)
def two_hundred_wait_at_once():
    proxy = flow.proxy("--quiet")
    bounds = [Bound(5 + i % 2, proxy.port) for i in range(200)]
    assert all(b.code == 0 for b in bounds)
    assert len({b.port for b in bounds}) == 200
    hosts = [None] * 200

    def come(start):
        for i in range(start, 200, 4):
            hosts[i] = bounds[i].connect()
            hosts[i].sendall(f"{i:03}".encode())
    threads = [threading.Thread(target=come, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, bound in enumerate(bounds):
        assert bound.again() == (0, HOST, hosts[i].getsockname()[1])
        assert wire.read(bound.sock, 3) == f"{i:03}".encode()
    for bound, host in zip(bounds, hosts):
        exchange(bound.sock, host)


if __name__ == "__main__":
    flow.main()
