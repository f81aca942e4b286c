"""socks_peers.py: programs of others that connect through a SOCKS 5 proxy.

    for client in socks_peers.CLIENTS:
        got = client.ask(proxy.port, "::1", echo.port, b"question")

A client sends what it is given, ends its side, and gets what comes back. The
scripts that drive libraries are in tests/peers."""
import os
import pathlib

from support import fetched, flow
from support.verdict import ROOT

PEERS = ROOT / "tests" / "peers"
NAMES, LOGIN, IPV6 = "names", "login", "ipv6"

# Debian's own interpreters: Debian's packages put the libraries there.
PYTHON, PERL = "/usr/bin/python3", "/usr/bin/perl"


class Client:
    """One program: what it can do, and how it is called. command(port, host,
    to, login) returns words, or words and additions to the environment."""

    def __init__(self, name, command, *can):
        self.name, self.command, self.can = name, command, can

    def ask(self, proxy, host, port, data, login=None):
        """Send text through the proxy on a port; the finished process."""
        made = self.command(proxy, host, port, login)
        words, more = made if isinstance(made, tuple) else (made, {})
        return flow.run(*words, stdin=data, env={**os.environ, **more})


def netcat():
    """OpenBSD's, which ncat may stand in front of."""
    return flow.need("nc.openbsd")


def _nc(proxy, host, port, login):
    return [netcat(), "-N", "-X", "5", "-x", f"{flow.LOCAL}:{proxy}", host,
            port]


def _ncat(proxy, host, port, login):
    auth = ["--proxy-auth", ":".join(login)] if login else []
    return [flow.need("ncat"), "--proxy-type", "socks5", "--proxy-dns",
            "remote", "--proxy", f"{flow.LOCAL}:{proxy}", *auth, host, port]


def _proxychains(proxy, host, port, login):
    config = flow.file(f"""
strict_chain
quiet_mode
proxy_dns
[ProxyList]
socks5 {flow.LOCAL} {proxy} {' '.join(login or ())}
""", "proxychains.conf")
    return [flow.need("proxychains4"), "-f", config, netcat(), "-N", host,
            port]


def socksify(proxy, login=None, protocol="tcp", command="connect",
             names="udp"):
    """Dante's wrapper, and its environment; protocol and command say what is
    to go through the proxy. With names "fake" it leaves names to the proxy."""
    routes = "".join(f"""
route {{
  from: 0.0.0.0/0 to: {to} via: {flow.LOCAL} port = {proxy}
  proxyprotocol: socks_v5
  protocol: {protocol}
  command: {command}
  method: {'username' if login else 'none'}
}}""" for to in ("0.0.0.0/0", "."))
    config = flow.file(f"logoutput: stderr\nresolveprotocol: {names}\n"
                       f"{routes}\n", "socks.conf")
    user, password = login or ("", "")
    return [flow.need("socksify")], {
        "SOCKS_CONF": str(config), "SOCKS_AUTOADD_LANROUTES": "no",
        "SOCKS_USERNAME": user, "SOCKS_PASSWORD": password}


def _socksify(proxy, host, port, login):
    names = "udp" if host[0].isdigit() else "fake"
    words, more = socksify(proxy, login, names=names)
    return [*words, netcat(), "-N", host, port], more


def need_pysocks():
    if flow.run(flow.need(PYTHON), "-c", "import socks").returncode:
        flow.skip("python3-socks is not installed")


def _pysocks(proxy, host, port, login):
    need_pysocks()
    return [PYTHON, PEERS / "pysocks_peer.py", "tcp", proxy, host, port,
            *(login or ())]


def need_perl():
    if flow.run(flow.need(PERL), "-MIO::Socket::Socks", "-e", "1").returncode:
        flow.skip("libio-socket-socks-perl is not installed")


def _perl(proxy, host, port, login):
    need_perl()
    return [PERL, PEERS / "socks_pm.pl", "tcp", proxy, host, port,
            *(login or ())]


def _npm(proxy, host, port, login):
    node = flow.need("node")
    place, why = fetched.npm_socks()
    if not place:
        flow.skip(why)
    return ([node, PEERS / "npm_socks.js", proxy, host, port,
             *(login or ())], {"NODE_PATH": str(place)})


CLIENTS = [
    Client("nc", _nc, NAMES, IPV6),
    Client("ncat", _ncat, NAMES, IPV6, LOGIN),
    Client("proxychains", _proxychains, NAMES, IPV6, LOGIN),
    Client("socksify", _socksify, NAMES, LOGIN),
    Client("pysocks", _pysocks, NAMES, IPV6, LOGIN),
    Client("perl", _perl, NAMES, IPV6, LOGIN),
    Client("npm", _npm, NAMES, IPV6, LOGIN),
]
