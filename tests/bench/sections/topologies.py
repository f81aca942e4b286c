"""topologies.py: the paper's Fig. 11 and 12: six topologies of a client, a
proxy and a server with round-trip times between them, and one request after
another, each on a new connection."""
import statistics

from measure import ways
from measure.delays import Delays, accuracy, round_trips
from measure.place import Place, tool
from measure.results import DIRECT, Metric
from measure.subjects import REVERSE, SOCKS5, SOCKS6
from support import flow, netns

TITLE = "Set-up time on the paper's topologies (Fig. 11 and 12)"
REQUESTS = 121  # the first is dropped, as the paper's benchmark does
# Table I: round-trip times CP, PS and CS in ms.
TOPOLOGIES = {"DOCKER 1": (5, 5, 10), "DOCKER 2": (5, 10, 15),
              "DOCKER 3": (10, 5, 15), "DOCKER 4": (1, 1, 1),
              "DOCKER 5": (5, 5, 5), "DOCKER 6": (10, 10, 10)}
# Round trips of CP, PS and CS that a way takes. Data that goes along with the
# request saves one of Eq. 9; a warm connection another; TFO a third.
TRIPS = {DIRECT: (0, 0, 2), "direct, TFO": (0, 0, 1), REVERSE: (2, 2, 0),
         SOCKS5: (4, 2, 0), SOCKS6: (2, 2, 0), "warm": (1, 2, 0),
         "warm, TFO": (1, 1, 0)}
# What the paper's other ways would take, to look at beside them.
PAPER = {"Eq. 8 (SOCKS 5), as printed, with a login": (5, 2, 0),
         "Eq. 9 (SOCKS 6)": (3, 2, 0)}
METRICS = {
    "mean": Metric("ms", "less", digits=2, title="Mean of 120 requests"),
    "median": Metric("ms", "less", digits=2, title="Median"),
    "overhead": Metric("ms more than direct", "less", digits=2,
                       title="Mean, difference to direct"),
    "estimate": Metric("ms", digits=1,
                       title="Estimated: Eq. 6 to 9, and what libepi adds"),
    "beyond": Metric("ms", digits=2, title="Median, beyond the estimate"),
    "errors": Metric("in all runs", "less", total=True,
                     title="Failed requests"),
}


def estimate(trips, topology):
    return sum(count * time for count, time in
               zip(trips, TOPOLOGIES[topology]))


def build(topology):
    """Three namespaces, all connected to each other, with the delays."""
    between_cp, between_ps, between_cs = TOPOLOGIES[topology]
    client, proxy, server = (netns.Namespace() for _ in range(3))
    for space in (client, proxy, server):
        Place(space).set("net.ipv4.tcp_fastopen", 3)
    cp, ps, cs = (netns.link(*ends) for ends in (
        (client, proxy), (proxy, server), (client, server)))
    delays = Delays()
    delays.between(client, cp[0][0], proxy, cp[1][0], between_cp)
    delays.between(proxy, ps[0][0], server, ps[1][0], between_ps)
    delays.between(client, cs[0][0], server, cs[1][0], between_cs)
    # The server has one address for all; the proxy reaches it its own way.
    proxy.route(cs[1][0] + "/32", ps[1][0])
    delays.start()
    return ways.Net(client, proxy, server, cp[1][0], cs[1][0])


def check_delays(section, topology, net):
    """Say how good the delays are; cp by the proxy's port, cs by the
    server's."""
    between = dict(zip(("CP", "PS", "CS"), TOPOLOGIES[topology]))
    for name, space in (("CS", net.client), ("PS", net.proxy)):
        measured = round_trips(space, net.server_address, ways.PORT)
        section.note(f"{topology}, delay {name}:"
                     f" {accuracy(between[name], measured)}")


def job(section, topology, net, way, requests):
    def measure():
        with way.taken(net) as options:
            said = Place(net.client).load(
                "--to", f"{net.server_address}:{ways.PORT}", *options,
                "--requests", requests, "--times", seconds=60)
        times = said["times_ms"][1:]
        if not times:
            raise RuntimeError(said["first_error"] or "no response")
        section.add(topology, way, mean=statistics.fmean(times),
                    median=statistics.median(times), errors=said["errors"])
    return f"{topology}, {way.name}", measure


def compare(section, topology, every):
    direct = section.median("mean", topology, DIRECT)
    for way in every:
        mean = section.median("mean", topology, way.name)
        if mean is None:
            continue
        wanted = estimate(TRIPS[way.trips], topology)
        section.add(topology, way, estimate=wanted,
                    overhead=mean - direct if direct and way.name != DIRECT
                    else None,
                    beyond=section.median("median", topology, way.name) -
                    wanted)
    for name, trips in PAPER.items():
        section.add(topology, ways.Way(name, ""),
                    estimate=estimate(trips, topology))


def measure_one(bench, section, topology):
    net = build(topology)
    Place(net.server).start(tool("bench_origin"), "0.0.0.0", ways.PORT,
                            port=ways.PORT)
    proxies = net.proxies()
    every = [ways.Way(DIRECT, DIRECT),
             ways.Way("direct, TFO", DIRECT, options=["--fast-open"],
                      trips="direct, TFO"),
             *ways.reverse_peers(net, proxies), *ways.ours(net, proxies)]
    for way in every:
        section.expect(way)
    check_delays(section, topology, net)
    bench.in_turns(section, [
        job(section, topology, net, way, bench.pick(REQUESTS, 16))
        for way in every], runs=bench.pick(min(3, bench.runs), 1))
    compare(section, topology, every)


def measure(bench, section):
    for topology in TOPOLOGIES:
        if bench.late():
            section.note(f"the time was up before {topology}")
            return
        bench.end_line()
        with flow.ending():
            measure_one(bench, section, topology)
