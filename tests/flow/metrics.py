#!/usr/bin/env python3
"""metrics.py: metrics and health by HTTP, against traffic that is known."""
import contextlib
import http.client
import json
import pathlib
import re
import signal
import socket
import ssl
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import certificates, dns_server, flow, servers, verdict, watched
from support import socks_client as wire

MODEL = {
    "epi": 1,
    "nodes": {"here": {"addresses": ["127.0.0.1/32"],
                       "attributes": ["inspection"]},
              "plain": {"addresses": ["127.0.0.3/32"]},
              "there": {"addresses": ["127.0.0.2/32"]}},
    "functions": {"look": {"provides": ["inspection"], "filter": "count"}},
    "policy": {"rules": [
        {"id": "no-there", "effect": "deny", "to": ["there"],
         "reason": "nothing goes there"},
        {"id": "all \"here\"", "effect": "allow", "to": ["here", "plain"]}]},
}
OPEN = "application/openmetrics-text"


def ask(proxy, port, host=flow.LOCAL, data=b"x" * 1000):
    """The reply's code; data went there and back if it is 0."""
    return wire.echoed5(proxy.port, port, host, data)


def until_numbers(port, wanted):
    """All numbers, once some are as wanted: a connection may count a moment
    after it was answered."""
    found = {}

    def right():
        found.clear()
        found.update(watched.metrics(port))
        return all(found.get(key) == value for key, value in wanted.items())
    try:
        flow.until(right, "the numbers")
    except AssertionError:
        wrong = {key: (found.get(key), value) for key, value in wanted.items()
                 if found.get(key) != value}
        raise AssertionError(f"what is, and what should be: {wrong}") from None
    return found


def settled(proxy, count, wanted=()):
    """The same, when so many connections came, and all are gone."""
    none_open = {key: 0 for key in proxy.metrics() if key[0] == "epi_flows_open"}
    return until_numbers(proxy.status, {
        ("epi_flows_accepted_total",): count, **none_open, **dict(wanted)})


@flow.test
def the_numbers_add_up():
    echo, plain = servers.Echo(), servers.Echo(host="127.0.0.3")
    model = flow.file(MODEL, "model.json")
    proxy = watched.proxy("--model", model, "--workers", "2")
    for _ in range(12):
        assert ask(proxy, echo.port) == 0
    for _ in range(3):
        assert ask(proxy, plain.port, "127.0.0.3") == 0
    for _ in range(5):
        assert ask(proxy, 80, "127.0.0.2") == 2
    assert ask(proxy, flow.free_port()) == 5
    found = settled(proxy, 21, {
        ("epi_flows_allowed_total",): 16,
        ("epi_flows_refused_total",): 5,
        ("epi_flows_failed_total",): 1,
        ("epi_decisions_total", "verdict=direct"): 13,
        ("epi_decisions_total", "verdict=bridged"): 3,
        ("epi_decisions_total", "verdict=denied"): 5,
        ("epi_decisions_total", "verdict=none"): 0,
        ("epi_rule_decisions_total", 'rule=all "here"',
         "outcome=allowed"): 16,
        ("epi_rule_decisions_total", "rule=no-there", "outcome=refused"): 5,
        ("epi_rule_decisions_total", "rule=no-there", "outcome=allowed"): 0,
        ("epi_chain_flows_total", "chain=look"): 3,
        ("epi_refusals_total", "reply=2",
         "text=connection not allowed by ruleset"): 5,
        ("epi_bytes_total", "direction=out"): 15000,
        ("epi_bytes_total", "direction=back"): 15000,
        ("epi_filter_bytes_total", "filter=count", "direction=out"): 3000,
        ("epi_filter_bytes_total", "filter=count", "direction=back"): 3000,
        ("epi_handshake_seconds_count",): 21,
        ("epi_connect_seconds_count",): 15,
        ("epi_setup_seconds_count",): 15,
        ("epi_flow_seconds_count",): 15,
        ("epi_flows_open", "worker=0"): 0,
        ("epi_flows_open", "worker=1"): 0,
        ("epi_ready",): 1})
    assert 0 < found["epi_filter_seconds_total", "filter=count"] < 10
    assert sum(v for k, v in found.items()
               if k[0] == "epi_refusals_total") == 6
    document = json.loads(flow.run(flow.program_path("epi-check"), model,
                                   "--json").stdout)
    assert found["epi_model_info", f"hash={document['model']}"] == 1
    assert 0 < found["process_open_fds",] < found["process_max_fds",]
    assert 1e6 < found["process_resident_memory_bytes",] < 1e9
    assert abs(found["epi_start_time_seconds",] - time.time()) < 600


