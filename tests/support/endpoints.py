"""endpoints.py: functions at endpoints that do as they are told, and a proxy
that sends flows through them."""
import contextlib
import json
import socket
import struct
import threading

from support import flow, servers
from support import socks_client as wire
from support.bridging import reply, reset


class Function(servers.Server):
    """An instance of a function: a SOCKS 5 server without a login. `manner` is
    what it does with a connection instead; `open` are the flows that it carries
    now, `began` is how many there were."""

    def __init__(self, port=0, manner=""):
        self.manner, self.open, self.began = manner, [], 0
        self.over = threading.Event()
        flow.at_end(self.over.set)
        super().__init__(port=port)

    def url(self):
        return f"socks5://{self.host}:{self.port}"

    def serve(self, sock):
        with contextlib.suppress(OSError, EOFError):
            getattr(self, self.manner or "carry")(sock)

    def carry(self, sock):
        read = wire.read(sock, 2)
        wire.read(sock, read[1])
        sock.sendall(b"\5\0")
        _, _, _, kind = wire.read(sock, 4)
        host = wire.read_address(sock, kind)
        port = struct.unpack(">H", wire.read(sock, 2))[0]
        try:
            onward = socket.create_connection((host, port), 10)
        except OSError:
            sock.sendall(b"\5\5\0\1" + bytes(6))
            return
        self.began += 1
        self.open.append(sock)
        try:
            with onward:
                sock.sendall(b"\5\0\0\1" + bytes(6))
                back = threading.Thread(target=self._copy, args=(onward, sock),
                                        daemon=True)
                back.start()
                self._copy(sock, onward)
                back.join()
        finally:
            self.open.remove(sock)

    @staticmethod
    def _copy(source, to):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                to.sendall(data)
        with contextlib.suppress(OSError):
            to.shutdown(socket.SHUT_WR)

    def leave(self, sock):
        wire.read(sock, 3)  # all of it, or it would be a reset

    def garbage(self, sock):
        wire.read(sock, 3)
        sock.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        sock.recv(1)

    def stall(self, sock):
        while sock.recv(65536):
            pass

    def hold(self, sock):
        """Says nothing, and leaves it to others to end what is open."""
        sock.recv(1)
        self.open.append(sock)
        self.over.wait(20)

    def cut(self, sock):
        wire.read(sock, 3)
        reset(sock)

    def refuse(self, sock):
        wire.read(sock, 3)
        sock.sendall(b"\5\0")
        wire.read(sock, 10)
        sock.sendall(b"\5\2\0\1" + bytes(6))

    def die(self):
        """Nothing listens there any more; what is open goes on."""
        self.close()


class Through:
    """A proxy, and a server behind functions: what goes to it needs each of the
    attributes that functions provide; functions is the model's."""

    def __init__(self, functions, *options, server=None):
        self.server = server or servers.Echo()
        provided = sorted({attribute for function in functions.values()
                           for attribute in function["provides"]})
        self.document = {
            "epi": 1, "nodes": {"here": {"addresses": ["127.0.0.0/8"]}},
            "functions": functions,
            "policy": {"default": "allow", "rules": [
                {"id": "need", "effect": "require", "to": ["here"],
                 "attributes": provided}]}}
        self.path = flow.file(self.document, "model.json")
        # A connection kept warm would be to an instance that is gone.
        self.proxy = flow.proxy("--model", self.path, "--warm", "0", *options)

    def ask(self, data=b"", host=None):
        """A SOCKS 6 request; the socket, the reply's code and what it says."""
        sock = wire.connect(self.proxy.port)
        sock.sendall(wire.request6(host or self.server.host,
                                   self.server.port) + data)
        assert wire.auth_reply6(sock)[0] == 0
        return sock, *reply(sock)

    def opened(self):
        """A flow that works."""
        sock, code, said = self.ask()
        assert code == 0, (code, said)
        check(sock)
        return sock

    def set_model(self):
        """What the document says now takes force."""
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.document))
        before = len(self.proxy.lines)
        new.rename(self.path)
        flow.until(lambda: any("is in force" in line for line in
                               self.proxy.lines[before:]), "a new model")


def check(sock):
    """The flow carries bytes there and back."""
    sock.sendall(b"there and back")
    assert wire.read(sock, 14) == b"there and back"


def gate(*functions, **more):
    """A model's function at these instances."""
    return {"provides": ["firewall"], **more,
            "endpoints": [function.url() for function in functions]}
