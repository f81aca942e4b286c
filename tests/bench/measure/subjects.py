"""subjects.py: what is measured side by side: nothing in between, libepi's
programs, and the peers of peers.py; and measuring one of them."""
import contextlib

from measure.results import DIRECT
from support import flow

REVERSE, SOCKS5, SOCKS6 = "reverse", "socks5", "socks6"


class Subject:
    """A way to the origin. starts(place, origin) starts what it needs and
    returns its port and the running programs; None if nothing is needed."""

    ours = False

    def __init__(self, name, method, starts=None, host=None):
        self.name, self.method, self.starts = name, method, starts
        self.host, self.port, self.running = host, None, []

    def start(self, place, origin):
        self.host = self.host or place.host
        if self.starts:
            self.port, self.running = self.starts(place, origin)
        return self

    def options(self):
        """The load generator's."""
        if self.method == DIRECT:
            return []
        flag = {SOCKS5: ["--socks5"], SOCKS6: ["--socks6"]}
        return ["--via", f"{self.host}:{self.port}",
                *flag.get(self.method, [])]

    def cpu(self):
        """Seconds of its programs so far; None without programs of ours to
        start."""
        if not self.running:
            return None
        return sum(one.usage.cpu() for one in self.running)

    def check(self):
        for one in self.running:
            if not one.alive():
                raise RuntimeError(f"{self.name} ended: {one.said()}")


class Ours(Subject):
    ours = True


def direct():
    return Subject(DIRECT, DIRECT)


def epi_proxy(place, *options, listen, port, host=None):
    return place.start(flow.program_path("epi-proxy"), "--quiet", "--listen",
                       listen, *options, port=port, host=host)


def _reverse(place, origin):
    port = place.port()
    return port, [epi_proxy(place, port=port,
                            listen=f"tcp://{place.host}:{port}={origin}")]


def _socks(place, origin):
    port = place.port()
    return port, [epi_proxy(place, port=port,
                            listen=f"socks://{place.host}:{port}")]


def ours():
    """One of each, new."""
    return [Ours("libepi reverse", REVERSE, _reverse),
            Ours("libepi SOCKS 5", SOCKS5, _socks),
            Ours("libepi SOCKS 6", SOCKS6, _socks)]


def started(place, origin, subjects, section):
    """Start them; what cannot be had is left out, and the section says so."""
    ready = []
    for subject in subjects:
        section.expect(subject)
        try:
            ready.append(subject.start(place, origin))
        except flow.Skip as why:
            section.note(f"{subject.name} is left out: {why}")
        except (RuntimeError, AssertionError) as why:
            section.note(f"{subject.name} does not start: {why}")
    return ready


@contextlib.contextmanager
def spent(subject):
    """The processor time that passes inside, as a list that is filled in."""
    before, out = subject.cpu(), []
    yield out
    after = subject.cpu()
    out.append(after - before if after is not None else None)
