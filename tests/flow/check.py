#!/usr/bin/env python3
"""check.py: epi-check answers as its manual says."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow

HOSPITALS = flow.EXAMPLES / "hospitals.json"
DECISION = {"from", "to", "port", "application", "verdict", "rule",
            "requires", "reason", "need", "have", "missing", "chain", "cost",
            "optimal", "model"}
OVERVIEW = {"model", "areas", "order", "channels", "gaps",
            "gaps_left_out", "flows", "applications",
            "supported", "unsupported", "unbridgeable", "unfeasibility_ratio",
            "direct", "bridged", "refused", "cost"}

# The worked example: four areas, 8 of 20 pairs supported, 6 unbridgeable.
WORKED = {
    "epi": 1,
    "nodes": {
        "n1": {"attributes": ["seg", "fw"]},
        "n2": {"attributes": ["seg", "fw", "enc"]},
        "n3": {"attributes": ["fw"]},
        "n4": {"attributes": ["seg", "fw"]},
        "n5": {"attributes": ["enc"]},
    },
    "functions": {
        "crypt": {"provides": ["enc"], "filter": "seal"},
        "wall": {"provides": ["fw"], "filter": "count"},
    },
}


def check(*options, code=0, stdin=""):
    """What epi-check printed; it must end with this exit code."""
    got = flow.run(flow.program_path("epi-check"), *options, stdin=stdin)
    assert got.returncode == code, (
        f"exit code {got.returncode}, not {code}\n{got.stdout}{got.stderr}")
    return got


def answer(*options, code=0, stdin=""):
    return json.loads(check(*options, "--json", code=code,
                            stdin=stdin).stdout)


def refused(*options, says, stdin=""):
    got = check(*options, code=2, stdin=stdin)
    assert says in got.stderr, f"{says!r} is not in {got.stderr!r}"
    assert got.stdout == "", got.stdout
    return flow.complaint(got)


def document(**parts):
    return flow.file({**WORKED, **parts}, "model.json")


@flow.test
def a_valid_model_is_fine():
    got = check(HOSPITALS)
    assert "umc" in got.stdout and "antonius" in got.stdout
    assert got.stderr == "", got.stderr


@flow.test
def the_worked_example_has_its_numbers():
    got = answer(document())
    assert set(got) == OVERVIEW, set(got) ^ OVERVIEW
    areas = sorted(sorted(area["nodes"]) for area in got["areas"])
    assert areas == [["n1", "n4"], ["n2"], ["n3"], ["n5"]], areas
    assert all(set(a) == {"id", "attributes", "nodes"} for a in got["areas"])
    numbers = [got[k] for k in ("supported", "unsupported", "unbridgeable",
                                "unfeasibility_ratio")]
    assert numbers == [8, 12, 6, 0.5], numbers


@flow.test
def the_papers_gap_can_be_asked_for():
    got = answer(document(gap="as-printed"))
    assert got["unbridgeable"] == 2, got["unbridgeable"]
    assert abs(got["unfeasibility_ratio"] - 1 / 6) < 1e-9


@flow.test
def a_bridged_flow_names_its_chain():
    got = answer(HOSPITALS, "--flow", "umc:antonius:443")
    assert set(got) == DECISION, set(got) ^ DECISION
    assert got["verdict"] == "bridged", got
    assert got["rule"] == "train" and got["requires"] == ["inspect-in"], got
    assert sorted(got["missing"]) == ["encryption", "inspection"], got
    hops = [(hop["proxy"], hop["functions"]) for hop in got["chain"]]
    assert hops == [("px-umc", ["scan", "seal"]), ("px-ant", ["open"])], hops
    assert got["application"] == "train" and got["port"] == 443
    assert len(got["model"]) == 64


@flow.test
def a_refused_flow_is_exit_code_1():
    got = answer(HOSPITALS, "--flow", "antonius:umc:443", code=1)
    assert got["verdict"] == "denied" and got["rule"] == "default", got
    assert check(HOSPITALS, "--flow", "antonius:umc:443", code=1).stdout


@flow.test
def flows_may_be_given_by_address():
    got = answer(HOSPITALS, "--flow", "10.1.2.3:10.2.3.4:443")
    assert (got["from"], got["to"]) == ("umc", "antonius"), got
    got = answer(HOSPITALS, "--flow", "10.1.2.3:[2001:db8::1]:443", code=1)
    assert got["to"] == "unknown", got


@flow.test
def what_is_unknown_has_its_address():
    for asked, says in (("10.1.2.3:10.9.9.9:443", "umc -> unknown (10.9.9.9),"),
                        ("[2001:db8::9]:umc", "unknown (2001:db8::9) -> umc"),
                        ("umc:elsewhere.example",
                         "umc -> unknown (elsewhere.example)")):
        for options in ((), ("--explain",)):
            got = check(HOSPITALS, "--flow", asked, *options, code=1).stdout
            assert says in got.replace("[", "").replace("]", ""), got


@flow.test
def facts_of_a_flow_count():
    rules = [{"id": "no-sale", "effect": "deny", "purpose": ["commercial"],
              "reason": "research only"},
             {"id": "rest", "effect": "allow"}]
    path = document(policy={"rules": rules})
    assert answer(path, "--flow", "n3:n4")["rule"] == "rest"
    got = answer(path, "--flow", "n3:n4", "--purpose", "commercial", code=1)
    assert got["rule"] == "no-sale", got
    assert got["reason"] == "research only", got


DENIAL = {"verdict": "deny", "verdict_reference": "v-17",
          "reasons_for_denial": ["no consent", "too late"]}


def verdict(said):
    return flow.file(said, "verdict.json")


@flow.test
def a_verdict_of_the_reasoner_counts():
    asked = ("--flow", "umc:antonius:443", "--verdict")
    got = answer(HOSPITALS, *asked, verdict(DENIAL), code=1)
    assert got["rule"] == "v-17", got
    assert got["reason"] == "no consent; too late", got
    got = answer(HOSPITALS, *asked, verdict({"verdict": "Success"}))
    assert got["rule"] == "train", got
    got = answer(HOSPITALS, "--flow", "antonius:umc", "--verdict",
                 verdict({"verdict": "Success"}))
    assert got["rule"] == "verdict" and got["verdict"] == "direct", got
    got = check(HOSPITALS, *asked, verdict(DENIAL), "--explain", code=1).stdout
    assert "1. v-17 (deny) matches and decides" in got, got
    rule = json.loads(check(HOSPITALS, *asked, verdict(DENIAL),
                            "--as-rule").stdout)
    assert rule == {"id": "v-17", "effect": "deny", "from": ["umc"],
                    "to": ["antonius"], "ports": [443],
                    "reason": "no consent; too late"}, rule


@flow.test
def a_decision_becomes_a_verdict():
    asked = ("--flow", "umc:antonius:443")
    got = check(HOSPITALS, *asked, "--as-verdict", "deliberation").stdout
    assert json.loads(got) == {"verdict": "allow", "reasons_for_denial": None,
                               "verdict_reference": "train"}, got
    got = check(HOSPITALS, *asked, "--verdict", verdict(DENIAL),
                "--as-verdict", "deliberation", code=1).stdout
    assert json.loads(got) == DENIAL, got
    got = check(HOSPITALS, *asked, "--as-verdict", "violations").stdout
    assert json.loads(got) == {"verdict": "Success"}, got


@flow.test
def bad_verdicts_are_named():
    asked = (HOSPITALS, "--flow", "umc:antonius:443")
    refused(*asked, "--verdict", verdict({"verdict": "perhaps"}),
            says="verdict.json: verdict: must be")
    refused(*asked, "--verdict", verdict({**DENIAL,
                                          "verdict_reference": "train"}),
            says="another rule has this id")
    refused(*asked, "--verdict", flow.folder() / "none.json", says="none.json")
    refused(HOSPITALS, "--flow", "umc:elsewhere.example", "--verdict",
            verdict(DENIAL), says="not hosts")


@flow.test
def the_model_may_come_on_standard_input():
    got = answer("-", stdin=json.dumps(WORKED))
    assert got["supported"] == 8


@flow.test
def the_hash_depends_on_what_the_document_says():
    spaced = flow.file(json.dumps(WORKED, indent=4), "spaced.json")
    same = answer(spaced)["model"]
    assert same == answer(document())["model"]
    assert same != answer(document(bridgeable=["enc"]))["model"]


@flow.test
def all_errors_of_a_document_are_named():
    lines = refused(document(
        colour="red",
        nodes={"n1": {"attributes": "seg"}, "n2": {}},
        applications={"a": {"flows": [{"from": "n1", "to": "n9"}]}}),
        says='no node "n9"')
    text = "\n".join(lines)
    for path in ("colour", "nodes.n1.attributes", "applications.a.flows[0].to"):
        assert path in text, f"{path} is not in {text}"


@flow.test
def what_is_no_model_is_named():
    refused(flow.folder() / "none.json", says="none.json")
    refused(flow.folder(), says="epi-flow-")
    refused(flow.file("", "empty.json"), says="empty.json")
    refused(flow.file("{", "half.json"), says="half.json")
    refused("-", says="-", stdin="{")


@flow.test
def bad_command_lines_are_one_line():
    for options, says in (((), "MODEL"),
                          ((HOSPITALS, "--no-such-option"), "try --help"),
                          ((HOSPITALS, "--flow"), "--flow"),
                          ((HOSPITALS, "--flow", "umc"), "--flow"),
                          ((HOSPITALS, "--flow", "2001:db8::1:umc"),
                           "IPv6 addresses in brackets"),
                          ((HOSPITALS, "--flow", "umc:nobody"), "nobody"),
                          ((HOSPITALS, "--flow", "umc:antonius:70000"),
                           "65535"),
                          ((HOSPITALS, "--verdict", "x"), "needs --flow"),
                          ((HOSPITALS, "--flow", "umc:antonius", "--as-rule"),
                           "needs --verdict"),
                          ((HOSPITALS, "--flow", "umc:antonius",
                            "--as-verdict", "x"), "deliberation"),
                          ((HOSPITALS, "--flow", "umc:antonius", "--explain",
                            "--as-verdict", "violations"), "exclude")):
        lines = refused(*options, says=says)
        assert len(lines) == 1, lines


@flow.test
def help_and_version_go_to_standard_output():
    assert "--flow" in check("--help").stdout
    assert "0." in check("--version").stdout


@flow.test
def what_cannot_be_printed_is_an_error():
    for name in ("epi-check", "epi-proxy", "epi-redirector"):
        for option in ("--help", "--version"):
            got = flow.run("sh", "-c", '"$0" "$1" >/dev/full',
                           flow.program_path(name), option)
            assert got.returncode == 2, f"{name} {option}: {got.returncode}"
            assert "standard output" in got.stderr, got.stderr


# The worked example of the hospitals, 12 ms from each other.
def apart(rtt_ms=12):
    document = json.loads(HOSPITALS.read_text())
    document["proxies"]["px-umc"]["rtt_ms"] = {"px-ant": rtt_ms}
    return flow.file(document, "model.json")


@flow.test
def times_are_estimated_by_the_models_round_trips():
    for need, choice in (("latency", "socks6-warm"), ("rate", "socks6-warm"),
                         ("both", "socks6-warm")):
        got = answer(apart(), "--estimate", need, "--rtt-client", "1",
                     "--rtt-server", "2.5")
        assert set(got) == {"model", "need", "flows"} and got["need"] == need
        first, = got["flows"]
        assert set(first) == {"from", "to", "port", "application", "proxies",
                              "rtt_cp_ms", "rtt_ps_ms", "estimates", "choice",
                              "advantages"}
        assert first["proxies"] == ["px-umc", "px-ant"]
        assert (first["rtt_cp_ms"], first["rtt_ps_ms"]) == (13, 2.5)
        assert first["estimates"] == {
            "direct": 31, "reverse": 31, "socks5": 57, "socks5-login": 70,
            "socks6": 44, "socks6-early": 31, "socks6-warm": 18,
            "socks6-warm-tfo": 15.5}
        assert first["choice"] == choice and len(first["advantages"]) == 6


@flow.test
def estimates_for_people_and_for_one_flow():
    said = check(apart(), "--estimate", "rate").stdout
    assert "umc -> antonius, port 443: through px-umc, px-ant, 12 ms to" in said
    assert "  reverse         24 ms\n" in said, said
    assert "for rate: socks6-warm, which has\n" in said, said
    one = answer(apart(), "--estimate", "rate", "--flow", "umc:antonius:443")
    assert len(one["flows"]) == 1 and one["flows"][0]["port"] == 443
    got = check(apart(), "--estimate", "rate", "--flow", "antonius:umc",
                code=1)
    assert "the flow is refused" in got.stderr and not got.stdout, got
    refused(HOSPITALS, "--estimate", "speed",
            says="must be latency, rate or both")
    refused(HOSPITALS, "--estimate", "rate", "--rtt-client", "-1",
            says="--rtt-client: needs a number of milliseconds")
    refused(HOSPITALS, "--rtt-server", "1", says="need --estimate")
    refused(HOSPITALS, "--estimate", "rate", "--lint",
            says="only one question")


flow.main()
