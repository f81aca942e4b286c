#!/usr/bin/env python3
"""unit.py BUILD [NAME]: run the unit tests and the fuzz replays of a build.

Criterion says at the end of each executable how many tests it ran; these are
what is counted, in a last line `total PASSED FAILED SKIPPED`. An executable
without such a line, as a replay, counts as one test. NAME selects the
executables that have it in their names."""
import json
import os
import pathlib
import re
import subprocess
import sys

SYNTHESIS = re.compile(r"Synthesis: Tested: (\d+) \| Passing: (\d+)"
                       r" \| Failing: (\d+) \| Crashing: (\d+)")
DULL = re.compile(r"\[(RUN |PASS)\]")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")

# Of meson's 30 s: the sanitizers of a busy machine may take some of them.
TIMEOUTS = "20"


def names_of(build, part):
    listed = subprocess.run(["meson", "introspect", "--tests", build],
                            check=True, capture_output=True, text=True)
    return [t["name"] for t in json.loads(listed.stdout) if part in t["name"]]


def count(result):
    """Passed, failed and skipped tests of one executable."""
    said = COLOUR.sub("", result.get("stderr", "") + result.get("stdout", ""))
    good = result["result"] in ("OK", "EXPECTEDFAIL")
    found = SYNTHESIS.search(said)
    if not found:
        if result["result"] == "SKIP":
            return 0, 0, 1
        return (1, 0, 0) if good else (0, 1, 0)
    passed = int(found[2])
    failed = int(found[3]) + int(found[4])
    # A sanitizer that fails the process after its tests is a failure, too.
    return passed, failed if good or failed else 1, said.count("[SKIP]")


def main():
    build = sys.argv[1]
    names = names_of(build, sys.argv[2] if len(sys.argv) > 2 else "")
    if not names:
        print("total 0 0 0")
        return 0
    log = pathlib.Path(build, "meson-logs", "testlog.json")
    log.unlink(missing_ok=True)
    ran = subprocess.run(["meson", "test", "-C", build, "--no-rebuild",
                          "--timeout-multiplier", TIMEOUTS, *names],
                         env={**os.environ, "CRITERION_VERBOSITY_LEVEL": "1"},
                         stdin=subprocess.DEVNULL, capture_output=True,
                         text=True)
    if not log.exists():
        print(ran.stdout + ran.stderr)
        print("total 0 1 0")
        return 1
    total = [0, 0, 0]
    for entry in log.read_text().splitlines():
        result = json.loads(entry)
        counts = count(result)
        total = [a + b for a, b in zip(total, counts)]
        if counts[1]:
            print(f"{result['name']}: {counts[1]} failed"
                  f" ({result['result'].lower()})")
            for part in ("stdout", "stderr"):
                said = COLOUR.sub("", result.get(part, "")).splitlines()
                if result["result"] != "TIMEOUT":  # else what ran tells more
                    said = [line for line in said if not DULL.match(line)]
                for line in said[-60:]:
                    print("    " + line)
    print("total", *total)
    return 1 if total[1] else 0


sys.exit(main())
