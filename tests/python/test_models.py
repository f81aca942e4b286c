"""test_models.py: models, decisions, plans, and the questions about them."""
import copy
import dataclasses
import datetime
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import epi
from conftest import HOSPITALS, ROOT

WORKED = ROOT / "tests" / "vectors" / "model" / "worked-example.json"
TRAIN = epi.Query("umc", "antonius", 443)


def test_a_model_is_read_from_a_dict_a_text_bytes_and_a_file(hospitals):
    text = HOSPITALS.read_text()
    for document in (text, text.encode(), json.loads(text)):
        assert epi.Model(document) == hospitals
    assert epi.Model(hospitals.to_dict()) == hospitals
    assert hash(epi.Model(text)) == hash(hospitals)
    assert copy.copy(hospitals) is hospitals
    assert pickle.loads(pickle.dumps(hospitals)) == hospitals


def test_all_problems_of_a_document_are_told():
    with pytest.raises(epi.ModelError) as caught:
        epi.Model({"epi": 1, "nodes": {"a": {"domain": 5}}, "extra": 1})
    assert len(caught.value.problems) == 2
    assert any(line.startswith("nodes.a.domain") for line
               in caught.value.problems)
    assert caught.value.code == -10
    with pytest.raises(epi.errors.NotFound):
        epi.Model.load("/no/such/file")


def test_the_worked_example():
    model = epi.Model.load(WORKED)
    assert model.pairs(epi.Pairs.SUPPORTED) == 8
    assert model.pairs(epi.Pairs.UNSUPPORTED) == 12
    assert model.pairs(epi.Pairs.UNBRIDGEABLE) == 6
    assert model.unfeasibility_ratio() == 0.5
    assert sorted(area.nodes for area in model.areas) == [
        ("n1", "n4"), ("n2",), ("n3",), ("n5",)]
    assert model.channel("n1", "n2") and not model.channel("n2", "n1")
    assert model.gap("n2", "n3") and model.gap("n1", "n2") == ()
    assert not model.gap_bridgeable("n2", "n3")
    assert model.overview()["unbridgeable"] == 6


def test_what_a_model_says(hospitals):
    assert [node.name for node in hospitals.nodes] == ["umc", "antonius"]
    assert hospitals.node("umc").domain == "umc-utrecht"
    assert hospitals.node_at("10.1.2.3").name == "umc"
    assert hospitals.node_at(epi.Address("a.ehr.antonius.example")).name == (
        "antonius")
    assert hospitals.node_at("192.0.2.1") is None
    (train,) = hospitals.applications
    assert train.flows == (epi.Flow("umc", "antonius", 443),)
    assert hospitals.proxies[0] == epi.Proxy("px-umc",
                                             "socks6://10.1.0.2:1080")
    seal, _, _, gate = hospitals.functions
    assert (seal.name, seal.filter, seal.endpoints) == ("seal", "seal", ())
    assert gate.endpoints == ("socks6://bf-gate:1080",) and gate.proves
    with pytest.raises(epi.errors.NotFound, match="no node 'umx'"):
        hospitals.channel("umx", "umc")
    with pytest.raises(epi.errors.NotFound):
        hospitals.pairs(epi.Pairs.SUPPORTED, "nothing")


def test_a_decision_is_a_plain_object(hospitals):
    decision = hospitals.decide(TRAIN)
    assert decision and decision.verdict == epi.Verdict.BRIDGED
    assert str(decision.verdict) == "bridged"
    assert decision.missing == ("encryption", "inspection")
    assert [(hop.proxy, [f.name for f in hop.functions])
            for hop in decision.plan.hops] == [
        ("px-umc", ["scan", "seal"]), ("px-ant", ["open"])]
    assert decision.plan.cost_ms == 3.8 and decision.plan.optimal
    said = decision.to_dict()
    assert said["rule"] == decision.rule == "train"
    assert said["requires"] == list(decision.requires)
    assert said["model"] == decision.model == hospitals.hash
    assert decision == hospitals.decide(TRAIN)
    refused = hospitals.decide(epi.Query("antonius", "umc"))
    assert not refused and refused.verdict == epi.Verdict.DENIED
    assert dataclasses.asdict(decision)["rule"] == "train"
    copied = copy.deepcopy(decision)
    form = epi.ReasonerVersion.DELIBERATION
    assert copied == decision and "verdict" in copied.reasoner_reply(form)
    loaded = pickle.loads(pickle.dumps(decision))
    assert loaded == decision and loaded.to_json() == decision.to_json()
    with pytest.raises(epi.errors.InvalidState, match="pickled"):
        loaded.reasoner_reply(form)


