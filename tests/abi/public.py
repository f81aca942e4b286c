"""public.py: what the public headers declare, read from their text."""
import re

from support.verdict import ROOT

DECLARED = re.compile(r"\bEPI_API\b[^;{]*?\b(epi_\w+)\s*\(")
COMMENT = re.compile(r"/\*.*?\*/", re.S)


def headers():
    return sorted(ROOT.joinpath("include", "epi").glob("*.h"))


def code(path):
    """A header's text with comments blanked out, line by line."""
    return COMMENT.sub(lambda m: "\n" * m[0].count("\n"), path.read_text())


def directives(path):
    """The preprocessor's lines, continued ones joined."""
    joined = code(path).replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.startswith("#")]


def functions():
    """The name of every function that a header declares, and its header."""
    found = {}
    for path in headers():
        for name in DECLARED.findall(without_directives(path)):
            found[name] = path.name
    return found


def without_directives(path):
    joined = code(path).replace("\\\n", " ")
    return "\n".join(line for line in joined.splitlines()
                     if not line.startswith("#"))
