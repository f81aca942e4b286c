"""table2.py: the paper's Table II, its rows that are neither time nor rate, as
numbers: open ports, adding a path while requests run, and how many instances of
functions must run. Each row says whether it was measured or reasoned."""
import contextlib
import json
import os
import signal
import time

from measure import pairs, subjects
from measure.results import Metric
from support import flow
from support import socks_client as wire

TITLE = "Table II: ports, reconfiguration, shared functions"
PAIRS, QUICK_PAIRS = (1, 10, 100, 1000), (1, 100)
CLIENTS = 16
LOADS = {"new connections": [], "keep-alive": ["--keep-alive"]}
METRICS = {
    "ports": Metric("", "less", title="Open ports of the proxy"),
    "instances": Metric("", "less",
                        title="Containers for chains of two functions"),
    "path_ms": Metric("ms until it carries a connection", "less", digits=1,
                      title="Adding a path under load"),
    "failed": Metric("in all runs", "less", total=True,
                     title="Requests that fail meanwhile"),
}


class Row:
    def __init__(self, name, ours=False):
        self.name, self.method, self.ours = name, "", ours


NGINX = Row("nginx, measured")
NGINX_REASONED = Row("nginx, reasoned")
LIBEPI = Row("libepi, measured", True)
LIBEPI_TOLD = Row("libepi, told by HUP, measured", True)


def case_of(count):
    return f"{count:,} pair{'' if count == 1 else 's'}"


def listening(place):
    """How many TCP ports are open in a place; several sockets may share one."""
    text = flow.run(*place.inside(), "cat", "/proc/net/tcp").stdout
    return len({line.split()[1] for line in text.splitlines()[1:]
                if line.split()[3] == "0A"})


def epi_proxy(place, model):
    """A proxy with a model's file: its port, and the program that runs."""
    port = place.port()
    return port, subjects.epi_proxy(place, "--model", model, port=port,
                                    listen=f"socks://{place.host}:{port}")


def count_ports(section, place, origin_port, count):
    before = listening(place)
    with flow.ending():
        epi_proxy(place, flow.file(pairs.model(count), "model.json"))
        section.add(case_of(count), LIBEPI, ports=listening(place) - before)
    with flow.ending():
        pairs.Nginx(place, origin_port, count)
        section.add(case_of(count), NGINX, ports=listening(place) - before)


def count_instances(section, count):
    section.add(case_of(count), LIBEPI, instances=pairs.instances(count))
    section.add(case_of(count), NGINX_REASONED,
                instances=count * len(pairs.FUNCTIONS))


@contextlib.contextmanager
def under_load(section, bench, place, row, case, options):
    """Requests all the time; those that fail are recorded."""
    with place.loaded("--clients", CLIENTS, "--seconds",
                      bench.pick(3.0, 1.5), *options) as load:
        time.sleep(0.5)  # so that there is load when the path is added
        yield
        said = json.loads(load.stdout.readline())
    section.add(case, row, failed=said["errors"])
    if said["errors"]:
        section.note(f"{row.name}, {case}: {said['first_error']}")


def _until(place, carries):
    """Milliseconds until a path carries a connection."""
    began = time.perf_counter()
    with place.space.inside() if place.space else contextlib.nullcontext():
        while not carries():
            if time.perf_counter() - began > 10:
                raise RuntimeError("the new path does not come")
            time.sleep(0.0005)
    return 1000 * (time.perf_counter() - began)


def add_to_libepi(section, bench, place, origin_port, case, options,
                  row=LIBEPI):
    """A server more in the model's file, which the proxy watches; nginx is
    told to look, and so can epi-proxy be."""
    file = flow.file(pairs.model(100), "model.json")
    port, running = epi_proxy(place, file)
    fresh = file.with_suffix(".new")

    def carries():
        sock, code = wire.socks5(port, pairs.address(100), origin_port)
        sock.close()
        return code == 0

    with under_load(section, bench, place, row, case, [
            "--to", f"{pairs.address(0)}:{origin_port}", "--via",
            f"{place.host}:{port}", "--socks6", *options]):
        fresh.write_text(json.dumps(pairs.model(101)))
        os.replace(fresh, file)
        if row is LIBEPI_TOLD:
            running.program.signal(signal.SIGHUP)
        section.add(case, row, path_ms=_until(place, carries))


def add_to_nginx(section, bench, place, origin_port, case, options):
    nginx = pairs.Nginx(place, origin_port, 100)
    with under_load(section, bench, place, NGINX, case, [
            "--to", f"{place.host}:{nginx.ports[0]}", *options]):
        began = time.perf_counter()
        port = nginx.add()
        told = 1000 * (time.perf_counter() - began)
        section.add(case, NGINX, path_ms=told + _until(
            place, lambda: flow.answers(port)))


def jobs(bench, section, place, origin_port):
    def told(*arguments):
        add_to_libepi(*arguments, row=LIBEPI_TOLD)

    for what, add in (("libepi", add_to_libepi), ("libepi, HUP", told),
                      ("nginx", add_to_nginx)):
        for case, options in LOADS.items():
            def measure(add=add, case=case, options=options):
                with flow.ending():
                    add(section, bench, place, origin_port, case, options)
            yield f"{what}: adding a path, {case}", measure


def measure(bench, section):
    place = bench.place()
    origin_port = int(place.origin(host="0.0.0.0").rpartition(":")[2])
    for row in (NGINX, NGINX_REASONED, LIBEPI, LIBEPI_TOLD):
        section.expect(row)
    flow.need("nginx")
    for count in bench.pick(PAIRS, QUICK_PAIRS):
        bench.say(f"{TITLE}: {case_of(count)}")
        count_ports(section, place, origin_port, count)
        count_instances(section, count)
    section.cases.extend(LOADS)
    bench.in_turns(section, jobs(bench, section, place, origin_port))
    section.note("Reasoned: the paths of nginx are those of its ports, so that"
                 " each pair has containers of its own for its functions.")
    section.note(f"libepi's figure is what epi-check --provision lists, an"
                 f" instance carrying {pairs.CAPACITY} flows.")
    section.note("Adding is from writing the file, with 100 pairs there, until"
                 " the new path carries a connection; epi-proxy looks at its file"
                 " four times a second, unless it is told.")
    section.note("Time and rate, the other rows of Table II, are in the"
                 " sections topologies and connections. Security was not"
                 " measured: doc/threat-model.md.")
