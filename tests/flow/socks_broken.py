#!/usr/bin/env python3
"""socks_broken.py: clients that break off, stay silent or send garbage, and
bad command lines of epi-proxy."""
import contextlib
import errno
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire


HANDSHAKE_MS = 500


def served(proxy, echo):
    """The next client is served as if nothing had happened."""
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 0, f"the next client got reply {code}"
    sock.sendall(b"fine")
    assert wire.read(sock, 4) == b"fine"


def shapes(port):
    """Handshakes as clients send them, in one piece."""
    return {
        "socks5": wire.greeting(0) + wire.request5(flow.LOCAL, port),
        "socks5 name": wire.greeting(0) + wire.request5("localhost", port),
        "socks6": wire.request6(flow.LOCAL, port, wire.option(2, b"\0\0\2")),
        "socks6 name": wire.request6("localhost", port),
    }


@flow.test
def one_byte_at_a_time():
    echo, proxy = servers.Echo(), flow.proxy()
    for name, data in shapes(echo.port).items():
        sock = wire.connect(proxy.port)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in data + b"data":
            sock.sendall(bytes([byte]))
            time.sleep(0.003)
        if name.startswith("socks5"):
            wire.read(sock, 2)
            code = wire.reply5(sock)[0]
        else:
            wire.auth_reply6(sock)
            code = wire.reply6(sock)[0]
        assert code == 0, f"{name}: reply {code}"
        assert wire.read(sock, 4) == b"data", name


@flow.test(timeout=60)
def handshakes_that_break_off():
    echo, proxy = servers.Echo(), flow.proxy()
    for name, data in shapes(echo.port).items():
        for end in range(len(data)):
            sock = wire.connect(proxy.port)
            sock.sendall(data[:end])
            sock.shutdown(socket.SHUT_WR)
            assert wire.closed(sock), f"{name}, {end} bytes: kept open"
            sock.close()
    assert echo.connections == 0
    served(proxy, echo)


@flow.test(timeout=60)
def garbage():
    echo, proxy = servers.Echo(), flow.proxy()
    chance = random.Random(1928)
    for round_ in range(300):
        first = bytes([chance.choice((5, 5, 6, 6, chance.randrange(256)))])
        sock = wire.connect(proxy.port)
        try:
            sock.sendall(first + chance.randbytes(chance.randrange(1, 600)))
            sock.shutdown(socket.SHUT_WR)
            assert wire.closed(sock, 10), f"round {round_}: kept open"
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all of it was sent
        except OSError as error:
            assert error.errno == errno.ENOTCONN, error
        sock.close()
    served(proxy, echo)


@flow.test
def silent_clients_are_closed_in_time():
    echo = servers.Echo()
    proxy = flow.proxy("--handshake-timeout", HANDSHAKE_MS)
    for first in (b"", b"\5", b"\5\1\0", b"\6\1\0"):
        begun = time.monotonic()
        sock = wire.connect(proxy.port)
        with contextlib.suppress(ConnectionError):  # it is too late already
            sock.sendall(first)
        assert wire.closed(sock), f"{first!r}: kept open"
        took = time.monotonic() - begun
        assert took > 0.3, f"{first!r}: closed after {took:.3f} s"
    served(proxy, echo)


@flow.test
def the_timeout_ends_with_the_handshake():
    echo = servers.Echo()
    proxy = flow.proxy("--handshake-timeout", HANDSHAKE_MS)
    def in_time():
        """Nothing if this process stood still, and it came too late."""
        with contextlib.suppress(EOFError, ConnectionError):
            sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
            assert code == 0
            return sock
    sock = flow.until(in_time, "a handshake in time")
    time.sleep(1.2)
    sock.sendall(b"late")
    assert wire.read(sock, 4) == b"late"


@flow.test
def clients_that_vanish_leave_nothing_open():
    echo, proxy = servers.Echo(), flow.proxy()
    served(proxy, echo)
    descriptors = pathlib.Path(f"/proc/{proxy.process.pid}/fd")
    time.sleep(0.5)
    before = len(list(descriptors.iterdir()))
    for _ in range(100):
        sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
        assert code == 0
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        b"\1\0\0\0\0\0\0\0")  # close with a reset
        sock.sendall(b"x" * 1000)
        sock.close()
    # The client of served() is still there.
    flow.until(lambda: len(list(descriptors.iterdir())) <= before + 4,
               f"about {before} descriptors")


