"""bench_chains.py: chains of 0 to 5 functions: in process, as hops on one node,
and as hops across a delay, cold and warm. The function is `count`, which does
almost nothing, so that what is measured is the chain."""
import statistics

from measure import ways
from measure.delays import Delays, accuracy, round_trips
from measure.place import Place, tool
from measure.results import Metric
from measure.subjects import SOCKS6, Ours, epi_proxy
from support import flow, netns

TITLE = "Chains of functions"
LONGEST = 5
HOP_MS = 4.0  # round trip from each proxy to the next, and to the server
COUNT = ["--filter", "count"]
PORT, WARM_PORT = 1080, 1081
METRICS = {
    "ms": Metric("ms", "less", digits=3,
                 title="Request on a new connection, one client, median"),
    "each_ms": Metric("ms", "less", digits=3,
                      title="What each function adds to it"),
    "estimate": Metric("ms", digits=1, title="Estimated, by round trips alone"),
    "rate": Metric("requests/s, 16 clients", "more",
                   title="New connections"),
    "errors": Metric("in all runs", "less", total=True,
                     title="Failed requests"),
}
COLD, WARM = "across a delay, cold", "across a delay, warm"


def case_of(functions):
    return f"{functions} function{'' if functions == 1 else 's'}"


class Chain(Ours):
    """A chain of so many functions on one node."""

    def __init__(self, name, functions, starts):
        super().__init__(name, SOCKS6, starts)
        self.functions = functions


def in_process(functions):
    def starts(place, _):
        port = place.port()
        return port, [epi_proxy(place, *COUNT * functions, port=port,
                                listen=f"socks://{place.host}:{port}")]
    return Chain("in process", functions, starts)


def on_one_node(functions):
    """As many proxies with a function each; the first knows the others."""
    def starts(place, _):
        ports = [place.port() for _ in range(max(1, functions))]
        running = []
        for port in reversed(ports):
            onward = [] if port != ports[0] else [
                word for other in ports[1:]
                for word in ("--chain", f"socks6://{place.host}:{other}")]
            running.append(epi_proxy(
                place, *COUNT * min(1, functions), *onward, port=port,
                listen=f"socks://{place.host}:{port}"))
        return ports[0], running
    return Chain("hops on one node", functions, starts)


def median_job(bench, section, here, origin, chain):
    def measure():
        said = here.load("--to", origin, *chain.options(), "--requests",
                         bench.pick(400, 50), seconds=20)
        section.add(case_of(chain.functions), chain, ms=said["p50_ms"],
                    errors=said["errors"])
        said = bench.load(here, origin, chain, "--clients", 16)
        section.add(case_of(chain.functions), chain, rate=said["rate"],
                    errors=said["errors"])
    return f"{chain.name}, {case_of(chain.functions)}", measure


class Line:
    """A node, LONGEST proxies' namespaces one behind the other, and a server
    that each of them reaches; round trips of HOP_MS between neighbours."""

    def __init__(self):
        self.spaces = [netns.Namespace() for _ in range(LONGEST + 1)]
        self.server = netns.Namespace()
        self.delays, self.addresses = Delays(), []
        for before, after in zip(self.spaces, self.spaces[1:]):
            self._between(before, after)
        # The node asks for the server by an address that all know.
        near, far = netns.link(self.spaces[0], self.server)
        self.server_address = far[0]
        for space in self.spaces[1:]:
            _, (address, _) = netns.link(space, self.server)
            self._delay(space, self.server, address)
            space.route(self.server_address + "/32", address)
        self.delays.start()
        Place(self.server).start(tool("bench_origin"), "0.0.0.0", ways.PORT,
                                 port=ways.PORT)

    def _between(self, before, after):
        _, (address, _) = netns.link(before, after)
        self._delay(before, after, address)
        self.addresses.append(address)

    def _delay(self, a, b, b_address):
        a_address = b_address.rpartition(".")[0] + ".1"
        self.delays.between(a, a_address, b, b_address, HOP_MS)

    def url(self, number, port):
        return f"socks6://{self.addresses[number]}:{port}"

    def start_proxies(self, port, *options):
        """One function each, the chain in the metadata of the request."""
        for number in range(1, LONGEST):
            address = self.addresses[number]
            epi_proxy(Place(self.spaces[number + 1]), *COUNT, *options,
                      port=port, host=address,
                      listen=f"socks://{address}:{port}")

    def start_first(self, functions, port, *options):
        """The proxy that begins chains of so many functions; its port."""
        place, address = Place(self.spaces[1]), self.addresses[0]
        listen = place.port()
        onward = [word for number in range(1, functions)
                  for word in ("--chain", self.url(number, port))]
        epi_proxy(place, *COUNT, *onward, *options, port=listen, host=address,
                  listen=f"socks://{address}:{listen}")
        return listen

    def net(self):
        return ways.Net(self.spaces[0], self.spaces[1], self.server,
                        self.addresses[0], self.server_address)


