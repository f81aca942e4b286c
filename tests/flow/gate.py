#!/usr/bin/env python3
"""gate.py: the built-in firewall on real traffic."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire


def gate(args, **options):
    return flow.proxy("--filter", f"gate:{args}", "--workers", "2", **options)


def curl(proxy, url, *more, source="127.0.0.1"):
    return flow.run(flow.need("curl"), "-sS", "--max-time", "20",
                    "--interface", source, "--socks5-hostname",
                    f"127.0.0.1:{proxy.port}", *more, url)


@flow.test
def lets_listed_ports_and_sources_through_alone():
    good, bad = servers.Origin(), servers.Origin()
    proxy = gate(f"from=127.1.0.0/16,port={good.port}")
    assert curl(proxy, good.url(), source="127.1.0.5").stdout == "hello"
    got = curl(proxy, bad.url(), source="127.1.0.5")
    assert got.returncode == 97, got
    proxy.wait_line(f"the gate lets no port {bad.port} through")
    got = curl(proxy, good.url(), source="127.2.0.5")
    assert got.returncode == 97, got
    proxy.wait_line("the gate lets no source 127.2.0.5 through")
    assert bad.connections == 0 and good.connections == 1


@flow.test
def says_that_it_is_not_allowed():
    proxy = gate("to=*.example")
    _, code = wire.socks5(proxy.port, flow.LOCAL, 80)
    assert code == 2, f"reply {code}"


@flow.test
def counts_flows_and_forgets_those_that_end():
    echo = servers.Echo()
    proxy = gate("flows=3,per_source=2")
    held = [wire.socks5(proxy.port, flow.LOCAL, echo.port) for _ in range(3)]
    assert [code for _, code in held] == [0, 0, 2], held
    proxy.wait_line("2 flows of 127.0.0.1 run already")
    held[0][0].close()

    def is_let_in():
        return wire.socks5(proxy.port, flow.LOCAL, echo.port)[1] == 0
    flow.until(is_let_in, "room for another flow")


@flow.test(timeout=60)
def lets_so_many_new_flows_in():
    """Four at once, and four more in each second."""
    echo = servers.Echo()
    proxy = gate("new=4/s")
    start = time.monotonic()
    codes = []

    def are_enough():
        codes.append(wire.socks5(proxy.port, flow.LOCAL, echo.port)[1])
        return codes.count(0) >= 10 and codes.count(2) >= 10
    flow.until(are_enough, "some are let in, some are not", 20)
    most = 4 + 4 * (time.monotonic() - start)
    assert codes.count(0) <= most + 1, (codes, most)
    assert set(codes) == {0, 2}, codes


@flow.test(timeout=60)
def holds_a_download_to_its_rate():
    origin = servers.Origin()
    proxy = gate("rate_in=1m")
    start = time.monotonic()
    got = curl(proxy, origin.url("/size/3145728"), "-o", "/dev/null", "-w",
               "%{size_download}")
    took = time.monotonic() - start
    assert got.stdout == "3145728", got
    assert 2.5 < took < 15, f"{took:.1f} s"


@flow.test(timeout=60)
def a_rate_holds_up_nobody_else():
    origin = servers.Origin()
    proxy = gate("rate=200k")
    slow = []
    for _ in range(4):  # more than half a minute of data, in both workers
        sock, code = wire.socks5(proxy.port, flow.LOCAL, origin.port)
        assert code == 0, f"reply {code}"
        sock.sendall(b"GET /size/8000000 HTTP/1.0\r\n\r\n")
        wire.read(sock, 250_000)  # more than it may take at once
        slow.append(sock)
    assert curl(proxy, origin.url()).stdout == "hello"
    for sock in slow:
        wire.read(sock, 1000)


@flow.test
def cuts_a_flow_at_its_volume():
    origin = servers.Origin()
    proxy = gate("volume=1m")
    assert curl(proxy, origin.url("/size/500000"), "-o", "/dev/null"
                ).returncode == 0
    got = curl(proxy, origin.url("/size/2000000"), "-o", "/dev/null")
    assert got.returncode != 0
    proxy.wait_line("the gate lets no more than 1048576 bytes through")


@flow.test
def is_closed_outside_of_its_hours():
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    today = time.gmtime().tm_wday
    echo = servers.Echo()
    proxy = gate(f"days={names[(today + 2) % 7]}-{names[(today + 4) % 7]}")
    _, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 2, f"reply {code}"
    proxy.wait_line("the gate is closed now: it is open .* UTC")


@flow.test(timeout=150)
def cuts_a_running_flow_when_it_closes():
    now = time.time()
    closes = int(now // 60 + (1 if now % 60 < 50 else 2)) * 60
    hours = "-".join(time.strftime("%H:%M", time.gmtime(at))
                     for at in (closes - 3600, closes))
    echo = servers.Echo()
    proxy = gate(f"hours={hours}")
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 0, f"reply {code}"
    sock.sendall(b"still open")
    assert wire.read(sock, 10) == b"still open"
    assert wire.closed(sock, closes - time.time() + 20)
    assert time.time() >= closes - 1
    proxy.wait_line("the gate is closed now")


if __name__ == "__main__":
    flow.main()
