#!/usr/bin/env python3
"""tls_hops.py: proxies that speak TLS to each other."""
import contextlib
import ctypes
import pathlib
import re
import ssl
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.bridging import metadata
from support.certificates import Authority
from support.endpoints import Function, Through, gate

FAR = "far.example"
EARLY_DATA = 1  # EPI_TLS_EARLY_DATA


class Pair:
    """A proxy that goes on through another one, by TLS with certificates on
    both sides unless told otherwise."""

    def __init__(self, scheme="socks6+tls", far="&client=require&ca={0.ca}",
                 near="ca={0.ca}&{0.near_own.query}&name=" + FAR, options=(),
                 far_own=None, authority=None):
        self.authority = authority or Authority()
        self.ca = self.authority.cert
        self.far_own = far_own or self.authority.issue(FAR, f"DNS:{FAR}")
        self.near_own = self.authority.issue("near", "DNS:near.example")
        self.echo = servers.Echo()
        self.far = flow.proxy("--debug", listen=[
            f"socks+tls://127.0.0.1:0?{self.far_own.query}" +
            far.format(self)])
        self.near = flow.proxy(
            "--debug", *options, "--chain",
            f"{scheme}://127.0.0.1:{self.far.port}?" + near.format(self),
            listen=["socks://127.0.0.1:0",
                    f"tcp://127.0.0.1:0=127.0.0.1:{self.echo.port}"])

    def ask(self):
        """The code that a request gets, and its connection."""
        sock = wire.connect(self.near.port)
        sock.sendall(wire.greeting(wire.NONE) +
                     wire.request5("127.0.0.1", self.echo.port))
        assert wire.read(sock, 2) == b"\5\0"
        return wire.reply5(sock)[0], sock

    def works(self):
        code, sock = self.ask()
        assert code == 0, code
        there_and_back(sock)

    def fails(self, why):
        code, _ = self.ask()
        assert code != 0
        self.near.wait_line(rf"refused \(.*\): .*{why}")
        assert self.echo.connections == 0


def there_and_back(sock, data=b"there and back"):
    sock.sendall(data)
    assert wire.read(sock, len(data)) == data


@flow.test
def two_proxies_check_each_other():
    pair = Pair()
    pair.works()
    pair.near.wait_line(rf"flow \d+: socks6\+tls://\S+ by .*1\.3.* is {FAR}")
    pair.far.wait_line(r"flow \d+: .*1\.3.* client near\.example")


@flow.test
def socks_5_goes_over_tls_too():
    Pair(scheme="socks5+tls").works()


@flow.test
def warm_connections_have_shaken_hands():
    pair = Pair()
    pair.works()
    # One more handshake than there were flows.
    flow.until(lambda: len([line for line in pair.far.lines
                            if ": TLSv1.3" in line]) > 1, "a warm connection")

    def has_a_warm_one():
        """1 if the next flow shakes no hands."""
        before = pair.near.text.count(" by TLS")
        pair.works()
        return pair.near.text.count(" by TLS") == before

    flow.until(has_a_warm_one, "a flow has a warm one")
    assert not [line for line in pair.far.lines if "TLS:" in line]


@flow.test
def later_sessions_go_on_from_earlier_ones():
    pair = Pair(far="", near="ca={0.ca}&name=" + FAR,
                options=("--warm", "0"))
    code, sock = pair.ask()
    assert code == 0
    there_and_back(sock)
    sock.close()
    pair.near.wait_line(r"flow 1: ended")
    pair.works()
    pair.near.wait_line(r"flow \d+: .* by TLS.*, resumed")


@flow.test
def without_warm_connections_each_shakes_hands():
    pair = Pair(options=("--warm", "0"))
    for _ in range(3):
        pair.works()


@flow.test(timeout=60)
def carries_much_through_both():
    pair = Pair()
    data = servers.body(6 << 20)
    sock = wire.connect(pair.near.ports[1])
    sock.settimeout(50)
    sender = threading.Thread(target=sock.sendall, args=(data,), daemon=True)
    sender.start()
    assert wire.read(sock, len(data)) == data
    sender.join()


@flow.test
def an_end_goes_through_both_by_itself():
    pair = Pair()
    answer = servers.AfterEnd(300_000)
    sock = wire.connect(pair.near.port)
    sock.sendall(wire.greeting(wire.NONE) +
                 wire.request5("127.0.0.1", answer.port))
    assert wire.read(sock, 2) == b"\5\0"
    assert wire.reply5(sock)[0] == 0
    sock.sendall(b"question")
    sock.shutdown(1)
    assert wire.read_all(sock) == servers.body(300_000)
    assert answer.got == b"question"


