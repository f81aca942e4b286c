"""socks_client.py: SOCKS spoken byte by byte, for tests that care.

Written from RFC 1928, RFC 1929 and draft-11 of SOCKS 6, not from libepi."""
import ipaddress
import socket
import struct

from support import flow

NOOP, CONNECT, BIND, UDP_ASSOCIATE = range(4)
NONE, LOGIN, NO_METHOD = 0, 2, 255


def read(sock, size):
    """Exactly `size` bytes."""
    data = bytearray()
    while len(data) < size:
        more = sock.recv(min(size - len(data), 1 << 20))
        if not more:
            raise EOFError(f"closed after {len(data)} bytes,"
                           f" {bytes(data[:80]).hex()!r}, {size} wanted")
        data += more
    return bytes(data)


def read_all(sock):
    """What comes until the end; a reset is an end, too."""
    pieces = []
    try:
        while more := sock.recv(65536):
            pieces.append(more)
    except ConnectionResetError:
        pass
    return b"".join(pieces)


def closed(sock, seconds=10):
    """1 if the peer ends the connection within a time."""
    sock.settimeout(seconds)
    try:
        read_all(sock)
    except TimeoutError:
        return 0
    return 1


def turned_away(port, host=flow.LOCAL, source=None):
    """1 if a connection is cut within a time, whether or not it got so far
    that it saw itself connected."""
    try:
        return closed(connect(port, host, source=source))
    except ConnectionResetError:
        return 1


def connect(port, host=flow.LOCAL, timeout=15, source=None):
    """A plain connection that ends with the test."""
    sock = socket.create_connection((host, port), timeout,
                                    (source, 0) if source else None)
    flow.at_end(sock.close)
    return sock


def address(host, pad=False):
    """Type and bytes of an address; a name with pad as SOCKS 6 has it."""
    try:
        packed = ipaddress.ip_address(host).packed
        return (1 if len(packed) == 4 else 4), packed
    except ValueError:
        name = host.encode()
        data = bytes([len(name)]) + name
        return 3, data + (bytes(-len(data) % 4) if pad else b"")


def read_address(sock, kind, pad=False):
    if kind in (1, 4):
        return str(ipaddress.ip_address(read(sock, 4 if kind == 1 else 16)))
    size = read(sock, 1)[0]
    name = read(sock, size + (-(size + 1) % 4 if pad else 0))
    return name[:size].decode()


# ---- SOCKS 5 ----

def greeting(*methods):
    return bytes([5, len(methods), *methods])


def login5(user, password):
    return (bytes([1, len(user)]) + user.encode() +
            bytes([len(password)]) + password.encode())


def request5(host, port, command=CONNECT):
    kind, data = address(host)
    return bytes([5, command, 0, kind]) + data + struct.pack(">H", port)


def reply5(sock):
    """Code, host and port of a reply."""
    version, code, _, kind = read(sock, 4)
    assert version == 5, f"a reply of version {version}"
    host = read_address(sock, kind)
    return code, host, struct.unpack(">H", read(sock, 2))[0]


def socks5(port, host, to, login=None, command=CONNECT):
    """A handshake; the socket and the reply's code. With a login the code is
    "login" if that is refused, "method" if no method fits."""
    sock = connect(port)
    sock.sendall(greeting(*([NONE, LOGIN] if login else [NONE])))
    version, method = read(sock, 2)
    assert version == 5, f"a greeting of version {version}"
    if method == NO_METHOD:
        return sock, "method"
    if method == LOGIN:
        sock.sendall(login5(*login))
        if read(sock, 2)[1] != 0:
            return sock, "login"
    sock.sendall(request5(host, to, command))
    return sock, reply5(sock)[0]


def ask5(port, host, to, command, source=None, proxy=flow.LOCAL):
    """A handshake up to the request; the socket. Replies are to be read."""
    sock = connect(port, host=proxy, source=source)
    sock.sendall(greeting(NONE))
    assert read(sock, 2) == b"\5\0"
    sock.sendall(request5(host, to, command))
    return sock


def echoed5(proxy_port, to, host=flow.LOCAL, data=b"x" * 1000):
    """Connect to an echo server and have data back; the reply's code, and
    without 0 nothing is sent."""
    with connect(proxy_port) as sock:
        sock.sendall(greeting(NONE))
        assert read(sock, 2) == b"\x05\x00"
        sock.sendall(request5(host, to))
        code = reply5(sock)[0]
        if not code:
            sock.sendall(data)
            assert read(sock, len(data)) == data
    return code


# ---- SOCKS 6, draft-11 ----

def option(kind, data):
    pad = bytes(-len(data) % 4)
    return struct.pack(">HH", kind, 4 + len(data) + len(pad)) + data + pad


def login_option(user, password):
    """Authentication data, method user/password, in a request."""
    return option(4, bytes([LOGIN]) + login5(user, password))


def request6(host, port, options=b"", command=CONNECT):
    kind, data = address(host, pad=True)
    return (struct.pack(">BBHHBB", 6, command, len(options), port, 0, kind) +
            data + options)


def auth_reply6(sock):
    """Type and options of an authentication reply."""
    version, kind, size = struct.unpack(">BBH", read(sock, 4))
    assert version == 6, f"an authentication reply of version {version}"
    return kind, read(sock, size)


def reply6(sock):
    """Code, host and port of an operation reply."""
    version, code, size, port, _, kind = struct.unpack(">BBHHBB",
                                                       read(sock, 8))
    assert version == 6, f"an operation reply of version {version}"
    host = read_address(sock, kind, pad=True)
    read(sock, size)
    return code, host, port


def ask6(port, host, to, command, options=b"", source=None, proxy=flow.LOCAL):
    """A request that is authenticated; the socket. Operation replies are to
    be read."""
    sock = connect(port, host=proxy, source=source)
    sock.sendall(request6(host, to, options, command))
    kind, _ = auth_reply6(sock)
    assert kind == 0, f"an authentication reply of type {kind}"
    return sock
