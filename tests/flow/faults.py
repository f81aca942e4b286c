#!/usr/bin/env python3
"""faults.py: whatever goes wrong in a function, its flow ends with the reason
in reply, log and record, others go on, and a capture of all packets shows that
not a byte passed that the function should have protected."""
import contextlib
import pathlib
import re
import signal
import socket
import struct
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import bridging, flow, servers
from support import socks_client as wire
from support.guarded import (ANSWER, FREE, GATE, GUARDED, PX_A, PX_B, SECRET,
                             Place)

FAULTY = flow.BUILD / "tests" / "support" / "faulty.so"
FAILED, DENIED, REFUSED, TIMED_OUT = 1, 2, 5, 9


# ---- functions in process ----

class InProcess(Place):
    """px-a runs a shared object whose fault is for flows to what is guarded,
    px-b comes behind."""

    def __init__(self, fault):
        super().__init__()
        self.far = self.proxy(PX_B)
        self.near = self.proxy(
            PX_A, "--filter", f"record:file={self.record}", "--filter",
            f"{FAULTY}:{fault}@{self.guarded.port}", "--chain",
            f"socks6://{PX_B}:{self.far.port}")

    def fails(self, why, *codes, data=SECRET, answered=False, ended=False):
        """A flow gets such a reply, 0 unless told otherwise, is cut, and leaves
        nothing behind."""
        calm = self.goes_on()
        sock = self.send(self.guarded, data)
        code, said = bridging.reply(sock)
        assert code in (codes or (0,)), (code, said)
        if ended:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
        assert ANSWER[:8] not in wire.read_all(sock)
        sock.close()
        self.near.wait_line(f"filter faulty.*{why}")
        if code:
            assert re.search(why, said[bridging.REASON]), said
        else:
            flow.until(lambda: any(re.search(why, reason)
                                   for reason in self.recorded()),
                       "the reason is recorded")
        self.goes_on(calm)
        self.goes_on()
        assert not self.leaked(self.entry), "it is on the wire"
        if answered:  # behind the filter it comes in clear
            flow.until(lambda: self.leaked(self.entry, text=ANSWER),
                       "the answer is captured")
        assert not [packet for packet in list(self.seen.packets)
                    if (packet.source, packet.from_port) == self.entry and
                    ANSWER[:8] in packet.data]
        assert SECRET[:8] not in self.guarded.got, self.guarded.got


@flow.test(timeout=120)
def what_is_protected_is_seen_by_the_capture_as_such():
    place = InProcess("none")
    sock = place.send(place.guarded, SECRET)
    assert bridging.reply(sock)[0] == 0
    hidden = bytes(byte ^ 0x80 for byte in SECRET)
    flow.until(lambda: place.guarded.got == hidden, "the data arrives")
    flow.until(lambda: place.leaked(place.entry, text=hidden),
               "the protected data is captured")
    assert not place.leaked(place.entry)


@flow.test(timeout=120)
def an_error_on_opening():
    InProcess("open").fails("fails on opening: the peer broke the protocol",
                            FAILED)


@flow.test(timeout=120)
def a_refusal_on_opening():
    InProcess("shut").fails("refuses the flow: not at this hour", DENIED)


@flow.test(timeout=120)
def an_error_on_the_first_data():
    # It is there before the reply, so the reply tells it.
    InProcess("crash").fails("the peer broke the protocol", FAILED)


@flow.test(timeout=120)
def a_refusal_of_the_first_data():
    InProcess("refuse").fails("refuses the flow: a pattern was found",
                              DENIED)


@flow.test(timeout=120)
def an_error_on_data_of_the_answer():
    InProcess("back").fails("the peer broke the protocol", answered=True)


@flow.test(timeout=120)
def an_error_on_the_end():
    InProcess("end").fails("the peer broke the protocol", data=b"",
                           ended=True)


@flow.test(timeout=120)
def writing_behind_the_end():
    InProcess("twice").fails("writes after the end", data=b"", ended=True)


@flow.test(timeout=120)
def an_error_when_its_time_comes():
    # 100 ms are over before px-b has answered, or behind the reply.
    InProcess("timer").fails("the peer broke the protocol", 0, FAILED)


@flow.test(timeout=120)
def a_stall():
    InProcess("stall").fails("held data back for over 500 ms")


@flow.test(timeout=120)
def a_flood_of_the_first_data():
    InProcess("flood").fails("over 4194304 bytes were made of one piece",
                             FAILED)


@flow.test(timeout=120)
def a_flood_out_of_nothing():
    InProcess("burst").fails("over 4194304 bytes were made of one piece",
                             0, FAILED)


@flow.test(timeout=120)
def more_memory_than_it_may_have():
    place = InProcess("hoard")
    calm = place.goes_on()
    sock = place.send(place.guarded, SECRET)
    assert bridging.reply(sock)[0] == 0

    def is_cut():
        with contextlib.suppress(OSError):
            sock.sendall(SECRET)
        return place.recorded()
    flow.until(is_cut, "its end is recorded")
    wire.read_all(sock)
    place.near.wait_line("filter faulty: holds over 20000 bytes of the flow")
    place.goes_on(calm)
    assert place.guarded.got == b"" and not place.leaked(place.entry)


