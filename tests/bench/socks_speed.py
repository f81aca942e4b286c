"""socks_speed.py: runs socks_speed beside other implementations of the same
messages, and counts instructions with callgrind:

    python3 tests/bench/socks_speed.py build/tests/bench/socks_speed [--json]

Prints Markdown, or JSON. Needs valgrind for the instructions and cargo for the
others, which it builds in a temporary folder or in CARGO_TARGET_DIR; without
them it says so and does the rest. See doc/socks-speed.md."""
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 3
COUNTED = 1000  # runs that callgrind sees
# callgrind counts each byte of a "rep stosb", which memset uses from 2 KiB on.
NO_REP = {"GLIBC_TUNABLES": "glibc.cpu.x86_rep_stosb_threshold=1000000"}
PROGRAM = pathlib.Path(__file__).with_name("socks_peer.rs")
MANIFEST = f"""[package]
name = "socks_peer"
version = "0.0.0"
edition = "2021"
[dependencies]
tor-socksproto = {{ version = "=0.47.0", features = ["client-handshake"] }}
socks5-proto = "=0.4.1"
socksx = "=0.1.1"
[[bin]]
name = "socks_peer"
path = {json.dumps(str(PROGRAM.resolve()))}
"""


def say(text):
    print(text, file=sys.stderr, flush=True)


def output(*command):
    return subprocess.run(command, check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def build_peer(folder):
    """The command that runs the peers, or None where they cannot be had."""
    cargo = shutil.which("cargo")
    if not cargo:
        say("no cargo: the other implementations are skipped")
        return None
    built = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", folder / "target"))
    (folder / "Cargo.toml").write_text(MANIFEST)
    done = subprocess.run(
        [cargo, "build", "--release", "--quiet", "--target-dir", built],
        cwd=folder, text=True, stderr=subprocess.PIPE)
    if done.returncode:
        say(done.stderr)
        say("the other implementations cannot be built: skipped")
        return None
    return built.resolve() / "release/socks_peer"


def instructions(command):
    """Of one operation; the command runs it COUNTED times."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         "--toggle-collect=run_operation", *command, str(COUNTED)],
        check=True, text=True, stderr=subprocess.PIPE,
        env=os.environ | NO_REP)
    collected = re.search(r"Collected : (\d+)", done.stderr)
    return round(int(collected[1]) / COUNTED)


def run_libepi(bench):
    """Rows of ("libepi", version, operation, ns, allocations), and of
    memory."""
    speed, memory = output(bench).split("\n\n")
    rows = [["libepi", *line.split()] for line in speed.splitlines()[1:]]
    return rows, [[int(cell) if cell.isdigit() and number > 1 else cell
                   for number, cell in enumerate(line.split())]
                  for line in memory.splitlines()]


def run_peer(peer, messages):
    return [line.split("\t") for line in output(peer, messages).splitlines()]


class Results:
    def __init__(self):
        self.rows = {}
        self.memory = []
        self.peer_session_bytes = None

    def add(self, rows):
        for name, version, operation, value, allocations in rows:
            if operation == "session-bytes":
                self.peer_session_bytes = int(value)
                continue
            row = self.rows.setdefault((name, version, operation), {
                "implementation": name, "version": version,
                "operation": operation, "times": [],
                "allocations": int(allocations)})
            row["times"].append(float(value))

    def finish(self):
        for row in self.rows.values():
            row["ns"] = statistics.median(row.pop("times"))
            if row["operation"].startswith("handshake"):
                row["per_second"] = round(1e9 / row["ns"])

    def count(self, bench, peer, messages):
        if not shutil.which("valgrind"):
            say("no valgrind: no instructions are counted")
            return
        for (name, version, operation), row in self.rows.items():
            command = ([bench] if name == "libepi"
                       else [peer, messages, name])
            row["instructions"] = instructions([*command, version, operation])


def measure(bench):
    results = Results()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        messages = folder / "messages"
        messages.write_text(output(bench, "messages"))
        peer = build_peer(folder)
        for number in range(ROUNDS):
            say(f"round {number + 1} of {ROUNDS}")
            rows, results.memory = run_libepi(bench)
            results.add(rows)
            if peer:
                results.add(run_peer(peer, messages))
        results.finish()
        results.count(bench, peer, messages)
    return results


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|---" * len(head) + "|")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")


def show(results):
    table(["implementation", "version", "operation", "ns", "instructions",
           "allocations"],
          ([row["implementation"], row["version"], row["operation"],
            f"{row['ns']:,.0f}", f"{row['instructions']:,}"
            if "instructions" in row else "", row["allocations"]]
           for row in results.rows.values()))
    print()
    table(["implementation", "version", "operation", "per second"],
          ([row["implementation"], row["version"], row["operation"],
            f"{row['per_second']:,}"]
           for row in results.rows.values() if "per_second" in row))
    print()
    table(results.memory[0], results.memory[1:])
    if results.peer_session_bytes:
        print("\nA session of tor-socksproto that waits:"
              f" {results.peer_session_bytes} bytes")


def as_json(results):
    head, *rows = results.memory
    return {"operations": list(results.rows.values()),
            "sessions": [dict(zip(head, row)) for row in rows],
            "tor-socksproto session bytes": results.peer_session_bytes}


def main(args):
    if not args:
        say(__doc__)
        return 2
    results = measure(pathlib.Path(args[0]).resolve())
    if "--json" in args[1:]:
        print(json.dumps(as_json(results), indent=2))
    else:
        show(results)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
