#!/usr/bin/env python3
"""hostile.py: documents made to hurt end in a clear error, within bounded
memory and time."""
import copy
import json
import itertools
import pathlib
import random
import resource
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow

# What doc/model.md promises for any document; a sanitizer reserves terabytes
# of addresses, so only the time is bounded there.
MEMORY = 2 << 30
SECONDS = 60 if flow.SANITIZED else 15

MODEL_MAX = 64 << 20

LETTERS = "abcdefghijklmnopqrstuvwxyz"

WHOLE = {
    "epi": 1, "gap": "missing", "attributes": ["enc", "fw"],
    "bridgeable": ["enc"],
    "nodes": {
        "a": {"domain": "d", "addresses": ["10.0.0.0/8"],
              "attributes": ["enc"]},
        "b": {"domain": "e"},
    },
    "proxies": {"p": {"domain": "d", "endpoint": "socks6://p.example:1080"}},
    "functions": {
        "seal": {"provides": ["enc"], "filter": "seal", "pair": "open",
                 "before": ["gate"], "cost": {"setup_ms": 1}},
        "open": {"filter": "open"},
        "gate": {"endpoints": ["socks5://g.example:1080"]},
    },
    "applications": {
        "x": {"purpose": "research", "dataset": "scans", "nodes": ["a", "b"],
              "flows": [{"from": "a", "to": "b", "ports": [443]}]},
    },
    "policy": {
        "default": "deny",
        "rules": [
            {"id": "r", "effect": "require", "attributes": ["fw"],
             "reason": "why", "from": ["a"], "user": ["u"], "ports": [443],
             "time": {"from": "08:00", "to": "18:00", "days": ["mon"]}},
        ],
    },
}


def bounded(path):
    limits = [f"--cpu={SECONDS}"]
    if not flow.SANITIZED:
        limits.append(f"--as={MEMORY}")
    return flow.run(flow.need("prlimit"), *limits,
                    flow.program_path("epi-check"), path,
                    timeout=4 * SECONDS)


def refused(document, *says):
    """Every text of says is in what is said of a document, in few lines."""
    path = flow.folder() / "model.json"
    if isinstance(document, (dict, list)):
        document = json.dumps(document)
    if isinstance(document, str):
        document = document.encode()
    path.write_bytes(document)
    got = bounded(path)
    start = document[:60]
    assert got.returncode == 2, (
        f"{start}: exit code {got.returncode}\n{got.stderr[-2000:]}")
    assert got.stdout == "", f"{start}: {got.stdout[:200]}"
    lines = got.stderr.splitlines()
    assert 1 <= len(lines) <= 1000 and max(map(len, lines)) < 4096, len(lines)
    for text in says:
        assert text in got.stderr, (
            f"{start}: no {text!r} in {got.stderr[:2000]}")


def with_value(path, value):
    """The whole document with another value at a path of keys."""
    document = copy.deepcopy(WHOLE)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return document


