"""guarded.py: two proxies on the way to what is guarded, and each packet seen.

    place = guarded.Place()
    place.far, place.near = place.proxy(PX_B), place.proxy(PX_A, ...)
    sock = place.send(place.guarded, SECRET)
    ...
    assert not place.leaked(place.entry)"""
import contextlib
import json

from support import bridging, capture, flow, netns, servers
from support import socks_client as wire

NODE, PX_A, GATE, PX_B = "127.1.0.5", "127.1.0.2", "127.1.0.7", "127.2.0.2"
FREE, GUARDED = "127.2.0.8", "127.2.0.9"  # what goes there needs nothing, or
SECRET = b"the record of patient 4711, not for anybody on the way"
ANSWER = b"all that the registry knows: he is in good health"


class Keeper(bridging.Keeper):
    answer = ANSWER


class Place:
    """Everything is on the loopback device of a namespace, where each packet is
    seen; flows go through px-a and px-b. Where px-a is hasty it may cut what
    goes well, and that is tried again."""
    hasty = False

    def __init__(self):
        self.space = netns.Namespace()
        self.seen = capture.Capture(self.space)
        with self.space.inside():
            self.guarded = Keeper(host=GUARDED)
            self.free = servers.Echo(host=FREE)
        self.record = flow.folder() / "record"
        self.near = self.far = None

    def proxy(self, host, *options, port=0):
        return flow.proxy("--workers", "1", *options,
                          namespace=self.space.name,
                          listen=[f"socks://{host}:{port}"])

    @property
    def entry(self):
        """Where px-a listens."""
        return PX_A, self.near.port

    def patiently(self, work, what):
        """Work that px-a may cut if it is hasty; its value."""
        def tried():
            with contextlib.suppress(OSError, EOFError, AssertionError):
                return work()
        return flow.until(tried, what, 20) if self.hasty else work()

    def send(self, server, data):
        """A request of SOCKS 6 with initial data; the socket."""
        def work():
            with self.space.inside():
                sock = bridging.connect(self.entry, NODE)
            sock.sendall(wire.request6(server.host, server.port) + data)
            assert wire.auth_reply6(sock)[0] == 0
            return sock
        return self.patiently(work, "a request is taken")

    def goes_on(self, sock=None):
        """Another flow is carried: a new one, or on a socket."""
        def work():
            new = self.send(self.free, b"calm")
            code, said = bridging.reply(new)
            assert code == 0, (code, said)
            assert wire.read(new, 4) == b"calm"
            return new
        if not sock:
            return self.patiently(work, "another flow is carried")
        sock.sendall(b"calm")
        assert wire.read(sock, 4) == b"calm"
        return sock

    def leaked(self, *ends, text=SECRET):
        """The packets that have a part of a text, and neither come from one of
        the ends, a host and a port each, nor go there."""
        parts = [text[at:at + 8] for at in range(len(text) - 7)]
        return [packet for packet in list(self.seen.packets)
                if (packet.source, packet.from_port) not in ends
                and (packet.dest, packet.port) not in ends
                and any(part in packet.data for part in parts)]

    def recorded(self):
        """The reasons with which flows to what is guarded ended; the last line
        may be half written."""
        with contextlib.suppress(FileNotFoundError):
            return [line["reason"] for line in
                    map(json.loads, self.record.read_text().split("\n")[:-1])
                    if line["event"] == "end" and
                    line["to"] == f"{GUARDED}:{self.guarded.port}"]
        return []
