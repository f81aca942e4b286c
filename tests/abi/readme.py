#!/usr/bin/env python3
"""readme.py: the code in README.md works as printed: its C program compiles
and runs, its Python runs, its shell lines succeed; C in other documents
compiles; links lead somewhere."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.verdict import ROOT, check, end, not_ok

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
BUILD = ROOT / os.environ.get("EPI_BUILD", "build")


def blocks(language):
    text = ROOT.joinpath("README.md").read_text()
    return [code for kind, code in BLOCK.findall(text) if kind == language]


def run(argv, **options):
    """What a command said if it failed, as lines; none if it succeeded.
    Whatever it leaves running is killed."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL,
                                   stdout=said, stderr=said,
                                   start_new_session=True, **options)
        try:
            status = process.wait(300)
        except subprocess.TimeoutExpired:
            status = "none after 300 s"
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        said.seek(0)
        lines = said.read().splitlines()[-30:]
    return [f"exit status {status}", *lines] if status else []


def c_program(code):
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "program.c")
        program = pathlib.Path(folder, "program")
        source.write_text(code)
        problems = run(["cc", "-Wall", "-Werror", "-I", ROOT / "include", "-o",
                        program, source, "-L", BUILD, "-lepi"])
        return problems or run([program], env={**os.environ,
                                               "LD_LIBRARY_PATH": str(BUILD)})


def python_program(code):
    return run([sys.executable, "-c", code], env={
        **os.environ, "EPI_LIBRARY": str(BUILD / "libepi.so"),
        "PYTHONPATH": str(ROOT / "bindings" / "python")})


def documents():
    """C in the other documents, which is functions rather than programs."""
    problems = []
    for path in sorted(ROOT.glob("doc/*.md")):
        for kind, code in BLOCK.findall(path.read_text()):
            if kind == "c":
                said = run(["sh", "-c", "printf %s \"$1\" | cc -std=c11 -Wall "
                            "-Wextra -Werror -Iinclude -fsyntax-only -xc -",
                            "sh", code])
                problems += [f"{path.name}: {line}" for line in said]
    return problems


def links():
    problems = []
    for path in [ROOT / "README.md", *sorted(ROOT.glob("doc/*.md"))]:
        for target in LINK.findall(path.read_text()):
            if not (path.parent / target).exists():
                problems.append(f"{path.name} links to {target}")
    return problems


def main():
    for language, step in (("c", c_program), ("python", python_program),
                           ("sh", lambda code: run(["bash", "-ec", code]))):
        found = blocks(language)
        if not found:
            not_ok(f"readme.{language}_works", "README.md has no such block")
        for number, code in enumerate(found, 1):
            check(f"readme.{language}_works_{number}", step(code))
    check("readme.documents_compile", documents())
    check("readme.links_lead_somewhere", links())
    end()


main()