def places(value=WHOLE, path=()):
    """Every path of keys of a document, with the value that is there."""
    if path:
        yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def shown(path):
    """A path as epi-check shows it."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}"
    return text[1:]


@flow.test(timeout=240)
def the_whole_document_is_a_model():
    got = bounded(flow.file(WHOLE, "model.json"))
    assert got.returncode == 0, got.stderr


@flow.test(timeout=240)
def nesting_is_bounded():
    for deep in ("[" * 10_000_000, '{"a":' * 5_000_000,
                 "[" * 1_000_000 + "]" * 1_000_000,
                 '{"epi":1,"nodes":{"a":' + "[" * 100 + "]" * 100 + "}}"):
        refused(deep, "line 1: nested too deep")


@flow.test(timeout=240)
def a_document_over_the_limit_is_not_read():
    path = flow.folder() / "large.json"
    path.touch()
    for size in (MODEL_MAX + 1, 100_000_000, 1 << 40):
        with path.open("r+b") as out:
            out.truncate(size)
        got = bounded(path)
        assert got.returncode == 2 and str(MODEL_MAX) in got.stderr, got
        assert len(got.stderr.splitlines()) == 1, got.stderr


@flow.test(timeout=240)
def a_document_of_the_largest_size_is_refused_in_time():
    for unit in (b" ", b"[],", b"1,", b'"",', b"{},", b'{"":0},', b"\\",
                 b'"\\u00e9",', b"-", b"a"):
        head = b'{"epi":1,"nodes":{},"x":['
        body = unit * ((MODEL_MAX - len(head)) // len(unit))
        refused(head + body)


@flow.test(timeout=240)
def every_key_that_is_there_twice_is_named():
    # A text that json.dumps() escapes in no way, to be made equal afterwards.
    for path, value in places():
        if isinstance(path[-1], int):
            continue
        twin = path[-1] + "TWIN"
        text = json.dumps(with_value((*path[:-1], twin), value))
        refused(text.replace(twin, path[-1]), f"{shown(path)}: is there twice")


@flow.test(timeout=240)
def wrong_types_are_named_everywhere():
    for path, value in places():
        for other in (None, True, 0, "?", [], {}):
            if type(other) is type(value):
                continue
            if path[-1] == "epi" and other is True:
                continue
            refused(with_value(path, other), shown(path[:1]))


@flow.test(timeout=240)
def empty_documents_say_so():
    for text in ("", " ", "\n\n", "\ufeff"):
        refused(text, "this is not JSON")
    for text in ("[]", "null", '""', "0"):
        refused(text, "the document: must be an object")
    refused("{}", "epi: is missing", "nodes: is missing")


@flow.test(timeout=240)
def empty_names_and_texts_are_refused():
    for path, value in places():
        if isinstance(value, str):
            refused(with_value(path, ""), shown(path))
    for part in ("nodes", "proxies", "functions", "applications"):
        refused(with_value((part, ""), {}), f"{part}.: a name has 1 to 255")


@flow.test(timeout=240)
def text_is_utf8():
    good = json.dumps(WHOLE).encode()
    for bad in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
                b"\xe2\x82", b"\x80", b"\xfe\xff"):
        refused(good.replace(b'"why"', b'"' + bad + b'"'), "not UTF-8")
        refused(good.replace(b'"reason"', b'"' + bad + b'"'), "not UTF-8")
    refused(good.decode().encode("utf-16"), "line 1: this is not JSON")
    refused(good.replace(b"why", b"\\u0000"), "\\u0000 is not taken")
    refused(good.replace(b"why", b"a\x1bb"), "a control character")
    refused(good.replace(b"why", b"a\\u001bb"), "a control character")


@flow.test(timeout=240)
def numbers_stay_in_their_range():
    good = json.dumps(WHOLE)
    for port in ("0", "-0", "-1", "1.5", "65536", "1e999", "-1e999", "1e-400",
                 "99999999999999999999", "4294967739"):
        refused(good.replace("443", port),
                "ports[0]: must be a whole number from 1 to 65535")
    for cost in ("-1", "1e13", "1e999", "-1e999"):
        refused(good.replace('"setup_ms": 1', f'"setup_ms": {cost}'),
                "functions.seal.cost.setup_ms: must be from 0")
    for version in ("0", "2", "1.5", "1e999", "-1"):
        refused(good.replace('"epi": 1', f'"epi": {version}'),
                "epi: this version of libepi")
    for word in ("NaN", "Infinity", "0x10", "01", "1.", ".5", "+1"):
        refused(good.replace("443", word), "line 1:")
    refused(good.replace("443", "1" * 1_000_000), "a number is too long")


def named(count, value="{}", start=""):
    return ",".join(f'"n{i}":{value}' for i in range(count))


def numbered(count):
    return ",".join(f'"n{i}"' for i in range(count))


@flow.test(timeout=240)
def what_is_over_a_limit_is_refused():
    start = '{"epi":1,"nodes":{'
    refused(start + named(1_000_001) + "}}", "nodes: more than 1000000")
    refused(start + '},"functions":{' + named(1_000_000) + "}}",
            "functions: more than 1024 of these")
    refused(start + '},"attributes":[' + numbered(1_000_000) + "]}",
            "attributes: more than 1024 attributes")
    refused(start + '"a":{"attributes":[' + numbered(1_000_000) + "]}}}",
            "attributes: more than 1024 attributes")
    refused(start + '"a":{"addresses":[' + numbered(1_000_000) + "]}}}",
            "nodes.a.addresses: has more than 65536 values")
    rule = '{"id":"r","effect":"deny"}'
    refused(start + '},"policy":{"rules":[' + ",".join([rule] * 1_000_000) +
            "]}}", "policy.rules: has more than 65536 values")
    refused(start + '},"policy":{"rules":[{"id":"r","effect":"deny","user":[' +
            numbered(100_000) + "]}]}}", "user: has more than 1024 values")
    refused(start + "}," + named(1_000_000) + "}", "n0: unknown key",
            "more")
    refused(start + '},"gap":[' + "0," * 12_000_000 + "0]}",
            "more than 12000000 values and keys")


@flow.test(timeout=240)
def long_names_are_refused():
    for size in (256, 10_000_000):
        name = "x" * size
        for part in ("nodes", "proxies", "functions", "applications"):
            refused(with_value((part, name), {}), f"bytes, not {size}")
        refused(with_value(("attributes", 1), name), "attributes[1]: ")
        refused(with_value(("policy", "rules", 0, "id"), name), "rules[0].id")
        refused(with_value((name,), {}), "unknown key")
    refused(with_value(("policy", "rules", 0, "reason"), "x" * 2048),
            "reason: has 2048 bytes, more than 2047")


def twins(steps, low=22):
    """2 ** steps texts that are alike in the lower bits of FNV-1a, a hash
    without a key: one block of letters or its twin, again and again."""
    mask = (1 << low) - 1
    state, pairs = 2166136261, []
    for _ in range(steps):
        seen = {}
        for letters in itertools.product(LETTERS, repeat=5):
            behind = state
            for letter in letters:
                behind = (behind ^ ord(letter)) * 16777619 & mask
            if behind in seen:
                pairs.append((seen[behind], "".join(letters)))
                break
            seen[behind] = "".join(letters)
        state = behind
    return ["".join(blocks) for blocks in itertools.product(*pairs)]


def processor_seconds(document):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    got = bounded(flow.file(document, "model.json"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert got.returncode == 0, got.stderr[-2000:]
    return after.ru_utime - before.ru_utime


@flow.test(timeout=240)
def names_that_were_made_to_collide_take_no_longer():
    alike = twins(15)
    draw = random.Random(20251126)
    other = ["".join(draw.choices(LETTERS, k=len(name)))
             for name in alike]
    assert len(set(alike)) == len(alike) and len(set(other)) == len(other)
    seconds = [processor_seconds({
        "epi": 1,
        "nodes": {name: {"domain": name, "addresses": [name + ".example"]}
                  for name in names},
        "policy": {"rules": [{"id": name, "effect": "allow", "from": [name]}
                             for name in names[:10000]]},
    }) for names in (other, alike)]
    assert seconds[1] < 3 * seconds[0] + 1, seconds


flow.main()
