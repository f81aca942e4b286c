"""filter_costs.py: what each built-in filter costs, by filter_speed, which
measures in memory without sockets (doc/filter-speed.md)."""
import re

from measure.results import Metric
from measure.subjects import Ours
from support import flow

TITLE = "Built-in filters, in memory"
SIZES = ("100 B", "1,500 B", "16 KiB", "64 KiB")
METRICS = {
    "ns": Metric("ns for each byte, by the size of the pieces", "less",
                 digits=3, title="Processor time"),
    "flow_ns": Metric("ns", "less", title="Opening and closing a flow"),
    "bytes": Metric("bytes", "less", title="Memory of a flow"),
}


def program():
    """filter_speed, built if it is not there."""
    path = flow.BUILD / "tests" / "bench" / "filter_speed"
    if not path.exists():
        ran = flow.run(flow.need("ninja"), "-C", flow.BUILD,
                       "tests/bench/filter_speed", timeout=300)
        if ran.returncode:
            raise RuntimeError(f"filter_speed cannot be built: {ran.stdout}")
    return path


def rows(text):
    """(filter, numbers) of each line; what undoes a filter has no flow's."""
    before = ""
    for line in text.splitlines()[2:]:
        name, *numbers = re.split(r"\s{2,}", re.sub(
            r"(?<=\d) (?=\d)", "  ", line.strip()))
        yield (f"{name}, after {before}" if len(numbers) == 8 else name,
               [float(number) for number in numbers])
        before = name if len(numbers) > 8 else before


def job(section, path):
    def measure():
        ran = flow.run(path, timeout=300)
        if ran.returncode:
            raise RuntimeError(ran.stderr.strip())
        for name, numbers in rows(ran.stdout):
            subject = Ours(name, "")
            for size, value in zip(SIZES, numbers[0:8:2]):
                section.add(size, subject, ns=value)
            if len(numbers) == 11:
                section.add("a flow", subject, flow_ns=numbers[8],
                            bytes=numbers[10])
    return "filter_speed", measure


def measure(bench, section):
    bench.in_turns(section, [job(section, program())],
                   runs=bench.pick(min(3, bench.runs), 1))
