#!/usr/bin/env python3
"""flows.py BUILD [NAME]: run the flow tests with the programs of a build.

As many scripts run at once as there are processors, each in a network namespace
of its own, where no other script takes its ports. Without root, or without
namespaces, one runs after the other. What counts what a request costs comes last,
alone. What a script says is printed when it has ended. NAME selects tests by a part of their names."""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from support import fetched

# A busy machine makes more pieces of what it moves, and so more calls.
LAST = ["tests/flow/costs.py"]

# Where threads meet: these run with the programs of build-tsan, too.
THREADS = ["audit", "bind_session", "drain", "instances", "limits",
           "metrics",
           "model_file", "model_ports", "names", "revoke", "sessions",
           "settings", "socks_churn", "spread", "udp6", "upgrade", "warm",
           "years"]

ALONE = ["unshare", "--net", "--", "sh", "-c",
         'ip link set lo up && exec "$0" "$@"']


def namespaces():
    """1 if a script can have a namespace of its own."""
    return not subprocess.run([*ALONE, "true"], stdin=subprocess.DEVNULL,
                              capture_output=True).returncode


def run(script, build, name, prefix):
    ran = subprocess.run([*prefix, sys.executable, script, name],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, cwd=ROOT,
                         env={**os.environ, "EPI_BUILD": build})
    said = ran.stdout
    if ran.returncode and "\nnot ok " not in "\n" + said:
        said += f"not ok {script}: ended with status {ran.returncode}\n"
    return script, said, ran.returncode


def run_all(scripts, at_once, build, name, prefix):
    """Run them, so many at once; 1 if one failed."""
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        jobs = [pool.submit(run, script, build, name, prefix)
                for script in scripts]
        for job in concurrent.futures.as_completed(jobs):
            script, said, code = job.result()
            print(f"Flow tests of {script}, programs of {build}")
            print(said, end="", flush=True)
            failed |= code != 0
    return failed


def main():
    build = sys.argv[1]
    name = sys.argv[2] if len(sys.argv) > 2 else ""
    scripts = sorted(str(path.relative_to(ROOT))
                     for path in (ROOT / "tests" / "flow").glob("*.py")
                     if path.stem in THREADS or not build.endswith("-tsan"))
    prefix, at_once = [], 1
    if not name and os.geteuid() == 0 and namespaces():
        fetched.fetch()  # a namespace leads to no registry
        prefix, at_once = ALONE, os.cpu_count() or 1
    early = [script for script in scripts if script not in LAST]
    late = [script for script in scripts if script in LAST]
    failed = run_all(early, at_once, build, name, prefix)
    failed |= run_all(late, 1, build, name, prefix)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