def test_a_query_may_be_by_address(hospitals):
    by_address = epi.Query(epi.Address("10.1.0.9"),
                           ("ehr.antonius.example", 443))
    assert hospitals.decide(by_address) == hospitals.decide(TRAIN)
    again = epi.Query(("10.1.0.9", 1), epi.Address("10.2.0.1"), 443)
    assert hospitals.decide(again).allowed


def test_facts_of_a_query_count():
    model = epi.Model({
        "epi": 1, "nodes": {"a": {}, "b": {}},
        "policy": {"rules": [
            {"id": "day", "effect": "allow", "user": ["me"],
             "purpose": ["care"], "consent": ["yes"], "dataset": ["x"],
             "time": {"from": "08:00", "to": "18:00"}}]}})
    facts = dict(user="me", purpose="care", consent="yes", dataset="x")
    noon = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.timezone.utc)
    assert model.decide(epi.Query("a", "b", time=noon, **facts))
    assert not model.decide(epi.Query("a", "b", time=0, **facts))
    for left_out in facts:
        fewer = {key: text for key, text in facts.items() if key != left_out}
        assert not model.decide(epi.Query("a", "b", time=noon, **fewer))
    with pytest.raises(ValueError, match="time zone"):
        model.decide(epi.Query("a", "b", time=datetime.datetime(2026, 1, 31)))


def test_weights_and_running_flows_choose_the_chain():
    function = {"provides": ["e"], "endpoints": ["socks6://10.0.0.1:1"],
                "instances": 1, "capacity": 1}
    model = epi.Model({
        "epi": 1, "nodes": {"a": {"attributes": ["e"]}, "b": {}},
        "functions": {"quick": {**function, "cost": {"per_mib_ms": 9}},
                      "slow": {**function, "cost": {"setup_ms": 20}}},
        "policy": {"default": "allow"}})

    def chosen(**more):
        hop, = model.decide(epi.Query("a", "b", **more)).plan.hops
        function, = hop.functions
        assert function.endpoints == (function.endpoint,)
        return function.name

    assert chosen() == "quick"
    assert chosen(weights={"per_mib": 100}) == "slow"
    assert chosen(running={"quick": 1}) == "slow"
    with pytest.raises(ValueError, match="no cost"):
        chosen(weights={"price": 1})


def test_a_builder_makes_the_model_of_the_document(hospitals):
    builder = epi.Builder()
    builder.add_node("a").add("attributes", "enc", "fw").set("domain", "d")
    builder.add_node("b").add("addresses", "10.0.0.0/8")
    builder.add_proxy("px", "d").set("endpoint", "socks6://10.0.0.1:1080")
    builder.add_function("seal").add("provides", "enc").set(
        "cost.setup_ms", 2.5).set("filter", "seal")
    builder.add_application("x").add_flow("a", "b").add("ports", 443, 444)
    builder.add_rule("r", "allow").add("application", "x")
    built = builder.finish()
    assert built == epi.Model({
        "epi": 1,
        "nodes": {"a": {"domain": "d", "attributes": ["enc", "fw"]},
                  "b": {"addresses": ["10.0.0.0/8"]}},
        "proxies": {"px": {"domain": "d",
                           "endpoint": "socks6://10.0.0.1:1080"}},
        "functions": {"seal": {"provides": ["enc"], "filter": "seal",
                               "cost": {"setup_ms": 2.5}}},
        "applications": {"x": {"flows": [
            {"from": "a", "to": "b", "ports": [443, 444]}]}},
        "policy": {"rules": [{"id": "r", "effect": "allow",
                              "application": ["x"]}]}})
    builder.set("no-such-key", "x")
    with pytest.raises(epi.ModelError, match="no-such-key"):
        builder.finish()


def test_ports_of_a_proxy():
    builder = epi.Builder()
    builder.add_node("a").add_node("b").set("domain", "d")
    builder.add("addresses", "10.0.0.1")
    builder.add_proxy("px", "d").set("endpoint", "socks6://10.0.0.2:1080")
    builder.add_port("a", "b:443").set("port", 20000)
    (proxy,) = builder.finish().proxies
    assert proxy.ports == (epi.ProxyPort(epi.Address("10.0.0.2", 20000), "a",
                                         epi.Address("10.0.0.1", 443)),)


