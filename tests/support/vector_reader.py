"""vector_reader.py: the wire cases of tests/vectors, read by the grammar that
their README.md states and by nothing else."""
import re

from support.verdict import ROOT

FOLDERS = ("socks5", "socks6", "socksx")
_BYTES = re.compile(r"([0-9a-fA-F]{2})(\*[0-9]+)?")
_LINE = re.compile(r"([a-z][^:]*):(?: +(.*))?")


class Malformed(Exception):
    """What the grammar does not allow, and where."""


def octets(text):
    """The bytes of a value: 0a 0b 61*255."""
    out = b""
    for word in text.split():
        if not re.fullmatch(f"(?:{_BYTES.pattern})+", word):
            raise Malformed(f"no bytes: {word}")
        for byte, times in _BYTES.findall(word):
            out += bytes.fromhex(byte) * int(times[1:] or "1")
    return out


def read(path):
    """The cases of a file: dictionaries of text."""
    cases, case, key = [], {}, None
    for number, line in enumerate(path.read_text("ascii").split("\n"), 1):
        said = line.split("#")[0].rstrip()
        if not line:
            if case:
                cases.append(case)
            case, key = {}, None
        elif not said:
            continue
        elif said.startswith(" "):
            if key is None:
                raise Malformed(f"{path.name}:{number}: goes on with nothing")
            case[key] += said
        else:
            found = _LINE.fullmatch(said)
            if not found or found[1] in case:
                raise Malformed(f"{path.name}:{number}: {said}")
            key = found[1]
            case[key] = found[2] or ""
    return cases + ([case] if case else [])


def files():
    """The files, as (folder, path)."""
    return [(folder, path) for folder in FOLDERS for path
            in sorted((ROOT / "tests" / "vectors" / folder).glob("*.txt"))]


def all_cases():
    """Every case, as (folder, name of the file, case)."""
    return [(folder, path.stem, case) for folder, path in files()
            for case in read(path)]
