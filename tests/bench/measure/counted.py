"""counted.py: what a request costs, counted: system calls by strace, and
instructions outside of the kernel by callgrind. Noise cannot hide a change, so
that a test can compare with baseline.json.

A count is that of a program that served N requests less that of one that
served none, divided by N."""
import contextlib
import json
import os
import pathlib
import re
import signal

from measure.subjects import REVERSE, SOCKS5, SOCKS6, Ours, epi_proxy
from support import flow

BASELINE = pathlib.Path(__file__).resolve().parent.parent / "baseline.json"
REQUESTS = 200
# callgrind counts each byte of a "rep stosb", which memset uses from 2 KiB on.
NO_REP = "GLIBC_TUNABLES=glibc.cpu.x86_rep_stosb_threshold=1000000"
KINDS = {"new connections": [], "keep-alive": ["--keep-alive"]}


@contextlib.contextmanager
def one_processor():
    """Let what is started inside share a processor: then what a request waits
    for comes in much the same pieces each time."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _end(running):
    """End what is traced, not the tracer, which has something to say yet."""
    for pid in running.usage.pids():
        with contextlib.suppress(OSError):
            name = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
            if name not in ("strace", "sh"):
                os.kill(pid, signal.SIGTERM)
                break
    running.program.wait(20)


def _served(place, origin, subject, options, requests, behind):
    """Start a subject behind a tracer, let it serve requests, and end it."""
    with flow.ending():
        place.behind = behind
        try:
            subject.start(place, origin)
        finally:
            place.behind = []
        if requests:
            said = place.load("--to", origin, *subject.options(), *options,
                              "--requests", requests, seconds=60)
            if said["requests"] != requests:
                raise RuntimeError(f"{subject.name}: {said['first_error']}")
        for running in subject.running:
            _end(running)
        return "\n".join(one.log.read_text() for one in subject.running)


def _calls(place, origin, subject, options, requests):
    path = flow.folder() / "calls"
    _served(place, origin, subject, options, requests,
            [flow.need("strace"), "-f", "-c", "-o", path])
    found = re.search(r"^100\.00\s+\S+\s+\S*\s+(\d+)\s.*total$",
                      path.read_text(), re.M)
    if not found:
        raise RuntimeError(f"strace counted nothing of {subject.name}")
    return int(found[1])


def _instructions(place, origin, subject, options, requests):
    said = _served(place, origin, subject, options, requests, [
        "env", NO_REP, flow.need("valgrind"), "--tool=callgrind",
        "--callgrind-out-file=/dev/null"])
    found = re.findall(r"Collected : (\d+)", said)  # of each process
    if not found:
        raise RuntimeError(f"callgrind counted nothing of {subject.name}")
    return sum(map(int, found))


def _each(count, place, origin, make, options, requests):
    """make() is a subject that is not started."""
    none = count(place, origin, make(), options, 0)
    some = count(place, origin, make(), options, requests)
    if some <= none:
        raise RuntimeError(f"{make().name}: {requests} requests count {some},"
                           f" none {none}")
    return (some - none) / requests


def calls(place, origin, make, options, requests=REQUESTS):
    """System calls of a subject for each request."""
    return _each(_calls, place, origin, make, options, requests)


def instructions(place, origin, make, options, requests=REQUESTS):
    """Instructions of a subject for each request."""
    return _each(_instructions, place, origin, make, options, requests)


# What the baseline is about: one loop, one client and one processor, so that the
# numbers are nearly the same each time.

def _alone(listen):
    def starts(place, origin):
        port = place.port()
        return port, [epi_proxy(place, "--workers", "1", port=port,
                                listen=listen.format(host=place.host,
                                                     port=port,
                                                     origin=origin))]
    return starts


def alone():
    """For each method of libepi a function that makes it."""
    return {
        "reverse": lambda: Ours("reverse", REVERSE,
                                _alone("tcp://{host}:{port}={origin}")),
        "SOCKS 5": lambda: Ours("SOCKS 5", SOCKS5,
                                _alone("socks://{host}:{port}")),
        "SOCKS 6": lambda: Ours("SOCKS 6", SOCKS6,
                                _alone("socks://{host}:{port}"))}


def compared():
    """What the baseline has, as (key, make, options)."""
    return [(f"{method}, {kind}", make, options)
            for method, make in alone().items()
            for kind, options in KINDS.items()]


def baseline():
    return json.loads(BASELINE.read_text())


def baseline_write(calls_of, instructions_of):
    BASELINE.write_text(json.dumps(
        {"about": "of one request, one client, one loop, one processor; written by"
                  " tests/bench/run counts --baseline",
         "calls": dict(sorted(calls_of.items())),
         "instructions": dict(sorted(instructions_of.items()))},
        indent=2) + "\n")
