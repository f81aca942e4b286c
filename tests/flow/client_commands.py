#!/usr/bin/env python3
"""client_commands.py: BIND and UDP ASSOCIATE, as programs of others ask
for them."""
import os
import pathlib
import re
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import datagrams, flow, socks_peers
from support import socks_client as wire

LOGIN = ("ada", "secret")

# What dante's wrapper makes go through the proxy, written as if there were
# none. It wraps accept(), but Python calls accept4().
LISTENS = """
import ctypes, socket
sock = socket.socket()
sock.bind(("127.0.0.1", 0))
sock.listen(1)
print("at", *sock.getsockname(), flush=True)
source, size = ctypes.create_string_buffer(128), ctypes.c_uint(128)
peer = socket.socket(fileno=ctypes.CDLL(None).accept(
    sock.fileno(), source, ctypes.byref(size)))
print("from", *peer.getpeername(), flush=True)
said = peer.recv(65536)
print("said", said.decode(), flush=True)
peer.sendall(b"answer to " + said)
peer.close()
"""
SENDS = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for line in sys.stdin:
    sock.sendto(line.strip().encode(), ("127.0.0.1", int(sys.argv[1])))
    print(sock.recvfrom(65535)[0].decode())
"""


def able(command, login=None):
    """A proxy that knows the command; without one there is nothing to test."""
    query = ""
    if login:
        query = f"?users={flow.file(':'.join(login) + chr(10), 'users')}"
    proxy = flow.proxy(listen=[f"socks://{flow.LOCAL}:0{query}"])
    sock, code = wire.socks5(proxy.port, flow.LOCAL, 9, login, command)
    sock.close()
    if code == 7:
        flow.skip("epi-proxy does not know the command: reply 7")
    return proxy


def is_connected_to(program):
    """Play the peer that a client waits for behind the proxy."""
    at = program.wait_line(r"^at (\S+) (\d+)$")
    with socket.create_connection((at[1], int(at[2])), 10) as peer:
        peer.settimeout(15)
        peer.sendall(b"hello")
        assert wire.read(peer, 15) == b"answer to hello"
        here = peer.getsockname()
    program.wait_line(f"^from {re.escape(here[0])} {here[1]}$")
    program.wait_line("^said hello$")
    assert program.wait() == 0, program.text


def gets_datagrams_back(got, echo):
    assert got.returncode == 0, got
    lines = [line.split()[0] for line in got.stdout.splitlines()]
    assert lines == ["one", "two", "three"], got
    assert len({source for _, source in echo.got}) == 1, echo.got


DATAGRAMS = "one\ntwo\nthree\n"


def binds_with_perl(login=None):
    socks_peers.need_perl()
    proxy = able(wire.BIND, login)
    is_connected_to(flow.start(
        socks_peers.PERL, socks_peers.PEERS / "socks_pm.pl", "bind",
        proxy.port, flow.LOCAL, 0, *(login or ())))


@flow.test
def perl_binds():
    binds_with_perl()


@flow.test
def perl_binds_with_a_login():
    binds_with_perl(LOGIN)


@flow.test
def socksify_binds():
    proxy = able(wire.BIND)
    words, more = socks_peers.socksify(proxy.port, command="bind connect")
    is_connected_to(flow.start(*words, socks_peers.PYTHON, "-c", LISTENS,
                               env={**os.environ, **more}))


def sends_datagrams(script, *kind, login=None):
    proxy, echo = able(wire.UDP_ASSOCIATE, login), datagrams.Echo()
    gets_datagrams_back(flow.run(
        *script, *kind, proxy.port, flow.LOCAL, echo.port, *(login or ()),
        stdin=DATAGRAMS), echo)


@flow.test
def pysocks_sends_datagrams():
    socks_peers.need_pysocks()
    sends_datagrams([socks_peers.PYTHON,
                     socks_peers.PEERS / "pysocks_peer.py"], "udp")


@flow.test
def pysocks_sends_datagrams_with_a_login():
    socks_peers.need_pysocks()
    sends_datagrams([socks_peers.PYTHON,
                     socks_peers.PEERS / "pysocks_peer.py"], "udp",
                    login=LOGIN)


@flow.test
def perl_sends_datagrams():
    socks_peers.need_perl()
    sends_datagrams([socks_peers.PERL,
                     socks_peers.PEERS / "socks_pm.pl"], "udp")


@flow.test
def socksify_sends_datagrams():
    proxy, echo = able(wire.UDP_ASSOCIATE), datagrams.Echo()
    words, more = socks_peers.socksify(proxy.port, protocol="udp",
                                       command="udpassociate")
    gets_datagrams_back(flow.run(
        *words, socks_peers.PYTHON, "-c", SENDS, echo.port,
        stdin=DATAGRAMS, env={**os.environ, **more}), echo)


if __name__ == "__main__":
    flow.main()
