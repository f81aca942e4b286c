"""bound.py: clients of BIND, for flow tests."""
import socket

from support import socks_client as wire

ANY, ANY6 = "0.0.0.0", "::"
HOST = "127.0.0.9"


class Bound:
    """A BIND that waits: its socket, and the address of its first reply."""

    def __init__(self, version, port, host=ANY, to=0, **more):
        ask, self._reply = {5: (wire.ask5, wire.reply5),
                            6: (wire.ask6, wire.reply6)}[version]
        self.sock = ask(port, host, to, wire.BIND, **more)
        self.code, self.host, self.port = self._reply(self.sock)

    def again(self):
        """The second reply: code, host and port."""
        return self._reply(self.sock)

    def connect(self, source=HOST):
        """Connect to it, as a host at an address; the socket."""
        assert self.code == 0, f"reply {self.code}"
        return wire.connect(self.port, host=self.host, source=source)

    def shuts_out(self, source):
        """1 if a host is not let in; it may be reset so soon that it never
        sees itself connected."""
        try:
            return wire.closed(self.connect(source))
        except ConnectionResetError:
            return 1


def exchange(client, host):
    """Both sides hear each other, and the end of each."""
    client.sendall(b"from the client")
    assert wire.read(host, 15) == b"from the client"
    host.sendall(b"from the host")
    assert wire.read(client, 13) == b"from the host"
    client.shutdown(socket.SHUT_WR)
    assert wire.read_all(host) == b""
    host.sendall(b"the last")
    host.close()
    assert wire.read_all(client) == b"the last"
