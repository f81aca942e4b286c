#!/usr/bin/env python3
"""bench_report.py: what tests/bench makes of its numbers: medians, ratios,
tables, plots and targets."""
import ctypes
import pathlib
import re
import sys
import tempfile
import xml.etree.ElementTree

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "bench")]
from measure import plot, report, table, targets
from measure.results import DIRECT, Metric, Results
from sections import connections, topologies
from support import flow
from support.verdict import check, end


class Named:
    def __init__(self, name, method="", ours=False):
        self.name, self.method, self.ours = name, method, ours


PEER = Named("HAProxy", "reverse")
MINE = Named("libepi reverse", "reverse", True)


def measured():
    """A run with one section: three runs of two cases."""
    results = Results()
    results.data["about"] = {"date": "today", "libepi": "epi-proxy 0",
                             "kernel": "6", "processors": 2, "machine": "x",
                             "runs": 3}
    section = results.new("connections", connections.TITLE,
                          connections.METRICS)
    for case, direct, peer, mine in (("1 client", 100, 40, 50),
                                     ("4 clients", 200, 80, 40)):
        for factor in (1.0, 3.0, 1.1):  # the median is 1.1
            section.add(case, Named(DIRECT, DIRECT), rate=direct * factor,
                        errors=0)
            section.add(case, PEER, rate=peer * factor, errors=0)
            section.add(case, MINE, rate=mine * factor, errors=1,
                        cpu_us=None)
    return results, section


def differ(pairs):
    return [f"{what}: {got!r}, not {wanted!r}"
            for what, got, wanted in pairs if got != wanted]


def numbers():
    _, section = measured()
    return differ([
        ("median", round(section.median("rate", "1 client", "HAProxy")), 44),
        ("ratio", round(section.ratio("rate", "1 client", "libepi reverse",
                                      "HAProxy"), 6), 1.25),
        ("ratio to what is missing",
         section.ratio("rate", "1 client", "HAProxy", "rinetd"), None),
        ("spread", round(section.spread("rate", "1 client", "HAProxy"), 3),
         round(2 / 1.1, 3)),
        ("sum", section.value("errors", "1 client", "libepi reverse"), 3),
        ("best", section.best("rate", "4 clients", ["HAProxy",
                                                    "libepi reverse"]),
         "HAProxy"),
        ("best of nothing", section.best("rate", "1 client", ["x"]), None),
        ("order", section.subjects("rate"),
         [DIRECT, "HAProxy", "libepi reverse"]),
        ("not measured", section.subjects("cpu_us"), [])])


def tables():
    _, section = measured()
    return differ([
        ("medians", table.medians(section, "rate").splitlines(), [
            "|  | 1 client | 4 clients |", "|---|---|---|",
            "| direct | 110 | 220 |", "| HAProxy | 44 (0.40) | 88 (0.40) |",
            "| libepi reverse | 55 (0.50) | 44 (0.20) |"]),
        ("beside", table.beside_peers(section, "rate").splitlines()[2:],
         ["| libepi reverse / HAProxy | 1.25 | 0.50 |"]),
        ("spread", table.spread_text(section, "rate"),
         "The runs of one figure are apart by 182 % of it in half of the"
         " cases, and by 182 % at most."),
        ("no spread", table.spread_text(section, "cpu_us"), "")])


def drawn():
    series = {"a & b": [1.0, None, 3.0], "<c>": [-2.0, 0.0, 5.5]}
    problems = []
    for draw in (plot.lines, plot.bars):
        text = draw("Title", "ms", ["x", "y", "z"], series)
        root = xml.etree.ElementTree.fromstring(text)
        said = [node.text for node in root.iter() if node.text]
        problems += [f"{draw.__name__}: no {name!r}" for name in
                     ("Title", "ms", "x", "z", "a & b", "<c>")
                     if name not in said]
        for value in re.findall(r'\b(?:y|height|cy)="([^"]*)"', text):
            if not 0 <= float(value) <= plot.HEIGHT:
                problems.append(f"{draw.__name__}: {value} is outside")
    nothing = plot.bars("Title", "", [], {})
    xml.etree.ElementTree.fromstring(nothing)
    return problems


