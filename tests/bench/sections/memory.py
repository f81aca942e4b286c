"""memory.py: what an idle flow costs, and whether it is given back."""
import time

from measure import peers, subjects
from measure.results import DIRECT, Metric
from support import flow

TITLE = "Memory of an idle flow"
FLOWS, QUICK_FLOWS = 9000, 500
OPENING = 120  # s, for all of them
SETTLING = 3   # s, after the flows have ended
METRICS = {
    "own_kib": Metric("KiB for each flow", "less", digits=2,
                      title="The program's own memory (PSS)"),
    "whole_kib": Metric("KiB for each flow", "less", digits=2,
                        title="With the kernel's memory for it"),
    "kept_kib": Metric("KiB for each flow that was", "less", digits=2,
                       title="Own memory still held 3 s after the flows' end"),
    "open": Metric("", "more", minor=True, title="Flows that were open"),
}


def _sizes(subject):
    own = sum(one.usage.pss() for one in subject.running)
    wholes = [one.usage.whole() for one in subject.running]
    return own, None if None in wholes else sum(wholes)


def job(bench, section, here, origin, make):
    """make() is a subject, not started: it must be fresh."""
    flows = bench.pick(FLOWS, QUICK_FLOWS)

    def measure():
        with flow.ending():
            subject = make().start(here, origin)
            # What the first flow needs once is not of every flow.
            here.load("--to", origin, *subject.options(), "--requests", 20,
                      seconds=5)
            own, whole = _sizes(subject)
            with here.loaded("--to", origin, *subject.options(), "--clients",
                             flows, "--idle", "--seconds", OPENING) as load:
                said = load.stdout.readline().strip()
                own_full, whole_full = _sizes(subject)
            time.sleep(SETTLING)
            own_after, _ = _sizes(subject)
        if not said.startswith("ready"):
            raise RuntimeError("the flows could not be opened")
        per = 1024 * flows
        section.add(f"{flows} flows", subject,
                    own_kib=(own_full - own) / per,
                    whole_kib=None if whole is None else
                    (whole_full - whole) / per,
                    kept_kib=max(0, own_after - own) / per, open=flows)
        if said != "ready, 0 errors":
            section.note(f"{subject.name}: {said}")
    return make().name, measure


def makers(bench):
    """For each subject whose memory can be seen, a function that makes it."""
    def every():
        return [*peers.reverse(), *peers.socks(), *bench.named_peers(),
                *subjects.ours()]
    return [lambda at=at: every()[at] for at, subject in enumerate(every())
            if subject.method != DIRECT and subject.starts]


def measure(bench, section):
    here = bench.place()
    origin = here.origin()
    for make in makers(bench):
        section.expect(make())
    bench.in_turns(section, [job(bench, section, here, origin, make)
                             for make in makers(bench)],
                   runs=bench.pick(min(3, bench.runs), 1))
    section.note("Only flows that were opened without an error count; the"
                 " limit on descriptors here allows 9,000.")
    section.note("nginx http keeps no connection to the origin for an idle"
                 " client; all others do.")
