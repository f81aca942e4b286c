"""test_codecs.py: addresses, messages, datagrams and handshakes, by the wire
cases that the C library is tested with, and by what hypothesis finds."""
import contextlib
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import epi
from epi import Accept, Command, Leg, Next, Session, Stack, Version
from support.vector_reader import all_cases, octets

STACK = {"TOS": "TOS", "happy eyeballs": "HAPPY_EYEBALLS", "TTL": "TTL",
         "no fragmentation": "NO_FRAGMENT", "TFO": "TFO",
         "multipath": "MULTIPATH", "listen backlog": "BACKLOG",
         "UDP error": "UDP_ERROR", "port parity": "PORT_PARITY"}
KINDS = {"request": epi.Request, "reply": epi.Reply,
         "auth-reply": epi.AuthReply, "datagram": epi.Datagram}
CASES = [(f"{folder}/{name}: {case['case']}", case)
         for folder, name, case in all_cases()]


def _cases(*messages):
    found = [(name, case) for name, case in CASES
             if case["message"] in messages]
    return pytest.mark.parametrize("case", [case for _, case in found],
                                   ids=[name for name, _ in found])


def _address(text):
    return epi.Address.parse(text)


def _compare_request(case, message):
    for method in case.get("methods", "").split():
        assert message.offers_method(int(method))
    assert message.initial_data == int(case.get("initial-data", 0))
    assert message.session.name == case.get("session", "NONE")
    assert message.token_window == int(case.get("token-window", 0))
    assert message.token == (int(case["token"]) if "token" in case else None)
    assert message.user == case.get("user")
    assert message.password == case.get("password")
    if "dest" in case:
        assert message.dest == _address(case["dest"])
        assert message.command == int(case.get("command", 1))


def _compare_auth_reply(case, message):
    assert message.ok == (case["type"] == "0")
    for key in ("method", "login"):
        assert getattr(message, key) == (
            int(case[key]) if key in case else None)
    assert message.session.name == case.get("session", "NONE")
    assert message.token.name == case.get("token", "NONE")
    if "window-size" in case:
        base = int(case.get("window-base", 0))
        assert message.token_window == range(base, base +
                                             int(case["window-size"]))


def _compare_datagram(case, message):
    assert message.type == int(case.get("type", 3))
    assert message.data == octets(case.get("data", ""))
    assert message.fragment == int(case.get("fragment", 0))
    if "association" in case:
        assert message.association == int.from_bytes(
            octets(case["association"]), "big")
    if "remote" in case:
        assert message.remote == _address(case["remote"])
    if "error-code" in case:
        assert message.error == int(case["error-code"])


def _compare(case, message):
    kind = case["message"]
    if kind == "request":
        _compare_request(case, message)
    elif kind == "auth-reply":
        _compare_auth_reply(case, message)
    elif kind == "datagram":
        _compare_datagram(case, message)
        return
    else:
        assert message.code == int(case["code"])
        if "bound" in case:
            assert message.bound == _address(case["bound"])
    assert message.session_id == octets(case.get("session-id", ""))
    if hasattr(message, "metadata"):
        assert dict(message.metadata) == {
            int(key.split()[1]): text for key, text in case.items()
            if key.startswith("metadata ")}
        assert dict(message.stack) == {
            (Leg[key.split()[1].upper()],
             Stack[STACK[key.split(maxsplit=2)[2]]]): int(text)
            for key, text in case.items() if key.startswith("stack ")}
    if hasattr(message, "auth_data"):
        assert dict(message.auth_data) == {
            int(key.split()[1]): octets(text) for key, text in case.items()
            if key.startswith("auth-data ")}


@_cases(*KINDS)
def test_a_message_is_what_its_case_says(case):
    kind, data = KINDS[case["message"]], octets(case["bytes"])
    version = int(case["version"])
    if "error" in case:
        with pytest.raises(epi.Error) as caught:
            kind.read(data, version)
        assert caught.value.code == getattr(epi._abi, "EPI_" + case["error"])
        return
    if case.get("used") == "0":
        assert kind.read(data, version) is None
        return
    message, used = kind.read(bytearray(data), version)
    assert used == int(case.get("used", len(data)))
    _compare(case, message)
    if case.get("rewrite") != "no":
        assert message.write(version) == data[:used]


def _login(case):
    return case.get("user"), case.get("password")


def _drive(session, data, step, used=0):
    """Feed data in steps; all that the session sent, and how it ended."""
    sent, error = session.take(), None
    at = 0
    while session.next in (Next.READ, Next.LOGIN) and at < len(data):
        if session.next == Next.LOGIN:
            session.login(True)
        else:
            try:
                at += session.feed(data[at:at + step])
            except epi.Error as failed:
                error = failed
        sent += session.take()
        if error:
            break
    while session.next == Next.LOGIN:
        session.login(True)
        sent += session.take()
    return sent, error


