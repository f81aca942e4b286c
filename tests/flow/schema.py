#!/usr/bin/env python3
"""schema.py: doc/model.schema.json and the reader take and refuse the same
documents, as far as a schema can say it."""
import copy
import json
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow

try:
    import jsonschema
except ImportError:
    jsonschema = None

# What no schema can say: references, what must be of its own, what belongs
# together. A document that the reader refuses for these alone is fine for the
# schema.
BEYOND = ("no node ", "no attribute ", "no function ", "no application ",
          "no proxy ", "a proxy does not connect to itself",
          "another port of this proxy is at", "has no address of one host",
          "no node is in ", "is an address of node ",
          "another rule has this id", "is not among the nodes",
          "cannot undo itself", "has a pair of its own",
          "undoes a function", "is neither before nor after itself",
          "it ends when it begins", "bits are set behind the prefix",
          "-: and ")  # the last line of very many

WHOLE = {
    "epi": 1, "gap": "missing", "private": "named", "attributes": ["enc", "fw", "seg/x"],
    "bridgeable": ["enc"],
    "nodes": {
        "a": {"domain": "d", "attributes": ["enc"], "addresses": [
            "10.0.0.0/8", "2001:db8::/32", "10.0.0.1", "::1", "a.example",
            "A-b.c_d.Example."]},
        "b": {"domain": "e", "addresses": [], "attributes": []},
        "é \"": {},
    },
    "proxies": {
        "p": {"domain": "d", "endpoint": "socks6://p.example:1080",
              "reach": ["q"], "rtt_ms": {"q": 1.5}},
        "q": {"domain": "e", "reach": [], "ports": [
            {"port": 1, "from": "b", "to": "x.a.example:1", "listen": "::"},
            {"port": 65535, "from": "a", "to": "[::1]:65535"}]},
    },
    "functions": {
        "seal": {"provides": ["enc"], "filter": "seal:x", "pair": "open",
                 "before": ["gate"], "after": ["mark"],
                 "cost": {"setup_ms": 1, "per_flow_ms": 0.5,
                          "per_mib_ms": 1e12, "complexity": 0}},
        "open": {"filter": "open"},
        "gate": {"endpoints": ["socks5+tls://u:p@g.example:1080/?draft=11"],
                 "image": "gate:1", "options": {"rate": "9"},
                 "instances": 3, "capacity": 1000000, "proof": "none"},
        "mark": {"filter": "count", "cost": {}, "fail": "open"},
        "scan": {"image": "scan:1", "options": {}, "proof": "none"},
    },
    "applications": {
        "x": {"purpose": "research", "dataset": "scans", "nodes": ["a", "b"],
              "flows": [{"from": "a", "to": "b", "ports": [443, 65535]}],
              "limits": {"flows": 1000000, "bytes_out": 1000000000000000,
                         "bytes_back": 1, "rate_out": 1000000000000,
                         "rate_back": 1}},
        "y": {"nodes": []},
        "z": {"flows": [{"from": "a", "to": "a"}]},
    },
    "policy": {
        "default": "deny",
        "rules": [
            {"id": "r", "effect": "require", "attributes": ["fw"],
             "reason": "why", "application": ["x"], "purpose": ["research"],
             "dataset": ["scans"], "user": ["u"], "consent": ["c"],
             "authenticated": ["key", "password"],
             "ports": [1], "from": ["a", "unknown", "10.0.0.0/24", "::/0"],
             "to": ["domain:d", "has:seg/x", "area:b", "127.0.0.1"],
             "time": {"from": "08:00", "to": "24:00",
                      "days": ["mon", "sun"]}},
            {"id": "s", "effect": "deny", "time": {}},
            {"id": "t", "effect": "allow"},
        ],
    },
}

# What is put in the place of every value in turn.
VALUES = (
    None, True, False, 0, 1, -1, 1.5, 443, 443.0, 65536, 1e13, "", " ", "x",
    "a", "ab ", " ab", "a b", "tab\there", "line\n", "\x7f", "é", "x" * 255,
    "x" * 256, "x" * 2047, "x" * 2048, "unknown", "default", "10.0.0.1",
    "10.0.0.256", "10.0.0.01", "10.0.0", "10.0.0.0/33", "10.0.0.0/032",
    "10.0.0.0/", "10.0.0.0/8x", "::1", "::1/129", "fe80::1/64", "a:b", "a/b",
    "host.9", "9.host", "-", ".", "a..b", "a.", "ö.example", "has:enc",
    "has:", "domain:d", "area:a", "area:", "allow", "deny", "require",
    "missing", "as-printed", "none", "required", "mon", "08:00", "8:00", "24:00", "24:01",
    "23:60", "socks5://h:1", "socks5://h", "socks4://h:1", "SOCKS5://h:1",
    "socks6+tls://[::1]:99", "socks5://h:1=x:2", ":x", "x:", [], ["a"],
    ["a", "a"], ["enc"], ["enc", "fw"], [1], [1, 1], [1, 1.0], [None],
    ["mon"], [{}], [[]], {}, {"x": 1}, {"a": {}}, {"from": "a"})


