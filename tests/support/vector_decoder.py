"""vector_decoder.py: the messages of SOCKS, read in as few lines as possible
and with none of libepi's code: what the README of tests/vectors says and the
RFC and the drafts say is enough to use the vectors.

It reads what is valid, and believes that it is."""
import ipaddress
import struct

LEGS = {1: ("client",), 2: ("remote",), 3: ("client", "remote")}
STACK = {  # level, code: name, on which legs, how its data is read
    (1, 1): ("TOS", "client remote", "B"),
    (1, 2): ("happy eyeballs", "remote", "B"),
    (1, 3): ("TTL", "client remote", "B"),
    (1, 4): ("no fragmentation", "client remote", "B"),
    (4, 1): ("TFO", "remote", ">H"),
    (4, 2): ("multipath", "remote", "B"),
    (4, 3): ("listen backlog", "remote", ">H"),
    (5, 1): ("UDP error", "remote", "B"),
    (5, 2): ("port parity", "remote", ">H"),
}
DRAFTS = ("6", "612")


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        self.at += count
        assert self.at <= len(self.data)
        return self.data[self.at - count:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")


def host(kind, data, padding):
    """An address of a type: pad4(1 + length) bytes if a name has padding."""
    if kind == 1:
        return str(ipaddress.IPv4Address(data.take(4)))
    if kind == 4:
        ip = ipaddress.IPv6Address(data.take(16))
        return str(ip.ipv4_mapped or f"[{ip}]")
    assert kind == 3
    length = data.number(1)
    name = data.take(length + (-(1 + length) % 4 if padding else 0))
    name = name[:length].rstrip(b"\0").decode().lower()
    return str(ipaddress.IPv4Address(name)) if name[-1].isdigit() else name


def head(version, data, is_reply):
    """What requests and operation replies begin with: the second byte, where
    to, and the length of the options. socksx has its padding in two places."""
    data.take(1)
    second, options = data.number(1), 0
    if version in DRAFTS:
        options, port, _ = data.number(2), data.number(2), data.take(1)
        where = host(data.number(1), data, True)
        return second, f"{where}:{port}", options
    if version == "5" or is_reply:
        data.take(1)
    where = host(data.number(1), data, False)
    port = data.number(2)
    if version == "600":
        data.take(0 if is_reply else 1)
        options = data.number(2)
    return second, f"{where}:{port}", options


def options_of(data, length):
    end = data.at + length
    while data.at < end:
        kind, size = data.number(2), data.number(2)
        yield kind, data.take(size - 4)


def stack(out, body):
    leg, level = body[0] >> 6, body[0] & 63
    name, legs, form = STACK.get((level, body[1]), ("", "", "B"))
    if set(LEGS.get(leg, ())) <= set(legs.split()):
        for one in LEGS.get(leg, ()):
            out[f"stack {one} {name}"] = struct.unpack_from(form, body, 2)[0]


def metadata(out, body):
    key, length = struct.unpack_from(">HH", body)
    out[f"metadata {key}"] = body[4:4 + length].decode()


def auth_data(out, body, is_request):
    method, data = body[0], Bytes(body[1:])
    if method == 2:
        data.take(1)
        if is_request:
            out["user"] = data.take(data.number(1)).decode()
            out["password"] = data.take(data.number(1)).decode()
        else:
            out["login"] = data.number(1)
    elif method not in (0, 255):
        out[f"auth-data {method}"] = body[1:]


def request(version, data):
    command, where, length = head(version, data, False)
    out, methods = {"command": command, "dest": where}, []
    for kind, body in options_of(data, length):
        if kind == 1:
            stack(out, body)
        elif kind == 2:
            if body[:2] != b"\0\0":
                out["initial-data"] = int.from_bytes(body[:2], "big")
            methods += [one for one in body[2:] if one not in (0, 255)]
        elif kind == 4:
            auth_data(out, body, True)
        elif kind == 5:
            out["session"] = "BEGIN"
        elif kind == 6:
            out["session-id"] = body
            out.setdefault("session", "JOIN")
        elif kind == 10:
            out["session"] = "END"
        elif kind == 11:
            out["token-window"] = int.from_bytes(body[:4], "big")
        elif kind == 13:
            out["token"] = int.from_bytes(body[:4], "big")
        elif kind == 65000:
            metadata(out, body)
    if methods:
        out["methods"] = " ".join(map(str, sorted(set(methods))))
    if not command:
        out["dest"] = "0.0.0.0:0"  # they have no meaning in a NOOP
    return out


def auth_reply(version, data):
    data.take(1)
    out = {"type": data.number(1)}
    for kind, body in options_of(data, data.number(2)):
        if kind == 3:
            out["method"] = body[0]
        elif kind == 4:
            auth_data(out, body, False)
        elif kind == 6:
            out["session-id"] = body
        elif kind in (8, 9):
            out["session"] = "OK" if kind == 8 else "INVALID"
        elif kind == 12:
            out["window-base"], out["window-size"] = struct.unpack(">II", body)
        elif kind in (14, 15):
            out["token"] = "ACCEPTED" if kind == 14 else "REJECTED"
    return out


def reply(version, data):
    code, where, length = head(version, data, True)
    out = {"code": code, "bound": where}
    for kind, body in options_of(data, length):
        if kind == 1:
            stack(out, body)
        elif kind == 6:
            out["session-id"] = body
        elif kind == 65000:
            metadata(out, body)
    return out


def datagram(version, data):
    """Of SOCKS 6, as far as its length says."""
    out = {}
    if version == "5":
        data.take(2)
        out["fragment"] = data.number(1)
        where = host(data.number(1), data, False)
        out["remote"] = f"{where}:{data.number(2)}"
        out["data"] = data.data[data.at:]
        return out
    data.take(1)
    out["type"], size = data.number(1), data.number(2)
    out["association"] = data.take(8)
    if out["type"] in (3, 4):
        kind, _, port = data.number(1), data.take(1), data.number(2)
        out["remote"] = f"{host(kind, data, version == '612')}:{port}"
    if out["type"] == 3:
        out["data"] = data.data[data.at:size]
    if out["type"] == 4:
        kind, out["error-code"] = data.number(1), data.number(1)
        data.take(2)
        out["reporter"] = host(kind, data, False).strip("[]")
    data.at = size
    return out


MESSAGES = {"request": request, "auth-reply": auth_reply, "reply": reply,
            "datagram": datagram}
