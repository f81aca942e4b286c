"""bulk.py: downloads without end."""
from measure import peers
from measure.results import Metric

TITLE = "Bulk download"
STREAMS = (1, 8)
GIB = 1024 ** 3
METRICS = {
    "gbit": Metric("Gbit/s (ratio to direct)", "more", ratio=True, digits=1,
                   title="Throughput"),
    "cpu_gib": Metric("s for each GiB", "less", digits=2,
                      title="Processor time of the proxy"),
}


def case_of(streams):
    return f"{streams} stream{'' if streams == 1 else 's'}"


def job(bench, section, here, origin, subject, streams):
    def measure():
        said = bench.load(here, origin, subject, "--clients", streams,
                          "--bulk")
        rate = said["bytes"] / said["seconds"]
        if not rate:
            raise RuntimeError(said["first_error"] or "no data at all")
        section.add(case_of(streams), subject,
                    gbit=8 * rate / 1e9,
                    cpu_gib=said["cpu"] and said["cpu"] * GIB / rate)
    return f"{subject.name}, {case_of(streams)}", measure


def measure(bench, section):
    here = bench.place()
    origin = here.origin()
    subjects = bench.everybody(here, origin, section, peers.for_bulk())
    section.cases.extend(case_of(streams) for streams in STREAMS)
    bench.in_turns(section, [
        job(bench, section, here, origin, subject, streams)
        for subject in subjects for streams in STREAMS])
