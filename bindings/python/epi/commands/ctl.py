"""ctl.py: python -m epi proxy ctl, which speaks with a proxy that runs, as
epi-proxy ctl does."""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
from typing import Any, Optional, Sequence, Tuple

from ..admin import Admin
from ..errors import Error, InvalidArgument, ModelError

FINE, SAYS_NO, BAD_INPUT = 0, 1, 2

_OPTIONS = {"flow": int, "source": str, "dest": str, "address": str,
            "rule": str, "user": str, "application": str, "reason": str,
            "start": int, "most": int}

# What the words after the command are: a name, its type; and the command.
_COMMANDS: dict[Tuple[str, ...], Tuple[str, Tuple[Tuple[str, Any], ...]]] = {
    ("status",): ("status", ()), ("flows",): ("flows", ()),
    ("explain",): ("explain", (("flow", int),)), ("kill",): ("kill", ()),
    ("model", "show"): ("model", ()),
    ("model", "plan"): ("plan", (("document", pathlib.Path),)),
    ("model", "set"): ("set-model", (("document", pathlib.Path),)),
    ("settings",): ("settings", ()), ("settings", "show"): ("settings", ()),
    ("settings", "set"): ("set", (("parameter", str), ("value", int))),
    ("log",): ("log", ()), ("listeners",): ("listeners", ()),
    ("listeners", "show"): ("listeners", ()),
    ("listeners", "add"): ("listen", (("url", str),)),
    ("listeners", "remove"): ("unlisten", (("url", str),)),
    ("listeners", "replace"): ("relisten", (("url", str), ("by", str))),
    ("instances",): ("instances", ()), ("metrics",): ("metrics", ()),
    ("drain",): ("drain", (("ms", int),)),
    ("reload",): ("reload", ()), ("raw",): ("raw", (("request", str),)),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m epi proxy ctl",
        description="Ask and tell a proxy that runs.",
        epilog="COMMAND is one of: "
               + ", ".join(" ".join(words) for words in _COMMANDS)
               + ". Exit codes: 0 fine, 1 the proxy says no or does not"
                 " answer, 2 usage or bad input.")
    parser.add_argument("--admin", metavar="PATH",
                        default=os.environ.get("EPI_ADMIN"),
                        help="the socket of its --admin [$EPI_ADMIN]")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--timeout", type=int, default=60000, metavar="MS")
    for name, kind in _OPTIONS.items():
        parser.add_argument(f"--{name}", type=kind)
    for name in ("all", "changes"):
        parser.add_argument(f"--{name}", action="store_const", const=True)
    parser.add_argument("words", metavar="COMMAND", nargs="+")
    return parser


def _document(path: str) -> str:
    data = (sys.stdin.buffer.read() if path == "-"
            else pathlib.Path(path).read_bytes())
    return data.decode()


def _value(kind: Any, word: str) -> Any:
    return _document(word) if kind is pathlib.Path else kind(word)


def _request(options: argparse.Namespace) -> Tuple[str, dict[str, Any]]:
    words = options.words
    found = _COMMANDS.get(tuple(words[:2])) or _COMMANDS.get((words[0],))
    if found is None:
        raise InvalidArgument(f"no such command: {' '.join(words[:2])}")
    rest = words[2 if tuple(words[:2]) in _COMMANDS else 1:]
    command, takes = found
    if command == "log" and rest:
        takes = (("level", str),)
    if len(rest) != len(takes):
        raise InvalidArgument(f"{command} takes {len(takes)} words")
    arguments = {name: _value(kind, word)
                 for (name, kind), word in zip(takes, rest)}
    for name in (*_OPTIONS, "all", "changes"):
        value = getattr(options, name)
        if value is not None:
            arguments[name] = value
    return command, arguments


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Ask once; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        command, asked = _request(options)
        if not options.admin:
            raise InvalidArgument("which proxy? give --admin PATH, or set"
                                  " EPI_ADMIN")
        if command == "raw":
            asked = json.loads(asked["request"])
            command = asked.pop("command", "")
        admin = Admin(options.admin, options.timeout)
        if options.json:
            print(json.dumps(admin.ask(command, **asked),
                             separators=(",", ":"), ensure_ascii=False))
        else:
            print(admin.text(command, **asked), end="")
        return FINE
    except (InvalidArgument, ModelError, ValueError) as error:
        lines = error.problems if isinstance(error, ModelError) else ()
        for line in lines or [str(error)]:
            print(f"epi proxy: ctl: {line}", file=sys.stderr)
        return BAD_INPUT
    except (Error, OSError) as error:
        print(f"epi proxy: ctl: {error}", file=sys.stderr)
        return SAYS_NO
