"""test_brane.py: brane-prx's API, its proxy.yml, and the package for Brane."""
import asyncio
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading

import pytest

import epi
from conftest import BUILD, HOSPITALS, ROOT, read_exactly, until
from epi.brane import PathServer, ProxyConfig

MOVE = ROOT / "bindings" / "python" / "examples" / "brane" / "move.py"


def free_ports(count):
    """A range of ports that nobody has."""
    for first in range(20000, 30000, 7):
        ports = range(first, first + count)
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for port in ports:
                sock = held.enter_context(socket.socket())
                sock.bind(("127.0.0.1", port))
            return ports
    raise AssertionError("no ports")


def config_of(ports, **more):
    return ProxyConfig.parse(json.dumps({
        "outgoing_range": {"start": ports[0], "end": ports[-1]}, **more}))


class Running:
    """A path server in a thread with an event loop of its own."""

    def __init__(self, config=None, **more):
        self.config = config or ProxyConfig(free_ports(2))
        self.more, self.ready = more, concurrent.futures.Future()
        self.thread = threading.Thread(target=asyncio.run,
                                       args=(self._main(),))

    async def _main(self):
        self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with PathServer(self.config, **self.more) as server:
                self.ready.set_result(server.address)
                await self.over.wait()
        except BaseException as error:
            self.ready.set_exception(error)

    def __enter__(self):
        self.thread.start()
        self.address = self.ready.result(60)
        return self

    def __exit__(self, *exc):
        self.loop.call_soon_threadsafe(self.over.set)
        self.thread.join(60)

    def ask(self, method, target, body=None):
        connection = http.client.HTTPConnection(
            self.address.host, self.address.port, timeout=60)
        connection.request(method, target, body if body is None or isinstance(
            body, str) else json.dumps(body))
        answer = connection.getresponse()
        said = answer.read().decode()
        connection.close()
        return answer.status, said

    def connections(self, port):
        listed = json.loads(self.ask("GET", "/outgoing")[1])
        return [path["connections"] for path in listed
                if path["port"] == port][0]

    def path(self, address, tls=None):
        status, port = self.ask("POST", "/outgoing/new",
                                {"address": address, "tls": tls})
        assert status == 200, port
        return int(port)


def talk(port, said=b"hello"):
    with socket.create_connection(("127.0.0.1", port), 60) as sock:
        sock.sendall(said)
        return read_exactly(sock, len(said))


def test_paths_are_made_listed_and_deleted(echo):
    with Running() as server:
        where = "http://%s:%d" % echo.address
        first = server.path(where)
        assert first in server.config.outgoing
        assert talk(first) == b"hello"
        second = server.path("%s:%d" % echo.address)
        assert second != first and talk(second) == b"hello"
        assert server.ask("POST", "/outgoing/new",
                          {"address": where, "tls": None})[0] == 507
        held = socket.create_connection(("127.0.0.1", first), 60)
        held.sendall(b"x")
        assert held.recv(1) == b"x"
        listed = json.loads(server.ask("GET", "/outgoing")[1])
        assert [path["port"] for path in listed] == sorted([first, second])
        until(lambda: server.connections(first) == 1, "the other one ended")
        assert server.ask("DELETE", f"/outgoing/{first}")[0] == 204
        with contextlib.suppress(ConnectionResetError):
            assert held.recv(1) == b""
        held.close()
        with pytest.raises(OSError):
            talk(first)
        assert server.path(where) == first
        assert server.ask("DELETE", "/outgoing/1")[0] == 404


def test_many_connections_pass_a_path_at_once(echo):
    with Running() as server:
        port = server.path("http://%s:%d" % echo.address)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            said = [f"hello {n}".encode() * 1000 for n in range(32)]
            assert list(pool.map(lambda s: talk(port, s), said)) == said


