"""python -m epi check|proxy: what epi-check and epi-proxy do, in Python."""
from __future__ import annotations

import sys
from typing import Optional, Sequence

from . import library
from ._abi import EPI_VERSION_STRING
from .commands import check, proxy

USAGE = """usage: python -m epi check MODEL [OPTION]...
       python -m epi proxy [OPTION]...
       python -m epi --version

Each has --help.
"""


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run a program; its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    programs = {"check": check.main, "proxy": proxy.main}
    if words and words[0] in programs:
        return programs[words[0]](words[1:])
    if words in (["--version"], ["-V"]):
        print(f"epi {EPI_VERSION_STRING}, libepi {library.version()}")
        return 0
    asked = words in (["--help"], ["-h"])
    print(USAGE, end="", file=sys.stdout if asked else sys.stderr)
    return 0 if asked else 2


if __name__ == "__main__":
    sys.exit(main())
