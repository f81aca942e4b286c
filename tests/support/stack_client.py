"""stack_client.py: stack options of SOCKS 6 on the wire, for flow tests.

    sock, code, answers = stack_client.connect(port, host, to,
                                               [(REMOTE, TOS, 0x20)])
    assert answers[REMOTE, TOS] == 0x20"""
import struct

from support import flow, socks_client as wire

CLIENT, REMOTE, BOTH = 1, 2, 3
# Level and code, and bytes of the value.
TOS, HAPPY, TTL, NO_FRAGMENT = (1, 1, 1), (1, 2, 1), (1, 3, 1), (1, 4, 1)
TFO, MULTIPATH, BACKLOG = (4, 1, 2), (4, 2, 1), (4, 3, 2)
NO, YES = 1, 2
_KNOWN = {known[:2]: known for known in (
    TOS, HAPPY, TTL, NO_FRAGMENT, TFO, MULTIPATH, BACKLOG)}


def stack_option(leg, option, value):
    level, code, size = option
    return wire.option(1, bytes([leg << 6 | level, code]) +
                       value.to_bytes(size, "big"))


def read_options(data):
    """The stack options in the options of a message: values by leg and
    option."""
    found = {}
    while data:
        kind, size = struct.unpack(">HH", data[:4])
        if kind == 1:
            leg, level, code = data[4] >> 6, data[4] & 63, data[5]
            option = _KNOWN[level, code]
            value = int.from_bytes(data[6:6 + option[2]], "big")
            for one in (CLIENT, REMOTE):
                if leg & one:
                    assert (one, option) not in found, "answered twice"
                    found[one, option] = value
        data = data[size:]
    return found


def reply(sock):
    """Code and stack options of an operation reply."""
    version, code, size, _, _, kind = struct.unpack(">BBHHBB",
                                                    wire.read(sock, 8))
    assert version == 6, f"an operation reply of version {version}"
    wire.read_address(sock, kind, pad=True)
    return code, read_options(wire.read(sock, size))


def connect(port, host, to, options=(), early=b"", proxy=flow.LOCAL):
    """A handshake with stack options, (leg, option, value), and with data
    right behind the request; the socket, the reply's code, the answers."""
    sock = wire.connect(port, proxy)
    sock.sendall(wire.request6(host, to, b"".join(
        stack_option(*wish) for wish in options)) + early)
    kind, _ = wire.auth_reply6(sock)
    assert kind == 0, "authentication failed"
    return sock, *reply(sock)