@flow.test
def what_is_early_goes_along():
    pair = Pair()
    sock = wire.connect(pair.near.port)
    sock.sendall(wire.request6("127.0.0.1", pair.echo.port) + b"early")
    assert wire.auth_reply6(sock)[0] == 0
    assert wire.reply6(sock)[0] == 0
    assert wire.read(sock, 5) == b"early"


@flow.test
def early_data_goes_only_with_a_token():
    """Whoever can repeat a packet could have it done twice (RFC 8446, 8)."""
    if flow.SANITIZED:
        flow.skip("the library cannot be loaded without its sanitizers")
    library = ctypes.CDLL(str(flow.BUILD / "libepi.so.0"))
    library.epi_tls_library.restype = ctypes.c_char_p
    name = library.epi_tls_library().decode()
    flow.skip(f"{name} has early data, and the engine does not use it"
              if library.epi_tls_has(EARLY_DATA) else
              f"{name} as it is built here has no early data (0-RTT)")


# ---- who is not let in, or not gone to ----

@flow.test
def does_not_go_to_whom_it_does_not_know():
    Pair(near="ca={0.other.cert}", authority=_with_other()).fails("authority")


def _with_other():
    authority = Authority()
    Pair.other = Authority("Others")
    return authority


@flow.test
def does_not_go_to_another_name():
    Pair(near="ca={0.ca}&{0.near_own.query}&name=near.example").fails(
        "near.example")
    Pair(near="ca={0.ca}&{0.near_own.query}").fails("127.0.0.1")


@flow.test
def does_not_go_to_an_expired_one():
    authority = Authority()
    Pair(authority=authority,
         far_own=authority.expired(FAR, f"DNS:{FAR}")).fails("expired")


@flow.test
def does_not_go_to_a_revoked_one():
    authority = Authority()
    far = authority.issue(FAR, f"DNS:{FAR}")
    authority.revoke(far)
    Pair(authority=authority, far_own=far,
         near="ca={0.ca}&{0.near_own.query}&name=" + FAR +
         f"&crl={authority.crl}").fails("revoked")


@flow.test
def is_not_let_in_without_a_certificate():
    pair = Pair(near="ca={0.ca}&name=" + FAR, options=("--warm", "0"))
    code, _ = pair.ask()
    assert code != 0
    pair.far.wait_line(r"flow \d+ from \S+: TLS: ")
    assert pair.echo.connections == 0


@flow.test
def a_silent_hop_is_not_waited_for():
    class Silent(servers.Server):
        def serve(self, sock):
            sock.recv(100_000)
            wire.closed(sock, 10)

    silent = Silent()
    near = flow.proxy("--connect-timeout", "400", "--chain",
                      f"socks6+tls://127.0.0.1:{silent.port}")
    sock = wire.connect(near.port)
    sock.sendall(wire.request6("127.0.0.1", 9))
    assert wire.auth_reply6(sock)[0] == 0
    assert wire.reply6(sock)[0] != 0
    near.wait_line("TLS handshake in time")


@flow.test
def a_hop_that_talks_out_of_turn_is_left():
    """Also where a connection is kept warm, however much it says."""
    left = []

    class Talker(servers.Server):
        def serve(self, sock):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(own.cert, own.key)
            with contextlib.suppress(OSError):
                tls = context.wrap_socket(sock, server_side=True)
                tls.sendall(bytes(1 << 20))
                tls.recv(1)
            left.append(sock)

    authority = Authority()
    own = authority.issue(FAR, "IP:127.0.0.1")
    talker = Talker()
    near = flow.proxy("--chain", f"socks6+tls://127.0.0.1:{talker.port}"
                      f"?ca={authority.cert}")
    for _ in range(3):
        sock = wire.connect(near.port)
        sock.sendall(wire.request6("127.0.0.1", 9))
        assert wire.auth_reply6(sock)[0] == 0
        assert wire.reply6(sock)[0] != 0
    flow.until(lambda: len(left) >= 4, "a warm connection is left, too")


@flow.test
def a_hop_without_tls_says_so():
    far = flow.proxy()
    near = flow.proxy("--chain", f"socks6+tls://127.0.0.1:{far.port}")
    sock = wire.connect(near.port)
    sock.sendall(wire.request6("127.0.0.1", 9))
    assert wire.auth_reply6(sock)[0] == 0
    assert wire.reply6(sock)[0] != 0
    near.wait_line(r"refused .*TLS: ")


# ---- models ----

def model(endpoint, port):
    return flow.file({
        "epi": 1,
        "nodes": {"a": {"domain": "a", "addresses": ["127.0.0.0/24"],
                        "attributes": ["enc"]},
                  "b": {"domain": "b", "addresses": ["127.5.0.0/24"],
                        "attributes": []}},
        "functions": {"relay": {"provides": ["enc"], "endpoints": endpoint}},
        "applications": {"x": {"nodes": ["a", "b"]}},
        "policy": {"default": "allow"}}, "model.json")


