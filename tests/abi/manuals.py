#!/usr/bin/env python3
"""manuals.py: a program's --help and its man page have the same options, what
README.md names is there and all documents are named, and no line is there twice
where many people add some."""
import collections
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.verdict import ROOT, check, end

BUILD = ROOT / os.environ.get("EPI_BUILD", "build")
OPTION = re.compile(r"--([a-z][a-z-]*[a-z])")
SHORT = 20  # so short a line may well be there twice

# In a man page alone: options of commands, and socksx's long ones.
BESIDE = {"epi-check": set(), "epi-redirector": set(),
          "epi-proxy": {"json", "timeout", "delete", "host", "port", "socks",
                        "debug"}}


def told(program):
    ran = subprocess.run([BUILD / "examples" / program, "--help"], check=True,
                         capture_output=True, text=True)
    return ran.stdout


def options(program):
    page = ROOT.joinpath("doc", f"{program}.1").read_text()
    there = set(OPTION.findall(page.replace("\\-", "-")))
    helped = set(OPTION.findall(told(program)))
    return [f"--{name} is in one of the two only" for name
            in sorted((there ^ helped) - BESIDE[program])]


def twice(text):
    counts = collections.Counter(line.strip() for line in text.splitlines())
    return [f"{count} times: {line}" for line, count in counts.items()
            if count > 1 and len(line) >= SHORT]


def not_named():
    readme = ROOT.joinpath("README.md").read_text()
    return [f"README.md does not name doc/{path.name}" for path
            in sorted(ROOT.glob("doc/*.md"))
            if f"(doc/{path.name})" not in readme]


def no_such_test():
    """README.md has tables of what is there, and of the flow tests that show
    it: those must be there, too."""
    rows = re.findall(r"^\|.*\| ((?:`\w+`(?:, )?)+) \|$",
                      ROOT.joinpath("README.md").read_text(), re.M)
    names = [name for row in rows for name in re.findall(r"\w+", row)]
    return [f"there is no tests/flow/{name}.py" for name in names
            if not ROOT.joinpath("tests", "flow", f"{name}.py").exists()
            ] if names else ["README.md names no flow test"]


def main():
    for program in sorted(BESIDE):
        check(f"manuals.options_of_{program}", options(program))
        check(f"manuals.help_of_{program}_has_no_line_twice",
              twice(told(program)))
    for name in ("README.md", "CHANGELOG.md"):
        check(f"manuals.{name}_has_no_line_twice",
              twice(ROOT.joinpath(name).read_text()))
    check("manuals.readme_names_all_documents", not_named())
    check("manuals.readme_names_flow_tests", no_such_test())
    end()


main()
