"""call_counts.py: system calls and instructions for each request: counted, so
that noise cannot hide a change."""
import statistics

from measure import counted, peers, subjects
from measure.results import DIRECT, Metric

TITLE = "Counted: system calls and instructions for each request"
CLIENTS = 16
METRICS = {
    "calls": Metric("16 clients", "less", digits=1,
                    title="System calls of the proxy for each request"),
    "alone": Metric("1 client, 1 loop", "less", digits=2,
                    title="System calls of libepi for each request"),
    "instructions": Metric("1 client, 1 loop, outside of the kernel", "less",
                           title="Instructions of libepi for each request"),
}


def makers(bench):
    """A function for each subject that can be started."""
    def every():
        return [*peers.reverse(), *peers.socks(), *bench.named_peers(),
                *subjects.ours()]
    return [lambda at=at: every()[at] for at, subject in enumerate(every())
            if subject.method != DIRECT and subject.starts]


def calls_job(bench, section, here, origin, make, kind):
    def measure():
        section.add(kind, make(), calls=counted.calls(
            here, origin, make, [*counted.KINDS[kind], "--clients", CLIENTS],
            bench.pick(2000, 200)))
    return f"system calls of {make().name}, {kind}", measure


def alone_job(section, here, origin, key, make, options, found):
    method, _, kind = key.partition(", ")
    subject = subjects.Ours(f"libepi {method}", make().method)

    def measure():
        with counted.one_processor():
            calls = statistics.median(
                counted.calls(here, origin, make, options) for _ in range(5))
            instructions = counted.instructions(here, origin, make, options)
        found["calls"][key] = round(calls, 2)
        section.add(kind, subject, alone=calls)
        found["instructions"][key] = round(instructions)
        section.add(kind, subject, instructions=instructions)
    return f"libepi alone, {key}", measure


def measure(bench, section):
    here = bench.place()
    origin = here.origin()
    found = {"calls": {}, "instructions": {}}
    with counted.one_processor():
        alone_origin = here.origin()
    section.cases.extend(counted.KINDS)
    for make in makers(bench):
        section.expect(make())
    bench.in_turns(section, [
        *(calls_job(bench, section, here, origin, make, kind)
          for make in makers(bench) for kind in counted.KINDS),
        *(alone_job(section, here, alone_origin, *one, found)
          for one in counted.compared())], runs=1)
    section.note("Instructions in the kernel, which are most, are not counted.")
    if bench.write_baseline:
        counted.baseline_write(found["calls"], found["instructions"])
