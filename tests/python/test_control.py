"""test_control.py: what an operator sees of flows, and how he ends them."""
import contextlib
import threading
import time

import pytest

import epi
from conftest import read_exactly, until

MODEL = {
    "epi": 1,
    "nodes": {"here": {"domain": "d", "addresses": ["127.0.0.0/8"]}},
    "applications": {"train": {"purpose": "research", "nodes": ["here"]}},
    "policy": {"rules": [
        {"id": "own", "effect": "allow", "from": ["here"], "to": ["here"]}]},
}


@pytest.fixture
def engine():
    with epi.Engine(model=epi.Model(MODEL), listen="socks://127.0.0.1:0",
                    workers=2, on_log=lambda level, line: None) as engine:
        yield engine


@pytest.fixture
def connect(engine, echo):
    """Open a flow, which ends with the test."""
    with contextlib.ExitStack() as stack:
        def one():
            sock = epi.connect(echo.address, timeout=60,
                               via=f"socks6://{engine.addresses[0]}")
            stack.enter_context(sock)
            sock.sendall(b"hello")
            assert read_exactly(sock, 5) == b"hello"
            return sock
        yield one


def test_a_flow_is_listed_with_all_that_is_known(engine, connect, echo):
    sock = connect()
    found = engine.flows()
    assert (len(found), found.matched, found.next, found.missing) == (
        1, 1, None, 0)
    one = found.flows[0]
    assert one["source"] == str(epi.Address.of(sock.getsockname()))
    assert one["dest"] == one["dialled"] == str(epi.Address.of(echo.address))
    assert (one["from"], one["to"], one["verdict"], one["rule"]) == (
        "here", "here", "direct", "own")
    assert (one["phase"], one["out"], one["back"], one["chain"]) == (
        "relaying", 5, 5, [])
    assert one["listener"] == f"socks://{engine.addresses[0]}"
    assert one["user"] is None and 0 <= one["idle_ms"] <= one["age_ms"]


def test_flows_come_in_order_page_by_page(engine, connect):
    for _ in range(7):
        connect()
    seen, start, pages = [], 0, 0
    while start is not None:
        page = engine.flows(start=start, most=3)
        assert len(page) <= 3 and page.matched == 7 - len(seen)
        seen += [one["flow"] for one in page]
        start, pages = page.next, pages + 1
    assert pages == 3 and len(seen) == 7 and seen == sorted(seen)


@pytest.mark.parametrize("match", [
    {"source": "127.0.0.1"}, {"source": "127.0.0.0/8"}, {"rule": "own"},
    {"dest": "127.0.0.1"}, {"address": "127.0.0.0/24"}])
def test_what_matches(engine, connect, match):
    connect()
    assert len(engine.flows(epi.Match(**match))) == 1


@pytest.mark.parametrize("match", [
    {"source": "10.0.0.1"}, {"rule": "default"}, {"user": "nina"},
    {"dest": "somewhere.example"}, {"application": "other"}, {"flow": 99999},
    {"rule": "own", "source": "::1"}])
def test_what_does_not_match(engine, connect, match):
    connect()
    assert len(engine.flows(epi.Match(**match))) == 0
    assert engine.kill(epi.Match(**match), "a test") == 0


@pytest.mark.parametrize("match", [
    {"source": "nowhere"}, {"source": "10.0.0.1/8"}, {"dest": "a b"},
    {"flow": 0}, {"flow": "x"}, {"rule": ""}, {"address": "10.0.0.0/33"}])
def test_a_bad_match_is_refused(engine, match):
    with pytest.raises(epi.errors.InvalidArgument):
        engine.flows(epi.Match(**match))


def test_bounds_of_a_list(engine):
    for most in (0, epi.limits.CONTROL_FLOWS + 1):
        with pytest.raises(epi.errors.InvalidArgument):
            engine.flows(most=most)


def test_a_flow_is_explained(engine, connect):
    connect()
    number = engine.flows().flows[0]["flow"]
    found = engine.explain(number)
    assert found["flow"]["flow"] == number
    assert found["decision"]["rule"] == "own"
    assert found["route"] == {"filters": [], "hops": []}
    assert found["now"]["decision"] == found["decision"]
    assert found["now"]["rules"][0]["decides"]
    with pytest.raises(epi.errors.NotFound):
        engine.explain(number + 1)
    with pytest.raises(epi.errors.NotFound):
        engine.explain(-1)


def test_one_flow_is_killed(engine, connect):
    first, second = connect(), connect()
    number = engine.flows().flows[0]["flow"]
    assert engine.kill(epi.Match(flow=number), "a test") == 1
    until(lambda: engine.counts.open == 1, "the flow ends")
    with contextlib.suppress(ConnectionError):
        assert first.recv(1) == b""
    second.sendall(b"on")
    assert read_exactly(second, 2) == b"on"


def test_the_log_has_the_reason(echo):
    lines = []
    with epi.Engine(listen="socks://127.0.0.1:0", workers=1,
                    on_log=lambda level, line: lines.append(line)) as engine:
        with epi.connect(echo.address, timeout=60,
                         via=f"socks5://{engine.addresses[0]}"):
            assert engine.kill(epi.Match(), "an incident\x1b") == 1
    assert any("killed: an incident?" in line for line in lines)


def test_a_reason_has_bounds(engine):
    for reason in ("", "x" * (epi.limits.REASON + 1)):
        with pytest.raises(epi.errors.InvalidArgument):
            engine.kill(epi.Match(), reason)


def test_an_engine_that_does_not_run_has_no_flows():
    engine = epi.Engine(listen="socks://127.0.0.1:0")
    assert len(engine.flows()) == 0
    engine.start()
    engine.stop()
    assert len(engine.flows()) == 0
    assert engine.kill(epi.Match(), "a test") == 0
    engine.close()


