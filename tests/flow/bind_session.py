#!/usr/bin/env python3
"""bind_session.py: listen backlogs and other stack options of BIND."""
import pathlib
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow
from support import socks_client as wire
from support.bound import ANY, HOST, exchange
from support.stack_client import (BACKLOG, BOTH, MULTIPATH, NO, NO_FRAGMENT,
                                  REMOTE, TFO, TOS, TTL, YES, read_options,
                                  stack_option)

REQUEST, ID = 5, 6  # kinds of options


def reply(sock):
    """Code, host, port and stack options of an operation reply."""
    version, code, size, port, _, kind = struct.unpack(">BBHHBB",
                                                       wire.read(sock, 8))
    assert version == 6, f"an operation reply of version {version}"
    host = wire.read_address(sock, kind, pad=True)
    return code, host, port, read_options(wire.read(sock, size))


def ask(proxy, options, host=ANY, port=0):
    """A BIND; its socket, and the session's id if it was given one."""
    sock = wire.connect(proxy.port)
    sock.sendall(wire.request6(host, port, options, wire.BIND))
    kind, data = wire.auth_reply6(sock)
    assert kind == 0, f"an authentication reply of type {kind}"
    ident = None
    while data:
        kind, size = struct.unpack(">HH", data[:4])
        if kind == ID:
            ident = data[4:size]
        data = data[size:]
    return sock, ident


class Listening:
    """A session that listens with a backlog."""

    def __init__(self, proxy, backlog):
        self.proxy = proxy
        self.sock, self.ident = ask(
            proxy, wire.option(REQUEST, b"") +
            stack_option(REMOTE, BACKLOG, backlog))
        code, self.host, self.port, said = reply(self.sock)
        assert code == 0, f"reply {code}"
        self.backlog = said[REMOTE, BACKLOG]

    def take(self):
        """A further BIND, whose first reply has come."""
        sock, _ = ask(self.proxy, wire.option(ID, self.ident), self.host,
                      self.port)
        assert reply(sock)[:3] == (0, self.host, self.port)
        return sock

    def host_connects(self):
        return wire.connect(self.port, host=self.host, source=HOST)


@flow.test
def a_session_takes_many_connections_at_one_port():
    listening = Listening(flow.proxy(), 8)
    assert listening.backlog == 8
    early = [listening.host_connects() for _ in range(3)]
    for i, host in enumerate(early):
        host.sendall(bytes([i]))
    pairs = []
    for _ in early:
        client = listening.take()
        code, host, port, _ = reply(client)
        assert (code, host) == (0, HOST)
        peer = next(e for e in early if e.getsockname()[1] == port)
        assert wire.read(client, 1) == bytes([early.index(peer)])
        pairs.append((client, peer))
    clients = [listening.take() for _ in range(3)]  # they wait
    hosts = [listening.host_connects() for _ in range(3)]
    for client in clients:
        code, _, port, _ = reply(client)
        assert code == 0
        pairs.append((client, next(h for h in hosts
                                   if h.getsockname()[1] == port)))
    for client, peer in pairs:
        exchange(client, peer)


@flow.test
def the_one_that_listens_is_answered_too():
    proxy = flow.proxy()
    sock, _ = ask(proxy, wire.option(REQUEST, b"") +
                  stack_option(REMOTE, BACKLOG, 2) +
                  stack_option(REMOTE, TOS, 0x20) +
                  stack_option(REMOTE, TTL, 17))
    code, _, _, said = reply(sock)
    assert (code, said) == (0, {(REMOTE, BACKLOG): 2, (REMOTE, TOS): 0x20,
                                (REMOTE, TTL): 17}), said


@flow.test
def it_ends_with_its_connection():
    admin = flow.folder() / "admin.sock"
    proxy = flow.proxy("--bind-timeout", "500", "--admin", admin)
    listening = Listening(proxy, 4)
    listening.sock.sendall(b"nobody is to get this")
    time.sleep(1)
    ran = flow.run(flow.program_path("epi-proxy"), "ctl", "--admin", admin,
                   "settings", "set", "bind-timeout", 60000)
    assert ran.returncode == 0, ran
    waiting = listening.take()
    listening.sock.close()
    assert reply(waiting)[0] == 1, "nothing listens any more"
    flow.until(lambda: not flow.answers(listening.port), "it stops listening")
    proxy.wait_line("does not listen any more")
    waiting, _ = ask(proxy, wire.option(ID, listening.ident), listening.host,
                     listening.port)
    assert reply(waiting)[0] == 0, "an ordinary BIND of that port"