@pytest.mark.parametrize("body", [
    "", "no", "[]", pytest.param("[" * 60000, id="deep"), "{}",
    {"address": 5}, {"address": "gopher://a:1"}, {"address": "a"},
    {"address": "a:1", "tls": 5},
    {"address": "a:1", "tls": {"location": "../x", "use_client_auth": False}},
    {"address": "a:1", "tls": {"location": "x", "use_client_auth": "no"}},
    {"address": "a:1", "tls": {"location": "x", "use_client_auth": False}}])
def test_bad_requests(body):
    with Running() as server:
        assert server.ask("POST", "/outgoing/new", body)[0] == 400
        assert json.loads(server.ask("GET", "/outgoing")[1]) == []


def test_what_is_no_request():
    with Running() as server:
        assert server.ask("GET", "/nothing")[0] == 404
        assert server.ask("PUT", "/outgoing/new")[0] == 404
        for said in (b"nonsense\r\n\r\n", b"\r\n\r\n", b"POST /outgoing/new"
                     b" HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
                     b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
            with socket.create_connection(
                    (server.address.host, server.address.port), 60) as sock:
                sock.sendall(said)
                assert sock.recv(12) in (b"HTTP/1.1 400", b"HTTP/1.1 404")


def test_a_path_goes_through_the_proxy(echo):
    seen = []
    with epi.Engine(listen="socks://127.0.0.1:0?dialect=auto",
                    on_flow=seen.append, workers=1) as proxy:
        for protocol in ("SOCKS5", "socks6"):
            config = config_of(free_ports(1), forward={
                "address": str(proxy.addresses[0]), "protocol": protocol})
            with Running(config) as server:
                assert talk(server.path("http://%s:%d" % echo.address)) == (
                    b"hello")
    assert [flow.dest for flow in seen] == [epi.Address.of(echo.address)] * 2


def test_a_model_judges_paths(echo):
    model = epi.Model({"epi": 1, "nodes": {}})
    with Running(model=model) as server:
        port = server.path("http://%s:%d" % echo.address)
        with contextlib.suppress(ConnectionResetError), \
                socket.create_connection(("127.0.0.1", port), 60) as sock:
            assert sock.recv(1) == b""


def test_incoming_connections_are_forwarded(echo):
    (port,) = free_ports(1)
    config = ProxyConfig(free_ports(2), {port: epi.Address.of(echo.address)})
    with Running(config):
        assert talk(port) == b"hello"
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(epi.errors.Busy):
            with Running(config):
                pass


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    """Certificates of a location, whose server is localhost."""
    folder = tmp_path_factory.mktemp("certs") / "umc"
    folder.mkdir()

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True,
                       capture_output=True)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    (folder / "extensions").write_text(
        "subjectAltName=DNS:localhost\nsubjectKeyIdentifier=hash\n"
        "authorityKeyIdentifier=keyid\n")
    for name in ("server", "client"):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout",
                f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem",
                "-CAkey", "ca.key", "-days", "2", "-out", f"{name}.pem",
                "-extfile", "extensions")
    (folder / "client-id.pem").write_text(
        (folder / "client.key").read_text()
        + (folder / "client.pem").read_text())
    return folder.parent


class TlsEcho:
    """A server over TLS that demands a certificate of its client."""

    def __init__(self, folder):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "server.pem",
                                     folder / "server.key")
        self.context.load_verify_locations(folder / "ca.pem")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
                with self.context.wrap_socket(peer, server_side=True) as tls:
                    while data := tls.recv(1000):
                        tls.sendall(data)
            except ssl.SSLError:
                continue
            except OSError:
                if self.socket.fileno() < 0:
                    return


