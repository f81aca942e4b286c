#!/usr/bin/env python3
"""splicing.py: large transfers, which go from socket to socket without being
copied: nothing is lost, reordered, late or held without bound."""
import contextlib
import hashlib
import json
import os
import pathlib
import random
import socket
import struct
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire

KIB, MIB = 1024, 1024 * 1024
FAULTY = flow.BUILD / "tests" / "support" / "faulty.so"
MODEL = {"epi": 1, "nodes": {"here": {"addresses": ["127.0.0.0/8"]}},
         "policy": {"default": "allow"}}


class Late(servers.Server):
    """Reads only once it is told to; `got` is the digest of all it got, then
    it answers with `answer` and ends."""

    def __init__(self, answer=b""):
        self.answer, self.got = answer, None
        self.go = threading.Event()
        flow.at_end(self.go.set)
        super().__init__()

    def serve(self, sock):
        self.go.wait(60)
        with contextlib.suppress(OSError):
            self.got = digest_of(sock)
            sock.sendall(self.answer)


class Gone(servers.Server):
    """Reads some, and resets."""

    def serve(self, sock):
        wire.read(sock, MIB)
        reset(sock)


class Fountain(servers.Server):
    """Sends for as long as somebody takes it."""

    def serve(self, sock):
        with contextlib.suppress(OSError):
            while True:
                sock.sendall(bytes(MIB))


class Hasty(servers.Server):
    """Sends, once asked for the end, until nobody takes more, and ends."""

    def __init__(self):
        self.sent, self.sock, self.full = 0, None, threading.Event()
        self.over = threading.Event()
        flow.at_end(self.over.set)
        super().__init__()

    def serve(self, sock):
        self.sock = sock
        sock.recv(1)
        sock.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while True:
                self.sent += sock.send(bytes(MIB))
        sock.shutdown(socket.SHUT_WR)
        self.full.set()
        self.over.wait(60)

    def has_ended(self):
        """1 once its connection is over on both sides."""
        return self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO,
                                    1) == b"\7"


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


def digest_of(sock):
    digest = hashlib.sha256()
    while data := sock.recv(MIB):
        digest.update(data)
    return digest.digest()


def digest(data):
    return hashlib.sha256(data).digest()


def opened(proxy, server):
    sock, code = wire.socks5(proxy.port, flow.LOCAL, server.port)
    assert code == 0, f"reply {code}"
    sock.settimeout(40)  # of all that is sent at once, too
    return sock


def in_background(function, *arguments):
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    flow.at_end(thread.join, 20)
    return thread


def send_quietly(sock, data):
    with contextlib.suppress(OSError):
        sock.sendall(data)


def tubes(proxy):
    """Pipes that the program has, beside the one that it writes to."""
    links, folder = [], pathlib.Path(f"/proc/{proxy.process.pid}/fd")
    for entry in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.append(os.readlink(entry))
    return len({link for link in links if link.startswith("pipe:")}) - 1


def fill(sock):
    """Send the same MiB again and again until nothing more is taken; how
    much was."""
    block, sent = servers.body(MIB), 0
    sock.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        while True:
            sent += sock.send(block[sent % MIB:])
    sock.settimeout(40)
    return sent


def held(proxy, count=1):
    """Fill flows until so many are held in tubes: what comes in small pieces,
    as from a machine that does other things, too, is copied, rightly. The
    server, the socket and what was sent, of each."""
    flows = []
    for _ in range(10 + count):
        server = Late(answer=servers.body(5 * MIB))
        sock = opened(proxy, server)
        flows.append((server, sock, fill(sock)))
        if tubes(proxy) == count:
            return flows
    raise AssertionError("they were copied")


def kernel_room():
    """What the sockets between a client and a server may hold in all."""
    return 2 * sum(int(pathlib.Path(f"/proc/sys/net/ipv4/tcp_{name}mem")
                       .read_text().split()[2]) for name in "rw")


def there_and_back(proxy, size):
    sock, data = opened(proxy, servers.Echo()), servers.body(size)

    def send():
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
    in_background(send)
    assert digest_of(sock) == digest(data)


@flow.test(timeout=60)
def all_of_it_arrives_both_ways():
    proxy = flow.proxy("--workers", "1")
    assert tubes(proxy) == 0
    there_and_back(proxy, 64 * MIB)
    assert tubes(proxy) > 0, "it was copied"
    proxy.wait_line(f"{64 * MIB} bytes out, {64 * MIB} back:"
                    " both sides are done")


@flow.test(timeout=60)
def an_end_may_come_at_any_byte():
    proxy = flow.proxy()
    sizes = [4 * 64 * KIB + n for n in (-1, 0, 1, 16 * KIB, 64 * KIB)]
    sizes += [256 * KIB + MIB + n for n in (-1, 0, 1)]
    for size in sizes:
        there_and_back(proxy, size)
        proxy.wait_line(f" {size} bytes out, {size} back: both sides")


