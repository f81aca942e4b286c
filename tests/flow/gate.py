#!/usr/bin/env python3
"""gate.py: the built-in firewall on real traffic."""
import pathlib
import sys
import threading
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


@flow.test
def lets_so_many_new_flows_in():
    echo = servers.Echo()
    proxy = gate("new=4/s")
    start = time.monotonic()
    codes = []
    while time.monotonic() < start + 2:
        codes.append(wire.socks5(proxy.port, flow.LOCAL, echo.port)[1])
        time.sleep(0.02)
    assert 8 <= codes.count(0) <= 14, codes
    assert set(codes) == {0, 2}, codes


@flow.test
def holds_a_download_to_its_rate():
    origin = servers.Origin()
    proxy = gate("rate_in=1m")
    start = time.monotonic()
    got = curl(proxy, origin.url("/size/3145728"), "-o", "/dev/null", "-w",
               "%{size_download}")
    took = time.monotonic() - start
    assert got.stdout == "3145728", got
    assert 2.5 < took < 6, f"{took:.1f} s"


@flow.test
def a_rate_holds_up_nobody_else():
    origin = servers.Origin()
    proxy = gate("rate=200k")
    slow = threading.Thread(daemon=True, target=curl, args=(
        proxy, origin.url("/size/1000000"), "-o", "/dev/null"))
    slow.start()
    time.sleep(0.3)
    start = time.monotonic()
    assert curl(proxy, origin.url()).stdout == "hello"
    assert time.monotonic() - start < 2
    slow.join()


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
    assert wire.closed(sock, closes - time.time() + 10)
    assert time.time() >= closes - 1
    proxy.wait_line("the gate is closed now")


if __name__ == "__main__":
    flow.main()
