#!/usr/bin/env python3
"""udp_dtls.py: datagrams of SOCKS 6 over DTLS, with OpenSSL as the client."""
import contextlib
import fcntl
import os
import pathlib
import select
import socket
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow
from support import socks_client as wire
from support.datagrams import (DATAGRAM, Echo, Socks6, pack6, silent, udp,
                               unpack6, unpack_remote)


def certificate():
    """A key, and a certificate of it that nobody vouches for."""
    where = flow.folder()
    key, cert = where / "key.pem", where / "cert.pem"
    made = flow.run(flow.need("openssl"), "req", "-x509", "-newkey", "ec",
                    "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=proxy.example", "-keyout", key, "-out", cert)
    assert made.returncode == 0, made.stderr
    key.chmod(0o600)
    return cert, key


def with_dtls(*options, workers="3", query=""):
    """A proxy with a DTLS port, that port, and the certificate."""
    cert, key = certificate()
    proxy = flow.proxy("--workers", workers, *options, listen=[
        f"socks://127.0.0.1:0?dtls=0&cert={cert}&key={key}{query}"])
    found = proxy.wait_line(r"DTLS datagrams of .* come to .*:(\d+)")
    return proxy, int(found.group(1)), cert


class Dtls:
    """openssl s_client: what it reads at once is one record. Without -nbio it
    waits for the proxy to speak first, after a handshake with a datagram that
    was sent again."""

    def __init__(self, port, cert):
        self.process = subprocess.Popen(
            [flow.need("openssl"), "s_client", "-dtls1_2", "-quiet", "-nbio",
             "-CAfile", cert, "-verify_return_error", "-connect",
             f"{flow.LOCAL}:{port}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        flow.at_end(self._end)

    def _end(self):
        self.process.kill()
        self.process.communicate()

    def send(self, message):
        """Send it, and wait until it was read: what is written meanwhile would
        be in the same record."""
        self.write(message)
        flow.until(lambda: not self._unread(), "it is read")

    def write(self, message):
        os.write(self.process.stdin.fileno(), message)

    def _unread(self):
        size = fcntl.ioctl(self.process.stdin.fileno(), termios.FIONREAD,
                           bytes(4))
        return int.from_bytes(size, sys.byteorder)

    def read(self, size, seconds=15):
        data, end = b"", time.monotonic() + seconds
        while len(data) < size:
            wait = max(0, end - time.monotonic())
            if not select.select([self.process.stdout], [], [], wait)[0]:
                raise TimeoutError(f"{data!r}, {size} bytes wanted")
            more = os.read(self.process.stdout.fileno(), size - len(data))
            if not more:
                raise EOFError(data)
            data += more
        return data

    def receive(self, seconds=15):
        """Association, host, port and data."""
        head = self.read(12, seconds)
        size = struct.unpack(">H", head[2:4])[0]
        kind, association, body = unpack6(head + self.read(size - 12))
        assert kind == DATAGRAM, kind
        return (association, *unpack_remote(body))


@flow.test
def carries_datagrams():
    echo = Echo()
    proxy, port, cert = with_dtls()
    # Many, so that some are served by other workers than their sessions.
    for _ in range(6):
        client, dtls = Socks6(proxy.port), Dtls(port, cert)
        dtls.send(pack6(client.id, "0.0.0.0", 0))
        client.confirm()
        for data in (b"one", b"x" * 1000, b"three"):
            dtls.send(pack6(client.id, flow.LOCAL, echo.port, data))
            assert dtls.receive() == (client.id, flow.LOCAL, echo.port, data)


@flow.test
def what_is_too_long_for_a_record_is_lost_alone():
    echo = Echo()
    proxy, port, cert = with_dtls()
    client, dtls = Socks6(proxy.port), Dtls(port, cert)
    for size in (1330, 4000, 3):
        dtls.send(pack6(client.id, flow.LOCAL, echo.port, b"x" * size))
    client.confirm()
    assert [len(dtls.receive()[3]) for _ in range(2)] == [1330, 3]
    assert [len(data) for data, _ in echo.got] == [1330, 4000, 3]


@flow.test
def carries_many_associations_in_a_session():
    echo = Echo()
    proxy, port, cert = with_dtls()
    dtls = Dtls(port, cert)
    for _ in range(8):
        client = Socks6(proxy.port)
        dtls.send(pack6(client.id, flow.LOCAL, echo.port, b"hello"))
        client.confirm()
        assert dtls.receive() == (client.id, flow.LOCAL, echo.port, b"hello")


@flow.test
def keeps_to_the_session():
    echo = Echo()
    proxy, port, cert = with_dtls(query="&udp=0")
    plain = int(proxy.wait_line(r"Z datagrams of .* to .*:(\d+)").group(1))
    client, dtls, other = Socks6(proxy.port), Dtls(port, cert), udp()
    dtls.send(pack6(client.id, "0.0.0.0", 0))
    client.confirm()
    message = pack6(client.id, flow.LOCAL, echo.port, b"not mine")
    Dtls(port, cert).send(message)
    other.sendto(message, (flow.LOCAL, plain))
    client.tcp.sendall(message)
    dtls.send(pack6(client.id, flow.LOCAL, echo.port, b"mine"))
    assert dtls.receive()[3] == b"mine"
    time.sleep(0.3)
    assert [data for data, _ in echo.got] == [b"mine"], echo.got


@flow.test
def gives_nothing_to_who_has_not_answered():
    proxy, port, cert = with_dtls(workers="1")
    spoofed = udp()
    hello = bytes.fromhex("fefd") + os.urandom(32) + bytes.fromhex(
        "00 00 0002 c02b 01 00"
        "000e 000a00040002 0017 000d 0004 0002 0403")  # a curve, a signature
    for _ in range(200):
        message = (b"\x01" + struct.pack(">I", len(hello))[1:] + bytes(5) +
                   struct.pack(">I", len(hello))[1:] + hello)
        spoofed.sendto(bytes.fromhex("16 feff 0000 000000000000") +
                       struct.pack(">H", len(message)) + message,
                       (flow.LOCAL, port))
        answer = spoofed.recv(2000)
        assert answer[0] == 22 and answer[13] == 3, answer.hex()
        assert len(answer) < len(message), "no more than was sent"
    for junk in (b"", b"\x16", os.urandom(60), bytes(13), bytes(70),
                 bytes.fromhex("16 feff 0000 000000000000 0002 0100")):
        spoofed.sendto(junk, (flow.LOCAL, port))
    assert silent(spoofed)
    client, dtls, echo = Socks6(proxy.port), Dtls(port, cert), Echo()
    dtls.send(pack6(client.id, flow.LOCAL, echo.port, b"hello"))
    assert dtls.receive()[3] == b"hello"


def hello_record(sequence=0, cut=None):
    """A record with a ClientHello without cookie, or with the first `cut` bytes
    of one."""
    body = bytes.fromhex("fefd") + os.urandom(32) + bytes.fromhex(
        "00 00 0002 c02b 01 00"
        "000e 000a00040002 0017 000d 0004 0002 0403")
    size = struct.pack(">I", len(body))[1:]
    part = body[:cut]
    message = (b"\x01" + size + bytes(5) + struct.pack(">I", len(part))[1:] +
               part)
    return (bytes.fromhex("16 feff 0000") + sequence.to_bytes(6, "big") +
            struct.pack(">H", len(message)) + message)


@flow.test
def a_strangers_hello_keeps_nobody_out():
    echo = Echo()
    proxy, port, cert = with_dtls(workers="1")
    stranger, neighbour = udp(), udp()
    for record in (hello_record(2 ** 48 - 2), hello_record(0, 20),
                   hello_record(2 ** 47, 40),
                   hello_record() + hello_record(1, 20)):
        stranger.sendto(record, (flow.LOCAL, port))
        neighbour.sendto(hello_record(), (flow.LOCAL, port))
        assert neighbour.recv(2000)[13] == 3, "the first hello is answered"
        client, dtls = Socks6(proxy.port), Dtls(port, cert)
        dtls.send(pack6(client.id, flow.LOCAL, echo.port, b"hello"))
        assert dtls.receive()[3] == b"hello", record.hex()


def forge(source, to, data):
    """Send a datagram from a port of the loopback device that has another
    socket."""
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    with raw:
        raw.sendto(struct.pack(">HHHH", source, to, 8 + len(data), 0) + data,
                   (flow.LOCAL, 0))


@flow.test
def forged_datagrams_end_no_session():
    flow.need_root()
    echo = Echo()
    proxy, port, cert = with_dtls()
    client, dtls = Socks6(proxy.port), Dtls(port, cert)
    dtls.send(pack6(client.id, "0.0.0.0", 0))
    client.confirm()
    with open("/proc/net/udp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    source = next(int(row[1][-4:], 16) for row in rows
                  if row[2] == f"0100007F:{port:04X}")
    for record in ("17 fefd 0001 000000000005 0020" + 32 * "aa",
                   "17 fefd 0001 000000000006 0002 aaaa",
                   "15 fefd 0000 000000000007 0002 0228",
                   "15 fefd 0001 000000000008 0002 0228",
                   "16 feff 0000 000000000000 0002 0100", "17", ""):
        forge(source, port, bytes.fromhex(record))
    for data in (b"one", b"two"):
        dtls.send(pack6(client.id, flow.LOCAL, echo.port, data))
        assert dtls.receive()[3] == data


@flow.test(timeout=60)
def forgets_sessions_that_are_idle():
    echo = Echo()
    proxy, port, cert = with_dtls("--udp-idle-timeout", "700")

    def in_time():
        with contextlib.suppress(OSError, EOFError):  # it was idle before
            client, dtls = Socks6(proxy.port), Dtls(port, cert)
            dtls.send(pack6(client.id, flow.LOCAL, echo.port, b"hello"))
            client.confirm()
            assert dtls.receive(2)[3] == b"hello"
            return client, dtls
        return None

    client, dtls = flow.until(in_time, "a session that was used in time",
                              30)
    assert wire.closed(client.tcp)
    dtls.process.wait(15)  # it was told


@flow.test
def caps_sessions():
    proxy, port, cert = with_dtls("--client-associations", "2", workers="1")
    sessions = [Dtls(port, cert) for _ in range(2)]
    clients = [Socks6(proxy.port) for _ in sessions]
    for client, dtls in zip(clients, sessions):
        dtls.send(pack6(client.id, "0.0.0.0", 0))
        client.confirm()
    third = Dtls(port, cert)
    time.sleep(0.5)
    echo = Echo()
    third.write(pack6(clients[0].id, flow.LOCAL, echo.port, b"no"))
    sessions[0].send(pack6(clients[0].id, flow.LOCAL, echo.port, b"yes"))
    assert sessions[0].receive()[3] == b"yes"
    assert [data for data, _ in echo.got] == [b"yes"], echo.got


@flow.test
def needs_a_certificate_and_its_key():
    cert, key = certificate()
    for query, why in ((f"dtls=0&cert={cert}", "needs cert= and key="),
                       (f"dtls=0&cert={key}&key={key}", "no certificate"),
                       (f"dtls=0&cert={cert}&key={cert}", "can read"),
                       (f"dtls=0&cert={cert}.no&key={key}", "No such file")):
        ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                       f"socks://127.0.0.1:0?{query}")
        assert ran.returncode == 2 and why in ran.stderr, ran.stderr


if __name__ == "__main__":
    flow.main()