def refused(*options, says):
    """epi-proxy does not start, and one line says why."""
    got = flow.run(flow.program_path("epi-proxy"), *options)
    lines = flow.complaint(got)
    assert got.returncode == 2, f"exit code {got.returncode}: {got.stderr}"
    assert len(lines) == 1, f"not one line: {lines}"
    assert says in lines[0], f"{says!r} is not in {lines[0]!r}"
    assert got.stdout == "", got.stdout


@flow.test
def a_port_in_use_is_named():
    echo = servers.Echo()
    refused("--listen", f"socks://127.0.0.1:{echo.port}",
            says=str(echo.port))


@flow.test
def bad_models_are_named():
    for path in (flow.folder() / "none.json", flow.folder(),
                 flow.file("", "empty.json"),
                 flow.file('{"epi": 1}', "half.json")):
        got = flow.run(flow.program_path("epi-proxy"), "--listen",
                       "socks://127.0.0.1:0", "--model", path)
        assert got.returncode == 2, f"{path}: exit code {got.returncode}"
        assert path.name in got.stderr, f"{path}: {got.stderr!r}"
        assert len(got.stderr.splitlines()) <= 3, got.stderr


@flow.test
def bad_command_lines_are_named():
    refused("--no-such-option", says="--no-such-option")
    refused("--listen", says="--listen")
    refused("--listen", "gopher://127.0.0.1:70", says="gopher")
    refused("--listen", "socks://127.0.0.1:0?colour=red", says="colour")
    refused("--listen", "socks://127.0.0.1:0", "--chain", "socks9://h:1",
            says="socks9")
    refused("--listen", "socks://127.0.0.1:0?users=/nonexistent/users",
            says="/nonexistent/users")
    refused("--listen", "socks://127.0.0.1:0", "--workers", "many",
            says="many")
    refused("--listen", "socks://127.0.0.1:0", "--workers", "65",
            says="workers: from 1 to 64, not 65")
    refused("--listen", "socks://127.0.0.1:0", "--name", "px-umc",
            says="--model")


@flow.test
def loops_back_to_oneself_are_named():
    port = flow.free_port()
    for version in (5, 6):
        got = flow.run(flow.program_path("epi-proxy"),
                       "--listen", f"socks://127.0.0.1:{port}",
                       "--chain", f"socks{version}://127.0.0.1:{port}")
        assert got.returncode == 2 and "a loop" in got.stderr, got
    refused("--listen", f"tcp://127.0.0.1:{port}=127.0.0.1:{port}",
            says="a loop")


@flow.test
def signals_end_what_waits_for_a_file():
    path = flow.folder() / "pipe"
    os.mkfifo(path)  # nobody writes to it
    for number in (signal.SIGINT, signal.SIGTERM):
        proxy = flow.start(flow.program_path("epi-proxy"), "--listen",
                           "socks://127.0.0.1:0", "--model", path)
        time.sleep(0.5)
        proxy.signal(number)
        assert proxy.wait() == -number, proxy.process.returncode


@flow.test
def a_log_that_nobody_reads_harms_nobody():
    model = flow.file({"epi": 1, "nodes": {}})
    echo, port = servers.Echo(), flow.free_port()
    reads, writes = os.pipe()
    proxy = subprocess.Popen(
        [flow.program_path("epi-proxy"), "--model", model,
         "--listen", f"socks://127.0.0.1:{port}"], stderr=writes)
    flow.at_end(proxy.wait)
    flow.at_end(proxy.kill)
    os.close(writes)
    flow.until(lambda: flow.answers(port), "a proxy")
    os.close(reads)
    proxy.send_signal(signal.SIGHUP)  # which is answered by a line
    sock, code = wire.socks5(port, flow.LOCAL, echo.port)
    assert code == 2, code
    time.sleep(0.5)
    assert proxy.poll() is None, proxy.returncode


@flow.test
def help_and_version_go_to_standard_output():
    for option, words in (("--help", "--listen"), ("--version", "0.")):
        got = flow.run(flow.program_path("epi-proxy"), option)
        assert got.returncode == 0 and words in got.stdout, got
        assert got.stderr == "", got.stderr
        assert len(got.stdout.splitlines()) <= 100


@flow.test
def ends_cleanly_on_term():
    echo, proxy = servers.Echo(), flow.proxy()
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 0
    assert proxy.stop() == 0, f"exit code {proxy.process.returncode}"
    assert wire.closed(sock)


flow.main()