def estimate(functions, warm):
    """Every hop's round trip once for the request and once, if cold, for the
    connection; and the server's twice."""
    return ((1 if warm else 2) * functions + 2) * HOP_MS


def across_jobs(bench, section, line):
    net = line.net()
    kinds = [(COLD, PORT, ways.cold("epi-proxy"), ways.cold("epi-redirector"))]
    if ways.supports("epi-redirector", "--warm"):
        kinds.append((WARM, WARM_PORT, [], []))
    for name, port, proxy_options, redirector_options in kinds:
        line.start_proxies(port, *proxy_options)
        for functions in range(1, LONGEST + 1):
            first = line.start_first(functions, port, *proxy_options)
            way = ways.Redirected(name, SOCKS6, first, *redirector_options)
            section.expect(way)
            section.add(case_of(functions), way,
                        estimate=estimate(functions, name == WARM))
            yield across_job(bench, section, net, way, functions)


def across_job(bench, section, net, way, functions):
    def measure():
        with way.taken(net) as options:
            said = Place(net.client).load(
                "--to", f"{net.server_address}:{ways.PORT}", *options,
                "--requests", bench.pick(61, 12), "--times", seconds=30)
        times = said["times_ms"][1:]
        if not times:
            raise RuntimeError(said["first_error"] or "no response")
        section.add(case_of(functions), way, ms=statistics.median(times),
                    errors=said["errors"])
    return f"{way.name}, {case_of(functions)}", measure


def add_each(section, subjects):
    """What each function adds: the difference to the shortest chain, by the
    number of functions that differ."""
    for subject in subjects:
        first = next((number for number in range(LONGEST + 1)
                      if section.median("ms", case_of(number), subject.name)
                      is not None), None)
        for number in range((first or 0) + 1, LONGEST + 1):
            ms = section.median("ms", case_of(number), subject.name)
            if first is not None and ms is not None:
                section.add(case_of(number), subject, each_ms=(
                    ms - section.median("ms", case_of(first), subject.name)) /
                    (number - first))


def measure(bench, section):
    section.cases.extend(case_of(number) for number in range(LONGEST + 1))
    here = bench.place()
    origin = here.origin()
    chains = []
    for make in (in_process, on_one_node):
        for functions in range(LONGEST + 1):
            chains.append(make(functions).start(here, origin))
            section.expect(chains[-1])
    line = Line()
    measured = round_trips(line.spaces[0], line.addresses[0],
                           line.start_first(1, PORT))
    section.note(f"delay of a hop: {accuracy(HOP_MS, measured)}")
    bench.in_turns(section, [
        *(median_job(bench, section, here, origin, chain)
          for chain in chains),
        *across_jobs(bench, section, line)])
    add_each(section, [chains[0], chains[-1], ways.Way(COLD, SOCKS6),
                       ways.Way(WARM, SOCKS6)])
