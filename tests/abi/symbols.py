#!/usr/bin/env python3
"""symbols.py: the headers, the version map and the library name the same
functions, each at the version that the map gives it."""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import public
from support.verdict import ROOT, check, end, not_ok


def mapped():
    """Each function of the map and the node that it is in."""
    text = ROOT.joinpath("lib", "libepi.map").read_text()
    found = {}
    for node, body in re.findall(r"(EPI_\d+)\s*\{(.*?)\}", text, re.S):
        exported = re.search(r"global:(.*?)(local:|$)", body, re.S)
        for name in re.findall(r"(\w+);", exported[1] if exported else ""):
            found[name] = node
    return found


def exported(library):
    """Each symbol that a library defines, and its version."""
    listed = subprocess.run(["nm", "-D", "--defined-only", library],
                            check=True, capture_output=True, text=True).stdout
    found = {}
    for line in listed.splitlines():
        name, _, version = line.split()[-1].partition("@")
        if not re.fullmatch(r"EPI_\d+", name):
            found[name] = version.lstrip("@")
    return found


def differences(a, in_a, b, in_b):
    return ([f"{name} is in {in_a}, not in {in_b}" for name in sorted(a - b)] +
            [f"{name} is in {in_b}, not in {in_a}" for name in sorted(b - a)])


def order():
    names = list(mapped())
    return [f"{after} comes after {before}" for before, after
            in zip(names, names[1:]) if mapped()[before] == mapped()[after]
            and before > after]


def main():
    declared, nodes = set(public.functions()), mapped()
    check("symbols.headers_and_map_agree",
          differences(declared, "the headers", set(nodes), "lib/libepi.map"))
    check("symbols.map_is_sorted", order())
    library = ROOT / os.environ.get("EPI_BUILD", "build") / "libepi.so"
    if not library.exists():
        not_ok("symbols.library_and_map_agree", f"no {library.name}")
        end()
    symbols = exported(library)
    check("symbols.library_and_map_agree",
          differences(set(symbols), library.name, set(nodes),
                      "lib/libepi.map"))
    check("symbols.versions",
          [f"{name} is at {version or 'no version'}, not {nodes[name]}"
           for name, version in sorted(symbols.items())
           if name in nodes and nodes[name] != version])
    end()


main()
