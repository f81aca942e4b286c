#!/usr/bin/env python3
"""warm.py: connections to hops are there before a flow needs them."""
import contextlib
import pathlib
import socket
import struct
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire
from support.bridging import reset

GRANTED = b"\6\0\0\0" + struct.pack(">BBHHBB4s", 6, 0, 0, 0, 0, 1, bytes(4))
ALL = {"epi": 1, "nodes": {"all": {"domain": "d", "addresses": ["0.0.0.0/0"]}},
       "policy": {"default": "allow"}}


class Recorder(servers.Server):
    """Notes what happens to connections, in order: ("open", 1), ("asked", 1)
    once it brought something, ("ended", 1); and what each brought."""

    def __init__(self):
        self.events, self.got, self.socks = [], {}, {}
        super().__init__()

    def accepted(self, sock):
        number = len(self.got) + 1
        self.got[number] = b""
        self.socks[number] = sock
        self.events.append(("open", number))

    def serve(self, sock):
        number = next(number for number, one in list(self.socks.items())
                      if one is sock)
        with contextlib.suppress(OSError):
            self.carry(sock, number)
        self.events.append(("ended", number))

    def take(self, sock, number):
        """What a connection brings next, b"" at its end."""
        data = sock.recv(65536)
        if data and not self.got[number]:
            self.events.append(("asked", number))
        self.got[number] += data
        return data

    def carry(self, sock, number):
        raise NotImplementedError

    def until(self, *event):
        flow.until(lambda: event in self.events, f"{event} in {self.events}")

    def count(self, what):
        return sum(event == what for event, _ in self.events)


class Hop(Recorder):
    """A proxy of SOCKS 6 that grants everything, and is the destination, too.
    `answer` says what becomes of a connection that was asked something: the
    reply, or None to break it off."""

    def __init__(self, answer=lambda number: GRANTED):
        self.answer = answer
        super().__init__()

    def carry(self, sock, number):
        if self.take(sock, number):
            said = self.answer(number)
            if said is None:
                reset(sock)
                return
            sock.sendall(said)
            while self.take(sock, number):
                pass


class Between(Recorder):
    """Passes connections on to a port."""

    def __init__(self, port):
        self.to = port
        super().__init__()

    def carry(self, sock, number):
        with socket.create_connection((flow.LOCAL, self.to)) as onward:
            threading.Thread(target=self._back, args=(onward, sock),
                             daemon=True).start()
            while data := self.take(sock, number):
                onward.sendall(data)
            onward.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _back(onward, sock):
        with contextlib.suppress(OSError):
            while data := onward.recv(65536):
                sock.sendall(data)


def proxy_to(*hops, options=()):
    chain = [a for hop in hops
             for a in ("--chain", f"socks6://{flow.LOCAL}:{hop.port}")]
    return flow.proxy("--workers", "1", *chain, *options)


def ask(proxy, early=b""):
    """A request, with data behind it; the socket and the reply's code."""
    sock = wire.connect(proxy.port)
    sock.sendall(wire.request6("192.0.2.1", 80) + early)
    assert wire.auth_reply6(sock)[0] == 0
    return sock, wire.reply6(sock)[0]


def descriptors(program):
    return len(list(pathlib.Path(f"/proc/{program.process.pid}/fd").iterdir()))


@flow.test
def a_flow_takes_a_connection_that_was_there():
    hop = Hop()
    proxy = proxy_to(hop)
    for number in range(1, 4):
        sock, code = ask(proxy)
        assert code == 0
        hop.until("open", number + 1)
        assert ("asked", number) in hop.events, hop.events
        sock.close()
    assert hop.count("open") == 4, hop.events


@flow.test
def the_first_data_goes_along_at_once():
    hop = Hop()
    proxy = proxy_to(hop)
    ask(proxy)
    hop.until("open", 2)
    hop.answer = lambda number: b""  # nothing is granted: it does not wait
    sock = wire.connect(proxy.port)
    sock.sendall(wire.request6("192.0.2.1", 80) + b"the first data")
    flow.until(lambda: hop.got[2].endswith(b"the first data"),
               "data behind the request")


