#!/usr/bin/env python3
"""archetypes.py: the models of examples/archetypes do what is expected of
them, and doc/archetypes.md explains each."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow

FOLDER = flow.EXAMPLES / "archetypes"
NAMES = sorted(path.name.removesuffix(".assert.json")
               for path in FOLDER.glob("*.assert.json"))
FACTS = ("application", "purpose", "dataset", "user", "at", "consent",
         "authenticated")


def provided(model, decision):
    """The attributes that the functions of a chain apply."""
    return {attribute for hop in decision["chain"]
            for name in hop["functions"]
            for attribute in model["functions"][name].get("provides", ())}


def decide(path, expected):
    where = ":".join(str(expected[key]) for key in ("from", "to", "port")
                     if key in expected)
    facts = [word for key in FACTS if key in expected
             for word in (f"--{key}", expected[key])]
    got = flow.run(flow.program_path("epi-check"), path, "--flow", where,
                   *facts, "--json")
    assert got.returncode in (0, 1) and not got.stderr, got
    return json.loads(got.stdout)


def broken(path, expected):
    """What does not hold, or nothing."""
    model = json.loads(path.read_text())
    if expected.get("never"):  # whatever application is named
        for name in model["applications"]:
            verdict = decide(path, {**expected,
                                    "application": name})["verdict"]
            if verdict in ("direct", "bridged"):
                return f"{expected}: is {verdict} for {name}"
    decision = decide(path, expected)
    verdict = decision["verdict"]
    if expected.get("never") and verdict in ("direct", "bridged"):
        return f"{expected}: is {verdict}"
    if expected.get("verdict", verdict) != verdict:
        return f"{expected}: is {verdict}: {decision['reason']}"
    lacking = set(expected.get("with", ())) - provided(model, decision)
    return f"{expected}: without {lacking}" if lacking else None


@flow.test(timeout=120)
def every_archetype_does_what_is_expected():
    assert len(NAMES) >= 6, NAMES
    for name in NAMES:
        path = FOLDER / f"{name}.json"
        document = json.loads((FOLDER / f"{name}.assert.json").read_text())
        assert document["epi-assert"] == 1 and document["expect"], name
        for expected in document["expect"]:
            assert expected["because"], expected
            why = broken(path, expected)
            assert not why, f"{name}: {why}"


@flow.test(timeout=120)
def a_proxy_can_be_started_with_each():
    key = flow.folder() / "chain.key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    for path in [FOLDER / f"{name}.json" for name in NAMES] + [
            flow.EXAMPLES / "hospitals.json"]:
        flow.proxy("--model", path, "--chain-key", key, cwd=flow.folder())


@flow.test
def each_is_there_for_one_domain_and_for_several():
    for name in NAMES:
        nodes = json.loads((FOLDER / f"{name}.json").read_text())["nodes"]
        domains = {node["domain"] for node in nodes.values()}
        several = name.endswith("-domains")
        assert (len(domains) > 1) == several, f"{name}: {domains}"
        twin = name.removesuffix("-domains") if several else f"{name}-domains"
        assert twin in NAMES, f"{name} has no {twin}"


@flow.test
def every_flow_of_an_application_is_expected():
    for name in NAMES:
        path = FOLDER / f"{name}.json"
        expected = json.loads((FOLDER / f"{name}.assert.json").read_text())
        said = {(e["from"], e["to"], e.get("port"))
                for e in expected["expect"]}
        for application in json.loads(path.read_text())[
                "applications"].values():
            for move in application["flows"]:
                for port in move["ports"]:
                    flow_key = (move["from"], move["to"], port)
                    assert flow_key in said, f"{name}: {flow_key}"


@flow.test
def every_archetype_is_explained():
    page = (flow.ROOT / "doc" / "archetypes.md").read_text()
    for name in NAMES:
        assert f"`{name}.json`" in page, f"{name} is not explained"


flow.main()