@flow.test(timeout=60)
def an_end_waits_for_what_the_tube_holds():
    *_, (server, sock, sent) = held(flow.proxy("--workers", "1"))
    sock.shutdown(socket.SHUT_WR)
    server.go.set()
    assert digest_of(sock) == digest(server.answer)
    assert server.got == digest((servers.body(MIB) * (1 + sent // MIB))[:sent])


@flow.test(timeout=60)
def a_reset_in_the_middle_ends_the_flow():
    proxy = flow.proxy("--workers", "1")
    before = tubes(proxy)
    for server in (Gone(), Fountain()):
        for _ in range(20):
            sock = opened(proxy, server)
            if isinstance(server, Gone):
                send_quietly(sock, bytes(8 * MIB))
                assert wire.closed(sock), "the flow lives on"
            else:
                wire.read(sock, 3 * MIB)
                reset(sock)
    flow.until(lambda: proxy.text.count(": ended after") == 40,
               "all flows end")
    assert tubes(proxy) - before < 8, "tubes are left behind"
    there_and_back(proxy, 4 * MIB)


@flow.test(timeout=60)
def who_does_not_read_holds_back_who_writes():
    for _, _, sent in held(flow.proxy("--workers", "1"), 3):
        assert sent < kernel_room() + 4 * MIB, f"{sent} bytes are on their way"


@flow.test
def an_idle_flow_has_no_tube():
    proxy, server = flow.proxy("--workers", "1"), servers.Echo()
    data, kept = servers.body(2 * MIB), []
    for _ in range(10):
        sock = opened(proxy, server)
        in_background(send_quietly, sock, data)
        assert wire.read(sock, len(data)) == data
        kept.append(sock)
    assert 0 < tubes(proxy) < 6, "they do not share"


@flow.test(timeout=60)
def bulk_beyond_the_tubes_is_copied():
    # So few descriptors that there is one tube; a flow that waits has it.
    proxy = flow.proxy("--workers", "1", prefix=["prlimit", "--nofile=130"])
    kept = held(proxy)
    there_and_back(proxy, 16 * MIB)
    assert tubes(proxy) == 1, f"besides those of {len(kept)} flows"


@flow.test
def without_descriptors_for_tubes_all_is_copied():
    proxy = flow.proxy("--workers", "1", prefix=["prlimit", "--nofile=100"])
    there_and_back(proxy, 16 * MIB)
    assert tubes(proxy) == 0


@flow.test(timeout=60)
def what_a_filter_wants_to_see_is_copied():
    proxy = flow.proxy("--workers", "1", "--filter", f"{FAULTY}:none")
    sock = opened(proxy, servers.Echo())
    in_background(send_quietly, sock, bytes(8 * MIB))
    wire.read(sock, 8 * MIB)
    assert tubes(proxy) == 0


@flow.test
def what_no_filter_wants_any_more_is_not():
    proxy = flow.proxy("--workers", "1", "--filter", f"{FAULTY}:pass")
    there_and_back(proxy, 16 * MIB)
    assert tubes(proxy) > 0, "it was copied"


@flow.test
def a_new_model_cuts_bulk():
    path = flow.file(MODEL)
    proxy = flow.proxy("--workers", "1", "--model", path)
    sock = opened(proxy, Fountain())
    flow.until(lambda: wire.read(sock, 4 * MIB) and tubes(proxy) > 0,
               "it is spliced")
    path.write_text(json.dumps(MODEL | {"policy": {"default": "deny"}}))
    with contextlib.suppress(ConnectionResetError):
        digest_of(sock)
    proxy.wait_line("cut by the new model: denied by rule default")
    assert tubes(proxy) < 3, "tubes are left behind"


@flow.test
def an_urgent_byte_in_bulk_holds_nothing_up():
    server, data = Late(), servers.body(8 * MIB)
    proxy = flow.proxy("--workers", "1")
    sock = opened(proxy, server)

    def send():
        sock.sendall(data)
        sock.send(b"!", socket.MSG_OOB)  # which no program asks for
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
    in_background(send)
    flow.until(lambda: tubes(proxy) == 1, "it is spliced")
    server.go.set()
    assert digest_of(sock) == digest(b"")
    assert server.got == digest(data + data)


@flow.test
def a_new_model_lets_the_last_bytes_arrive():
    """Both sides of the server's connection have ended, and a slow client has
    yet to get what it said."""
    path, server = flow.file(MODEL), Hasty()
    proxy = flow.proxy("--workers", "1", "--model", path)
    sock = opened(proxy, server)
    sock.shutdown(socket.SHUT_WR)
    assert server.full.wait(20)
    got = b""
    while not server.has_ended():
        got += wire.read(sock, 64 * KIB)
    path.write_text(json.dumps(MODEL | {"policy": {
        "default": "allow", "rules": [{"id": "new", "effect": "allow"}]}}))
    proxy.wait_line("is in force")
    got += wire.read_all(sock)
    assert got == bytes(server.sent), f"{len(got)} of {server.sent} bytes"


@flow.test
def bulk_and_small_exchanges_may_follow_each_other():
    proxy, server = flow.proxy("--workers", "1"), servers.Echo()
    sock, seed = opened(proxy, server), random.randrange(1 << 32)
    dice = random.Random(seed)
    sock.settimeout(20)
    for _ in range(60):
        size = dice.choice((1, 300, 20 * KIB, 256 * KIB, 320 * KIB, 3 * MIB))
        data = dice.randbytes(dice.randint(1, size))
        sender = in_background(send_quietly, sock, data)
        assert wire.read(sock, len(data)) == data, f"seed {seed}"
        sender.join()


flow.main()
