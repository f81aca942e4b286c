#!/usr/bin/env python3
"""stable.py: the library's ABI is the one in libepi.abi.

A difference on purpose is recorded by `tests/abi/update`, in the commit that
makes it; doc/abi.md says which ones may be."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.verdict import ROOT, end, not_ok, ok, skip

NAME = "stable.abi_is_the_stored_one"
BASELINE = ROOT / "tests" / "abi" / "libepi.abi"


def main():
    library = ROOT / os.environ.get("EPI_BUILD", "build") / "libepi.so"
    if not shutil.which("abidiff"):
        skip(NAME, "abidiff is not installed (package abigail-tools)")
        end()
    for path in (BASELINE, library):
        if not path.exists():
            not_ok(NAME, f"{path.name} is missing")
            end()
    with tempfile.TemporaryDirectory() as folder:
        current = pathlib.Path(folder, "current.abi")
        subprocess.run([ROOT / "tests" / "abi" / "update", current],
                       check=True)
        ran = subprocess.run(
            ["abidiff", "--no-show-locs", BASELINE, current],
            capture_output=True, text=True)
    # abidiff's exit code is a sum, in which 1 and 2 mean that it failed.
    if ran.returncode == 0:
        ok(NAME)
    elif ran.returncode & 3 or ran.returncode < 0:
        not_ok(NAME, "abidiff failed\n" + ran.stdout + ran.stderr)
    else:
        not_ok(NAME, "the ABI changed; if doc/abi.md allows that, run"
               " tests/abi/update\n" + ran.stdout)
    end()


main()
