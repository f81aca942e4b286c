"""connections.py: new connections, a request each: the paper's Fig. 13."""
from measure.results import DIRECT, Metric

TITLE = "New connections: one request each, Connection: close (Fig. 13)"
CLIENTS = (1, 4, 16, 64)
METRICS = {
    "rate": Metric("requests/s (ratio to direct)", "more", ratio=True,
                   title="Requests"),
    "reduction": Metric("% less than direct", "less", digits=1,
                        minor=True, title="Reduction"),
    "cpu_us": Metric("us for each request", "less", digits=1,
                     title="Processor time of the proxy"),
    "errors": Metric("in all runs", "less", total=True,
                     title="Failed requests"),
}


def case_of(clients, what="client"):
    return f"{clients} {what}{'' if clients == 1 else 's'}"


def rate_job(bench, section, here, origin, subject, case, *options):
    """One measurement of a rate, as a job of in_turns()."""
    def measure():
        said = bench.load(here, origin, subject, *options)
        if not said["requests"]:
            raise RuntimeError(said["first_error"] or "no response at all")
        section.add(case, subject,
                    rate=said["rate"], errors=said["errors"],
                    cpu_us=said["cpu"] and 1e6 * said["cpu"] / said["rate"])
        if said["errors"]:
            section.note(f"{subject.name}, {case}: {said['first_error']}")
    return f"{subject.name}, {case}", measure


def add_reduction(section, subjects):
    for case in section.cases:
        for subject in subjects:
            ratio = section.ratio("rate", case, subject.name, DIRECT)
            if subject.name != DIRECT and ratio is not None:
                section.add(case, subject, reduction=100 * (1 - ratio))


def measure(bench, section):
    here = bench.place()
    origin = here.origin()
    subjects = bench.everybody(here, origin, section)
    for clients in CLIENTS:
        section.cases.append(case_of(clients))
    bench.in_turns(section, [
        rate_job(bench, section, here, origin, subject, case_of(clients),
                 "--clients", clients)
        for subject in subjects for clients in CLIENTS])
    add_reduction(section, subjects)
