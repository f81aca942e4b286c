#!/usr/bin/env python3
"""review.py: epi-check explains, compares and checks models."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow

HOSPITALS = flow.EXAMPLES / "hospitals.json"


def check(*options, code=0, stdin=""):
    """What epi-check printed; it must end with this exit code."""
    got = flow.run(flow.program_path("epi-check"), *options, stdin=stdin)
    assert got.returncode == code, (
        f"exit code {got.returncode}, not {code}\n{got.stdout}{got.stderr}")
    return got


def answer(*options, code=0):
    return json.loads(check(*options, "--json", code=code).stdout)


def refused(*options, says):
    got = check(*options, code=2)
    assert says in got.stderr, f"{says!r} is not in {got.stderr!r}"
    assert got.stdout == "", got.stdout
    return flow.complaint(got)


@flow.test
def a_decision_is_explained_rule_by_rule():
    said = check(HOSPITALS, "--flow", "umc:antonius:443", "--explain").stdout
    at = [said.index(part) for part in (
        "allowed, bridged", "1. consent (deny) does not match",
        "2. inspect-in (require) matches", "3. train (allow) matches and",
        "seal applies encryption", "open undoes seal")]
    assert at == sorted(at), said
    check(HOSPITALS, "--flow", "antonius:umc:443", "--explain", code=1)


@flow.test
def an_explanation_can_be_json():
    got = answer(HOSPITALS, "--flow", "antonius:umc:443", "--explain", code=1)
    assert got["decision"]["rule"] == "default", got
    assert [rule["id"] for rule in got["rules"]] == [
        "consent", "inspect-in", "train"], got
    assert not any(rule["matches"] for rule in got["rules"]), got
    assert got["rules"][2]["unmet"][0]["criterion"] == "application", got


@flow.test
def an_explanation_needs_a_flow():
    lines = refused(HOSPITALS, "--explain", says="--flow")
    assert len(lines) == 1, lines


def changed(change):
    """The hospitals' model, with a change."""
    model = json.loads(HOSPITALS.read_text())
    change(model)
    return flow.file(model, "new.json")


def let_back(model):
    model["policy"]["rules"] += [{"id": "back", "effect": "allow",
                                  "from": ["antonius"], "to": ["umc"]}]


@flow.test
def equal_models_have_no_difference():
    assert check(HOSPITALS, "--diff", HOSPITALS).stdout == ""
    got = answer(HOSPITALS, "--diff", HOSPITALS)
    assert got["changes"] == [] and got["complete"], got


@flow.test
def a_difference_names_the_flow_and_the_rule():
    path = changed(let_back)
    said = check(path, "--diff", HOSPITALS, code=1).stdout
    assert said.startswith("opens   antonius -> umc\n"), said
    assert 'rule "back" allows it now' in said, said
    got = answer(HOSPITALS, "--diff", path, code=1)["changes"]
    assert [c["change"] for c in got] == ["closes"], got
    assert got[0]["was"]["rule"] == "back", got
    assert got[0]["is"]["rule"] == "default", got


@flow.test
def a_difference_needs_two_good_models():
    refused(HOSPITALS, "--diff", flow.folder() / "none.json", says="none.json")
    refused(HOSPITALS, "--diff", flow.file("{}", "bad.json"), says="epi")


def expectations(*expect):
    return flow.file({"epi-assert": 1, "expect": expect}, "assert.json")


TRAIN = {"from": "umc", "to": "antonius", "port": 443, "application": "train"}


@flow.test
def what_is_expected_holds():
    path = expectations({**TRAIN, "verdict": "bridged",
                         "with": ["encryption"]},
                        {**TRAIN, "purpose": "commercial", "never": True})
    assert check(HOSPITALS, "--assert", path).stdout == ""
    got = answer(HOSPITALS, "--assert", path)
    assert (got["expected"], got["failures"]) == (2, []), got


@flow.test
def what_does_not_hold_is_a_line():
    path = expectations(
        {**TRAIN, "verdict": "direct", "because": "it was agreed"},
        {"from": "antonius", "to": "umc", "never": True},
        {**TRAIN, "allowed": True})
    said = check(HOSPITALS, "--assert", path, code=1).stdout.splitlines()
    assert len(said) == 2, said
    assert said[0].startswith("expect[0]: umc -> antonius must be direct")
    assert said[0].endswith("expected because it was agreed"), said
    assert 'allowed, but is by "train"' in said[1], said
    got = answer(HOSPITALS, "--assert", path, code=1)
    assert [f["expect"] for f in got["failures"]] == [0, 1], got


@flow.test
def a_bad_document_of_expectations_has_all_its_errors_listed():
    lines = refused(HOSPITALS, "--assert",
                    expectations({**TRAIN, "to": "antonus", "allowed": 1,
                                  "rule": "default"}),
                    says='no node "antonus", did you mean "antonius"?')
    assert len(lines) == 2 and "expect[0].allowed" in lines[0], lines
    refused(HOSPITALS, "--assert", flow.folder() / "none.json",
            says="none.json")
    refused(HOSPITALS, "--assert", flow.file("{", "half.json"),
            says="half.json")


@flow.test
def mistakes_of_a_model_are_found():
    model = {"epi": 1, "nodes": {"a": {}, "b": {}}, "policy": {"rules": [
        {"id": "all", "effect": "allow"},
        {"id": "late", "effect": "allow", "to": ["b"]}]}}
    path = flow.file(model, "late.json")
    said = check(path, "--lint", code=1).stdout
    assert said.startswith('policy.rules[1]: rule "late" never matches'), said
    got = answer(path, "--lint", code=1)
    assert [f["kind"] for f in got] == ["shadowed-rule"], got
    model["policy"]["rules"].pop()
    path = flow.file(model, "good.json")
    assert check(path, "--lint").stdout == ""
    assert answer(path, "--lint") == []


@flow.test
def one_question_is_answered_at_a_time():
    refused(HOSPITALS, "--lint", "--diff", HOSPITALS, says="one question")


flow.main()