def resident(program):
    """KiB of memory that a program has in use."""
    status = pathlib.Path(f"/proc/{program.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


@flow.test(timeout=120)
def an_answer_without_end_is_for_whom_it_is():
    place = InProcess("drip")
    calm = place.goes_on()
    sock = place.send(place.guarded, b"")
    assert bridging.reply(sock)[0] == 0
    got = 0
    while got < 50_000_000:
        more = len(sock.recv(1 << 20))
        assert more, f"ended after {got} bytes"
        got += more
        if got % 100 == 0:
            place.goes_on(calm)
    place.goes_on(calm)
    sock.close()
    place.near.wait_line(f"ended after .*: ")
    flow.until(place.recorded, "its end is recorded")
    assert flow.SANITIZED or resident(place.near) < 60_000
    place.goes_on(calm)


# ---- functions at endpoints ----

AUTH = b"\6\0\0\0"
SUCCESS = b"\6\0\0\0" + struct.pack(">HBB", 0, 0, 1) + bytes(4)


class Broken(servers.Server):
    """A function that goes on with misbehave(socket) once it has read a
    request, with what it protects behind it."""

    def __init__(self, misbehave, **where):
        self.misbehave = misbehave
        self.over = threading.Event()  # the test is
        self.now = threading.Event()
        flow.at_end(self.over.set)
        flow.at_end(self.now.set)
        super().__init__(**where)

    def serve(self, sock):
        with contextlib.suppress(OSError):
            sock.recv(65536)
            self.misbehave(self, sock)


def says(*pieces, then="close"):
    """Say something, and then: close, reset, stall, flood, or "break": reset
    once it is time."""
    def misbehave(server, sock):
        for piece in pieces:
            sock.sendall(piece)
        if then == "break":
            server.now.wait(20)
        if then in ("reset", "break"):
            bridging.reset(sock)
            sock.close()
        if then == "stall":
            server.over.wait(20)
        if then == "flood":
            while not server.over.is_set():
                sock.sendall(bytes(65536))
    return misbehave


class AtEndpoint(Place):
    """The model puts a function between px-a and px-b; a Broken one, or one
    that is not there. Options that bound times make px-a hasty."""

    def __init__(self, misbehave=None, scheme="socks6", options=()):
        super().__init__()
        self.hasty = bool(options)
        with self.space.inside():
            self.gate = misbehave and Broken(misbehave, host=GATE)
            far, gone = flow.free_port(PX_B), flow.free_port(GATE)
        self.function = GATE, self.gate.port if misbehave else gone
        model = flow.file({
            "epi": 1,
            "nodes": {
                "a": {"domain": "A", "addresses": ["127.1.0.0/16"],
                      "attributes": ["firewall"]},
                "free": {"domain": "B", "addresses": [FREE],
                         "attributes": ["firewall"]},
                "guarded": {"domain": "B", "addresses": [GUARDED]}},
            "proxies": {
                "px-a": {"domain": "A"},
                "px-b": {"domain": "B", "endpoint": f"socks6://{PX_B}:{far}"}},
            "functions": {"gate": {
                "provides": ["firewall"], "proof": "none",
                "endpoints": [f"{scheme}://{GATE}:{self.function[1]}"]}},
            "policy": {"rules": [{"id": "ok", "effect": "allow",
                                  "from": ["a"]}]}}, "model.json")
        key = flow.file(bridging.KEY, "key")
        self.far = self.proxy(PX_B, "--model", model, "--name", "px-b",
                              "--chain-key", key, port=far)
        self.near = self.proxy(PX_A, "--model", model, "--name", "px-a",
                               "--chain-key", key, "--filter",
                               f"record:file={self.record}", *options)

    def fails(self, why, code):
        calm = self.goes_on()
        sock = self.send(self.guarded, SECRET)
        got, said = bridging.reply(sock)
        assert got == code, (got, said)
        if self.gate:
            self.gate.now.set()
        if code:
            assert re.search(why, said[bridging.REASON]), said
        assert ANSWER[:8] not in wire.read_all(sock)
        sock.close()
        self.near.wait_line(f"flow .*{why}")
        flow.until(lambda: any(re.search(why, reason)
                               for reason in self.recorded()),
                   "the reason is recorded")
        self.untouched(calm)

    def untouched(self, calm):
        self.goes_on(calm)
        self.goes_on()
        assert not self.leaked(self.entry, self.function), "on the wire"
        assert self.guarded.connections == 0
        assert not any(GUARDED in line
                       for line in self.far.lines), "px-b heard of it"


@flow.test(timeout=120)
def a_function_that_is_not_there():
    AtEndpoint().fails(f"cannot connect to the proxy socks6://{GATE}", REFUSED)


@flow.test(timeout=120)
def a_function_that_closes_or_resets_its_connection():
    for pieces in ((), (AUTH,), (AUTH, SUCCESS[:5])):
        AtEndpoint(says(*pieces)).fails(
            f"socks6://{GATE}:.*it closed the connection", FAILED)
    AtEndpoint(says(AUTH, then="reset")).fails(
        f"socks6://{GATE}:.*[Cc]onnection reset", FAILED)


@flow.test(timeout=120)
def a_function_that_stalls():
    quick = ("--handshake-timeout", "300", "--connect-timeout", "300")
    for pieces in ((), (AUTH, SUCCESS[:5])):
        AtEndpoint(says(*pieces, then="stall"), options=quick).fails(
            rf"socks6://{GATE}:\d+ did not answer in time", TIMED_OUT)


@flow.test(timeout=120)
def a_function_that_answers_garbage():
    for garbage in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\5\0", bytes(100),
                    AUTH + b"\5\0\0\1" + bytes(6),
                    AUTH + b"\6\0\xff\xff" + SUCCESS[4:],
                    b"\6\0\xff\xff"):
        AtEndpoint(says(garbage, then="stall")).fails(
            f"socks6://{GATE}:", FAILED)