@_cases("client", "server")
@pytest.mark.parametrize("step", [1, 10**6])
def test_a_handshake_is_what_its_case_says(case, step):
    if case["message"] == "client":
        user, password = _login(case)
        session = Session.client(int(case["version"]), epi.Request(
            case["dest"], int(case.get("command", 1)), user=user,
            password=password))
    else:
        draft = int(case["version"])
        session = Session.server(
            int(case.get("accept", 3)),
            draft=draft if draft in (6, 612) else Version.SOCKS6,
            login=case.get("login") == "yes")
    sent, error = _drive(session, octets(case["bytes"]), step)
    assert sent == octets(case["answer"])
    assert session.next.name == case["next"]
    if "error" in case:
        assert error.code == getattr(epi._abi, "EPI_" + case["error"])


VERSIONS = st.sampled_from(list(Version))
PORTS = st.integers(0, 65535)
NAMES = st.from_regex(r"[a-z]([a-z0-9_-]{0,20}[a-z0-9])?(\.[a-z][a-z0-9]{0,8})?",
                      fullmatch=True)
ADDRESSES = st.builds(
    epi.Address, st.ip_addresses().map(str) | NAMES, PORTS)
TEXTS = st.text(st.characters(blacklist_categories=["Cs"],
                              blacklist_characters="\0"), max_size=30)


@given(ADDRESSES)
def test_an_address_survives_its_text(address):
    assert epi.Address.parse(str(address)) == address
    assert epi.Address.of(str(address)) == address
    assert pickle.loads(pickle.dumps(address)) == address
    assert hash(epi.Address(address.host, address.port)) == hash(address)
    if address.ip is not None:
        assert str(address.ip) == address.host


def test_addresses():
    assert epi.Address("EHR.Example.") == epi.Address("ehr.example")
    assert epi.Address("::ffff:10.1.2.3", 1) == epi.Address("10.1.2.3", 1)
    assert epi.Address.parse("[2001:db8::1]:443").port == 443
    assert epi.Address.parse("a.example", 80).port == 80
    with pytest.raises(AttributeError):
        epi.Address("a").port = 5
    for bad in ("", "a b", "a\0b", "x" * 300, "a..b", "fe80::1%eth0",
                "\ud800"):
        with pytest.raises(epi.errors.InvalidArgument):
            epi.Address(bad)
    for port in (-1, 65536, 2**70):
        with pytest.raises(epi.errors.InvalidArgument):
            epi.Address("a", port)
    with pytest.raises(epi.errors.InvalidArgument):
        epi.Address.parse("a.example")


@given(VERSIONS, ADDRESSES, st.dictionaries(st.integers(0, 65535), TEXTS,
                                            max_size=4))
def test_a_request_survives_the_wire(version, dest, metadata):
    if version == Version.SOCKS5:
        metadata = {}
    request = epi.Request(dest, metadata=metadata)
    data = request.write(version)
    read, used = epi.Request.read(data + b"more", version)
    assert used == len(data)
    assert (read.dest, read.command) == (dest, Command.CONNECT)
    assert dict(read.metadata) == metadata
    for cut in range(len(data)):
        assert epi.Request.read(data[:cut], version) is None


@given(st.sampled_from([Version.SOCKS6, Version.SOCKS6_12]), ADDRESSES,
       st.binary(max_size=60), st.sampled_from(list(epi.DatagramType)[2:3]),
       st.integers(0, 2**64 - 1))
def test_a_datagram_survives_the_wire(version, remote, data, kind, number):
    datagram = epi.Datagram(remote, data, kind, number)
    written = datagram.write(version)
    assert datagram.write_header(version) + data == written
    assert epi.Datagram.read(written, version) == (datagram, len(written))


@given(VERSIONS, st.binary(max_size=80))
def test_any_bytes_are_a_message_or_an_error(version, data):
    for kind in KINDS.values():
        try:
            found = kind.read(data, version)
        except epi.Error as error:
            assert error.detail
        else:
            assert found is None or 0 < found[1] <= len(data)


@given(st.binary(max_size=80), st.integers(1, 7))
def test_a_server_takes_any_bytes(data, accept):
    for draft in (Version.SOCKS6, Version.SOCKS6_12):
        whole = Session.server(accept, draft=draft, login=True)
        pieces = Session.server(accept, draft=draft, login=True)
        assert _drive(whole, data, 10**6)[0] == _drive(pieces, data, 1)[0]
        assert whole.next == pieces.next


@given(VERSIONS, ADDRESSES.filter(lambda a: a.port), st.booleans(),
       st.integers(1, 40))