def test_a_path_may_speak_tls(certs):
    server = TlsEcho(certs / "umc")
    tls = {"location": "umc", "use_client_auth": True}
    with Running(ProxyConfig(free_ports(3)), certs=certs) as paths:
        port = paths.path(f"https://localhost:{server.port}", tls)
        assert talk(port) == b"hello"
        listed = json.loads(paths.ask("GET", "/outgoing")[1])
        assert listed[0]["tls"] == tls
        # Without a certificate, and under a name that is not the server's.
        for address, auth in ((f"localhost:{server.port}", False),
                              (f"127.0.0.1:{server.port}", True)):
            port = paths.path(address, {**tls, "use_client_auth": auth})
            with socket.create_connection(("127.0.0.1", port), 60) as sock:
                with contextlib.suppress(ConnectionResetError):
                    assert sock.recv(1) == b""
        assert paths.ask("DELETE", f"/outgoing/{port}")[0] == 204
    server.socket.close()


@pytest.mark.parametrize("default, needed, reached", [
    ("allow", [], True), ("deny", [], False), ("allow", ["x"], False)])
def test_a_model_judges_paths_that_speak_tls(certs, default, needed, reached):
    server = TlsEcho(certs / "umc")
    model = epi.Model({
        "epi": 1, "policy": {"default": default},
        "nodes": {"here": {"addresses": ["127.0.0.1"], "attributes": needed},
                  "there": {"addresses": ["localhost"]}},
        "functions": {"f": {"provides": ["x"], "filter": "count"}}})
    with Running(ProxyConfig(free_ports(1)), certs=certs,
                 model=model) as paths:
        port = paths.path(f"https://localhost:{server.port}",
                          {"location": "umc", "use_client_auth": True})
        if reached:
            assert talk(port) == b"hello"
        else:
            with contextlib.suppress(ConnectionResetError), \
                    socket.create_connection(("127.0.0.1", port), 60) as sock:
                assert sock.recv(1) == b""
    server.socket.close()


def test_the_configuration():
    config = ProxyConfig.parse("""
# as branectl writes it
outgoing_range:
  start: 4200
  end: 4201
incoming:
  5000: service:80
  "5001": '10.0.0.1:81'
forward:
  address: proxy:1080   # the EPI proxy
  protocol: socks6
""")
    assert config == ProxyConfig(
        range(4200, 4202), {5000: epi.Address("service", 80),
                            5001: epi.Address("10.0.0.1", 81)},
        "socks6://proxy:1080?dialect=socksx")
    assert ProxyConfig.parse("") == ProxyConfig()
    flow = ("outgoing_range: {start: 1, end: 2}\nincoming: {}\n"
            "forward: {address: p:1, protocol: SOCKS5}\n")
    assert ProxyConfig.parse(flow).forward == "socks5://p:1"
    assert ProxyConfig.parse("incoming:\nforward: null\n") == ProxyConfig()
    draft = "forward: {address: p:1, protocol: socks6, dialect: draft}"
    assert ProxyConfig.parse(draft).forward == "socks6://p:1"


@pytest.mark.parametrize("text", [
    "nothing", "outgoing_range: 5", "outgoing_range: {start: 5, end: 4}",
    "outgoing_range: {start: 0, end: 4}", "incoming: {x: a:1}",
    "incoming: {5: a}", "forward: {address: a:1}", "more: 5",
    "forward: {address: a:1, protocol: http}", "incoming: [5]", "{", "a:\n b",
    "incoming: 5", '{"incoming": [5]}',
    "incoming:\n  5: a:1\n 6: a:2\n", "incoming: {\n", "- a: 5",
    "incoming: {}\nincoming: {}\n"])
def test_a_bad_configuration_is_told(text):
    with pytest.raises(epi.errors.InvalidArgument, match="proxy.yml|port"):
        ProxyConfig.parse(text)