@flow.test
def a_flow_counts_while_it_runs():
    echo = servers.Echo()
    proxy = watched.proxy("--workers", "1")
    with wire.socks5(proxy.port, flow.LOCAL, echo.port)[0] as sock:
        sock.sendall(b"y" * 500)
        wire.read(sock, 500)
        until_numbers(proxy.status, {
            ("epi_flows_open", "worker=0"): 1,
            ("epi_bytes_total", "direction=out"): 500,
            ("epi_bytes_total", "direction=back"): 500,
            ("epi_decisions_total", "verdict=none"): 1,
            ("epi_flow_seconds_count",): 0})
    settled(proxy, 1, {("epi_flow_seconds_count",): 1})


@flow.test
def bulk_that_the_kernel_moves_is_counted():
    size = 8 << 20
    origin = servers.Origin()
    proxy = watched.proxy("--workers", "1")
    with wire.socks5(proxy.port, flow.LOCAL, origin.port)[0] as sock:
        sock.sendall(b"GET /size/%d HTTP/1.1\r\nConnection: close\r\n\r\n"
                     % size)
        got = len(wire.read_all(sock))
    assert got > size
    settled(proxy, 1, {("epi_bytes_total", "direction=back"): got})


@flow.test
def names_and_connections_kept_warm():
    echo = servers.Echo()
    last = flow.proxy()
    dns = dns_server.Server({"a.example": [flow.LOCAL]}, ttl=60)
    proxy = watched.proxy("--workers", "1", "--chain",
                          f"socks6://127.0.0.1:{last.port}")
    for _ in range(4):
        assert ask(proxy, echo.port) == 0
    found = settled(proxy, 4)
    assert found["epi_warm_hits_total",] + found["epi_warm_misses_total",] == 4
    assert found["epi_warm_misses_total",] >= 1
    flow.until(lambda: proxy.metrics()["epi_warm_open",] > 0, "spares")
    proxy = dns.proxy("--status", "127.0.0.1:0", "--workers", "1")
    status = int(proxy.wait_line(r"status at http://\S+:(\d+)/")[1])
    for _ in range(3):
        assert ask(proxy, echo.port, "a.example") == 0
    assert ask(proxy, echo.port, "none.example") == 4
    until_numbers(status, {("epi_dns_misses_total",): 2,
                           ("epi_dns_hits_total",): 2,
                           ("epi_dns_failures_total",): 1,
                           ("epi_dns_seconds_count",): 2})


def with_tls(*options):
    """A proxy that takes TLS off, its authority, and its own certificate."""
    authority = certificates.Authority()
    own = authority.issue("proxy.example", "DNS:proxy.example,IP:127.0.0.1")
    echo = servers.Echo()
    proxy = watched.proxy(*options, "--workers", "1", listen=[
        "socks://127.0.0.1:0",
        f"tcp+tls://127.0.0.1:0=127.0.0.1:{echo.port}?{own.query}",
        f"socks+tls://127.0.0.1:0?{own.query}"])
    return proxy, authority, own


@flow.test
def tls_and_when_certificates_expire():
    proxy, authority, own = with_tls()
    context = authority.client()
    for _ in range(3):
        with context.wrap_socket(wire.connect(proxy.ports[1]),
                                 server_hostname="proxy.example") as sock:
            sock.sendall(b"x" * 100)
            assert wire.read(sock, 100) == b"x" * 100
    with wire.connect(proxy.ports[1]) as sock:
        sock.sendall(b"this is no handshake of TLS, not at all")
        wire.closed(sock)
    wire.connect(proxy.ports[1]).close()
    near = watched.proxy(
        "--warm", "0", "--chain",
        f"socks6+tls://127.0.0.1:{proxy.ports[2]}?ca={authority.cert}")
    assert ask(near, servers.Echo().port) == 0
    found = settled(proxy, 6, {
        ("epi_tls_handshakes_total", "side=listener"): 4,
        ("epi_tls_failures_total", "side=listener"): 1,
        ("epi_tls_handshakes_total", "side=hop"): 0})
    settled(near, 1, {("epi_tls_handshakes_total", "side=hop"): 1,
                      ("epi_tls_failures_total", "side=hop"): 0})
    said = flow.run(flow.need("openssl"), "x509", "-in", own.cert, "-noout",
                    "-enddate").stdout.partition("=")[2].strip()
    expiry = [value for key, value in found.items() if key[:2] == (
        "epi_tls_certificate_expiry_timestamp_seconds", "side=listener")]
    assert expiry == [ssl.cert_time_to_seconds(said)], (expiry, said)