@flow.test
def other_sessions_do_not_take_part():
    proxy = flow.proxy()
    listening = Listening(proxy, 4)
    for options in (b"", wire.option(REQUEST, b"")):
        sock, _ = ask(proxy, options, listening.host, listening.port)
        assert reply(sock)[0] == 1, "the port is taken"


@flow.test
def takers_wait_as_long_as_others():
    proxy = flow.proxy("--bind-timeout", "400")
    client = Listening(proxy, 4).take()
    assert reply(client)[0] == 9


@flow.test
def backlogs_have_a_bound():
    proxy = flow.proxy()
    assert Listening(proxy, 65535).backlog == 128
    assert Listening(proxy, 1).backlog == 1


@flow.test
def without_a_session_there_is_none():
    proxy = flow.proxy()
    for options in (stack_option(REMOTE, BACKLOG, 8),
                    wire.option(REQUEST, b"") +
                    stack_option(REMOTE, BACKLOG, 0)):
        sock, _ = ask(proxy, options)
        code, host, port, said = reply(sock)
        assert (code, said) == (0, {(REMOTE, BACKLOG): 0}), said
        peer = wire.connect(port, host=host, source=HOST)
        code, _, _, said = reply(sock)
        assert (code, said) == (0, {}), said
        exchange(sock, peer)


@flow.test
def multipath_is_taken_as_asked():
    proxy = flow.proxy()
    for wish in (NO, YES):
        sock, _ = ask(proxy, stack_option(REMOTE, MULTIPATH, wish))
        _, host, port, said = reply(sock)
        assert said[REMOTE, MULTIPATH] in (NO, wish)
        peer = wire.connect(port, host=host, source=HOST)
        code, _, _, said = reply(sock)
        assert code == 0
        assert said[REMOTE, MULTIPATH] == NO, "the host speaks plain TCP"
        exchange(sock, peer)


@flow.test
def multipath_is_told_when_it_is_spoken():
    try:
        peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    except OSError:
        flow.skip("no multipath TCP in this kernel")
    flow.at_end(peer.close)
    proxy = flow.proxy()
    sock, _ = ask(proxy, stack_option(REMOTE, MULTIPATH, YES))
    _, host, port, said = reply(sock)
    assert said[REMOTE, MULTIPATH] == YES
    peer.settimeout(10)
    peer.connect((host, port))
    code, _, _, said = reply(sock)
    assert (code, said[REMOTE, MULTIPATH]) == (0, YES)
    exchange(sock, peer)


@flow.test
def options_of_ip_act_on_what_connects():
    proxy = flow.proxy()
    sock, _ = ask(proxy, stack_option(BOTH, TOS, 0x20) +
                  stack_option(REMOTE, TFO, 0))
    _, host, port, said = reply(sock)
    assert said[REMOTE, TOS] == 0x20 and said[REMOTE, TFO] == 0
    peer = wire.connect(port, host=host, source=HOST)
    code, _, _, said = reply(sock)
    assert code == 0 and said[REMOTE, TOS] == 0x20
    exchange(sock, peer)


@flow.test
def other_options_count_more_than_multipath():
    proxy = flow.proxy()
    for wishes in ({TTL: 17}, {NO_FRAGMENT: NO}, {TTL: 17, MULTIPATH: YES}):
        sock, _ = ask(proxy, b"".join(
            stack_option(REMOTE, option, value)
            for option, value in wishes.items()))
        expected = {(REMOTE, option): NO if option == MULTIPATH else value
                    for option, value in wishes.items()}
        _, host, port, said = reply(sock)
        assert said == expected, said
        peer = wire.connect(port, host=host, source=HOST)
        code, _, _, said = reply(sock)
        assert (code, said) == (0, expected), said
        exchange(sock, peer)


if __name__ == "__main__":
    flow.main()
