#!/usr/bin/env python3
"""redirector_proxy.py: what epi-redirector says to its proxy, and what becomes
of connections that the proxy does not take."""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, redirected, servers
from support import socks_client as wire
from support.certificates import Authority


@flow.test
def a_proxy_with_an_ipv6_address():
    site = redirected.Site()
    origin = site.origin()
    site.far.address, v4 = site.far.address6, site.far.address
    flow.proxy(namespace=site.far.name,
               listen=[f"socks://[{site.far.address}]:1080"])
    site.redirector(url=f"socks6://[{site.far.address}]:1080")
    got = site.curl(origin.url("/peer"))
    assert got.stdout == v4, got


@flow.test
def a_proxy_over_tls():
    site = redirected.Site()
    origin = site.origin()
    authority = Authority()
    own = authority.issue("proxy", f"IP:{site.far.address}")
    flow.proxy(namespace=site.far.name, listen=[
        f"socks+tls://{site.far.address}:1080?{own.query}"])
    site.redirector(url=f"socks6+tls://{site.far.address}:1080"
                    f"?ca={authority.cert}")
    got = site.curl(origin.url("/peer"))
    assert got.stdout == site.far.address, got


def reset(site, server):
    """1 if a connection is reset, be it at once; 0 if it ends otherwise."""
    try:
        return 0 if site.connect(server).recv(1) else None
    except ConnectionResetError:
        return 1


@flow.test
def what_the_model_denies_is_reset_with_the_reason():
    site = redirected.Site()
    origin = site.origin()
    model = flow.file({
        "epi": 1,
        "nodes": {"far": {"addresses": [f"{site.far.address}/32"]},
                  "node": {"addresses": [f"{site.node.address}/32"]}},
        "policy": {"default": "allow", "rules": [
            {"id": "closed", "effect": "deny", "to": ["far"],
             "reason": "the archive is closed on Sundays"}]},
    }, "model.json")
    proxy = site.proxy("--model", model)
    redirector = site.redirector()
    assert reset(site, origin) == 1, "not reset"
    for program in (redirector, proxy):
        program.wait_line("closed.*the archive is closed on Sundays")
    assert origin.connections == 0


@flow.test
def a_proxy_that_is_down_is_a_reset_and_a_line():
    site = redirected.Site()
    origin = site.origin()
    redirector = site.redirector()
    assert reset(site, origin) == 1, "not reset"
    said = redirector.wait_line(".*cannot connect to the proxy.*")[0]
    assert "refused" in said and site.url in said, said
    assert origin.connections == 0
    site.proxy()
    assert site.curl(origin.url()).stdout == "hello", "not once it is up"


class Recorder(servers.Server):
    """A SOCKS 6 proxy that keeps what it was asked, and echoes."""

    def serve(self, sock):
        _, _, size, port, _, kind = struct.unpack(">BBHHBB",
                                                  wire.read(sock, 8))
        host = wire.read_address(sock, kind, pad=True)
        self.asked = host, port, dict(self.metadata(wire.read(sock, size)))
        sock.sendall(bytes([6, 0, 0, 0]) +
                     struct.pack(">BBHHBB4x", 6, 0, 0, 0, 0, 1))
        sock.sendall(wire.read(sock, 4))

    @staticmethod
    def metadata(options):
        while options:
            kind, size = struct.unpack(">HH", options[:4])
            if kind == 65000:
                key, length = struct.unpack(">HH", options[4:8])
                yield key, options[8:8 + length].decode()
            options = options[size:]


@flow.test
def application_and_purpose_go_along():
    site = redirected.Site()
    recorder = site.server(Recorder, port=1080)
    echo = site.server(servers.Echo)
    site.redirector("--application", "train", "--purpose", "research",
                    "--dataset", "küste")
    sock = site.connect(echo)
    sock.sendall(b"ping")
    assert wire.read(sock, 4) == b"ping"
    host, port, metadata = recorder.asked
    assert (host, port) == (echo.host, echo.port), recorder.asked
    assert metadata[1] == "train", metadata
    assert metadata[2002] == "research", metadata
    assert metadata[2003] == "küste", metadata
    assert echo.connections == 0


@flow.test
def a_proxy_may_have_a_name():
    site = redirected.Site()
    origin = site.origin()
    proxy = flow.proxy(namespace=site.node.name,
                       listen=["socks://127.0.0.1:1080"])
    site.redirector("--loopback", url="socks6://localhost:1080")
    assert site.curl(origin.url()).stdout == "hello"
    proxy.wait_line("ended after")
    assert flow.flows(proxy) == 1


@flow.test
def connections_to_the_proxy_are_kept_ready():
    for options, expected in ((("--warm", "0"), 0),
                              (("--warm", "1", "--warm-idle", "60000"), 1)):
        site = redirected.Site()
        origin = site.origin()
        proxy = site.proxy("--debug")
        redirector = site.redirector(*options)
        assert site.curl(origin.url()).stdout == "hello"
        assert redirector.stop() == 0
        proxy.wait_line("ended after")
        if expected:
            proxy.wait_line("closed unused")
        assert proxy.text.count("closed unused") == expected


@flow.test
def logs_in_with_credentials():
    site = redirected.Site()
    origin = site.origin()
    users = flow.file("ada:secret\n", "users")
    flow.proxy(namespace=site.far.name, listen=[
        f"socks://{site.far.address}:1080?users={users}"])
    for scheme in ("socks5", "socks6"):
        credentials = flow.file("ada:secret\n", "credentials")
        one = site.redirector(url=f"{scheme}://{site.far.address}:1080"
                                  f"?credentials={credentials}")
        assert not site.goes_direct(origin)
        assert "secret" not in one.text
        one.stop()
    one = site.redirector(url=f"socks6://ada:secret@{site.far.address}:1080")
    assert not site.goes_direct(origin)
    said = pathlib.Path(f"/proc/{one.process.pid}/cmdline").read_bytes()
    assert b"secret" not in said and "secret" not in one.text


flow.main()
