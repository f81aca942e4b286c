"""bridging.py: two hospitals, a proxy in each, and the wire between them."""
import contextlib
import copy
import json
import socket
import struct
import threading

from support import flow, servers
from support import socks_client as wire

NODE, OTHER_NODE, UMC = "127.1.0.5", "127.1.0.6", "127.1.0.2"
ANT, ORIGIN = "127.2.0.2", "127.2.0.9"
REASON = 2011  # the key of a reply's metadata: why it was refused
SECRET = b"the record of patient 4711, not for anybody on the way"
KEY = "a chain key for two proxies, and nobody else"


class Wire(servers.Server):
    """What lies between two proxies: it records what crosses, by direction,
    and may change it first."""
    unused = False

    def __init__(self, **where):
        self.to = None  # host and port
        self.crossed = {"out": b"", "back": b""}
        self.change = lambda direction, data: data
        super().__init__(**where)

    def serve(self, sock):
        with socket.create_connection(self.to) as onward:
            back = threading.Thread(target=self._copy, daemon=True,
                                    args=("back", onward, sock))
            back.start()
            self._copy("out", sock, onward)
            back.join()

    def _copy(self, direction, source, to):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                data = self.change(direction, data)
                self.crossed[direction] += data
                to.sendall(data)
        # A reset at one side is a reset at the other.
        with contextlib.suppress(OSError):
            error = source.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                reset(to)
            to.shutdown(socket.SHUT_WR)


class Greeter(servers.Server):
    """Speaks first, then gives back what it gets."""

    def serve(self, sock):
        sock.sendall(b"welcome\n")
        with contextlib.suppress(OSError):
            while data := sock.recv(65536):
                sock.sendall(data)


class Keeper(servers.Server):
    """Keeps what it gets, and answers the first of it if it has an answer."""
    answer = b""

    def __init__(self, **where):
        self.got = b""
        super().__init__(**where)

    def serve(self, sock):
        with contextlib.suppress(OSError):
            while data := sock.recv(65536):
                if not self.got:
                    sock.sendall(self.answer)
                self.got += data


def reset(sock):
    """Let the next close be a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))


def model(port, near=1, far=1, function="seal"):
    """The model of both hospitals: what goes to the origin's port at ANT needs
    what `function` provides; near and far are where the proxies listen."""
    functions = {
        "seal": {"seal": {"provides": ["encryption"], "filter": "seal",
                          "pair": "open"},
                 "open": {"filter": "open"}},
        "count": {"meter": {"provides": ["encryption"], "filter": "count"}},
    }
    return {
        "epi": 1,
        "nodes": {
            "umc": {"domain": "umc", "addresses": ["127.1.0.0/24"],
                    "attributes": ["firewall", "encryption"]},
            "antonius": {"domain": "ant", "addresses": ["127.2.0.0/24"],
                         "attributes": ["firewall"]},
        },
        "proxies": {
            "px-umc": {"domain": "umc", "endpoint": f"socks6://{UMC}:{near}"},
            "px-ant": {"domain": "ant", "endpoint": f"socks6://{ANT}:{far}"},
        },
        "functions": functions[function],
        "applications": {
            "train": {"purpose": "research", "nodes": ["umc", "antonius"],
                      "flows": [{"from": "umc", "to": "antonius",
                                 "ports": [port]}]},
        },
        "policy": {"default": "deny", "rules": [
            {"id": "registry", "effect": "deny", "to": ["antonius"],
             "ports": [8080], "reason": "the registry is closed: ask for it"},
            {"id": "train", "effect": "allow", "application": ["train"]},
        ]},
    }


class Bridge:
    """Two proxies with one model, and the wire between them."""

    def __init__(self, server, function="seal", key=KEY, far_key=KEY,
                 far_model=None, options=(), ports=(), near=(), far=()):
        self.server = server
        self.wire = Wire(host=ANT)
        self.document = model(server.port, far=self.wire.port,
                              function=function)
        if ports:
            self.document["proxies"]["px-umc"]["ports"] = list(ports)
        self.path = flow.file(self.document, "model.json")
        other = self.path
        if far_model:
            document = copy.deepcopy(self.document)
            far_model(document)
            other = flow.file(document, "model.json")
        self.far = flow.proxy(
            "--model", other, "--name", "px-ant", "--chain-key",
            flow.file(far_key, "key"), *options, *far, listen=[f"socks://{ANT}:0"])
        self.wire.to = (ANT, self.far.port)
        self.near = flow.proxy(
            "--model", self.path, "--name", "px-umc", "--chain-key",
            flow.file(key, "key"), *options, *near, listen=[f"socks://{UMC}:0"])

    def ask(self, host=None, port=None, data=b"", to=None, source=NODE,
            options=b""):
        """A SOCKS 6 request of the node with initial data. Returns the
        socket, the reply's code and its metadata."""
        to = to or (UMC, self.near.port)
        sock = connect(to, source)
        sock.sendall(wire.request6(host or self.server.host,
                                   port or self.server.port, options) + data)
        assert wire.auth_reply6(sock)[0] == 0
        return sock, *reply(sock)

    def set_model(self, document):
        """Put another model in the place of the one that both proxies have."""
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(document))
        new.rename(self.path)

    def put_in_force(self, document):
        """The same, and wait until both go by it."""
        said = [(proxy, len(proxy.lines)) for proxy in (self.near, self.far)]
        self.set_model(document)
        for proxy, before in said:
            flow.until(lambda: any("is in force" in line for line in
                                   proxy.lines[before:]), "a new model")


def connect(to, source=NODE):
    sock = socket.create_connection(to, 15, source_address=(source, 0))
    flow.at_end(sock.close)
    return sock


def reply(sock):
    """An operation reply's code, and its metadata."""
    version, code, size, _, _, kind = struct.unpack(">BBHHBB",
                                                    wire.read(sock, 8))
    assert version == 6
    wire.read_address(sock, kind, pad=True)
    return code, read_metadata(wire.read(sock, size))


def read_metadata(options):
    found = {}
    while options:
        kind, size = struct.unpack(">HH", options[:4])
        data, options = options[4:size], options[size:]
        if kind == 65000:
            key, length = struct.unpack(">HH", data[:4])
            found[key] = data[4:4 + length].decode()
    return found


def metadata(entries):
    """Metadata as options of a request."""
    options = b""
    for key, value in entries.items():
        value = value.encode()
        options += wire.option(65000, struct.pack(">HH", key, len(value)) +
                               value)
    return options


def bridged(bridge, data=SECRET):
    """Something goes there and back, and the socket is open still."""
    sock, code, said = bridge.ask(data=data)
    assert code == 0, (code, said)
    assert wire.read(sock, len(data)) == data
    return sock


def links(*urls, index=0):
    urls = ("socks6://root:1080", *urls)
    return metadata({998: str(index), 999: str(len(urls)),
                     **{1000 + i: url for i, url in enumerate(urls)}})