def test_client_and_server_understand_each_other(version, dest, login, step):
    if version == Version.SOCKSX:
        login = False
    client = Session.client(version, epi.Request(
        dest, user="me" if login else None, password="x" if login else None))
    accept = (Accept.SOCKSX if version == Version.SOCKSX else
              Accept.SOCKS5 | Accept.SOCKS6)
    server = Session.server(accept, login=login, draft=Version.SOCKS6_12
                            if version == Version.SOCKS6_12
                            else Version.SOCKS6)
    to_server = to_client = b""
    while client.next != Next.DONE or server.next != Next.DONE:
        to_server += client.take()
        to_server = to_server[server.feed(to_server[:step]):]
        if server.next == Next.LOGIN:
            assert (server.request.user, server.request.password) == (
                "me", "x")
            server.login(True)
        if server.next == Next.REPLY:
            assert server.request.dest == dest
            server.reply(epi.Reply(bound=("10.9.8.7", 1234)))
        to_client += server.take()
        if client.next == Next.READ:
            to_client = to_client[client.feed(to_client[:step]):]
    assert client.version == server.version == version
    assert client.result.code == 0 and client.replies == server.replies == 1
    if version != Version.SOCKSX:
        assert client.result.bound == epi.Address("10.9.8.7", 1234)


def test_a_session_of_requests_is_kept_in_a_table():
    table = epi.SessionTable()
    table.set("tokens", 8)

    def ask(request):
        client = Session.client(Version.SOCKS6, request)
        server = Session.server(Accept.SOCKS6)
        server.use_table(table, "10.0.0.1", 1000)
        with contextlib.suppress(epi.errors.AuthenticationFailed):
            server.feed(client.take())
        if server.next == Next.REPLY:
            server.reply(epi.Reply())
        with contextlib.suppress(epi.Error):
            client.feed(server.take())
        return client, server

    first = epi.Request(("a.example", 1))
    first.set_session(epi.SessionUse.BEGIN)
    first.token_window = 4
    client, server = ask(first)
    begun = client.auth.session_id
    assert len(table) == 1 and begun and server.member
    window = client.auth.token_window
    second = epi.Request(("a.example", 2))
    second.set_session(epi.SessionUse.JOIN, begun)
    second.token = window[0]
    client, joined = ask(second)
    assert client.auth.session == epi.SessionState.OK
    assert client.auth.token == epi.TokenState.ACCEPTED
    assert joined.member == server.member
    client, _ = ask(second)
    assert client.auth.token == epi.TokenState.REJECTED
    table.hold(joined.member)
    assert table.expire(10**9) == 0
    table.release(joined.member, 10**9)
    assert table.expire(2 * 10**9) == 1
    with pytest.raises(epi.errors.NotFound):
        table.hold(joined.member)
    with pytest.raises(epi.errors.InvalidArgument, match="no parameter"):
        table.set("colour", 1)


def test_what_a_session_has_is_read_only_and_outlives_it():
    server = Session.server(Accept.SOCKS5)
    assert server.request is None and server.result is None
    server.feed(b"\5\1\0\5\1\0\1\1\2\3\4\0\x50"[:3])
    server.take()
    server.feed(b"\5\1\0\1\1\2\3\4\0\x50")
    request = server.request
    with pytest.raises(epi.errors.InvalidState):
        request.command = 2
    with pytest.raises(epi.errors.InvalidState):
        request.metadata[1] = "x"
    del server
    assert str(request.dest) == "1.2.3.4:80"


def test_a_bind_has_two_replies():
    server = Session.server(Accept.SOCKS5)
    server.feed(b"\5\1\0")
    server.take()
    server.feed(b"\5\2\0\1\1\2\3\4\0\x50")
    assert server.request.command == Command.BIND
    server.bind_whole()
    server.reply(epi.Reply(bound=("1.2.3.4", 5)))
    assert server.next == Next.DONE and server.replies == 1
    assert server.initial_data == b"" and server.member == 0


def test_stack_options_and_metadata_are_mappings():
    request = epi.Request(("a", 1), stack={(Leg.BOTH, Stack.TOS): 16})
    assert dict(request.stack) == {(Leg.CLIENT, Stack.TOS): 16,
                                   (Leg.REMOTE, Stack.TOS): 16}
    del request.stack[Leg.CLIENT, Stack.TOS]
    assert len(request.stack) == 1
    with pytest.raises(KeyError):
        request.stack[Leg.CLIENT, Stack.TOS]
    with pytest.raises(KeyError):
        del request.metadata[7]
    request.metadata[7] = "seven"
    del request.metadata[7]
    assert not request.metadata
    request.auth_data[5] = b"abc"
    assert dict(request.auth_data) == {5: b"abc"}
    del request.auth_data[5]
    request.offer_method(2)
    request.initial_data = 5
    assert request.offers_method(2) and request.initial_data == 5
    for bad in (lambda: request.metadata.update({65536: "x"}),
                lambda: request.metadata.update({1: "a\0b"}),
                lambda: request.metadata.update({1: "x" * 5000}),
                lambda: request.set_login("", "x"),
                lambda: setattr(request, "token", -2),
                lambda: setattr(request, "initial_data", -1)):
        with pytest.raises((epi.errors.InvalidArgument,
                            epi.errors.LimitReached)):
            bad()


def test_a_password_is_never_shown():
    request = epi.Request(("a", 1), user="me", password="secret")
    assert "secret" not in repr(request) and request.password == "secret"
