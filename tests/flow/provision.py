#!/usr/bin/env python3
"""provision.py: epi-check says what must run for the flows of a model."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow

HOSPITALS = json.loads((flow.EXAMPLES / "hospitals.json").read_text())


def changed(change=lambda document: None):
    """A file with the hospitals' model, changed."""
    document = json.loads(json.dumps(HOSPITALS))
    change(document)
    return flow.file(document, "model.json")


def check(*options, code=0):
    got = flow.run(flow.program_path("epi-check"), *options)
    assert got.returncode == code, f"{got.returncode}\n{got.stderr}"
    return got


def with_image(version):
    def change(document):
        document["functions"]["scan"]["image"] = f"registry.example/scan:{version}"
        document["functions"]["scan"]["options"] = {"LEVEL": "strict"}
    return change


def without_requirement(document):
    with_image(1)(document)
    document["policy"]["rules"].pop(1)


@flow.test
def proxies_and_functions_are_listed_with_images():
    got = check(changed(with_image(1)), "--provision").stdout
    assert got == (
        "px-umc: 1 instance, 1 flow\n"
        "  seal: 1 instance, 1 flow\n"
        "  scan: 1 instance, 1 flow, image registry.example/scan:1, options"
        ' {"LEVEL":"strict"}\n'
        "px-ant: 1 instance, 1 flow\n"
        "  open: 1 instance, 1 flow\n"), got


@flow.test
def json_has_the_same():
    got = json.loads(check(changed(with_image(1)), "--provision",
                           "--json").stdout)
    assert set(got) == {"model", "needs"}, got
    names = [(n["proxy"], n["function"]) for n in got["needs"]]
    assert names == [("px-umc", None), ("px-umc", "seal"), ("px-umc", "scan"),
                     ("px-ant", None), ("px-ant", "open")], names
    assert got["needs"][2] == {
        "proxy": "px-umc", "function": "scan",
        "image": "registry.example/scan:1", "options": {"LEVEL": "strict"},
        "filter": "inspect", "endpoints": [], "flows": 1, "instances": 1}


@flow.test
def a_change_is_marked():
    old = changed(with_image(1))
    got = check(changed(with_image(2)), "--provision", "--diff", old).stdout
    marks = [line[0] for line in got.splitlines()]
    assert marks == [" ", " ", "!", " ", " "], got
    new = changed(without_requirement)
    got = check(new, "--provision", "--diff", old).stdout.splitlines()
    assert got[-1].startswith("- px-umc, scan: no longer needed"), got
    got = check(old, "--provision", "--diff", new).stdout
    assert "+   scan: 1 instance" in got, got
    got = json.loads(check(new, "--provision", "--diff", old,
                           "--json").stdout)
    assert set(got) == {"model", "before", "needs"}, got
    assert got["needs"][-1]["change"] == "removed", got["needs"][-1]
    assert got["needs"][-1]["instances_before"] == 1, got["needs"][-1]


@flow.test
def what_is_needed_no_longer_stands_under_its_own_proxy():
    def without_functions(document):
        del document["functions"], document["policy"]["rules"][1]
        document["nodes"]["umc"]["attributes"] = []

    got = check(changed(without_functions), "--provision", "--diff",
                changed()).stdout.splitlines()
    assert [line for line in got if line[0] == "-"] == [
        "- px-umc, seal: no longer needed", "- px-umc, scan: no longer needed",
        "- px-ant, open: no longer needed"], got


@flow.test
def more_instances_than_there_may_be_are_told():
    def one_each(document):
        document["functions"]["scan"] |= {"instances": 1, "capacity": 1}
        document["applications"]["train"]["flows"][0]["ports"] = [443, 444]

    got = check(changed(one_each), "--provision").stdout
    assert ("  scan: 2 instances, 2 flows, but there may be only 1\n"
            in got), got


@flow.test
def facts_and_applications_choose_the_flows():
    path = changed()
    got = check(path, "--provision", "--purpose", "commercial").stdout
    assert got == "No flow needs anything.\n", got
    assert check(path, "--provision", "--application", "train").stdout == \
        check(path, "--provision").stdout
    got = check(path, "--provision", "--application", "none", code=2)
    assert 'no application "none"' in got.stderr, got.stderr


@flow.test
def a_bad_old_model_is_an_error():
    got = check(changed(), "--provision", "--diff", flow.file("{", "old.json"),
                code=2)
    assert "old.json" in got.stderr and not got.stdout, got


flow.main()
