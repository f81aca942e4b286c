#!/usr/bin/env python3
"""functions_packed.py: what two proxies compress and seal in between."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire
from support.bridging import KEY, Wire

TEXT = b"patient 4711, heart rate 72; " * 20000


def pair(near, far):
    """Two proxies in a row with filters, and the wire between them."""
    echo = servers.Echo()
    second = flow.proxy(*[part for spec in far for part in ("--filter", spec)])
    line = Wire()
    line.to = (flow.LOCAL, second.port)
    first = flow.proxy(
        *[part for spec in near for part in ("--filter", spec)],
        "--chain", f"socks5://{flow.LOCAL}:{line.port}")
    sock = wire.connect(first.port)
    sock.sendall(wire.greeting(wire.NONE))
    assert wire.read(sock, 2) == b"\x05\x00"
    sock.sendall(wire.request5(flow.LOCAL, echo.port))
    assert wire.reply5(sock)[0] == 0
    return first, line, sock


def key_file(text=KEY):
    path = flow.file(text, "key")
    path.chmod(0o600)
    return path


def there_and_back(sock, data=TEXT):
    sock.sendall(b"x")
    assert wire.read(sock, 1) == b"x", "a single byte waits for nothing"
    sock.sendall(data)
    assert wire.read(sock, len(data)) == data


@flow.test
def both_ciphers_carry_data():
    for cipher in ("chacha20-poly1305", "aes-256-gcm"):
        key = key_file()
        _, line, sock = pair([f"seal:key={key},cipher={cipher}"],
                             [f"open:key={key}"])
        there_and_back(sock)
        assert b"patient" not in line.crossed["out"] + line.crossed["back"]


@flow.test
def compression_is_before_sealing():
    key = key_file()
    _, line, sock = pair(["compress", f"seal:key={key}"],
                         [f"open:key={key}", "expand"])
    there_and_back(sock)
    for at in ("out", "back"):
        assert b"patient" not in line.crossed[at]
        assert len(line.crossed[at]) < len(TEXT) / 5


@flow.test
def a_secret_in_the_arguments_is_wiped_and_warned_about():
    secret = "between-us-4711-and-no-one"
    first, _, sock = pair([f"seal:secret={secret}"], [f"open:secret={secret}"])
    there_and_back(sock)
    first.wait_line("a secret in the arguments could be seen")
    assert not any(secret in line for line in first.lines)
    shown = pathlib.Path(f"/proc/{first.process.pid}/cmdline").read_bytes()
    assert secret.encode() not in shown and b"seal:secret=***" in shown


if __name__ == "__main__":
    flow.main()
