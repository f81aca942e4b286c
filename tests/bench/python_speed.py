#!/usr/bin/python3
"""python_speed.py [BUILD]: what libepi costs from Python, beside C: a call, a
decision, and a filter for each MiB and each small piece. See doc/python.md.

    ninja -C build tests/bench/python_speed && tests/bench/python_speed.py"""
import json
import os
import pathlib
import resource
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / (sys.argv[1] if len(sys.argv) > 1 else "build")
os.environ["EPI_LIBRARY"] = str(BUILD / "libepi.so")
sys.path.insert(0, str(ROOT / "bindings" / "python"))

import epi  # noqa: E402

HOSPITALS = ROOT / "examples" / "hospitals.json"
MIB = 1024 * 1024
AMOUNT = 256 * MIB
MANY = 40000
RUNS = 5

# Both ends of a flow are in a process of their own, so that the engine's
# processor time is its own.
PEERS = """
import os, socket, sys, time
amount, proxy = int(sys.argv[1]), int(sys.argv[2])
server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]
client = socket.create_connection(("127.0.0.1", proxy))
client.sendall(b"\\5\\1\\0")
client.recv(2)
client.sendall(b"\\5\\1\\0\\1\\x7f\\0\\0\\1" + port.to_bytes(2, "big"))
sink, _ = server.accept()
client.recv(10)
"""

BULK = PEERS + """
child = os.fork()
if child == 0:
    piece = b"patients" * 32768
    for _ in range(amount // len(piece)):
        client.sendall(piece)
    client.shutdown(socket.SHUT_WR)
    os._exit(0)
client.close()
start, got = time.monotonic(), 0
room = bytearray(1 << 20)
while count := sink.recv_into(room):
    got += count
print(time.monotonic() - start, got)
"""

PIECES = PEERS + """
for _ in range(amount // 2):
    client.sendall(b"x")
    sink.recv(1)
    sink.sendall(b"y")
    client.recv(1)
"""


class Same(epi.Filter):
    """The least that a filter in Python can do to all data."""

    def data(self, pipe, direction, data):
        return data


class Mask(epi.Filter):
    """What examples/mask.c does."""

    digits = bytes(0x23 if 0x30 <= b <= 0x39 else b for b in range(256))

    def data(self, pipe, direction, data):
        return data.translate(self.digits)


class Passing(epi.Filter):
    """Looks at the flow and passes."""

    def open(self, pipe):
        return epi.PASS


def nanoseconds(call, rounds):
    """The processor time of a call, the best of some runs."""
    best = float("inf")
    for _ in range(RUNS):
        start = time.process_time_ns()
        for _ in range(rounds):
            call()
        best = min(best, (time.process_time_ns() - start) / rounds)
    return best


def calls():
    model = epi.Model.load(HOSPITALS)
    query = epi.Query("umc", "antonius", 443)
    dest = epi.Address("ehr.antonius.example", 443)
    yield "version", nanoseconds(epi.version, 100000)
    yield "address", nanoseconds(
        lambda: epi.Address.parse("ehr.antonius.example:443"), 50000)
    yield "request", nanoseconds(
        lambda: epi.Request(dest).write(epi.Version.SOCKS6), 5000)
    yield "decision", nanoseconds(lambda: model.decide(query), 5000)


def carried(code, amount, filters):
    """What the ends of a flow said, and seconds of the engine's processor."""
    with epi.Engine(listen="socks://127.0.0.1:0", workers=1,
                    filters=filters) as engine:
        before = resource.getrusage(resource.RUSAGE_SELF)
        said = subprocess.run(
            [sys.executable, "-c", code, str(amount),
             str(engine.addresses[0].port)],
            capture_output=True, text=True, check=True).stdout.split()
        after = resource.getrusage(resource.RUSAGE_SELF)
    return said, (after.ru_utime + after.ru_stime
                  - before.ru_utime - before.ru_stime)


def bulk(filters):
    """Seconds, and seconds of processor, for a MiB."""
    found = []
    for _ in range(RUNS):
        (seconds, got), busy = carried(BULK, AMOUNT, filters)
        assert int(got) == AMOUNT
        found.append((float(seconds), busy))
    return [statistics.median(one) / (AMOUNT / MIB) for one in zip(*found)]


def small(filters):
    """Seconds of processor for a piece of one byte."""
    return statistics.median(carried(PIECES, MANY, filters)[1]
                             for _ in range(RUNS)) / MANY


def main():
    program = BUILD / "tests" / "bench" / "python_speed"
    in_c = json.loads(subprocess.run([program, HOSPITALS], check=True,
                                     capture_output=True).stdout)
    print(f"Python {sys.version.split()[0]}, libepi {epi.version()}\n")
    print(f"{'call':12}{'C, us':>10}{'Python, us':>12}")
    for name, cost in calls():
        print(f"{name:12}{in_c[name] / 1000:10.3f}{cost / 1000:12.2f}")
    print(f"\n{'filter':26}{'us/MiB':>8}{'CPU us/MiB':>12}"
          f"{'CPU us/piece':>14}")
    mask = f"{BUILD / 'examples' / 'mask.so'}:#"
    for name, filters in [
            ("none", []), ("count, built in", ["count"]),
            ("Python, passes at once", [Passing()]),
            ("Python, data as it is", [Same()]),
            ("mask, in C", [epi.NativeFilter.load(mask)]),
            ("mask, in Python", [Mask()])]:
        seconds, busy = bulk(filters)
        print(f"{name:26}{seconds * 1e6:8.0f}{busy * 1e6:12.0f}"
              f"{small(filters) * 1e6:14.1f}")


main()