def test_lists_and_kills_while_flows_come_and_go(engine, echo):
    over = threading.Event()
    problems = []

    def churn():
        while not over.is_set():
            try:
                with epi.connect(echo.address, timeout=60,
                                 via=f"socks5://{engine.addresses[0]}") as sock:
                    sock.sendall(b"x")
                    sock.recv(1)
            except (OSError, epi.Error):
                pass  # it was killed

    threads = [threading.Thread(target=churn) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            found = engine.flows()
            if found.missing:
                problems.append(found)
            for one in list(found)[:1]:
                engine.kill(epi.Match(flow=one["flow"]), "churn")
                with contextlib.suppress(epi.errors.NotFound):
                    engine.explain(one["flow"])
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not problems


# ---- what another model would change ----

def other(**more):
    return epi.Model({**MODEL, **more})


def denied():
    return other(policy={"rules": [
        {"id": "closed", "effect": "deny", "reason": "an incident"}]})


def test_a_plan_names_what_would_be_cut_and_cuts_nothing(engine, connect):
    socks = [connect() for _ in range(3)]
    plan = engine.plan(denied(), most=2)
    assert (plan.judged, plan.cut, plan.later, plan.missing) == (3, 3, 0, 0)
    assert len(plan.flows) == 2 and plan.ports == ()
    assert plan.was == engine.model.hash and plan.is_ == denied().hash
    one = plan.flows[0]
    assert one["rule"] == "own" and one["then"]["rule"] == "closed"
    assert "denied by rule closed: an incident" in one["why"]
    for sock in socks:
        sock.sendall(b"on")
        assert read_exactly(sock, 2) == b"on"
    assert engine.counts.open == 3


def test_what_was_planned_happens(engine, connect):
    connect(), connect()
    keeps = other(policy={"rules": [
        {"id": "new", "effect": "allow", "from": ["here"], "to": ["here"]}]})
    assert engine.plan(keeps).cut == 0
    engine.set_model(keeps)
    until(lambda: all(one["rule"] == "new" for one in engine.flows()),
          "the flows are judged anew")
    planned = {one["flow"] for one in engine.plan(denied()).flows}
    assert planned == {one["flow"] for one in engine.flows()}
    engine.set_model(denied())
    until(lambda: engine.counts.open == 0, "the flows are cut")


def test_the_model_in_force(engine):
    assert engine.model == epi.Model(MODEL)
    engine.set_model(None)
    assert engine.model is None
    plan = engine.plan(denied())
    assert plan.was is None and plan.cut == 0


def test_a_plan_needs_filters_that_can_be_made(engine):
    bad = other(functions={"f": {"provides": ["x"], "filter": "nothing"}},
                attributes=["x"])
    with pytest.raises(epi.errors.NotFound, match="nothing"):
        engine.plan(bad)
    with pytest.raises(epi.errors.InvalidArgument):
        engine.plan(denied(), most=0)


def test_a_plan_tells_ports(echo):
    document = {**MODEL, "proxies": {"p": {"domain": "d"}}}

    def with_port(port):
        host, number = echo.address
        return epi.Model({**document, "proxies": {"p": {
            "domain": "d", "ports": [{
                "port": port, "listen": "127.0.0.1", "from": "here",
                "to": f"{host}:{number}"}]}}})

    with epi.Engine(model=epi.Model(document), name="p", workers=1,
                    listen="socks://127.0.0.1:0") as engine:
        plan = engine.plan(with_port(20001))
        assert [(one.change, one.listen, one.from_) for one in plan.ports] == [
            ("opens", "127.0.0.1:20001", "here")]


# ---- by the admin socket ----

def test_an_admin_asks_by_the_socket(engine, connect, tmp_path):
    path = tmp_path / "admin.sock"
    engine.serve_admin(path)
    admin = epi.Admin(path)
    connect()
    assert admin.ask("status")["flows"]["open"] == 1
    number = admin.ask("flows", rule="own")["flows"][0]["flow"]
    assert admin.text("flows").startswith("FLOW")
    assert admin.ask("explain", flow=number)["decision"]["rule"] == "own"
    assert admin.ask("plan", document=denied().to_json())["cut"] == 1
    assert admin.ask("kill", flow=number, reason="x") == {"killed": 1}
    with pytest.raises(epi.errors.NotFound, match="no flow"):
        admin.ask("explain", flow=number)
    with pytest.raises(epi.errors.InvalidArgument, match="nonsense"):
        admin.ask("nonsense")
    with pytest.raises(epi.ModelError) as caught:
        admin.ask("set-model", document='{"epi": 1, "x": 1, "y": 2}')
    assert len(caught.value.problems) == 3
    with pytest.raises(epi.errors.InvalidState):
        engine.serve_admin(tmp_path / "another.sock")
    with pytest.raises(epi.errors.NotSupported):
        admin.ask("reload")
    engine.serve_admin(None)
    assert not path.exists()
    with pytest.raises(epi.errors.NotFound):
        admin.ask("status")


def test_an_admin_has_files_read_again(tmp_path):
    asked = threading.Event()
    with epi.Engine(listen="socks://127.0.0.1:0") as engine:
        engine.on_reload(asked.set)
        engine.serve_admin(tmp_path / "admin.sock")
        epi.Admin(tmp_path / "admin.sock").ask("reload")
        assert asked.wait(60)
        engine.stop()
        assert not (tmp_path / "admin.sock").exists()
        with pytest.raises(epi.errors.InvalidState):
            engine.serve_admin(tmp_path / "admin.sock")
