"""netns.py: network namespaces for flow tests, as root.

    a, b = netns.pair()            # 10.213.N.1 and 10.213.N.2, fd13:N::1 and 2
    flow.run("ip", "netns", "exec", a.name, "ping", "-c1", b.address)
    flow.proxy(namespace=b.name, listen=[f"socks://{b.address}:1080"])
    with b.inside():               # sockets made here are b's
        origin = servers.Origin(b.address)

They are named epi-PID-N and are deleted when the test ends."""
import contextlib
import ctypes
import itertools
import os
import subprocess

from support import flow

_number = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000


def _ip(*words):
    ran = subprocess.run(["ip", *words], capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {ran.stderr.strip()}")


def _enter(path):
    with open(path) as file:
        if _libc.setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"entering {path}")


class Namespace:
    """A namespace with its loopback device up. `address` and `address6` are
    those of its first link."""

    def __init__(self):
        flow.need_root()
        flow.need("ip")
        self.name = f"epi-{os.getpid()}-{next(_number)}"
        self.address = self.address6 = None
        try:
            _ip("netns", "add", self.name)
        except RuntimeError as error:
            flow.skip(f"no network namespaces here: {error}")
        flow.at_end(self._delete)
        _ip("-n", self.name, "link", "set", "lo", "up")

    def _delete(self):
        # Programs in it end before: what a test started last ends first.
        with contextlib.suppress(RuntimeError):
            _ip("netns", "delete", self.name)

    def run(self, *argv, **options):
        """Run a command in the namespace, as flow.run()."""
        return flow.run("ip", "netns", "exec", self.name, *argv, **options)

    def start(self, *argv, **options):
        """Start a program in the namespace, as flow.start()."""
        return flow.start(*argv, namespace=self.name, **options)

    @contextlib.contextmanager
    def inside(self):
        """Let this thread, and threads that it starts meanwhile, make their
        sockets in the namespace. A socket stays where it was made."""
        with open("/proc/thread-self/ns/net") as before:
            _enter(f"/run/netns/{self.name}")
            try:
                yield
            finally:
                _enter(f"/proc/self/fd/{before.fileno()}")

    def route(self, to, via):
        _ip("-n", self.name, "route", "add", to, "via", via)


def link(a, b):
    """Connect two namespaces; the addresses of the two ends, v4 and v6."""
    number = next(_number)
    ends = [f"ep{os.getpid() % 100000}-{number}{side}" for side in "ab"]
    _ip("link", "add", ends[0], "netns", a.name, "type", "veth", "peer",
        "name", ends[1], "netns", b.name)
    found = []
    for side, (space, device) in enumerate(zip((a, b), ends), 1):
        address = f"10.213.{number % 256}.{side}"
        address6 = f"fd13:{number:x}::{side}"
        _ip("-n", space.name, "addr", "add", address + "/24", "dev", device)
        _ip("-n", space.name, "addr", "add", address6 + "/64", "dev", device,
            "nodad")
        _ip("-n", space.name, "link", "set", device, "up")
        space.address = space.address or address
        space.address6 = space.address6 or address6
        found.append((address, address6))
    return found


def pair():
    """Two namespaces, connected."""
    a, b = Namespace(), Namespace()
    link(a, b)
    return a, b
