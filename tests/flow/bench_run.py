#!/usr/bin/env python3
"""bench_run.py: tests/bench/run measures, ends in time, and leaves nothing
behind, whichever way it ends."""
import json
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow
from support.verdict import ROOT

RUN = ROOT / "tests" / "bench" / "run"


def started(*options):
    if flow.SANITIZED:
        flow.skip("nobody measures sanitizers")
    flow.need_root()
    flow.need("ip", "setpriv", "sysctl")
    out = flow.folder()
    return flow.start(RUN, *options, "--quick", "--build", flow.BUILD, "--out",
                      out), out


def left(program):
    """What is there that carries the run's id."""
    pid = program.process.pid
    found = [*pathlib.Path("/run/netns").glob(f"epi-{pid}-*"),
             *pathlib.Path("/tmp").glob(f"epi-bench-{pid}-*")]
    for kind in ("cpuacct", "memory", "."):
        found += pathlib.Path("/sys/fs/cgroup", kind).glob(
            f"epi-bench-{pid}-*")
    return found


@flow.test(timeout=120)
def what_is_not_done_in_time_is_left_out():
    program, out = started("keepalive", "--minutes", 0.02)
    assert program.wait(100) == 0, program.text
    section = json.loads((out / "bench.json").read_text())["sections"]
    notes = section["keepalive"]["notes"]
    assert any("time was up" in note for note in notes), notes
    assert "### Targets" in (out / "bench.md").read_text()
    assert not left(program), left(program)


@flow.test(timeout=150)
def a_killed_run_leaves_nothing():
    program, _ = started("keepalive")
    flow.until(lambda: left(program), "it has begun", 40)
    program.wait_line("run 1 of 1", 60)
    program.signal(signal.SIGKILL)
    program.wait()
    flow.until(lambda: not left(program), "all is removed", 40)


@flow.test
def it_says_what_it_can_do():
    ran = flow.run(RUN, "--help")
    assert ran.returncode == 0 and "topologies" in ran.stdout, ran
    for bad in (["nonsense"], ["--runs", "0"], ["--peer", "nameless"]):
        ran = flow.run(RUN, *bad)
        assert ran.returncode == 2 and "error: " in ran.stderr, ran


flow.main()