def judged():
    results, section = measured()
    found = {(target.what, target.case): target
             for target in targets.rows(results)}
    reverse = ("new connections, reverse: of the best reverse proxy")
    first, second = (found[reverse, case] for case in section.cases)
    missing = found["new connections, SOCKS 5: of the best SOCKS 5 peer",
                    "1 client"]
    less = targets.Target("", "", 2.0, 1.0, more=False)
    nothing = targets.Target("", "", 0.0, 1.0, more=False)
    failed = found["libepi reverse: connections a second without an error",
                   "4 clients"]
    return differ([
        ("met", (first.met, first.beside), (True, "HAProxy")),
        ("by", round(first.margin), 14), ("missed", second.met, False),
        ("by how little", round(second.margin), -55),
        ("not measured", missing.met, None),
        ("less is better", (less.met, less.margin), (True, 50.0)),
        ("no margin", (nothing.met, nothing.margin), (False, None)),
        ("a failed request", failed.got, 0.0)])


def written():
    results, _ = measured()
    problems = []
    with tempfile.TemporaryDirectory() as name:
        out = pathlib.Path(name)
        report.write(results, out)
        wanted = {"bench.json", "bench.md", "connections.svg"}
        problems += sorted(wanted - {path.name for path in out.iterdir()})
        text = (out / "bench.md").read_text()
        for part in ("### Targets", "connections.svg", "Failed requests",
                     "medians of 3 runs", connections.TITLE):
            if part not in text:
                problems.append(f"bench.md has no {part!r}")
    return problems


def estimated():
    """The figures of the paper's six topologies, by Eq. 6 to 9."""
    trips = {**topologies.TRIPS, **topologies.PAPER}
    by_name = {name: [topologies.estimate(trips[name], topology)
                      for topology in topologies.TOPOLOGIES]
               for name in trips}
    eq8, eq9 = topologies.PAPER
    return differ([
        ("direct", by_name[DIRECT], [20, 30, 30, 2, 10, 20]),
        ("nginx", by_name["reverse"], [20, 30, 30, 4, 20, 40]),
        ("SOCKS 5", by_name[eq8], [35, 45, 60, 7, 35, 70]),
        ("SOCKS 6", by_name[eq9], [25, 35, 40, 5, 25, 50]),
        ("warm", by_name["warm"], [15, 25, 20, 3, 15, 30]),
        ("warm, TFO", by_name["warm, TFO"], [10, 15, 15, 2, 10, 20])])


def library():
    """libepi's own estimates are the same, for the methods that it knows."""
    path = flow.BUILD / "libepi.so"
    if not path.exists():
        return [f"no {path.name} in {flow.BUILD.name}"]
    estimate = ctypes.CDLL(str(path)).epi_estimate_ms
    estimate.restype = ctypes.c_double
    estimate.argtypes = [ctypes.c_int] + [ctypes.c_double] * 4
    trips = {**topologies.TRIPS, **topologies.PAPER}
    eq8, eq9 = topologies.PAPER
    methods = {DIRECT: 1, "reverse": 2, "socks5": 3, eq8: 4, eq9: 5,
               "socks6": 6, "warm": 7, "warm, TFO": 8}
    return differ([
        (f"{name}, {topology}", estimate(method, *times, 0.0),
         topologies.estimate(trips[name], topology))
        for name, method in methods.items()
        for topology, times in topologies.TOPOLOGIES.items()])


def main():
    check("bench_report.medians_and_ratios", numbers())
    check("bench_report.tables", tables())
    check("bench_report.plots", drawn())
    check("bench_report.targets", judged())
    check("bench_report.files", written())
    check("bench_report.estimates", estimated())
    check("bench_report.estimates_as_the_library", library())
    end()


main()
