#!/usr/bin/env python3
"""socks_load.py: many flows at once, large ones, and half-closed ones."""
import concurrent.futures
import hashlib
import pathlib
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire

MIB = 1024 * 1024
BIG = 50 * MIB


def opened(proxy, port):
    sock, code = wire.socks5(proxy.port, flow.LOCAL, port)
    assert code == 0, f"reply {code}"
    sock.settimeout(60)  # of all that is sent at once, too
    return sock


@flow.test
def a_half_closed_flow_gets_all_of_its_answer():
    server, proxy = servers.AfterEnd(8 * MIB), flow.proxy()
    sock = opened(proxy, server.port)
    sock.sendall(b"question")
    sock.shutdown(socket.SHUT_WR)
    time.sleep(0.2)
    got = wire.read_all(sock)
    assert server.got == b"question"
    assert got == servers.body(8 * MIB), f"{len(got)} bytes"


@flow.test
def a_server_may_end_first():
    class Ends(servers.Server):
        def serve(self, sock):
            sock.sendall(b"bye")
            sock.shutdown(socket.SHUT_WR)
            self.got = wire.read_all(sock)
    server, proxy = Ends(), flow.proxy()
    sock = opened(proxy, server.port)
    assert wire.read_all(sock) == b"bye"
    sock.sendall(b"x" * MIB)
    sock.close()
    flow.until(lambda: len(getattr(server, "got", b"")) == MIB,
               "what the client sent after the server's end")


@flow.test(timeout=60)
def two_hundred_at_once():
    origin, proxy = servers.Origin(), flow.proxy()

    def fetch(number):
        size = 1000 + number
        sock, code = wire.socks5(proxy.port, flow.LOCAL, origin.port)
        assert code == 0, f"reply {code}"
        together.wait(30)
        sock.sendall(f"GET /size/{size} HTTP/1.0\r\n\r\n".encode())
        _, _, got = wire.read_all(sock).partition(b"\r\n\r\n")
        assert got == servers.body(size), f"{len(got)} of {size} bytes"

    together = threading.Barrier(200)
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        for done in [pool.submit(fetch, n) for n in range(200)]:
            done.result()
    assert origin.connections == 200


@flow.test(timeout=90)
def large_downloads_arrive_whole():
    origin, proxy = servers.Origin(), flow.proxy()
    sock = opened(proxy, origin.port)
    sock.sendall(f"GET /size/{BIG} HTTP/1.0\r\n\r\n".encode())
    _, _, got = wire.read_all(sock).partition(b"\r\n\r\n")
    wanted = hashlib.sha256(servers.body(BIG)).hexdigest()
    assert hashlib.sha256(got).hexdigest() == wanted, f"{len(got)} bytes"


@flow.test(timeout=90)
def large_uploads_arrive_whole():
    origin, proxy = servers.Origin(), flow.proxy()
    data = servers.body(BIG)
    sock = opened(proxy, origin.port)
    sock.sendall(f"POST /digest HTTP/1.0\r\nContent-Length: {BIG}\r\n\r\n"
                 .encode() + data)
    _, _, got = wire.read_all(sock).partition(b"\r\n\r\n")
    assert got.decode() == hashlib.sha256(data).hexdigest(), got


@flow.test(timeout=90)
def both_directions_at_once():
    echo, proxy = servers.Echo(), flow.proxy()
    data = servers.body(BIG)
    sock = opened(proxy, echo.port)

    def send():
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    digest = hashlib.sha256(wire.read_all(sock)).hexdigest()
    sender.join()
    assert digest == hashlib.sha256(data).hexdigest()


@flow.test(timeout=60)
def a_client_that_does_not_read_holds_back_its_server():
    """The proxy keeps a bounded part of a flow in memory."""
    proxy = flow.proxy()

    class Floods(servers.Server):
        sent = 0

        def serve(self, sock):
            sock.settimeout(2)
            try:
                while self.sent < 256 * MIB:
                    self.sent += sock.send(bytes(65536))
            except OSError:
                pass

    server = Floods()
    sock = opened(proxy, server.port)
    time.sleep(1)
    # What is under way lies in the kernel's buffers: tens of MiB at most.
    assert server.sent < 64 * MIB, f"{server.sent} bytes taken unread"
    status = pathlib.Path(f"/proc/{proxy.process.pid}/status").read_text()
    resident = int(status.split("VmRSS:")[1].split()[0])
    if not flow.SANITIZED:
        assert resident < 64 * 1024, f"{resident} KiB resident"
    sock.close()


flow.main()
