"""keepalive.py: requests one after another over open connections."""
from measure.results import Metric
from sections.connections import rate_job

TITLE = "Keep-alive requests through open flows"
FLOWS = (16, 64)
METRICS = {
    "rate": Metric("requests/s (ratio to direct)", "more", ratio=True,
                   title="Requests"),
    "cpu_us": Metric("us for each request", "less", digits=1,
                     title="Processor time of the proxy"),
    "errors": Metric("in all runs", "less", total=True,
                     title="Failed requests"),
}


def measure(bench, section):
    here = bench.place()
    origin = here.origin()
    subjects = bench.everybody(here, origin, section)
    section.cases.extend(f"{flows} flows" for flows in FLOWS)
    bench.in_turns(section, [
        rate_job(bench, section, here, origin, subject, f"{flows} flows",
                 "--clients", flows, "--keep-alive")
        for subject in subjects for flows in FLOWS])