@flow.test
def audit_lines_are_counted():
    echo = servers.Echo()
    proxy = watched.proxy("--audit", flow.folder() / "audit.log",
                          "--audit-key", flow.file("k" * 32, "key"))
    assert ask(proxy, echo.port) == 0
    found = flow.until(
        lambda: (found := proxy.metrics())["epi_audit_lines_total",] == 3
        and found, "lines of start, decision and end")
    assert found["epi_audit_failures_total",] == 0


@flow.test
def log_lines_that_are_left_out_are_counted():
    proxy = watched.proxy("--workers", "1", "--log-lines", "1")
    for _ in range(5):
        assert ask(proxy, 1) == 5
    flow.until(lambda: proxy.metrics()["epi_log_suppressed_total",] > 0,
               "lines are left out")


@flow.test
def rules_without_end_are_counted_as_one():
    echo = servers.Echo()
    nodes = {f"n{i}": {"addresses": [f"127.1.{i}.1/32"]} for i in range(140)}
    model = {"epi": 1, "nodes": {"here": {"addresses": ["127.0.0.1/32"]},
                                 **nodes},
             "policy": {"rules": [{"id": f"r{i}", "effect": "deny",
                                   "to": [f"n{i}"]} for i in range(140)]}}
    proxy = watched.proxy("--workers", "2", "--model",
                          flow.file(model, "model.json"))
    for i in range(140):
        assert ask(proxy, echo.port, f"127.1.{i}.1") == 2
    found = until_numbers(proxy.status, {
        ("epi_rule_decisions_total", f"rule={rule}", "outcome=refused"): count
        for rule, count in [("other", 12), *((f"r{i}", 1) for i in range(128))]})
    assert sum(key[0] == "epi_rule_decisions_total" and
               key[2] == "outcome=refused" for key in found) == 129, found


@flow.test
def each_is_in_the_documents():
    text = (verdict.ROOT / "doc" / "sight.md").read_text()
    named = set(re.findall(r"`((?:epi|process)_\w+)`", text))
    found = {re.sub("_(bucket|sum|count)$", "", key[0])
             for key in with_tls("--model", flow.file(MODEL))[0].metrics()}
    named = {name for name in named if not name.startswith("epi_engine_")}
    assert found == named, found ^ named


@flow.test
def openmetrics_if_that_is_asked_for():
    proxy = watched.proxy()
    status, headers, body = watched.get(
        proxy.status, "/metrics",
        Accept=f"{OPEN};version=1.0.0,text/plain;version=0.0.4;q=0.5")
    assert status == 200 and headers["Content-Type"].startswith(
        f"{OPEN}; version=1.0.0"), headers
    found = watched.parse(body, is_open=True)
    assert found.keys() == proxy.metrics().keys()


@flow.test
def health_says_whether_new_connections_are_taken():
    echo = servers.Echo()
    proxy = watched.proxy("--drain", "20000")
    assert watched.get(proxy.status, "/health/live")[::2] == (200, "live\n")
    assert watched.get(proxy.status, "/health/ready")[::2] == (200, "ready\n")
    with wire.socks5(proxy.port, flow.LOCAL, echo.port)[0] as sock:
        proxy.signal(signal.SIGTERM)
        flow.until(lambda: watched.get(proxy.status, "/health/ready")[0] == 503,
                   "it drains")
        assert watched.get(proxy.status, "/health/live")[0] == 200
        assert proxy.metrics()["epi_ready",] == 0
        sock.sendall(b"still")
        assert wire.read(sock, 5) == b"still"
    assert proxy.wait() == 0


