#!/usr/bin/env python3
"""tree.py: the shape of the source tree and of its files."""
import collections
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.verdict import ROOT, check, end, skip

TOP = {"meson.build", "meson_options.txt", "meson.options", "README.md",
       "LICENSE", "CHANGELOG.md", ".ci", ".clang-format", ".gitignore",
       "include", "lib", "examples", "bindings", "tests", "fuzz", "doc"}
LONGEST = 500

# Paths of one machine, written so that this file does not name them itself.
MACHINE = re.compile(rb"(?<![\w.<>$}*-])/(?:wor[k]|roo[t]|home/\w+)/")

# Names that tools give, or that count within their folder only.
ANYWHERE = {"meson.build", "__init__.py", "README.md", "run", ".gitignore"}
DATA = ("fuzz/corpus/", "tests/vectors/", "bindings/", "examples/deploy/")


def tracked():
    """The files of the tree, as git knows them; None without git."""
    if not ROOT.joinpath(".git").exists() or not shutil.which("git"):
        return None
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT,
        check=True, capture_output=True, text=True).stdout
    return sorted({name for name in listed.split("\0")
                   if name and ROOT.joinpath(name).is_file()})


def top_level(files):
    return [f"{name} does not belong there" for name
            in sorted({name.split("/")[0] for name in files} - TOP)]


def same_names(files):
    found = collections.defaultdict(list)
    for name in files:
        base = name.rsplit("/", 1)[-1]
        if base not in ANYWHERE and not name.startswith(DATA):
            found[base].append(name)
    return [" and ".join(names) for names in found.values() if len(names) > 1]


def machine_paths(files):
    problems = []
    for name in files:
        for number, line in enumerate(
                ROOT.joinpath(name).read_bytes().split(b"\n"), 1):
            if MACHINE.search(line):
                problems.append(f"{name}:{number}")
    return problems


def c_files(files):
    return [name for name in files if name.endswith((".c", ".h"))]


def too_long(files):
    problems = []
    for name in c_files(files):
        lines = len(ROOT.joinpath(name).read_text().splitlines())
        if name.startswith("lib/") and lines > LONGEST:
            problems.append(f"{name} has {lines} lines, over {LONGEST}")
    return problems


def timeouts(files):
    """tests/unit/meson.build says why there are none."""
    return [name for name in files if name.startswith("tests/unit/test_")
            and ".timeout" in ROOT.joinpath(name).read_text()]


def not_formatted(files):
    ran = subprocess.run(["clang-format", "--dry-run", "-Werror",
                          *c_files(files)], cwd=ROOT, capture_output=True,
                         text=True)
    found = re.findall(r"^(\S+?):\d+:\d+: error", ran.stderr, re.M)
    if ran.returncode and not found:
        return [ran.stderr]
    return [f"clang-format -i {name}" for name in sorted(set(found))]


def main():
    files = tracked()
    if files is None:
        skip("tree", "this is no git work tree, or git is not installed")
        end()
    check("tree.top_level", top_level(files))
    check("tree.file_names_are_unique", same_names(files))
    check("tree.no_path_of_a_machine", machine_paths(files))
    check("tree.no_file_is_too_long", too_long(files))
    check("tree.no_timeouts_of_unit_tests", timeouts(files))
    if shutil.which("clang-format"):
        check("tree.clang_format", not_formatted(files))
    else:
        skip("tree.clang_format", "clang-format is not installed")
    end()


main()
