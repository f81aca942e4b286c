#!/usr/bin/env python3
"""timeouts.py: what takes too long is ended, and what moves is not."""
import pathlib
import signal
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire


@flow.test
def an_idle_flow_is_ended():
    echo = servers.Echo()
    proxy = flow.proxy("--idle-timeout", "700")
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 0
    assert wire.closed(sock), "the flow lives on"
    proxy.wait_line("nothing moved for too long")


def keeps_moving(port, echo):
    """1 if a flow lived for as long as it moved; 0 if this process or the
    proxy stood still for so long that it had to end."""
    sock, code = wire.socks5(port, flow.LOCAL, echo.port)
    assert code == 0
    moved = time.monotonic()
    for _ in range(6):
        time.sleep(0.3)
        now = time.monotonic()
        try:
            sock.sendall(b"x")
            assert wire.read(sock, 1) == b"x"
        except (OSError, EOFError):
            after = time.monotonic() - moved
            assert after > 0.69, f"ended {after} s after it moved"
            return 0
        moved = now
    return 1


@flow.test(timeout=60)
def a_flow_that_moves_is_not():
    echo = servers.Echo()
    proxy = flow.proxy("--idle-timeout", "700")
    flow.until(lambda: keeps_moving(proxy.port, echo), "it moves", 40)


@flow.test
def zero_is_no_idle_timeout():
    echo = servers.Echo()
    proxy = flow.proxy("--idle-timeout", "0")
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 0
    time.sleep(1.5)
    sock.sendall(b"x")
    assert wire.read(sock, 1) == b"x"


@flow.test
def a_half_closed_flow_is_ended_sooner():
    server = socket.create_server((flow.LOCAL, 0))
    flow.at_end(server.close)
    proxy = flow.proxy("--half-closed-timeout", "700")
    sock, code = wire.socks5(proxy.port, flow.LOCAL, server.getsockname()[1])
    assert code == 0
    held, _ = server.accept()
    flow.at_end(held.close)
    time.sleep(1.2)
    sock.sendall(b"still open in both directions")
    assert wire.read(held, 29)
    sock.shutdown(socket.SHUT_WR)
    assert wire.closed(sock), "the flow lives on"
    proxy.wait_line("nothing moved for too long")


@flow.test
def connecting_ends_in_time():
    # A server whose queue is full lets further connections wait.
    server = socket.socket()
    flow.at_end(server.close)
    server.bind((flow.LOCAL, 0))
    server.listen(0)
    for _ in range(4):
        filler = socket.socket()
        flow.at_end(filler.close)
        filler.setblocking(False)
        filler.connect_ex(server.getsockname())
    proxy = flow.proxy("--connect-timeout", "600")
    sock, code = wire.socks5(proxy.port, flow.LOCAL, server.getsockname()[1])
    assert code == 4, f"reply {code}, not timed out as SOCKS 5 can say it"
    assert wire.closed(sock)
    proxy.wait_line("Connection timed out")


@flow.test
def a_hop_that_does_not_answer_is_given_up():
    mute = socket.create_server((flow.LOCAL, 0))
    flow.at_end(mute.close)
    for scheme in ("socks5", "socks6"):
        proxy = flow.proxy(
            "--handshake-timeout", "300", "--connect-timeout", "400",
            "--chain", f"{scheme}://{flow.LOCAL}:{mute.getsockname()[1]}")
        # The client, who has no more time, says all before it begins.
        proxy.signal(signal.SIGSTOP)
        sock = wire.connect(proxy.port)
        sock.sendall(wire.greeting(wire.NONE) +
                     wire.request5(flow.LOCAL, 80))
        proxy.signal(signal.SIGCONT)
        assert wire.read(sock, 2) == b"\5\0"
        code, _, _ = wire.reply5(sock)
        assert code == 4, f"reply {code}"
        assert wire.closed(sock)
        proxy.wait_line(f"{scheme}://\\S+ did not answer in time")


if __name__ == "__main__":
    flow.main()
