"""latency.py: how long requests take when a proxy is half loaded.

Requests on new connections come at fixed times, at the same rate for all: half
of what the slowest of the compared does with 64 clients in the same run. Each
is timed from when it was due, so that waiting for a free client counts."""
from measure.results import Metric

TITLE = "Latency under half load"
CLIENTS = 64
METRICS = {
    "p50": Metric("ms", "less", digits=3, title="Half of the requests within"),
    "p99": Metric("ms", "less", digits=3, title="99 in 100 within"),
    "p999": Metric("ms", "less", digits=3, title="999 in 1,000 within"),
    "errors": Metric("in all runs", "less", total=True,
                     title="Failed requests"),
}
KINDS = {"new connections": (), "keep-alive": ("--keep-alive",)}


def slowest(bench, here, origin, subjects, options):
    """The rate of the slowest, of which half is asked of all."""
    rates = []
    for subject in subjects:
        bench.say(f"{TITLE}: how fast is {subject.name}?")
        said = bench.load(here, origin, subject, "--clients", CLIENTS,
                          *options, seconds=min(1.0, bench.seconds))
        rates.append(said["rate"])
    return min(rate for rate in rates if rate)


def job(bench, section, here, origin, subject, kind, rate):
    def measure():
        said = bench.load(here, origin, subject, "--clients", CLIENTS,
                          "--rate", rate, *KINDS[kind],
                          seconds=bench.pick(4.0, 0.5))
        section.add(kind, subject,
                    p50=said["p50_ms"], p99=said["p99_ms"],
                    p999=said["p999_ms"], errors=said["errors"])
    return f"{subject.name}, {kind}", measure


def measure(bench, section):
    here = bench.place()
    origin = here.origin()
    subjects = bench.everybody(here, origin, section)
    rates = {kind: slowest(bench, here, origin, subjects, options) / 2
             for kind, options in KINDS.items()}
    for kind, rate in rates.items():
        section.cases.append(kind)
        section.note(f"{kind}: {rate:,.0f} requests a second")
    bench.in_turns(section, [
        job(bench, section, here, origin, subject, kind, rate)
        for subject in subjects for kind, rate in rates.items()])
