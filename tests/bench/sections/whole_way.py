"""whole_way.py: redirector and proxy together, beside other redirectors.

Each has a node of its own, since its rules are those of the whole namespace;
the web server and the proxies are in a namespace that all nodes reach. Every
node tracks connections, since redirection does."""
from measure import peers, ways
from measure.place import Place, tool
from measure.results import DIRECT, Metric
from measure.subjects import SOCKS5, SOCKS6, Subject, epi_proxy
from sections.bulk import GIB
from sections.connections import case_of
from support import flow, netns

TITLE = "The whole way: redirector and proxy"
CLIENTS = (1, 16, 64)
OTHER_PORT = 81  # for what the kernel alone sends elsewhere
METRICS = {
    "rate": Metric("requests/s (ratio to direct)", "more", ratio=True,
                   title="Requests"),
    "gbit": Metric("Gbit/s (ratio to direct)", "more", ratio=True, digits=1,
                   title="Bulk"),
    "cpu_us": Metric("us for each request", "less", digits=1,
                     title="Processor time of redirector and proxy"),
    "cpu_gib": Metric("s for each GiB", "less", digits=2,
                      title="Processor time of redirector and proxy, bulk"),
    "errors": Metric("in all runs", "less", total=True,
                     title="Failed requests"),
}
REDSOCKS = """
base {{ log_debug = off; log_info = off; log = "stderr"; daemon = off;
  redirector = iptables; }}
redsocks {{ local_ip = 127.0.0.1; local_port = {listen};
  ip = {host}; port = {port}; type = socks5; }}
"""


class Node(Subject):
    """A node and its way to the web server. prepare(node, place, far) starts
    what the way needs and returns what of it runs on the node."""

    def __init__(self, name, method, prepare=None, proxies=None, ours=False,
                 port=ways.PORT):
        super().__init__(name, method)
        self.prepare, self.proxies = prepare, proxies
        self.ours, self.to_port = ours, port

    def start(self, far, _):
        space = netns.Namespace()
        (_, _), (address, _) = netns.link(space, far.space)
        self.place, self.to = Place(space), f"{address}:{self.to_port}"
        _rule(space, "-A", "OUTPUT", "-m", "conntrack", "--ctstate", "NEW")
        far.host = address
        if self.proxies:
            port, self.running = self.proxies(far, None)
            self.running = [*self.running,
                            self.prepare(self.place, address, port)]
        elif self.prepare:
            self.prepare(self.place, address, None)
        return self

    def options(self):
        return []


def _rule(space, *words):
    ran = space.run(flow.need("iptables"), *words)
    if ran.returncode:
        raise RuntimeError(ran.stderr.strip())


def _redirected(scheme):
    """epi-redirector, in front of a proxy of this scheme."""
    def prepare(node, address, port):
        return node.start(flow.program_path("epi-redirector"), "--proxy",
                          f"{scheme}://{address}:{port}", "--port", ways.PORT,
                          said="goes to")
    return prepare


def _redsocks(node, address, port):
    command = flow.need("redsocks")
    config = flow.file(REDSOCKS.format(listen=12345, host=address, port=port))
    running = node.start(command, "-c", config, port=12345)
    _rule(node.space, "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "--dport",
          ways.PORT, "-j", "REDIRECT", "--to-ports", 12345)
    return running


def _kernel(node, address, _):
    _rule(node.space, "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "--dport",
          OTHER_PORT, "-j", "DNAT", "--to-destination",
          f"{address}:{ways.PORT}")


def _epi_socks(far, _):
    port = far.port()
    return port, [epi_proxy(far, port=port, host=far.host,
                            listen=f"socks://{far.host}:{port}")]


def nodes(named=()):
    """Every way; named are further SOCKS proxies, for behind redsocks."""
    more = [Node(f"redsocks and {peer.name}", SOCKS5, _redsocks, peer.starts)
            for peer in named if peer.method == SOCKS5 and peer.starts]
    return [
        Node(DIRECT, DIRECT),
        Node("the kernel's translation alone", DIRECT, _kernel,
             port=OTHER_PORT),
        Node("redsocks and microsocks", SOCKS5, _redsocks, peers.microsocks),
        Node("redsocks and dante", SOCKS5, _redsocks, peers.dante),
        *more,
        Node("redsocks and epi-proxy", SOCKS5, _redsocks, _epi_socks),
        Node("redirector and SOCKS 5", SOCKS5, _redirected("socks5"),
             _epi_socks, True),
        Node("redirector and SOCKS 6", SOCKS6, _redirected("socks6"),
             _epi_socks, True)]


def rate_job(bench, section, node, case, *options):
    def measure():
        said = bench.load(node.place, node.to, node, *options)
        if not said["requests"]:
            raise RuntimeError(said["first_error"] or "no response at all")
        section.add(case, node, rate=said["rate"], errors=said["errors"],
                    cpu_us=said["cpu"] and 1e6 * said["cpu"] / said["rate"])
        if said["errors"]:
            section.note(f"{node.name}, {case}: {said['first_error']}")
    return f"{node.name}, {case}", measure


def bulk_job(bench, section, node):
    def measure():
        said = bench.load(node.place, node.to, node, "--bulk")
        rate = said["bytes"] / said["seconds"]
        if not rate:
            raise RuntimeError(said["first_error"] or "no data at all")
        section.add("1 stream", node, gbit=8 * rate / 1e9,
                    cpu_gib=said["cpu"] and said["cpu"] * GIB / rate)
    return f"{node.name}, bulk", measure


def started(far, section, named):
    ready = []
    for node in nodes(named):
        section.expect(node)
        try:
            ready.append(node.start(far, None))
        except flow.Skip as why:
            section.note(f"{node.name} is left out: {why}")
        except (RuntimeError, AssertionError) as why:
            section.note(f"{node.name} does not start: {why}")
    return ready


def measure(bench, section):
    far = Place()
    far.start(tool("bench_origin"), "0.0.0.0", ways.PORT, port=ways.PORT)
    section.cases.extend([*(case_of(clients) for clients in CLIENTS),
                          "keep-alive, 16", "1 stream"])
    jobs = []
    for node in started(far, section, bench.named_peers()):
        jobs += [rate_job(bench, section, node, case_of(clients), "--clients",
                          clients) for clients in CLIENTS]
        jobs.append(rate_job(bench, section, node, "keep-alive, 16",
                             "--clients", 16, "--keep-alive"))
        jobs.append(bulk_job(bench, section, node))
    bench.in_turns(section, jobs)
