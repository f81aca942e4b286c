#!/usr/bin/env python3
"""tls.py: listeners that speak TLS, with OpenSSL's clients."""
import contextlib
import hashlib
import json
import pathlib
import select
import socket
import ssl
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.certificates import Authority

NAME = "proxy.example"
NAMES = f"DNS:{NAME},IP:127.0.0.1"


def dial(port, context, name=NAME):
    """A TLS connection that ends with the test."""
    sock = context.wrap_socket(wire.connect(port), server_hostname=name)
    flow.at_end(sock.close)
    return sock


def reverse(query, to, *options, more=()):
    """A proxy that takes TLS off, and what else it listens with."""
    return flow.proxy(*options, listen=[
        f"tcp+tls://127.0.0.1:0=127.0.0.1:{to}?{query}", *more])


class Set:
    """An authority, a proxy's certificate, and an echo behind it."""

    def __init__(self, query="", options=(), server=None):
        self.authority = Authority()
        self.own = self.authority.issue(NAME, NAMES)
        self.server = server or servers.Echo()
        self.proxy = reverse(self.own.query + query.format(self),
                             self.server.port, *options)

    def dial(self, own=None, **more):
        return dial(self.proxy.port, self.authority.client(own, **more))


def refused(connect):
    """What a client sees of a server that refuses it, in the handshake or, by
    TLS 1.3, when it reads."""
    try:
        sock = connect()
        sock.sendall(b"anybody there?")
        assert not sock.recv(1)
        return "closed"
    except (ssl.SSLError, ConnectionError) as error:
        return str(error)


def there_and_back(sock, data=b"there and back"):
    sock.sendall(data)
    assert wire.read(sock, len(data)) == data


def users_in(audit, *names):
    """Who is in an audit log, and how he showed it, once all these are: a line
    is written behind what it tells of."""
    def found():
        lines = [json.loads(line) for line in
                 audit.read_text().splitlines(True) if line.endswith("\n")]
        users = [(line["user"], line.get("authenticated")) for line in lines
                 if line.get("user")]
        return {user for user, _ in users} >= set(names) and users
    return flow.until(found, f"{names} in the audit log")


