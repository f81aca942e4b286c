#!/usr/bin/env python3
"""sessions.py: sessions of SOCKS 6, and the tokens that make requests count
once."""
import pathlib
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire

(ADVERT, SELECTION, AUTH_DATA, REQUEST, ID, _, OK, INVALID, TEARDOWN,
 TOKEN_REQUEST, WINDOW, TOKEN, ACCEPTED, REJECTED) = range(2, 16)


def begin(window=0):
    """Options that begin a session, with a window if wanted."""
    return wire.option(REQUEST, b"") + (
        wire.option(TOKEN_REQUEST, struct.pack(">I", window)) if window
        else b"")


def join(ident, token=None):
    return wire.option(ID, ident) + (
        b"" if token is None
        else wire.option(TOKEN, struct.pack(">I", token)))


def parse(data):
    """Options by kind."""
    found = {}
    while data:
        kind, size = struct.unpack(">HH", data[:4])
        assert kind not in found, f"option {kind} comes twice"
        found[kind] = data[4:size]
        data = data[size:]
    return found


def ask(port, server, options):
    """A request; the socket, the type and the options of the answer."""
    sock = wire.connect(port)
    sock.sendall(wire.request6(server.host, server.port, options))
    kind, data = wire.auth_reply6(sock)
    return sock, kind, parse(data)


def works(sock):
    """The request was carried out, and data goes there and back."""
    assert wire.reply6(sock)[0] == 0
    sock.sendall(b"there and back")
    assert wire.read(sock, 14) == b"there and back"


def new_session(port, server, window=0, login=b""):
    """Begin a session; its id, and the socket of the request."""
    sock, kind, said = ask(port, server, begin(window) + login)
    assert kind == 0, f"type {kind}"
    assert len(said[ID]) == 16
    works(sock)
    return said[ID], sock


def invalid(port, server, ident):
    sock, kind, said = ask(port, server, join(ident))
    assert kind == 1 and list(said) == [INVALID], (kind, said)
    assert wire.closed(sock)


@flow.test
def a_session_has_many_requests():
    echo = servers.Echo()
    proxy = flow.proxy()
    ident, _ = new_session(proxy.port, echo)
    for _ in range(5):
        sock, kind, said = ask(proxy.port, echo, join(ident))
        assert kind == 0 and said == {OK: b""}, (kind, said)
        works(sock)


@flow.test
def the_id_is_in_the_operation_reply_too():
    echo = servers.Echo()
    proxy = flow.proxy()
    sock, _, said = ask(proxy.port, echo, begin())
    version, code, size = struct.unpack(">BBH", wire.read(sock, 4))
    assert (version, code) == (6, 0)
    wire.read(sock, 8)  # port, padding, address
    assert parse(wire.read(sock, size))[ID] == said[ID]


@flow.test
def members_do_not_log_in_again():
    echo = servers.Echo()
    users = flow.file("ada:secret\n", "users")
    model = flow.file({
        "epi": 1,
        "nodes": {"here": {"addresses": ["127.0.0.0/8"]}},
        "policy": {"rules": [{"id": "ada", "effect": "allow",
                              "user": ["ada"],
                              "authenticated": ["password"]}]}}, "model.json")
    proxy = flow.proxy("--model", model,
                       listen=[f"socks://127.0.0.1:0?users={users}"])
    ident, _ = new_session(proxy.port, echo,
                           login=wire.login_option("ada", "secret"))
    sock, kind, said = ask(proxy.port, echo, join(ident))
    assert kind == 0 and OK in said
    works(sock)  # the rule lets only ada
    sock, kind, _ = ask(proxy.port, echo, b"")
    assert kind == 1, "no login, no session, and let in"


@flow.test
def a_wrong_login_begins_nothing():
    echo = servers.Echo()
    users = flow.file("ada:secret\n", "users")
    proxy = flow.proxy(listen=[f"socks://127.0.0.1:0?users={users}"])
    sock, kind, said = ask(proxy.port, echo,
                           begin() + wire.login_option("ada", "wrong"))
    assert kind == 1 and ID not in said
    assert wire.closed(sock)