@flow.test
def none_are_kept_if_that_is_off():
    hop = Hop()
    proxy = proxy_to(hop, options=("--warm", "0"))
    for number in range(1, 4):
        sock, code = ask(proxy)
        assert code == 0
        sock.close()
        hop.until("ended", number)
    assert hop.count("open") == 3, hop.events


@flow.test
def what_idles_is_replaced_and_in_the_end_given_up():
    hop = Hop()
    proxy = proxy_to(hop, options=("--warm-idle", "200"))
    before = descriptors(proxy)

    def replaced():
        """1 if what idled was replaced twice, at least; 0 if the proxy stood
        still until the hop was forgotten."""
        opened = hop.count("open")
        sock, code = ask(proxy)
        assert code == 0
        sock.close()
        flow.until(lambda: hop.count("open") == hop.count("ended") and
                   descriptors(proxy) == before, "all are given up")
        return hop.count("open") >= opened + 4

    flow.until(replaced, "what idles is replaced", 25)
    sock, code = ask(proxy)
    assert code == 0


@flow.test
def what_the_hop_closed_is_not_taken():
    hop = Hop()
    proxy = proxy_to(hop)
    ask(proxy)
    hop.until("open", 2)
    hop.socks[2].shutdown(socket.SHUT_RDWR)
    _, code = ask(proxy)
    assert code == 0
    assert ("asked", 2) not in hop.events


@flow.test
def a_connection_that_turns_out_dead_is_tried_afresh():
    hop = Hop(lambda number: None if number == 2 else GRANTED)
    proxy = proxy_to(hop, options=("--debug",))
    ask(proxy)
    hop.until("open", 2)
    sock, code = ask(proxy)
    assert code == 0
    proxy.wait_line("connects afresh")
    sock.sendall(b"what follows")
    flow.until(lambda: any(got.endswith(b"what follows")
                           for got in list(hop.got.values())), "data")
    assert ("asked", 2) in hop.events


@flow.test
def a_fresh_one_that_dies_is_the_end():
    hop = Hop(lambda number: None)
    proxy = proxy_to(hop)
    _, code = ask(proxy)
    assert code == 1
    assert hop.count("asked") == 1


@flow.test
def data_goes_along_once_only():
    hop = Hop(lambda number: None if number == 2 else GRANTED)
    proxy = proxy_to(hop)
    ask(proxy)
    hop.until("open", 2)
    _, code = ask(proxy, early=b"once")
    assert code == 1
    proxy.wait_line("refused")
    assert b"".join(hop.got.values()).count(b"once") <= 1, hop.got


@flow.test
def another_model_begins_anew():
    hop = Hop()
    model = flow.file(ALL, "model.json")
    proxy = proxy_to(hop, options=("--model", model))
    _, code = ask(proxy)
    assert code == 0
    hop.until("open", 2)
    with model.open("a") as out:
        out.write("\n")
    hop.until("ended", 2)
    assert ("ended", 1) not in hop.events


@flow.test
def every_proxy_of_a_chain_keeps_its_own():
    echo = servers.Echo()
    last = flow.proxy("--workers", "1", "--debug")
    to_last = Between(last.port)
    middle = proxy_to(to_last, options=("--debug",))
    to_middle = Between(middle.port)
    first = proxy_to(to_middle)
    for number in (1, 2):
        sock = wire.connect(first.port)
        sock.sendall(wire.request6(echo.host, echo.port) + b"hello")
        assert wire.auth_reply6(sock)[0] == wire.reply6(sock)[0] == 0
        assert wire.read(sock, 5) == b"hello"
        for between in (to_middle, to_last):
            assert ("asked", number) in between.events, between.events
            between.until("open", number + 1)
        sock.close()
    for proxy, next_one in ((first, middle), (middle, last)):
        assert proxy.stop() == 0
        next_one.wait_line("closed unused")
        assert "handshake" not in next_one.text, "it was no failure"


flow.main()
