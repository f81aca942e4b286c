"""bench.py: one run of the benchmark: what was asked for, the time that is
left, and measuring in turns."""
import random
import subprocess
import sys
import time

from measure import peers, place, results, subjects
from support import flow

FAILURES = (RuntimeError, AssertionError, OSError,
            subprocess.SubprocessError, flow.Skip)


class Bench:
    def __init__(self, runs=5, quick=False, extra=(), minutes=90,
                 write_baseline=False):
        self.runs, self.quick, self.extra = runs, quick, list(extra)
        self.write_baseline = write_baseline  # counts, into baseline.json
        self.results = results.Results()
        self.began = time.monotonic()
        self.end = self.began + 60 * minutes
        self.seconds = 0.4 if quick else 2.0  # of one measurement
        self.warm = 0.1 if quick else 0.3     # and before it
        self._shown = 0

    def pick(self, full, quick):
        """A number that is smaller in a quick run."""
        return quick if self.quick else full

    def late(self):
        return time.monotonic() > self.end

    # What is on the way goes to standard error, in one line on a terminal.

    def say(self, text):
        line = f"[{(time.monotonic() - self.began) / 60:5.1f} min] {text}"
        if sys.stderr.isatty():
            print("\r" + line.ljust(self._shown), end="", file=sys.stderr,
                  flush=True)
            self._shown = len(line)
        else:
            print(line, file=sys.stderr, flush=True)

    def end_line(self):
        if sys.stderr.isatty() and self._shown:
            print(file=sys.stderr)
        self._shown = 0

    # Places and subjects.

    def place(self):
        """Where to measure on one machine: in a namespace, unless a peer runs
        outside already."""
        outside = any(peers.is_elsewhere(text) for text in self.extra)
        return place.Place(None if outside else "own")

    def named_peers(self):
        return [peers.named(text) for text in self.extra]

    def everybody(self, here, origin, section, more=()):
        """All subjects for one machine, started, with more of a section."""
        return subjects.started(here, origin, [
            subjects.direct(), *peers.reverse(), *more, *peers.socks(),
            *self.named_peers(), *subjects.ours()], section)

    # Measuring.

    def in_turns(self, section, jobs, runs=None):
        """Do all jobs, (label, function) pairs, in random order, and that as
        often as there are runs. What fails is noted; when the time is up the
        rest is left out."""
        runs = runs or self.runs
        done, jobs = 0, list(jobs)
        began = time.monotonic()
        for number in range(runs):
            random.shuffle(jobs)
            for label, function in jobs:
                if self.late():
                    section.note(f"the time was up after {done} of"
                                 f" {runs * len(jobs)} measurements")
                    return
                left = ((time.monotonic() - began) / done *
                        (runs * len(jobs) - done) / 60 if done else 0)
                self.say(f"{section.data['title']}: run {number + 1} of"
                         f" {runs}: {label}; {left:.1f} min left")
                try:
                    function()
                except FAILURES as why:
                    section.note(f"{label}: {why}")
                done += 1

    def load(self, here, origin, subject, *options, seconds=None, warm=None):
        """Load a subject; what the generator says, with `rate` (1/s) and the
        processor seconds of the subject for each second, `cpu`."""
        warm = self.warm if warm is None else warm
        seconds = seconds or self.seconds
        with subjects.spent(subject) as spent:
            said = here.load("--to", origin, *subject.options(), *options,
                             seconds=seconds, warm=warm)
        subject.check()
        said["rate"] = said["requests"] / said["seconds"]
        said["cpu"] = (None if spent[0] is None else
                       spent[0] / (said["seconds"] + warm))
        return said