def places(value, path=()):
    """Every path of keys of a document, the document itself included."""
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def changed(path, change):
    """The whole document after change(holder, key) at a path."""
    document = copy.deepcopy({"document": WHOLE})
    holder, keys = document, ("document", *path)
    for key in keys[:-1]:
        holder = holder[key]
    change(holder, keys[-1])
    return document["document"]


def mended():
    """A document with each value left out, each key renamed, each list's
    members doubled, and each value replaced in turn."""
    for path, value in places(WHOLE):
        if path:
            yield changed(path, lambda holder, key: holder.pop(key))
        if path and isinstance(path[-1], str):
            for name in ("x", "unknown", "", "a:b", "10.0.0.1", " x",
                         "y" * 256):
                yield changed(path, lambda holder, key: holder.__setitem__(
                    name, holder.pop(key)))
        if isinstance(value, dict):
            yield changed(path, lambda holder, key: holder[key].update(
                {"more": {}}))
        if isinstance(value, list):
            yield changed(path, lambda holder, key: holder[key].extend(
                copy.deepcopy(holder[key])))
            yield changed(path, lambda holder, key: holder[key].clear())
        for other in VALUES:
            yield changed(path, lambda holder, key: holder.__setitem__(
                key, copy.deepcopy(other)))


def long_lists():
    """Lists that are as long as they may be, and one longer. Those of 65,536
    are too slow for the validator, which compares all pairs."""
    for path, size in ((("attributes",), 1024), (("bridgeable",), 1024),
                       (("nodes", "a", "attributes"), 1024),
                       (("functions", "seal", "before"), 1024),
                       (("policy", "rules", 0, "user"), 1024),
                       (("policy", "rules", 0, "from"), 1024)):
        for count in (size, size + 1):
            yield changed(path, lambda holder, key: holder.__setitem__(
                key, [f"n{i}" for i in range(count)]))
    for count in (1024, 1025):
        yield changed(("policy", "rules", 0), lambda holder, key: holder[
            key].__setitem__("ports", list(range(1, count + 1))))


def validator():
    if not jsonschema:
        flow.skip("python3-jsonschema is not installed")
    schema = json.loads((flow.ROOT / "doc" / "model.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def complaints(document):
    """What the reader says of a document, without paths; nothing if it is a
    model."""
    got = flow.run(flow.program_path("epi-check"), "-", "--flow",
                   "[::2]:[::3]", "--json", stdin=json.dumps(document))
    assert got.returncode in (1, 2) and not flow.SANITIZER.search(got.stderr)
    return got.stderr.splitlines() if got.returncode == 2 else []


def compare(documents):
    """How many documents both took, how many both refused."""
    schema, taken, refused, wrong = validator(), 0, 0, []
    for document in documents:
        said = complaints(document)
        fine = schema.is_valid(document)
        if fine and any(not any(text in line for text in BEYOND)
                        for line in said):
            wrong.append(f"only the reader refuses: {said[:3]}")
        elif not fine and not said:
            why = jsonschema.exceptions.best_match(
                schema.iter_errors(document))
            wrong.append(f"only the schema refuses: {why.json_path}:"
                         f" {why.message[:200]}")
        taken += fine and not said
        refused += not fine and bool(said)
    assert not wrong, f"{len(wrong)} differ\n" + "\n".join(wrong[:20])
    return taken, refused


@flow.test
def every_model_of_the_tree_is_valid():
    paths = [*flow.EXAMPLES.rglob("*.json"),
             *(flow.ROOT / "tests" / "vectors" / "model").glob("*.json")]
    documents = [json.loads(path.read_text()) for path in paths]
    taken, refused = compare([document for document in documents
                              if "epi" in document])
    assert taken >= 3 and not refused


@flow.test
def the_whole_document_is_valid():
    assert compare([WHOLE, {"epi": 1, "nodes": {}}]) == (2, 0)
    used = {key for path, _ in places(WHOLE) for key in path}
    schema = validator().schema
    known = [schema, *schema["$defs"].values(),
             schema["$defs"]["function"]["properties"]["cost"]]
    keys = {key for part in known for key in part.get("properties", {})}
    assert keys <= used, f"the document has no {sorted(keys - used)}"


@flow.test(timeout=240)
def what_is_changed_anywhere_is_judged_alike():
    # All of them take minutes; these are the same ones in every run.
    documents = random.Random(1).sample(
        list(mended()), 300 if flow.SANITIZED else 1500)
    taken, refused = compare(documents)
    assert taken > len(documents) / 100 and refused > len(documents) / 2, (
        taken, refused)


@flow.test(timeout=120)
def limits_of_lists_are_the_same():
    compare(long_lists())


flow.main()