class Half:
    """A client whose end of data is not the end of its connection."""

    def __init__(self, port, context):
        self.plain = wire.connect(port)
        self.come, self.go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.come, self.go, server_hostname=NAME)
        self._until(self.tls.do_handshake)

    def _until(self, function, *arguments):
        """Call a function until it need not read first."""
        while True:
            try:
                return function(*arguments)
            except ssl.SSLWantReadError:
                self._send()
                data = self.plain.recv(65536)
                if data:
                    self.come.write(data)
                else:
                    self.come.write_eof()
            finally:
                self._send()

    def _send(self):
        self.plain.sendall(self.go.read())

    def send(self, data):
        self._until(self.tls.write, data)

    def end(self):
        """Say that no more comes."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            self._send()

    def read_all(self):
        """Until the other side says so, too."""
        pieces = []
        while True:
            try:
                data = self._until(self.tls.read, 65536)
            except ssl.SSLZeroReturnError:
                break
            if not data:
                break
            pieces.append(data)
        return b"".join(pieces)


@flow.test
def takes_tls_off_for_a_plain_server():
    made = Set()
    sock = made.dial()
    assert sock.version() == "TLSv1.3", sock.version()
    there_and_back(sock)


@flow.test
def speaks_https_for_a_plain_web_server():
    made = Set(server=servers.Origin())
    url = f"https://{NAME}:{made.proxy.port}/size/100000"
    ran = flow.run(flow.need("curl"), "-sS", "--cacert", made.authority.cert,
                   "--resolve", f"{NAME}:{made.proxy.port}:127.0.0.1", url,
                   "-o", made.authority.where / "got")
    assert ran.returncode == 0, ran.stderr
    got = (made.authority.where / "got").read_bytes()
    assert got == servers.body(100_000), len(got)


@flow.test
def speaks_tls_12_unless_it_shall_not():
    made = Set()
    context = made.authority.client()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    sock = dial(made.proxy.port, context)
    assert sock.version() == "TLSv1.2"
    there_and_back(sock)
    only = reverse(made.own.query + "&tls=1.3", made.server.port)
    refused(lambda: dial(only.port, context))
    only.wait_line(r"flow \d+ from .*: TLS: .*version")
    there_and_back(dial(only.port, made.authority.client()))


@flow.test
def carries_socks_5_and_6_over_tls():
    authority = Authority()
    own = authority.issue(NAME, NAMES)
    echo = servers.Echo()
    proxy = flow.proxy(listen=[f"socks+tls://127.0.0.1:0?{own.query}"])
    sock = dial(proxy.port, authority.client())
    sock.sendall(wire.greeting(wire.NONE))
    assert wire.read(sock, 2) == b"\5\0"
    sock.sendall(wire.request5("127.0.0.1", echo.port))
    assert wire.reply5(sock)[0] == 0
    there_and_back(sock)
    sock = dial(proxy.port, authority.client())
    sock.sendall(wire.request6("127.0.0.1", echo.port) + b"early")
    assert wire.auth_reply6(sock)[0] == 0
    assert wire.reply6(sock)[0] == 0
    assert wire.read(sock, 5) == b"early"


def both_ways(sock, data):
    """Send data and read as much, in one thread: a TLS object of Python is not
    for two at once."""
    sock.setblocking(False)
    sent, got, end = 0, bytearray(), time.monotonic() + 50
    while len(got) < len(data):
        assert time.monotonic() < end, f"{len(got)} bytes came back"
        try:
            sent += sock.send(data[sent:sent + 65536]) if sent < len(data) else 0
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        try:
            more = sock.recv(65536)
            assert more, f"an end after {len(got)} bytes"
            got += more
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            select.select([sock], [sock] if sent < len(data) else [], [], 0.1)
    return bytes(got)


@flow.test(timeout=60)
def carries_much_both_ways_unharmed():
    made = Set()
    data = servers.body(12 << 20)
    sock = made.dial()
    got = hashlib.sha256(both_ways(sock, data)).digest()
    assert got == hashlib.sha256(data).digest()


@flow.test
def a_client_that_has_ended_gets_all_of_its_answer():
    size = 3 << 20
    made = Set(server=servers.AfterEnd(size))
    half = Half(made.proxy.port, made.authority.client())
    half.send(b"a question")
    half.end()
    time.sleep(0.3)  # it reads late, too
    assert half.read_all() == servers.body(size)
    assert made.server.got == b"a question"
    made.proxy.wait_line(r"flow \d+: ended .* both sides are done")


@flow.test
def an_end_by_the_server_is_announced():
    class Brief(servers.Server):
        def serve(self, sock):
            sock.sendall(b"goodbye")

    made = Set(server=Brief())
    sock = made.dial()
    assert wire.read(sock, 7) == b"goodbye"
    assert sock.recv(1) == b""  # Python says so if it was not
    sock.unwrap()


@flow.test
def a_cut_is_no_end():
    ends = []

    class Reads(servers.Server):
        def serve(self, sock):
            try:
                while sock.recv(100):
                    pass
                ends.append("end")
            except ConnectionError:
                ends.append("cut")

    made = Set(server=Reads())
    sock = made.dial()
    sock.sendall(b"half of it")
    made.proxy.wait_line(r"flow \d+: \S+ > ")
    plain = socket.socket(fileno=sock.detach())
    plain.shutdown(socket.SHUT_WR)  # without close_notify
    made.proxy.wait_line(r"flow \d+: ended .*the client: TLS: ")
    flow.until(lambda: ends, "the server sees it")
    assert ends == ["cut"], ends
    plain.close()


@flow.test
def refuses_what_is_no_tls():
    made = Set()
    for data in (b"GET / HTTP/1.1\r\n\r\n", bytes(300), b"\x16\x03\x01\xff\xff",
                 bytes(range(256)) * 300):
        sock = wire.connect(made.proxy.port)
        with contextlib.suppress(OSError):  # it is refused before its end
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        assert wire.closed(sock)
    flow.until(lambda: len([line for line in made.proxy.lines
                            if ": TLS: " in line]) >= 4, "four complaints")
    there_and_back(made.dial())
    assert made.server.connections == 1


@flow.test
def a_silent_client_is_not_waited_for():
    made = Set(options=("--handshake-timeout", "300"))
    sock = wire.connect(made.proxy.port)
    assert wire.closed(sock)
    made.proxy.wait_line("did not finish its handshake in time")
    slow = wire.connect(made.proxy.port)
    slow.sendall(b"\x16\x03\x01\x01")
    assert wire.closed(slow)
    assert made.server.connections == 0


@flow.test
def who_only_looks_is_no_failure():
    made = Set()
    wire.connect(made.proxy.port).close()
    there_and_back(made.dial())
    assert not [line for line in made.proxy.lines if "TLS" in line]


@flow.test
def chooses_the_certificate_by_name():
    authority = Authority()
    one = authority.issue("one", "DNS:one.example")
    two = authority.issue("two", "DNS:*.two.example")
    echo = servers.Echo()
    proxy = reverse(f"cert={one.cert},{two.cert}&key={one.key},{two.key}",
                    echo.port)
    for name in ("one.example", "a.two.example"):
        sock = dial(proxy.port, authority.client(), name)
        there_and_back(sock)
        names = [n for _, n in sock.getpeercert()["subjectAltName"]]
        assert names == [{"o": "one.example"}.get(name[0], "*.two.example")]


@flow.test
def speaks_a_protocol_that_both_have():
    made = Set("&alpn=h2,epi")
    assert made.dial(alpn=["epi", "x"]).selected_alpn_protocol() == "epi"
    there_and_back(made.dial())
    refused(lambda: made.dial(alpn=["other"]))


@flow.test
def resumes_sessions():
    made = Set(options=("--debug",))
    first = made.dial()
    there_and_back(first)
    context = first.context
    sock = context.wrap_socket(wire.connect(made.proxy.port),
                               server_hostname=NAME, session=first.session)
    flow.at_end(sock.close)
    there_and_back(sock)
    assert sock.session_reused
    made.proxy.wait_line(r"flow \d+: TLSv?\S* ?1\.3.*resumed")


# ---- who the client is ----

@flow.test
def asks_for_a_certificate_of_its_authority():
    made = Set("&client=require&ca={0.authority.cert}")
    mine = made.authority.issue("alice", "URI:spiffe://example/alice")
    there_and_back(made.dial(mine))
    refused(made.dial)
    strange = Authority("Somebody else").issue("alice")
    refused(lambda: made.dial(strange))
    refused(lambda: made.dial(made.authority.expired("alice")))
    for why in ("no certificate|certificate is missing|without a certificate",
                "authority", "expired"):
        made.proxy.wait_line(rf"flow \d+ from \S+: TLS: .*({why})")
    assert made.server.connections == 1


@flow.test
def refuses_who_was_revoked():
    authority = Authority()
    own = authority.issue(NAME, NAMES)
    good, bad = authority.issue("good"), authority.issue("bad")
    crl = authority.revoke(bad)
    echo = servers.Echo()
    proxy = reverse(f"{own.query}&client=require&ca={authority.cert}"
                    f"&crl={crl}", echo.port)
    there_and_back(dial(proxy.port, authority.client(good)))
    refused(lambda: dial(proxy.port, authority.client(bad)))
    proxy.wait_line(r"flow \d+ from \S+: TLS: .*revoked")


@flow.test
def a_certificate_says_who_the_user_is():
    authority = Authority()
    own = authority.issue(NAME, NAMES)
    alice = authority.issue("alice", "DNS:alice.example")
    bob = authority.issue("bob")
    echo = servers.Echo()
    model = flow.file({
        "epi": 1,
        "nodes": {"here": {"domain": "d", "addresses": ["127.0.0.0/8"],
                           "attributes": []}},
        "policy": {"rules": [{"id": "alice", "effect": "allow",
                              "user": ["alice.example"]}]}}, "model.json")
    audit, key = flow.folder() / "audit", flow.file("k" * 32, "key")
    proxy = reverse(f"{own.query}&client=ask&ca={authority.cert}", echo.port,
                    "--model", model, "--audit", audit, "--audit-key", key)
    there_and_back(dial(proxy.port, authority.client(alice)))
    refused(lambda: dial(proxy.port, authority.client(bob)))
    refused(lambda: dial(proxy.port, authority.client()))
    proxy.wait_line(r"allowed|direct by rule alice")
    users_in(audit, "alice.example", "bob")


@flow.test
def a_login_counts_more_than_a_certificate():
    authority = Authority()
    own = authority.issue(NAME, NAMES)
    alice = authority.issue("alice")
    echo = servers.Echo()
    users = flow.file("bob:secret of bob\n", "users")
    audit, key = flow.folder() / "audit", flow.file("k" * 32, "key")
    proxy = flow.proxy("--audit", audit, "--audit-key", key, listen=[
        f"socks+tls://127.0.0.1:0?{own.query}&client=require"
        f"&ca={authority.cert}&users={users}"])
    sock = dial(proxy.port, authority.client(alice))
    sock.sendall(wire.greeting(wire.LOGIN))
    assert wire.read(sock, 2) == bytes([5, wire.LOGIN])
    sock.sendall(wire.login5("bob", "secret of bob") +
                 wire.request5("127.0.0.1", echo.port))
    assert wire.read(sock, 2) == b"\1\0"
    assert wire.reply5(sock)[0] == 0
    there_and_back(sock)
    found = users_in(audit, "bob")
    assert found[0][0] == "bob", found
    assert "password" in str(found) and "certificate" in str(found), found


# ---- TLS to the destination ----

class TlsEcho(servers.Echo):
    """An echo over TLS, with a certificate."""

    def __init__(self, own):
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(own.cert, own.key)
        super().__init__()

    def serve(self, sock):
        with contextlib.suppress(OSError):
            with self.context.wrap_socket(sock, server_side=True) as tls:
                while data := tls.recv(65536):
                    tls.sendall(data)
                tls.unwrap()


@flow.test
def puts_tls_on_for_a_destination():
    authority = Authority()
    far = TlsEcho(authority.issue("far", "DNS:far.example"))
    to = f"tls://127.0.0.1:{far.port}"
    query = f"to-ca={authority.cert}&to-name=far.example"
    own = authority.issue(NAME, NAMES)
    hop = flow.proxy()
    for more in ((), ("--chain", f"socks6://127.0.0.1:{hop.port}")):
        proxy = flow.proxy(*more, listen=[
            f"tcp://127.0.0.1:0={to}?{query}",
            f"tcp+tls://127.0.0.1:0={to}?{query}&{own.query}"])
        plain = wire.connect(proxy.port)
        there_and_back(plain, servers.body(300_000))
        plain.shutdown(socket.SHUT_WR)
        assert wire.closed(plain)
        there_and_back(dial(proxy.ports[1], authority.client()))
    assert far.connections == 4


@flow.test
def does_not_go_to_a_destination_that_is_another():
    authority = Authority()
    far = TlsEcho(authority.issue("far", "DNS:far.example"))
    for query, why in ((f"to-ca={authority.cert}", "127.0.0.1"),
                       (f"to-ca={Authority().cert}&to-name=far.example",
                        "authority")):
        proxy = flow.proxy(listen=[
            f"tcp://127.0.0.1:0=tls://127.0.0.1:{far.port}?{query}"])
        assert wire.turned_away(proxy.port)
        proxy.wait_line(rf"refused .*the destination .*TLS: .*{why}")


# ---- bad settings ----

def complaint(listen):
    ran = flow.run(flow.program_path("epi-proxy"), "--listen", listen)
    assert ran.returncode == 2, ran
    return "\n".join(flow.complaint(ran))


@flow.test
def says_what_is_wrong_with_its_settings():
    authority = Authority()
    own, other = authority.issue(NAME), authority.issue("other")
    at = "socks+tls://127.0.0.1:0"
    assert "cert=" in complaint(at)
    assert "no-such" in complaint(f"{at}?cert=/no-such&key=/no-such")
    assert "key" in complaint(f"{at}?cert={own.cert}&key={other.cert}")
    assert "not that of" in complaint(f"{at}?cert={own.cert}&key={other.key}")
    assert "ca=" in complaint(f"{at}?{own.query}&client=require")
    assert "client" in complaint(f"{at}?{own.query}&ca={own.cert}")
    assert "1.3" in complaint(f"{at}?{own.query}&tls=1.1")
    assert "to-ca" in complaint("tcp://127.0.0.1:0=127.0.0.1:1?to-ca=x")
    assert "to-cert" in complaint(
        f"tcp://127.0.0.1:0=tls://127.0.0.1:1?to-key={own.key}")
    own.key.chmod(0o644)
    said = complaint(f"{at}?{own.query}")
    assert "chmod" in said and str(own.key) in said, said


flow.main()