@flow.test(timeout=120)
def a_function_that_floods_instead_of_answering():
    for start in (b"", b"\6\0\x3f\xfc", AUTH):
        place = AtEndpoint(says(start, then="flood"))
        place.fails(f"socks6://{GATE}:", FAILED)
        assert flow.SANITIZED or resident(place.near) < 60_000


@flow.test(timeout=120)
def a_function_of_socks5_that_goes_wrong():
    for pieces, then in (((b"\5\0", b"HTTP/1.1 200"), "stall"),
                         ((b"\5\xff",), "stall"), ((b"\5\0",), "close"),
                         ((b"\5\0", b"\5\0\0\1" + bytes(6) + b"early"),
                          "stall")):
        AtEndpoint(says(*pieces, then=then), "socks5").fails(
            f"socks5://{GATE}:", FAILED)


@flow.test(timeout=120)
def a_function_that_refuses_says_why():
    reason = wire.option(65000, struct.pack(">HH", bridging.REASON, 14) +
                         b"no\r\n\x1b[2Jfooled")
    refusal = struct.pack(">BBHHBB", 6, DENIED, len(reason), 0, 0, 1)
    place = AtEndpoint(says(AUTH, refusal + bytes(4) + reason))
    place.fails(f"socks6://{GATE}:.*says: connection not allowed.*fooled",
                DENIED)
    assert not any("\x1b" in line for line in place.near.lines)


@flow.test(timeout=120)
def a_function_that_breaks_off_behind_its_reply():
    AtEndpoint(says(AUTH, SUCCESS, then="break")).fails(
        f"socks6://{GATE}:.*[Cc]onnection reset", 0)


def cut(sock):
    try:
        sock.sendall(SECRET)
    except OSError:
        return True
    return False


@flow.test(timeout=120)
def a_function_that_is_killed():
    place = AtEndpoint()
    gate = place.proxy(GATE, port=place.function[1])
    calm = place.goes_on()
    sock = place.send(place.guarded, b"first")
    assert bridging.reply(sock)[0] == 0
    assert wire.read(sock, len(ANSWER)) == ANSWER
    gate.signal(signal.SIGKILL)
    gate.wait()
    assert wire.read_all(sock) == b""  # this direction, and not the other
    flow.until(lambda: cut(sock), "what is sent to nobody is cut")
    place.near.wait_line(f"flow 2: ended .*: socks6://{GATE}:.* writing: ")
    place.goes_on(calm)
    code, _ = bridging.reply(place.send(place.guarded, SECRET))
    assert code == REFUSED, code
    place.goes_on()
    assert not place.leaked(place.entry, place.function)
    flow.until(lambda: place.guarded.got == b"first", "what it got before")


@flow.test(timeout=120)
def a_function_that_stalls_behind_its_reply():
    place = AtEndpoint(says(AUTH, SUCCESS, then="stall"),
                       options=("--idle-timeout", "400"))
    sock = place.send(place.guarded, SECRET)
    assert bridging.reply(sock)[0] == 0
    assert wire.read_all(sock) == b""
    place.near.wait_line("nothing moved for too long")
    flow.until(lambda: "nothing moved for too long" in place.recorded(),
               "the reason is recorded")
    place.untouched(None)


@flow.test(timeout=120)
def a_function_that_floods_behind_its_reply_is_held_back():
    place = AtEndpoint(says(AUTH, SUCCESS, then="flood"))
    calm = place.goes_on()
    sock = place.send(place.guarded, SECRET)  # and it is never read
    for _ in range(50):
        place.goes_on(calm)
    assert flow.SANITIZED or resident(place.near) < 60_000
    sock.close()
    flow.until(place.recorded, "its end is recorded")
    place.untouched(calm)


flow.main()
