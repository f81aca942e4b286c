"""datagrams.py: UDP ASSOCIATE spoken byte by byte, and hosts to speak to.

Written from RFC 1928 and the drafts of SOCKS 6, not from libepi."""
import contextlib
import ipaddress
import re
import socket
import struct
import threading

from support import flow
from support import socks_client as wire

INIT, CONFIRM, DATAGRAM, ERROR = 1, 2, 3, 4
TOS, TTL, NO_FRAGMENT = (1, 1), (1, 3), (1, 4)
UDP_ERROR, PARITY = (5, 1), (5, 2)
NO, YES = 1, 2


def udp(host=flow.LOCAL, port=0, timeout=10):
    """A UDP socket that ends with the test."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET,
                         socket.SOCK_DGRAM)
    flow.at_end(sock.close)
    sock.bind((host, port))
    sock.settimeout(timeout)
    return sock


def silent(sock, seconds=0.3):
    """1 if nothing comes within a time."""
    before = sock.gettimeout()
    sock.settimeout(seconds)
    try:
        sock.recv(65536)
    except TimeoutError:
        return 1
    finally:
        sock.settimeout(before)
    return 0


class Echo:
    """Sends back what it gets; `got` has it, with where it came from."""

    def __init__(self, host=flow.LOCAL, port=0):
        self.sock = udp(host, port, None)
        self.host, self.port = self.sock.getsockname()[:2]
        self.got, self.over = [], False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        flow.at_end(self._end)

    def _end(self):
        """The thread ends before its socket is closed: a call that waits may
        begin anew, on whatever has the same number by then."""
        self.over = True
        with contextlib.suppress(OSError):  # it is not connected
            self.sock.shutdown(socket.SHUT_RD)
        self.thread.join(10)

    def _serve(self):
        while True:
            data, peer = self.sock.recvfrom(65536)
            if self.over:
                return
            self.got.append((data, peer[:2]))
            with contextlib.suppress(OSError):
                self.sock.sendto(data, peer)


# ---- SOCKS 5 ----

def pack5(host, port, data, fragment=0):
    kind, packed = wire.address(host)
    return (bytes([0, 0, fragment, kind]) + packed + struct.pack(">H", port) +
            data)


def unpack5(message):
    """Host, port and data."""
    assert message[:3] == bytes(3), message[:4]
    size = {1: 4, 4: 16}[message[3]]
    host = str(ipaddress.ip_address(message[4:4 + size]))
    port = struct.unpack(">H", message[4 + size:6 + size])[0]
    return host, port, message[6 + size:]


class Association:
    """What both versions have: `code` of the reply, `tcp`, and `sock`, the UDP
    socket, connected to the proxy, or None."""

    sock = None

    def close(self):
        self.tcp.close()
        if self.sock:
            self.sock.close()


class Socks5(Association):

    def __init__(self, proxy_port, host="0.0.0.0", port=0, proxy=flow.LOCAL,
                 local=None, source=None):
        self.tcp = wire.connect(proxy_port, proxy, source=source)
        self.tcp.sendall(wire.greeting(wire.NONE))
        assert wire.read(self.tcp, 2) == bytes([5, wire.NONE])
        self.tcp.sendall(wire.request5(host, port, wire.UDP_ASSOCIATE))
        self.code, self.host, self.port = wire.reply5(self.tcp)
        if self.code == 0:
            self.sock = local or udp(self.tcp.getsockname()[0])
            self.sock.connect((self.host, self.port))

    def send(self, host, port, data, fragment=0):
        self.sock.send(pack5(host, port, data, fragment))

    def receive(self):
        return unpack5(self.sock.recv(65536))

    def ask(self, host, port, data):
        self.send(host, port, data)
        return self.receive()


# ---- SOCKS 6 ----

def stack_option(leg, option, *data):
    level, code = option
    data = bytes(data) + bytes(-len(data) % 4)
    return wire.option(1, bytes([leg << 6 | level, code]) + data[:2])


def read_stack(options):
    """The stack options of a reply: {(leg, level, code): two bytes}."""
    found = {}
    while options:
        kind, size = struct.unpack(">HH", options[:4])
        if kind == 1:
            found[options[4] >> 6, options[4] & 63, options[5]] = options[6:8]
        options = options[size:]
    return found


def name6(host, draft=11):
    """Type and bytes of an address in a datagram's header."""
    return wire.address(host) if draft == 11 else counted(host)


def counted(host):
    kind, data = wire.address(host, pad=True)
    return kind, (bytes([len(data) - 1]) + data[1:] if kind == 3 else data)


def pack6(association, host, port, data=b"", draft=11, kind=DATAGRAM):
    type_, packed = name6(host, draft)
    body = bytes([type_, 0]) + struct.pack(">H", port) + packed + data
    return struct.pack(">BBHQ", 6, kind, 12 + len(body), association) + body


def unpack6(message):
    """Type, association and what is behind."""
    version, kind, size, association = struct.unpack(">BBHQ", message[:12])
    assert version == 6 and size == len(message), message
    return kind, association, message[12:]


def unpack_remote(body):
    """Host, port and what is behind them."""
    size = {1: 4, 4: 16}[body[0]]
    return (str(ipaddress.ip_address(body[4:4 + size])),
            struct.unpack(">H", body[2:4])[0], body[4 + size:])


class Socks6(Association):
    """Its `way` is "tcp", or the proxy's UDP port."""

    def __init__(self, proxy_port, way="tcp", host="0.0.0.0", port=0,
                 options=b"", draft=11, proxy=flow.LOCAL, source=None,
                 local=None):
        self.draft = draft
        self.tcp = wire.connect(proxy_port, proxy, source=source)
        self.tcp.sendall(wire.request6(host, port, options,
                                       wire.UDP_ASSOCIATE))
        assert wire.auth_reply6(self.tcp)[0] == 0
        self._read_reply()
        if self.code == 0:
            kind, self.id, rest = self.read_tcp()
            assert (kind, rest) == (INIT, b""), (kind, rest)
        if way != "tcp":
            self.sock = local or udp(self.tcp.getsockname()[0])
            self.sock.connect((proxy, way))

    def _read_reply(self):
        version, self.code, size, self.port, _, kind = struct.unpack(
            ">BBHHBB", wire.read(self.tcp, 8))
        assert version == 6
        self.host = wire.read_address(self.tcp, kind, pad=True)
        self.stack = read_stack(wire.read(self.tcp, size))

    def read_tcp(self):
        head = wire.read(self.tcp, 12)
        return unpack6(head + wire.read(self.tcp,
                                        struct.unpack(">H", head[2:4])[0] -
                                        12))

    def send_raw(self, message):
        if self.sock:
            self.sock.send(message)
        else:
            self.tcp.sendall(message)

    def send(self, host, port, data=b""):
        self.send_raw(pack6(self.id, host, port, data, self.draft))

    def confirm(self):
        kind, association, rest = self.read_tcp()
        assert (kind, association, rest) == (CONFIRM, self.id, b""), kind

    def receive_message(self):
        kind, association, body = unpack6(self.sock.recv(65536)) \
            if self.sock else self.read_tcp()
        assert association == self.id
        return kind, body

    def receive(self):
        kind, body = self.receive_message()
        assert kind == DATAGRAM, kind
        return unpack_remote(body)

    def ask(self, host, port, data):
        self.send(host, port, data)
        return self.receive()


def udp_port(proxy):
    """The UDP port of the proxy's listener."""
    return int(proxy.wait_line(r"datagrams of .* come to .*:(\d+)").group(1))


def log_refusals(proxy):
    return re.findall(r"datagrams .* refused: .*", proxy.text)