@flow.test
def only_what_there_is_can_be_read():
    port = watched.proxy().status
    for path in ("/metrics/", "/../etc/passwd", "/%2e%2e/etc/passwd", "//",
                 "/health", "/metrics%00", "/" + "a" * 5000):
        status, _, body = watched.get(port, path)
        assert status == 404 and "root:" not in body, (path, status)
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"):
        status, headers, _ = watched.get(port, "/metrics", method)
        assert status == 405 and headers["Allow"] == "GET, HEAD", method
    status, headers, body = watched.get(port, "/metrics", "HEAD")
    assert (status, body) == (200, "") and int(headers["Content-Length"]) > 99
    assert watched.get(port, "/metrics", Content_Length="5")[0] == 413
    assert watched.get(port, "/metrics", Host="evil.example")[0] == 403
    assert watched.get(port, "/metrics", Host=f"localhost:{port}")[0] == 200
    _, headers, _ = watched.get(port, "/metrics")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


@flow.test
def slow_and_many_clients_keep_nobody_out():
    port = watched.proxy("--workers", "1").status
    with contextlib.ExitStack() as held:
        for i in range(200):
            sock = held.enter_context(wire.connect(port))
            with contextlib.suppress(OSError):
                sock.sendall((b"", b"GET /metr", b"\0" * 100,
                              b"GET /metrics HTTP/1.1\r\n\r\n")[i % 4])
            if not i % 20:
                assert watched.get(port, "/health/live")[0] == 200, i
        watched.metrics(port)
        flood = held.enter_context(wire.connect(port))
        with contextlib.suppress(OSError):
            flood.sendall(b"GET / HTTP/1.1\r\n" + b"A: " + b"a" * 200000)
        watched.metrics(port)


@flow.test
def only_this_machine_is_served_unless_told():
    for url, message in (
            ("0.0.0.0:0", "add ?anyone=yes"), ("[::]:0", "add ?anyone=yes"),
            ("10.1.2.3:9180", "add ?anyone=yes"),
            ("ftp://127.0.0.1:0", "http://HOST:PORT"),
            ("status.example:80", "not on a name"),
            ("127.0.0.1:0?anyone=no", "anyone is yes"),
            ("127.0.0.1:0?login=yes", "login")):
        ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                       "socks://127.0.0.1:0", "--status", url)
        assert ran.returncode == 2 and message in ran.stderr, (url, ran.stderr)
    taken = socket.create_server((flow.LOCAL, 0))
    flow.at_end(taken.close)
    ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                   "socks://127.0.0.1:0", "--status",
                   f"127.0.0.1:{taken.getsockname()[1]}")
    assert ran.returncode == 2 and "--status" in ran.stderr, ran.stderr
    port = watched.proxy(status="0.0.0.0:0?anyone=yes").status
    assert watched.get(port, "/metrics", Host="proxy.example")[0] == 200


class Local(http.client.HTTPConnection):
    """HTTP by a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))


@flow.test
def a_path_is_for_this_user_alone():
    path = flow.folder() / "status"
    proxy = flow.proxy("--status", f"unix:{path}")
    proxy.wait_line("status at unix:")
    assert path.stat().st_mode & 0o777 == 0o600
    connection = Local(path)
    connection.request("GET", "/metrics")
    assert watched.parse(connection.getresponse().read().decode())
    ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                   "socks://127.0.0.1:0", "--status", f"unix:{path}")
    assert ran.returncode == 2 and "listens there" in ran.stderr, ran.stderr
    proxy.signal(signal.SIGUSR2)
    proxy.wait_line(r"upgrade: process (\d+) took over", 25)
    assert proxy.wait() == 0
    connection = Local(path)
    connection.request("GET", "/health/ready")
    assert connection.getresponse().status == 200


@flow.test
def a_new_process_takes_it_over():
    port = flow.free_port()
    proxy = watched.proxy(status=f"127.0.0.1:{port}")
    proxy.signal(signal.SIGUSR2)
    proxy.wait_line(r"upgrade: process (\d+) took over", 25)

    def ready():
        with contextlib.suppress(OSError, http.client.HTTPException):
            return watched.get(port, "/health/ready")[0] == 200
    flow.until(ready, "ready")  # the old one may have taken it, and left
    assert proxy.wait() == 0
    for _ in range(5):
        assert watched.get(port, "/health/ready")[0] == 200


flow.main()
