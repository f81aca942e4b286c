#!/usr/bin/env python3
"""vectors.py: the wire cases of tests/vectors are what their README.md says,
and can be used without libepi."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.vector_decoder import MESSAGES, Bytes
from support.vector_reader import Malformed, files, octets, read
from support.verdict import ROOT, check, end

OCTETS = {"bytes", "answer", "session-id", "association", "data"}
NUMBERS = {"command", "initial-data", "token-window", "type", "method", "login",
           "window-base", "window-size", "code", "fragment", "error-code",
           "used", "accept"}
TEXTS = {"dest", "user", "password", "methods", "session", "bound", "remote",
         "reporter", "token"}
ALWAYS = {"case", "message", "version", "bytes", "error", "rewrite"}
KEYS = {
    "request": {"command", "dest", "user", "password", "methods", "answer",
                "initial-data", "session", "session-id", "token-window",
                "token"},
    "auth-reply": {"type", "method", "login", "session", "session-id",
                   "window-base", "window-size", "token"},
    "reply": {"code", "bound", "session-id"},
    "datagram": {"type", "association", "remote", "data", "fragment",
                 "error-code", "reporter", "used"},
    "layout": {"layout", "used"},
    "server": {"accept", "login", "answer", "next", "used"},
    "client": {"command", "dest", "user", "password", "answer", "next", "used"},
}
NEXT = {"server": {"REPLY", "READ", "REFUSED", "FAILED"},
        "client": {"DONE", "READ", "REFUSED", "FAILED"}}
ERRORS = {"EPROTO", "EVERSION", "EAUTH", "EREFUSED", "ELIMIT"}
VERSIONS = {"socks5": {"5", "6"}, "socks6": {"5", "6", "612"},
            "socksx": {"600", "6", "612"}}


def value_of(key, text):
    if key == "login" and text == "yes":
        return text
    if key in OCTETS or key.startswith("auth-data "):
        return octets(text)
    if key.isdigit() or key in NUMBERS or key.startswith("stack "):
        return int(text)
    return int(text) if key == "token" and text.isdigit() else text


def wrong_keys(case):
    """What the README's tables do not have, or demand and is not there."""
    message = case.get("message", "")
    if message not in KEYS:
        return f"no message {message!r}"
    for key in case.keys() - ALWAYS - KEYS[message]:
        if key.split()[0] not in {
                "request": ("stack", "metadata", "auth-data"),
                "reply": ("stack", "metadata"),
                "auth-reply": ("auth-data",)}.get(message, ()):
            return f"{key} has no place in it"
    missing = {"case", "bytes", "version"} - case.keys()
    if message == "layout":
        missing -= {"version"}
    if message in NEXT:
        missing |= {"answer"} - case.keys()
        if case.get("next") not in NEXT[message]:
            return "next"
    elif message == "request" and ("error" in case) != ("answer" in case):
        return "an answer is for an error"
    if case.get("error", "EPROTO") not in ERRORS or case.get(
            "rewrite", "no") != "no":
        return "error or rewrite"
    return f"no {', '.join(sorted(missing))}" if missing else ""


def wrong_content(case):
    """How this reader's idea of a valid message differs from the case."""
    message, data = case["message"], Bytes(octets(case["bytes"]))
    if message not in MESSAGES or "error" in case or case.get("used") == "0":
        return ""
    found = MESSAGES[message](case["version"], data)
    if data.at != int(case.get("used", len(data.data))) and (
            message, case["version"]) != ("datagram", "5"):
        return f"{data.at} bytes are the message"
    said = {key: value_of(key, text) for key, text in case.items()
            if key not in ALWAYS | {"used"}}
    for key, value in found.items():
        if value not in (0, b"") and key in said and value != said[key]:
            return f"{key} is {value}"
        if key not in said and value not in (0, b"") and (key, value) != (
                "type", 3):
            return f"{key} is {value}, and not said"
    missing = [key for key in said if key not in found]
    return f"{missing[0]} is not there" if missing else ""


def problems_of(folder, path):
    try:
        cases = read(path)
        for case in cases:
            problem = wrong_keys(case) or wrong_content(case)
            version = case.get("version", "6")
            if not problem and version not in VERSIONS[folder]:
                problem = f"version {version}"
            for key, text in case.items():
                value_of(key, text)
            if problem:
                yield f"{folder}/{path.name}: {case.get('case')}: {problem}"
        names = [(case["case"], case["message"]) for case in cases]
        for name in sorted({n for n in names if names.count(n) > 1}):
            yield f"{folder}/{path.name}: {name[0]}: twice"
    except (Malformed, ValueError, AssertionError, KeyError) as why:
        yield f"{folder}/{path.name}: {type(why).__name__}: {why}"


check("vectors: another reader finds what they say",
      [problem for folder, path in files()
       for problem in problems_of(folder, path)])
seeds = subprocess.run([ROOT / "fuzz" / "seeds", "--check"],
                       capture_output=True, text=True)
check("vectors: each has its seed for the fuzz targets (fuzz/seeds)",
      (seeds.stdout + seeds.stderr).splitlines() if seeds.returncode else [])
end()