def test_the_program(tmp_path, echo):
    (port,) = free_ports(1)
    (tmp_path / "proxy.yml").write_text(
        f"outgoing_range: {{start: {port}, end: {port}}}\n")
    env = {**os.environ, "PYTHONPATH": str(ROOT / "bindings" / "python")}
    words = [sys.executable, "-m", "epi.brane", "--api", "127.0.0.1:0",
             "--host", "127.0.0.1", "--config"]
    with subprocess.Popen([*words, tmp_path / "proxy.yml"], env=env, text=True,
                          stderr=subprocess.PIPE) as program:
        line = program.stderr.readline()
        port = int(line.rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", "/outgoing/new", json.dumps(
            {"address": "http://%s:%d" % echo.address, "tls": None}))
        assert talk(int(connection.getresponse().read())) == b"hello"
        program.terminate()
        assert program.wait(60) == 0
    ran = subprocess.run([*words, "/no/such"], env=env, capture_output=True)
    assert ran.returncode == 2


def _act(action, **inputs):
    env = {**os.environ, "PYTHONPATH": str(ROOT / "bindings" / "python"),
           **{name.upper(): json.dumps(value)
              for name, value in inputs.items()}}
    ran = subprocess.run([sys.executable, MOVE, action], env=env, text=True,
                         capture_output=True, timeout=300)
    if ran.returncode:
        assert "Traceback" not in ran.stderr
        return ran.stderr
    key, _, value = ran.stdout.partition(": ")
    assert key == "output"
    return json.loads(value)


def test_the_package_checks_and_plans():
    flow = {"model": str(HOSPITALS), "from": "umc", "to": "antonius",
            "port": 443}
    assert _act("check", **flow).startswith("bridged: ")
    assert _act("plan", **flow) == "px-umc: scan, seal; px-ant: open"
    assert _act("check", **flow, purpose="commercial").startswith("denied: ")
    assert _act("plan", **flow, purpose="commercial").startswith("refused")
    document = {**flow, "model": json.loads(HOSPITALS.read_text())}
    assert _act("check", **document).startswith("bridged")
    assert "umx" in _act("check", **{**flow, "from": "umx"})
    assert "usage" in _act("nothing")
    del document["from"]
    assert "FROM is missing" in _act("plan", **document)
    assert "move.py: " in _act("plan", **{**flow, "port": "443"})
    assert "PROXY is missing" in _act("move", dataset=str(HOSPITALS), port=1,
                                      host="127.0.0.1")


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="no dpkg")
def test_the_package_has_what_the_library_needs():
    said = subprocess.run(["objdump", "-p", BUILD / "libepi.so"], text=True,
                          capture_output=True, check=True).stdout
    listed = (MOVE.parent / "container.yml").read_text().split()
    for library in re.findall(r"NEEDED +(\S+)", said):
        owners = subprocess.run(
            ["dpkg-query", "-S", f"*/{library}"], text=True,
            capture_output=True).stdout
        names = {line.partition(":")[0] for line in owners.splitlines()}
        # Every system has these two.
        assert (not names or names & {"libc6", "libcrypt1"}
                or names & set(listed)), library


def test_the_package_moves_a_dataset_through_a_chain(tmp_path):
    """Two domains; what leaves the first one is sealed."""
    got = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        peer, _ = server.accept()
        with peer:
            data = b""
            while piece := peer.recv(65536):
                data += piece
            got.append(data)
    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    key, line = bytes(range(32)), []
    data = os.urandom(300_000)
    (tmp_path / "scans.bin").write_bytes(data)
    with epi.Engine(workers=1, listen="socks://127.0.0.1:0",
                    filters=[epi.NativeFilter.builtin("open", key)]) as there, \
            epi.Engine(workers=1, listen="socks://127.0.0.1:0",
                       via=[f"socks6://{there.addresses[0]}"],
                       filters=[epi.NativeFilter.builtin("seal", key)],
                       on_log=lambda _, said: line.append(said)) as here:
        said = _act("move", dataset=str(tmp_path / "scans.bin"),
                    host="127.0.0.1", port=server.getsockname()[1],
                    proxy=f"socks6://{here.addresses[0]}", purpose="research")
        assert said.startswith("300000 bytes")
    serving.join(60)
    assert got == [data]
    server.close()
