"""delays.py: round-trip times between namespaces, on a kernel without netem.

    delays = Delays()
    delays.between(client, client_address, proxy, proxy_address, 5.0)
    delays.start()

Each direction waits half of the round trip, at the receiver, in a queue of
iptables that tools/bench_delay serves."""
import statistics
import time

from measure.place import tool
from support import flow
from support import socks_client as wire

PROBES = 60


def device(space, address):
    """The device of a namespace that has an address."""
    shown = space.run("ip", "-o", "addr", "show", "to", address).stdout
    return shown.split()[1].partition("@")[0]


class Delays:
    def __init__(self):
        self._queues = {}  # of each namespace: (device, us)

    def between(self, a, a_address, b, b_address, round_trip_ms):
        """On the link whose two ends have these addresses."""
        half = round(500 * round_trip_ms)
        for space, address in ((a, a_address), (b, b_address)):
            self._queues.setdefault(space, []).append(
                (device(space, address), half))

    def start(self):
        iptables = flow.need("iptables")
        for space, queues in self._queues.items():
            for number, (name, _) in enumerate(queues, 1):
                ran = space.run(iptables, "-t", "raw", "-A", "PREROUTING",
                                "-i", name, "-j", "NFQUEUE", "--queue-num",
                                number)
                if ran.returncode:
                    flow.skip(f"no NFQUEUE here: {ran.stderr.strip()}")
            space.start(tool("bench_delay"), *(
                f"{number}:{us}" for number, (_, us) in enumerate(queues, 1)),
                ready="delaying")


def round_trips(space, address, port):
    """Milliseconds until a connection is there, which is one round trip, many
    times; sorted."""
    times = []
    for _ in range(PROBES):
        with space.inside():
            began = time.perf_counter()
            sock = wire.connect(port, address)
        times.append(1000 * (time.perf_counter() - began))
        sock.close()
    return sorted(times[1:])


def accuracy(wanted, measured):
    """How good a delay is, in words."""
    late = measured[int(0.95 * len(measured))]
    return (f"wanted {wanted:g} ms, median {statistics.median(measured):.3f}"
            f" ms, 95 in 100 within {late:.3f} ms")
