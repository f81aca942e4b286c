#!/usr/bin/env python3
"""slow_clients.py: who connects and then is slow, silent, half gone or a flood
costs a connection for the time of a handshake, and nobody else anything."""
import contextlib
import pathlib
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire

TIME_MS = 800
MOST = 15  # seconds until then, on a machine that does other things, too
LATE = "the client did not finish its handshake in time"


def start(*options):
    return flow.proxy("--handshake-timeout", str(TIME_MS), "--workers", "2",
                      *options)


def takes(sock, begin, act=None):
    """Seconds until the proxy closes, from a time before it was connected; act
    sends something each time."""
    sock.settimeout(0.1)
    while time.monotonic() < begin + MOST:
        with contextlib.suppress(TimeoutError):
            try:
                if not sock.recv(65536):
                    break
                continue
            except ConnectionError:
                break
        with contextlib.suppress(OSError):
            if act:
                act()
    return time.monotonic() - begin


def is_served(proxy, echo):
    def in_time():
        """Nothing if this process stood still, and it came too late."""
        with contextlib.suppress(EOFError, ConnectionError):
            return wire.socks5(proxy.port, flow.LOCAL, echo.port)
    sock, code = flow.until(in_time, "a handshake in time")
    assert code == 0
    sock.sendall(b"there?")
    assert wire.read(sock, 6) == b"there?"
    sock.close()


@flow.test(timeout=60)
def a_byte_now_and_then_does_not_gain_time():
    echo, proxy = servers.Echo(), start()
    whole = {
        5: wire.greeting(*range(3, 200)),
        6: wire.request6("a-name-that-is-long.example", echo.port,
                         bytes(64) * 4),
    }
    for message in whole.values():
        begin = time.monotonic()
        sock, rest = wire.connect(proxy.port), list(message)

        def trickle(sock=sock, rest=rest):
            sock.send(bytes([rest.pop(0)]))
        took = takes(sock, begin, trickle)
        assert TIME_MS / 1000 - 0.1 < took < MOST, took
        assert rest, "it was not done yet"
    flow.until(lambda: proxy.text.count(LATE) == 2, "the log says why")


@flow.test
def nor_does_who_answers_one_part_and_then_trickles():
    """The time is that of the whole handshake, not of each message."""
    proxy = start()

    def one_part():
        """Nothing if this process stood still, and it came too late."""
        begin = time.monotonic()
        sock = wire.connect(proxy.port)
        time.sleep(TIME_MS / 2000)
        with contextlib.suppress(EOFError, ConnectionError):
            sock.sendall(wire.greeting(wire.NONE))
            assert wire.read(sock, 2) == b"\5\0"
            return sock, begin
    took = takes(*flow.until(one_part, "a part in time"))
    assert TIME_MS / 1000 - 0.1 < took < MOST, took
    proxy.wait_line(LATE)


@flow.test(timeout=100)
def who_says_nothing_or_half_closes_is_closed():
    proxy = start()
    begin = time.monotonic()
    silent = wire.connect(proxy.port)
    assert TIME_MS / 1000 - 0.1 < takes(silent, begin) < MOST
    for said in (b"", b"\5", wire.greeting(wire.NONE)[:2], b"\6\1\0"):
        begin = time.monotonic()
        half = wire.connect(proxy.port)
        with contextlib.suppress(OSError):  # it is too late already
            half.sendall(said)
            half.shutdown(socket.SHUT_WR)
        assert takes(half, begin) < MOST, said


@flow.test
def a_flood_is_cut_and_kept_nowhere():
    """Bytes that are no handshake, and a handshake with no end of bytes behind
    it towards a host that does not take them."""
    proxy = start("--connect-timeout", "1500")
    status = pathlib.Path(f"/proc/{proxy.process.pid}/status")

    def resident_mib():
        return int(status.read_text().split("VmRSS:")[1].split()[0]) / 1024
    deaf = socket.create_server((flow.LOCAL, 0), backlog=1)
    flow.at_end(deaf.close)
    before = resident_mib()
    heads = [b"", b"GET / HTTP/1.1\r\nX: ", b"\5\xff", b"\6\1\xff\xff",
             wire.greeting(wire.NONE) + wire.request5(
                 flow.LOCAL, deaf.getsockname()[1])] * 4
    socks = [wire.connect(proxy.port) for _ in heads]
    for sock, head in zip(socks, heads):
        sock.settimeout(0.2)
        with contextlib.suppress(OSError):
            sock.sendall(head)
            for _ in range(64):
                sock.sendall(b"\0" * 65536)
    grown = resident_mib() - before
    assert grown < (200 if flow.SANITIZED else 12), f"{grown} MiB"
    is_served(proxy, servers.Echo())


@flow.test(timeout=60)
def many_of_them_hold_up_nobody():
    echo, proxy = servers.Echo(), start()
    slow = [wire.connect(proxy.port) for _ in range(100)]
    stop = threading.Event()
    flow.at_end(stop.set)

    def trickle():
        while not stop.wait(0.05):
            for sock in slow:
                with contextlib.suppress(OSError):
                    sock.send(b"\5" if sock.fileno() % 2 else b"\6")
    thread = threading.Thread(target=trickle)
    thread.start()
    end, times = time.monotonic() + 2, []
    while time.monotonic() < end or len(times) < 20:
        begin = time.monotonic()
        is_served(proxy, echo)
        times.append(time.monotonic() - begin)
    stop.set()
    thread.join()
    assert sorted(times)[len(times) // 2] < 0.5, sorted(times)
    flow.until(lambda: not [sock for sock in slow if not wire.closed(sock, 1)],
               "all of them are closed")


if __name__ == "__main__":
    flow.main()