def test_questions_about_a_model(hospitals):
    stricter = epi.Model({**hospitals.to_dict(), "policy": {}})
    diff = stricter.diff(hospitals)
    assert diff and [change.change for change in diff] == ["closes"]
    assert diff.changes[0].was["verdict"] == "bridged"
    assert (diff.was, diff.is_) == (hospitals.hash, stricter.hash)
    assert not hospitals.diff(hospitals) and str(hospitals.diff(hospitals)) == ""
    lived = stricter.diff_flows(None, [epi.Query("umc", "umc"), TRAIN])
    assert 1 in [change.flow for change in lived]
    assert not hospitals.diff_flows(hospitals, [])
    expected = hospitals.check({"epi-assert": 1, "expect": [
        {"from": "umc", "to": "antonius", "port": 443, "allowed": False},
        {"from": "umc", "to": "antonius", "port": 443, "allowed": True}]})
    assert not expected and expected.failures[0].expect == 0
    with pytest.raises(epi.ModelError) as caught:
        hospitals.check({"epi-assert": 1, "expect": [{"x": 1}]})
    assert caught.value.problems
    assert "open-application" in [found.kind for found in hospitals.lint()]
    assert "scan" in hospitals.explain(TRAIN)
    assert hospitals.explain_dict(TRAIN)["decision"]["rule"] == "train"


def test_what_must_run(hospitals):
    needs = hospitals.provision()
    assert [(need.proxy, need.function) for need in needs][:2] == [
        ("px-umc", None), ("px-umc", "seal")]
    assert {str(need.change) for need in needs} == {"added"}
    same = hospitals.provision(before=hospitals, application="train")
    assert {need.change for need in same} == {epi.ProvisionChange.SAME}
    facts = epi.Facts(purpose="commercial")
    assert len(hospitals.provision(facts=facts)) == 0
    assert needs.to_dict()["model"] == hospitals.hash
    with pytest.raises(epi.errors.NotFound):
        hospitals.provision(application="nothing")


def test_verdicts_of_the_policy_reasoner(hospitals):
    first = {"verdict": "deny", "verdict_reference": "v-17",
             "reasons_for_denial": ["no consent", "too late"]}
    rule = epi.reasoner_rule(first, TRAIN)
    assert rule["effect"] == "deny" and rule["from"] == ["umc"]
    second = {"verdict": {"Violated": ["no consent"]}}
    assert epi.reasoner_rule(second, TRAIN, "mine")["id"] == "mine"
    denied = hospitals.with_reply(first, TRAIN)
    decision = denied.decide(TRAIN)
    assert decision.rule == "v-17"
    reply = json.loads(decision.reasoner_reply(
        epi.ReasonerVersion.DELIBERATION))
    assert reply == first
    with pytest.raises(epi.errors.ProtocolError):
        epi.reasoner_rule({"verdict": "maybe"}, TRAIN)
    with pytest.raises(epi.ModelError):
        denied.with_reply(first, TRAIN)


def test_pictures(hospitals):
    import xml.etree.ElementTree as tree
    picture = tree.fromstring(hospitals._repr_svg_())
    assert "umc" in "".join(picture.itertext())
    hostile = epi.Model({"epi": 1, "nodes": {"<script>&": {}}})
    assert "<script>" not in hostile._repr_html_()
    assert epi.Model({"epi": 1, "nodes": {}})._repr_svg_()


ATTRIBUTES = st.lists(st.sampled_from("abcde"), unique=True)


@given(st.dictionaries(st.sampled_from([f"n{i}" for i in range(8)]),
                       ATTRIBUTES, min_size=1), ATTRIBUTES)
def test_the_area_logic_holds(nodes, provided):
    model = epi.Model({
        "epi": 1,
        "nodes": {name: {"attributes": attributes}
                  for name, attributes in nodes.items()},
        "functions": {f"f{a}": {"provides": [a], "filter": "count"}
                      for a in provided},
        "policy": {"default": "allow"}})
    for g in nodes:
        for h in nodes:
            gap = set(nodes[g]) - set(nodes[h])
            assert model.channel(g, h) == (not gap)
            assert set(model.gap(g, h)) == gap
            assert model.gap_bridgeable(g, h) == (gap <= set(provided))
            decision = model.decide(epi.Query(g, h))
            assert decision.allowed == (gap <= set(provided))
            assert set(decision.missing) == gap
            assert [f.name for hop in decision.plan.hops
                    for f in hop.functions] == (
                [f"f{a}" for a in provided if a in gap]
                if decision.allowed else [])
    for area in model.areas:
        assert {frozenset(nodes[name]) for name in area.nodes} == {
            frozenset(area.attributes)}
        for above in area.above:
            assert set(area.attributes) < set(model.areas[above].attributes)
    assert epi.Model(model.to_json()) == model


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**30) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["epi", "nodes", "policy", "rules", "a", "domain"]),
        inner, max_size=4), max_leaves=12)


