#!/usr/bin/env python3
"""shortage.py: what a proxy does when it has too little of something, or too
much to say."""
import contextlib
import pathlib
import re
import resource
import select
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire
from support.certificates import Authority


def open_files(proxy):
    return len(list(pathlib.Path(f"/proc/{proxy.process.pid}/fd").iterdir()))


def busy_s(proxy):
    """Seconds of processor time so far."""
    fields = pathlib.Path(f"/proc/{proxy.process.pid}/stat").read_text()
    user, system = fields.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / 100


def allow_files(proxy, count):
    before = resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE,
                     (count, before[1]))
    return before


# ---- descriptors ----

@flow.test
def without_descriptors_it_waits_and_does_not_spin():
    echo = servers.Echo()
    proxy = flow.proxy("--workers", "2", "--warm", "0")
    living, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 0
    before = allow_files(proxy, open_files(proxy))
    waiting = [wire.connect(proxy.port) for _ in range(20)]
    for sock in waiting:
        sock.sendall(wire.greeting(wire.NONE))
    proxy.wait_line("cannot accept: Too many open files: connections wait, for"
                    " it is tried again each 100 ms")
    spent, start = busy_s(proxy), time.monotonic()
    while time.monotonic() < start + 1.5:
        living.sendall(b"there?")
        assert wire.read(living, 6) == b"there?", "flows that run go on"
        time.sleep(0.1)
    spent, took = busy_s(proxy) - spent, time.monotonic() - start
    assert spent < took / 3, f"{spent} s of {took} s"
    assert proxy.text.count("Too many open files") == 1, "it is said once"
    allow_files(proxy, before[0])
    for sock in waiting:  # each that waited is served
        assert wire.read(sock, 2) == b"\5\0"
        sock.sendall(wire.request5(flow.LOCAL, echo.port))
        assert wire.reply5(sock)[0] == 0


@flow.test
def the_limit_leaves_a_reserve_of_descriptors():
    """As many connections as it takes by itself can all be served."""
    echo = servers.Echo()
    proxy = flow.proxy("--workers", "2", "--log-lines", "0",
                       prefix=["prlimit", "--nofile=150:150"])
    said = {wire.connect(proxy.port): b"" for _ in range(60)}
    for sock in said:
        sock.sendall(wire.greeting(wire.NONE) +
                     wire.request5(flow.LOCAL, echo.port))
        sock.setblocking(False)
    proxy.wait_line("as many as the limit or the descriptors allow")

    def served():
        for sock in said:
            with contextlib.suppress(BlockingIOError):
                said[sock] += sock.recv(12)
        return sum(len(answer) == 12 for answer in said.values())
    flow.until(lambda: 10 < served() == flow.flows(proxy), "they are served")
    time.sleep(0.5)  # or more of them
    assert flow.flows(proxy) < 60
    flow.until(lambda: served() == flow.flows(proxy),
               "one that was taken is served")
    for answer in said.values():
        assert answer[:4] in (b"", b"\5\0\5\0"), answer
    assert "Too many open files" not in proxy.text


@flow.test
def the_soft_limit_of_descriptors_is_raised():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < 512:
        flow.skip("the hard limit is low")
    proxy = flow.proxy(prefix=["prlimit", "--nofile=100:512"])
    assert resource.prlimit(proxy.process.pid,
                            resource.RLIMIT_NOFILE) == (512, 512)


# ---- memory ----

class Fountain(servers.Server):
    """Sends so much to whoever connects."""
    size = 8 << 20

    def serve(self, sock):
        with contextlib.suppress(OSError):
            sock.sendall(servers.body(self.size))


def ask(proxy, server):
    """With a small window, so that the proxy holds what is not read."""
    sock = socket.socket()
    flow.at_end(sock.close)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(20)
    sock.connect((flow.LOCAL, proxy.port))
    sock.sendall(wire.greeting(wire.NONE))
    assert wire.read(sock, 2) == b"\5\0"
    sock.sendall(wire.request5(flow.LOCAL, server.port))
    code = wire.reply5(sock)[0]
    if not code:  # the proxy has what comes behind the first bytes
        assert select.select([sock], [], [], 20)[0], "nothing comes"
    return sock, code