@flow.test
def another_instance_takes_over_from_one_with_a_bad_certificate():
    authority, strange = Authority(), Authority("Strangers")
    echo = servers.Echo(host="127.5.0.1")
    good = authority.issue("good", "IP:127.0.0.1")
    bad = strange.issue("bad", "IP:127.0.0.1")
    far = [flow.proxy(listen=[f"socks+tls://127.0.0.1:0?{own.query}"])
           for own in (bad, good)]
    document = model([f"socks6+tls://127.0.0.1:{one.port}" for one in far],
                     echo.port)
    near = flow.proxy("--model", document, "--tls-ca", authority.cert,
                      listen=["socks://127.0.0.1:0"])
    for _ in range(3):
        sock = wire.connect(near.port)
        sock.sendall(wire.request6("127.5.0.1", echo.port))
        assert wire.auth_reply6(sock)[0] == 0
        assert wire.reply6(sock)[0] == 0
        there_and_back(sock)
    near.wait_line(r"takes over from .*authority")


@flow.test
def probes_shake_hands_too():
    """An instance that comes back with a good certificate gets flows again,
    and one that answers with a bad one does not."""
    authority, strange = Authority(), Authority("Strangers")
    echo = servers.Echo(host="127.5.0.1")
    port = flow.free_port()
    bad = strange.issue("bad", "IP:127.0.0.1")
    good = authority.issue("good", "IP:127.0.0.1")
    first = flow.proxy(listen=[f"socks+tls://127.0.0.1:{port}?{bad.query}"])
    near = flow.proxy("--debug", "--health-interval", "100", "--model",
                      model([f"socks6+tls://127.0.0.1:{port}"], echo.port),
                      "--tls-ca", authority.cert)
    assert _through(near, echo) != 0
    time.sleep(0.5)  # five probes, which change nothing
    assert not re.search(r"answers again", near.text), near.text
    first.stop()
    flow.proxy(listen=[f"socks+tls://127.0.0.1:{port}?{good.query}"])
    flow.until(lambda: _through(near, echo) == 0, "it is back")


def _through(near, echo):
    sock = wire.connect(near.port)
    sock.sendall(wire.request6("127.5.0.1", echo.port))
    assert wire.auth_reply6(sock)[0] == 0
    return wire.reply6(sock)[0]


@flow.test
def nothing_is_said_to_a_hop_whose_tls_cannot_be_spoken():
    """An instance with TLS behind a SOCKS 5 hop with TLS, which takes over
    from one without: it must not get in the clear what TLS is for."""
    authority = Authority()
    own = authority.issue("own", "IP:127.0.0.1")
    first, second = (flow.proxy(listen=[f"socks+tls://127.0.0.1:0?{own.query}"])
                     for _ in range(2))
    dead = Function(flow.free_port())
    through = Through({
        "gate": {**gate(), "endpoints": [f"socks5+tls://127.0.0.1:{first.port}"]},
        "scan": {"provides": ["inspection"], "endpoints": [
            dead.url(), f"socks5+tls://127.0.0.1:{second.port}"]}},
        "--health-interval", "0", "--tls-ca", authority.cert)
    dead.die()
    _, code, _ = through.ask()
    assert code != 0
    first.wait_line(f"cannot connect to .*{dead.port}")
    assert not re.search(r"flow \d", second.text), second.text


# ---- bad settings ----

def complaint(*options):
    ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                   "socks://127.0.0.1:0", *options)
    assert ran.returncode == 2, ran
    return "\n".join(flow.complaint(ran))


@flow.test
def says_what_is_wrong_with_its_settings():
    authority = Authority()
    own = authority.issue("own")
    at = "socks6+tls://127.0.0.1:1"
    assert "no-such" in complaint("--chain", f"{at}?ca=/no-such")
    assert "setting" in complaint("--chain", "socks6://127.0.0.1:1?ca=/x")
    assert "staple" in complaint("--chain", f"{at}?staple=maybe")
    assert "name" in complaint("--chain", f"{at}?name=a/b")
    assert "no-such" in complaint("--tls-ca", "/no-such", "--chain", at)
    own.key.chmod(0o644)
    assert "chmod" in complaint(
        "--chain", f"{at}?ca={authority.cert}&{own.query}")


@flow.test
def a_peer_cannot_name_files():
    """Links of metadata are followed without files of this machine."""
    proxy = flow.proxy()
    sock = wire.connect(proxy.port)
    links = {998: "0", 999: "2",
             1000: f"socks6://127.0.0.1:{proxy.port}",
             1001: "socks6+tls://127.0.0.1:9?cert=/etc/hostname"}
    sock.sendall(wire.request6("127.0.0.1", 9, metadata(links)))
    assert wire.auth_reply6(sock)[0] == 0
    assert wire.reply6(sock)[0] != 0
    proxy.wait_line("no setting 'cert'")


flow.main()