@given(JSON.filter(lambda value: isinstance(value, dict)))
def test_whatever_is_read_is_a_model_or_an_error(document):
    try:
        model = epi.Model(document)
    except epi.ModelError as error:
        assert error.problems
    else:
        assert epi.Model(model.to_json()) == model


@given(st.binary(max_size=40))
def test_bytes_are_no_model(data):
    with pytest.raises(epi.ModelError):
        epi.Model(data)


def test_estimates():
    assert epi.estimate_ms(epi.Method.DIRECT, rtt_cs_ms=10) == 20
    assert epi.estimate_ms(epi.Method.SOCKS6_EARLY, rtt_cp_ms=10, rtt_ps_ms=5,
                           busy_ms=1) == 31
    for bad in (dict(method=99), dict(method=1, rtt_cs_ms=-1)):
        with pytest.raises(epi.errors.InvalidArgument):
            epi.estimate_ms(**bad)
    with pytest.raises(epi.errors.InvalidArgument):
        epi.estimate_ms(1, rtt_cs_ms=float("nan"))
    assert epi.busy_ms(epi.Method.REVERSE, server_ms=1, proxy_ms=2,
                       redirector_ms=4) == 3
    with pytest.raises(epi.errors.InvalidArgument):
        epi.busy_ms(0)


def test_the_choice_of_a_method():
    paper = {epi.Method.REVERSE, epi.Method.SOCKS5, epi.Method.SOCKS6}
    near = dict(rtt_cp_ms=5, rtt_ps_ms=10)
    assert epi.choose_method(epi.For.LATENCY, paper, **near) == \
        epi.Method.REVERSE
    assert epi.choose_method(epi.For.RATE, paper, **near) == epi.Method.SOCKS6
    assert epi.is_good_place(epi.For.RATE, paper, (5, 10), (10, 5))
    assert not epi.is_good_place(epi.For.RATE, paper, (10, 5), (5, 10))
    with pytest.raises(epi.errors.InvalidArgument):
        epi.choose_method(epi.For.BOTH, (), **near)
    assert epi.Method.SOCKS6_WARM.label == "socks6-warm"
    assert epi.Method.REVERSE.advantages == epi.Advantage.TIME
    assert "one open port" in epi.Advantage.PORTS.text


def test_a_redirect_is_rendered():
    redirect = epi.Redirect(42000, ports=[443], ranges=["10.0.0.0/8"],
                            excepting=[("10.1.0.2", 1080)],
                            excepting_uids=[7], loopback=True)
    rules = redirect.render()
    for word in ("42000", "443", "10.0.0.0/8", "10.1.0.2"):
        assert word in rules
    assert "EPI_REDIRECT" in redirect.render(epi.Backend.IPTABLES)
    for bad in (dict(port=0), dict(port=1, ranges=["x"]),
                dict(port=1, ports=[70000]), dict(port=2**40)):
        with pytest.raises(epi.errors.InvalidArgument):
            epi.Redirect(**bad)


def test_the_library_says_what_it_is():
    assert epi.version() == epi.__version__
    assert "wolfSSL" in epi.tls_library()
    assert epi.tls_has(epi.TlsFeature.EARLY_DATA) in (True, False)
    secret = bytearray(b"secret")
    epi.wipe(secret)
    assert secret == bytes(6)
    with pytest.raises(TypeError):
        epi.wipe(b"secret")


def test_secrets_are_read_from_files_and_the_environment(tmp_path, monkeypatch):
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_bytes(b"a\0secret\n")
    assert epi.read_secret(path) == b"a\0secret\n"
    path.write_bytes(b"")
    assert epi.read_secret(str(path)) == b""
    path.chmod(0o644)
    with pytest.raises(epi.errors.PrivilegeMissing, match="everybody"):
        epi.read_secret(path)
    monkeypatch.setenv("EPI_SECRET_X", "another")
    assert epi.read_secret("env:EPI_SECRET_X") == b"another"
    monkeypatch.delenv("EPI_SECRET_X")
    with pytest.raises(epi.errors.NotFound):
        epi.read_secret("env:EPI_SECRET_X")
    with pytest.raises(epi.errors.InvalidArgument, match="EPI_SECRET_"):
        epi.read_secret("env:HOME")
    path.chmod(0o600)
    path.write_bytes(bytes(epi.limits.SECRET + 1))
    with pytest.raises(epi.errors.LimitReached):
        epi.read_secret(path)