@flow.test(timeout=120)
def memory_of_slow_readers_is_bounded_and_nothing_is_lost():
    fountain = Fountain()
    proxy = flow.proxy("--memory", "1000000", "--workers", "2")
    slow = []
    for _ in range(60):
        sock, code = ask(proxy, fountain)
        if code:
            assert code == 1, code
            break
        slow.append(sock)
        time.sleep(0.02)
    assert code == 1, "60 flows would hold nearly four million bytes"
    proxy.wait_line("flows hold 1[0-9]{6} bytes, as many as they may")
    assert 10 < len(slow) < 40, len(slow)
    spent = busy_s(proxy)
    time.sleep(1)
    assert busy_s(proxy) - spent < 0.3, "to wait costs nothing"
    whole = servers.body(Fountain.size)
    for sock in slow[2:]:
        sock.close()
    for sock in slow[:2]:
        assert wire.read_all(sock) == whole, "what waited goes on"
    assert ask(proxy, fountain)[1] == 0, "there is room again"


@flow.test(timeout=60)
def what_waits_encrypted_is_bounded_too():
    """Such flows hold more than a buffer each, and all of it counts."""
    authority, fountain = Authority(), Fountain()
    own = authority.issue("proxy", "IP:" + flow.LOCAL)
    proxy = flow.proxy("--memory", "1000000", listen=[
        f"tcp+tls://{flow.LOCAL}:0={flow.LOCAL}:{fountain.port}?{own.query}"])

    def dial():
        sock = socket.socket()
        flow.at_end(sock.close)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(20)
        sock.connect((flow.LOCAL, proxy.port))
        return authority.client().wrap_socket(sock, server_hostname=flow.LOCAL)

    def is_full():
        with contextlib.suppress(OSError):
            dial().close()
        return re.search(r"flows hold \d{7} bytes", proxy.text)

    slow = []  # six with 64 KiB each would never be too many
    for _ in range(6):
        with contextlib.suppress(OSError):
            slow.append(dial())
    flow.until(is_full, "a flow is refused", 20)
    assert slow


@flow.test(timeout=120)
def who_never_reads_does_not_stop_the_others_for_ever():
    fountain = Fountain()
    proxy = flow.proxy("--memory", "300000", "--workers", "1")
    slow = []
    while True:
        sock, code = ask(proxy, fountain)
        if code:
            break
        slow.append(sock)
        time.sleep(0.02)
    proxy.wait_line("memory is short, and its peer has taken nothing for long",
                    timeout=20)
    flow.until(lambda: ask(proxy, fountain)[1] == 0, "a new flow", 20)


# ---- log lines ----

def lines_of(proxy, pattern):
    return len(re.findall(pattern, proxy.text))


def counted(proxy, about):
    """Of how many lines that are about this only the number was said."""
    return sum(int(more.replace(",", "")) for more in re.findall(
        rf"and ([\d,]+) more like it in the last \d+ s: .*{about}",
        proxy.text))


@flow.test
def a_flood_of_log_lines_becomes_a_count():
    echo, log = servers.Echo(), flow.folder() / "audit.log"
    start = time.monotonic()
    proxy = flow.proxy("--log-lines", "5", "--workers", "2", "--audit", log,
                       "--audit-key", flow.file("the audit log's key", "key"))
    for _ in range(60):
        sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
        assert code == 0
        sock.close()
    port = flow.free_port()
    for _ in range(3):
        assert wire.socks5(proxy.port, flow.LOCAL, port)[1] == 5
    flow.until(lambda: log.read_text().count('"event":"ended"') == 63,
               "the audit log has all")
    proxy.stop()
    opened = r"Z flow \d+: 127\S+ > 127\S+$"
    said = len(re.findall(opened, proxy.text, re.M))
    seconds = time.monotonic() - start
    assert said <= 5 * (seconds + 1), f"{said} in {seconds} s"
    assert counted(proxy, " > 127") + said == 63, proxy.text
    ended = lines_of(proxy, r"Z flow \d+: ended")
    assert ended + counted(proxy, ": ended") == 60, proxy.text
    assert lines_of(proxy, r"Z flow \d+: .* refused \(") == 3, \
        "another kind is not held back"


@flow.test(timeout=60)
def a_count_comes_although_nothing_follows():
    proxy = flow.proxy("--log-lines", "1")
    for sock in [wire.connect(proxy.port) for _ in range(20)]:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
    about = r"flow \d+ from 127"
    proxy.wait_line(rf"and \d+ more like it in the last [1-9]\d s: {about}", 30)
    flow.until(lambda: lines_of(proxy, f"Z {about}") +
               counted(proxy, about) == 20, "all of them count", 30)


@flow.test
def all_lines_may_be_wanted():
    proxy = flow.proxy("--log-lines", "0")
    echo = servers.Echo()
    for _ in range(20):
        wire.socks5(proxy.port, flow.LOCAL, echo.port)[0].close()
    flow.until(lambda: lines_of(proxy, r": ended after") == 20, "all lines")


if __name__ == "__main__":
    flow.main()
