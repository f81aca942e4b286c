#!/usr/bin/env python3
"""inspect_data.py: patterns and hosts in what real programs send."""
import pathlib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire

NGINX = """
daemon off; master_process off; pid {dir}/pid; error_log {dir}/error;
events {{}}
http {{
  access_log off;
  server {{
    listen 127.0.0.1:{port}; server_name a.example;
    location / {{ return 200 "this is a"; }}
  }}
  server {{
    listen 127.0.0.1:{port}; server_name b.example;
    location / {{ return 200 "this is b"; }}
  }}
}}
"""


def inspect(args):
    return flow.proxy("--filter", f"inspect:{args}")


def curl(proxy, url, *more):
    return flow.run(flow.need("curl"), "-sS", "--max-time", "20", "--socks5",
                    f"127.0.0.1:{proxy.port}", *more, url)


def nginx():
    program = flow.need("nginx")
    place, port = flow.folder(), flow.free_port()
    config = place / "nginx.conf"
    config.write_text(NGINX.format(dir=place, port=port))
    flow.start(program, "-p", place, "-e", place / "error", "-c", config,
               port=port)
    return port


class TlsServer:
    def __init__(self):
        self.openssl = flow.need("openssl")
        place, self.port = flow.folder(), flow.free_port()
        made = flow.run(self.openssl, "req", "-x509", "-newkey", "ec",
                        "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=a.example", "-days", "2", "-keyout",
                        place / "key", "-out", place / "certificate")
        assert made.returncode == 0, made
        flow.start(self.openssl, "s_server", "-quiet", "-www", "-port",
                   self.port, "-key", place / "key", "-cert",
                   place / "certificate", port=self.port)

    def ask(self, proxy, *names):
        """What s_client says of a connection through a reverse listener."""
        ran = subprocess.run(
            [self.openssl, "s_client", "-connect", f"127.0.0.1:{proxy.port}",
             *names], input="Q\n", text=True, capture_output=True, timeout=20)
        return ran.stdout + ran.stderr


def reverse(args, port):
    return flow.proxy("--filter", f"inspect:{args}",
                      listen=[f"tcp://127.0.0.1:0=127.0.0.1:{port}"])


@flow.test
def masks_what_a_server_sends():
    origin = servers.Origin()
    proxy = inspect("pattern=ell,action=mask")
    assert curl(proxy, origin.url()).stdout == "h***o"
    proxy.wait_line("masked pattern 1 backward")


@flow.test
def masks_across_segments_and_changes_nothing_else():
    origin = servers.Origin()
    text = "".join(f"line {i} of patient 4711\n" for i in range(20000))
    sent = flow.file(text, "records")
    proxy = inspect("pattern=patient 4711,action=mask,way=forward")
    got = curl(proxy, origin.url("/echo"), "--data-binary", f"@{sent}", "-H",
               "Expect:")
    assert got.stdout == text.replace("patient 4711", "*" * 12)


@flow.test
def refuses_a_pattern_and_says_its_number_alone():
    origin = servers.Origin()
    words = flow.file("harmless\nTOP SECRET\n", "words")
    proxy = inspect(f"patterns={words},nocase")
    assert curl(proxy, origin.url()).stdout == "hello"
    got = curl(proxy, origin.url("/echo"), "-d", "it is top Secret")
    assert got.returncode != 0, got
    proxy.wait_line("pattern 2 is in the data that goes forward")
    assert "ecret" not in proxy.text


@flow.test
def holds_back_no_answer_that_has_begun_nothing():
    echo = servers.Echo()
    proxy = inspect("pattern=secret,action=mask")
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 0, f"reply {code}"
    took = []
    for _ in range(50):
        start = time.monotonic()
        sock.sendall(b"a question?")
        assert wire.read(sock, 11) == b"a question?"
        took.append(time.monotonic() - start)
    assert sorted(took)[25] < 1, took
    sock.sendall(b"sec")
    sock.shutdown(socket.SHUT_WR)
    assert wire.read_all(sock) == b"sec"


@flow.test
def knows_hosts_of_nginx_by_name():
    port = nginx()
    proxy = inspect("host=a.example")

    def ask(name):
        return curl(proxy, f"http://{name}:{port}/", "--resolve",
                    f"{name}:{port}:127.0.0.1")
    assert ask("a.example").stdout == "this is a"
    assert ask("b.example").returncode != 0
    proxy.wait_line("the HTTP host b.example is not on the list")
    proxy.wait_line("HTTP host a.example")


@flow.test
def a_second_request_is_judged_as_the_first():
    port = nginx()
    proxy = inspect("host=a.example")
    sock, code = wire.socks5(proxy.port, flow.LOCAL, port)
    assert code == 0, f"reply {code}"
    request = "GET / HTTP/1.1\r\nHost: {}\r\n\r\n"
    for _ in range(2):
        sock.sendall(request.format("a.example").encode())
        answer = b""
        while b"this is a" not in answer:
            more = sock.recv(4096)
            assert more, answer
            answer += more
    sock.sendall(request.format("b.example").encode())
    assert b"this is b" not in wire.read_all(sock)
    proxy.wait_line("the HTTP host b.example is not on the list")


@flow.test
def knows_server_names_of_tls():
    server = TlsServer()
    proxy = reverse("sni=*.example", server.port)
    assert "subject=CN" in server.ask(proxy, "-servername", "a.example")
    proxy.wait_line("TLS host a.example")
    assert "subject=CN" not in server.ask(proxy, "-servername", "a.other")
    proxy.wait_line("the TLS host a.other is not on the list")
    assert "subject=CN" not in server.ask(proxy, "-noservername")
    proxy.wait_line("the TLS client names no host")


@flow.test
def notes_server_names_without_a_list():
    server = TlsServer()
    proxy = reverse("", server.port)
    assert "subject=CN" in server.ask(proxy, "-servername", "any.other")
    proxy.wait_line("TLS host any.other")


@flow.test
def a_hello_byte_by_byte_is_the_same():
    server = TlsServer()
    proxy = reverse("sni=a.example", server.port)
    slow = servers.Tap(proxy.port)
    assert "subject=CN" in server.ask(slow, "-servername", "a.example")
    sock = wire.connect(proxy.port)
    for byte in b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00":
        sock.sendall(bytes([byte]))
        time.sleep(0.01)
    assert wire.closed(sock)
    proxy.wait_line("malformed TLS ClientHello")


if __name__ == "__main__":
    flow.main()