@flow.test
def sessions_of_other_users_do_not_count():
    echo = servers.Echo()
    one = flow.file("ada:secret\n", "users")
    two = flow.file("bob:secret\n", "users")
    proxy = flow.proxy(listen=[f"socks://127.0.0.1:0?users={one}",
                               f"socks://127.0.0.1:0?users={two}",
                               f"socks://127.0.0.1:0?users={one}",
                               "socks://127.0.0.1:0"])
    ident, _ = new_session(proxy.ports[0], echo,
                           login=wire.login_option("ada", "secret"))
    nobodys, _ = new_session(proxy.ports[3], echo)
    invalid(proxy.ports[1], echo, ident)
    invalid(proxy.ports[3], echo, ident)
    invalid(proxy.ports[0], echo, nobodys)
    sock, kind, _ = ask(proxy.ports[2], echo, join(ident))
    assert kind == 0, "the same users"
    works(sock)


@flow.test
def an_id_that_there_is_not_is_invalid():
    echo = servers.Echo()
    proxy = flow.proxy()
    invalid(proxy.port, echo, bytes(16))
    invalid(proxy.port, echo, bytes(4))
    assert echo.connections == 0


@flow.test
def a_session_ends_when_it_is_told_to():
    echo = servers.Echo()
    proxy = flow.proxy()
    ident, first = new_session(proxy.port, echo)
    sock, kind, said = ask(proxy.port, echo,
                           join(ident) + wire.option(TEARDOWN, b""))
    assert kind == 0 and not said
    works(sock)
    invalid(proxy.port, echo, ident)
    first.sendall(b"still here")
    assert wire.read(first, 10) == b"still here"


@flow.test
def an_idle_session_expires_and_an_open_flow_keeps_one():
    echo = servers.Echo()
    proxy = flow.proxy("--session-timeout", "600")
    idle, closed = new_session(proxy.port, echo)
    held, _ = new_session(proxy.port, echo)
    closed.close()
    for pause in (1.2, 2.4, 4.8, 9.6):  # the proxy may hear of its end late
        time.sleep(pause)
        sock, kind, said = ask(proxy.port, echo, join(idle))
        sock.close()
        if kind:
            break
    assert kind == 1 and list(said) == [INVALID], (kind, said)
    sock, kind, _ = ask(proxy.port, echo, join(held))
    assert kind == 0
    works(sock)


@flow.test
def a_replayed_request_is_refused():
    echo = servers.Echo()
    proxy = flow.proxy("--tokens", "8")
    ident, _ = new_session(proxy.port, echo, window=100)
    sock, kind, said = ask(proxy.port, echo, join(ident, 0))
    assert kind == 0 and ACCEPTED in said
    assert struct.unpack(">II", said[WINDOW]) == (1, 8)
    works(sock)
    sock, kind, said = ask(proxy.port, echo, join(ident, 0))
    assert kind == 1 and list(said) == [REJECTED], (kind, said)
    assert wire.closed(sock)
    assert echo.connections == 2


@flow.test
def a_token_counts_once_among_many_workers():
    echo = servers.Echo()
    proxy = flow.proxy("--workers", "4")
    ident, _ = new_session(proxy.port, echo, window=64)
    accepted = []

    def spend(token):
        _, kind, _ = ask(proxy.port, echo, join(ident, token))
        if kind == 0:
            accepted.append(token)

    spenders = [threading.Thread(target=spend, args=(token,))
                for token in range(16) for _ in range(4)]
    for spender in spenders:
        spender.start()
    for spender in spenders:
        spender.join()
    assert sorted(accepted) == list(range(16)), sorted(accepted)


@flow.test
def sessions_of_an_address_have_a_limit():
    echo = servers.Echo()
    proxy = flow.proxy("--sessions-per-owner", "2")
    for _ in range(2):
        new_session(proxy.port, echo)
    sock, kind, said = ask(proxy.port, echo, begin(4))
    assert kind == 0 and not said, "refused in silence"
    works(sock)


@flow.test
def without_sessions_requests_for_them_are_ignored():
    echo = servers.Echo()
    proxy = flow.proxy("--sessions", "0")
    sock, kind, said = ask(proxy.port, echo, begin(4))
    assert kind == 0 and not said
    works(sock)
    invalid(proxy.port, echo, bytes(16))


if __name__ == "__main__":
    flow.main()
