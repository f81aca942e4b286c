"""test_engines.py: engines in threads and under asyncio, and filters that are
written in Python."""
import asyncio
import contextlib
import logging
import pathlib
import socket
import threading
import time
import urllib.request

import pytest

import epi
from conftest import BUILD, read_exactly, until
from epi import PASS, Direction

ANY = "socks://127.0.0.1:0"


def through(engine, dest, scheme="socks6", **more):
    return epi.connect(dest, via=f"{scheme}://{engine.addresses[0]}",
                       timeout=60, **more)


def talk(sock, said):
    sock.sendall(said)
    return read_exactly(sock, len(said))


@pytest.fixture
def proxy(request):
    """Start an engine that ends with the test."""
    with contextlib.ExitStack() as stack:
        def start(*filters, **more):
            engine = epi.Engine(listen=ANY, filters=filters, workers=1, **more)
            return stack.enter_context(engine)
        yield start


class Upper(epi.Filter):
    def data(self, pipe, direction, data):
        return data.upper() if direction == Direction.FORWARD else data


@pytest.mark.parametrize("scheme", ["socks5", "socks6"])
def test_a_filter_changes_data(proxy, echo, scheme):
    engine = proxy(Upper())
    with through(engine, echo.address, scheme) as sock:
        assert talk(sock, b"hello") == b"HELLO"
    until(lambda: engine.counts.open == 0, "the flow ends")
    assert engine.counts.allowed == 1


def test_a_filter_has_state_for_each_flow_and_sees_it_all(proxy, echo):
    seen = []

    class Keep(epi.Filter):
        name = "keep"

        def open(self, pipe):
            pipe.state = [pipe.source, pipe.dest, pipe.user,
                          pipe.metadata(epi.Meta.APPLICATION)]
            pipe.hold(0)
            pipe.note("seen")
            pipe.set_metadata(7, "seven")
            assert pipe.now_ms >= 0 and pipe.wall_time > 10**9
            assert pipe.decision is None

        def data(self, pipe, direction, data):
            if direction == Direction.BACKWARD:
                return data
            pipe.state.append(data)
            return None

        def end(self, pipe, direction):
            if direction == Direction.FORWARD:
                pipe.write(direction, b"<")
                return b"".join(pipe.state[4:]) + b">"

        def close(self, pipe):
            seen.append(pipe.state)

    engine = proxy(Keep())
    with through(engine, echo.address,
                 metadata={epi.Meta.APPLICATION: "train"}) as sock:
        sock.sendall(b"all of it")
        sock.shutdown(socket.SHUT_WR)
        assert read_exactly(sock, 11) == b"<all of it>"
        peer = epi.Address.of(sock.getsockname())
    until(lambda: seen, "close")
    assert seen[0][:4] == [peer, epi.Address.of(echo.address), "", "train"]
    assert len(seen) == 1


def test_a_filter_may_pass(proxy, echo):
    calls = []

    class Once(epi.Filter):
        def data(self, pipe, direction, data):
            calls.append(data)
            return PASS

        def close(self, pipe):
            calls.append("closed")

    class Never(epi.Filter):
        def open(self, pipe):
            return PASS

        def data(self, pipe, direction, data):
            raise AssertionError("not asked for")

    with through(proxy(Once(), Never()), echo.address) as sock:
        assert talk(sock, b"one") == b"one"
        assert talk(sock, b"two") == b"two"
    until(lambda: "closed" in calls, "close")
    assert b"".join(calls[:-1]) == b"one"


def test_a_timer_and_a_pause(proxy, echo):
    class Late(epi.Filter):
        def open(self, pipe):
            pipe.state = b""

        def data(self, pipe, direction, data):
            if direction == Direction.BACKWARD:
                return data
            pipe.state += data
            pipe.pause(Direction.FORWARD)
            pipe.set_timer(20)

        def timer(self, pipe):
            pipe.resume(Direction.FORWARD)
            pipe.write(Direction.FORWARD, pipe.state + b"!")
            pipe.state = b""
            pipe.set_timer(None)

    with through(proxy(Late()), echo.address) as sock:
        sock.sendall(b"wait")
        assert read_exactly(sock, 5) == b"wait!"


def test_who_refuses_says_why(proxy, echo):
    lines = []

    class No(epi.Filter):
        def open(self, pipe):
            raise epi.Denied("not on Sundays")

    engine = proxy(No(), on_log=lambda level, line: lines.append(line))
    with pytest.raises(epi.errors.Refused, match="not on Sundays") as caught:
        through(engine, echo.address)
    assert caught.value.reply == epi.ReplyCode.NOT_ALLOWED
    until(lambda: any("not on Sundays" in line for line in lines), "a line")
    assert engine.counts.refused == 1


class Odd(epi.Error):
    code = 77


class Passing(epi.Error):
    code = int(epi.PASS.value)


class Worded(epi.Error):
    code = "why"


class Wordless(epi.Denied):
    def __str__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize("kind", [Odd, Passing, Worded, Wordless])
@pytest.mark.parametrize("callback", ["open", "data"])
def test_no_exception_lets_a_flow_go_on(proxy, echo, callback, kind):
    def fail(self, pipe, *more):
        raise kind("no")

    class Wrong(epi.Filter):
        fail_open = kind is Wordless  # which is for failures, not refusals

    setattr(Wrong, callback, fail)
    engine = proxy(Wrong())
    if callback == "open":
        with pytest.raises(epi.errors.Refused):
            through(engine, echo.address)
        return
    with through(engine, echo.address) as sock:
        sock.settimeout(60)
        with contextlib.suppress(ConnectionError):
            sock.sendall(b"x")
            assert sock.recv(1) == b""


def test_a_log_handler_that_fails_lets_no_flow_go_on(proxy, echo):
    class Full(logging.Handler):
        def emit(self, record):
            raise RuntimeError("no room")

    class Broken(epi.Filter):
        def open(self, pipe):
            raise LookupError

    handler = Full()
    logging.getLogger("epi.filter").addHandler(handler)
    try:
        with pytest.raises(epi.errors.Refused):
            through(proxy(Broken()), echo.address)
    finally:
        logging.getLogger("epi.filter").removeHandler(handler)


@pytest.mark.parametrize("wrong", [
    ValueError("payload"), KeyboardInterrupt(), SystemExit(3),
    epi.errors.LimitReached("too much"), epi.errors.Error("other")])
def test_an_exception_in_open_refuses_the_flow(proxy, echo, wrong, caplog):
    class Broken(epi.Filter):
        def open(self, pipe):
            raise wrong

    with pytest.raises(epi.errors.Refused) as caught:
        through(proxy(Broken()), echo.address)
    assert caught.value.reply == epi.ReplyCode.FAILURE
    assert "a filter failed" in caplog.text


@pytest.mark.parametrize("returned", [5, "text", object(), True])
def test_a_wrong_result_cuts_the_flow(proxy, echo, returned, caplog):
    class Wrong(epi.Filter):
        def data(self, pipe, direction, data):
            return returned

    with through(proxy(Wrong()), echo.address) as sock:
        sock.sendall(b"x")
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""
    assert "TypeError" in caplog.text


def test_a_filter_may_fail_open(proxy, echo, caplog):
    class Shaky(epi.Filter):
        fail_open = True

        def data(self, pipe, direction, data):
            raise ZeroDivisionError

    with through(proxy(Shaky()), echo.address) as sock:
        assert talk(sock, b"on") == b"on"
    assert "ZeroDivisionError" in caplog.text


def test_bounds_of_a_filter_hold(proxy, echo, caplog):
    class Hoard(epi.Filter):
        memory = 10

        def data(self, pipe, direction, data):
            pipe.hold(len(data))

    with through(proxy(Hoard()), echo.address) as sock:
        sock.sendall(b"more than ten bytes")
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""
    assert "LimitReached" in caplog.text


def test_a_pipe_is_of_its_callback_alone(proxy, echo):
    kept, wrong = [], []

    class Keep(epi.Filter):
        def open(self, pipe):
            def other():
                try:
                    pipe.write(0, b"x")
                except epi.errors.InvalidState as error:
                    wrong.append(error)
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
            for call in (lambda: pipe.write(5, b"x"),
                         lambda: pipe.pause(None),
                         lambda: pipe.set_metadata(2000, "x")):
                with pytest.raises(epi.errors.InvalidArgument):
                    call()
            kept.append(pipe)

        def data(self, pipe, direction, data):
            return bytearray(data)

    with through(proxy(Keep()), echo.address) as sock:
        assert talk(sock, b"hi") == b"hi"
    assert len(wrong) == 1
    for call in (lambda p: p.write(0, b"x"), lambda p: p.source,
                 lambda p: p.note("x"), lambda p: p.decision,
                 lambda p: p.flow):
        with pytest.raises(epi.errors.InvalidState):
            call(kept[0])


def test_two_filters_and_a_built_in_one(proxy, echo):
    class Star(epi.Filter):
        def data(self, pipe, direction, data):
            return b"*" + data if direction == Direction.FORWARD else data

    engine = proxy(Upper(), Star(), epi.NativeFilter.builtin("count"))
    with through(engine, echo.address) as sock:
        sock.sendall(b"ab")
        assert read_exactly(sock, 3) == b"*AB"


def test_filters_that_are_no_python(proxy, echo):
    mask = pathlib.Path(BUILD / "examples" / "mask.so")
    filter = epi.NativeFilter.load(f"{mask}:#")
    filter.set(epi.Bound.MEMORY, 1000)
    engine = proxy(filter)
    with pytest.raises(epi.errors.InvalidState):
        filter.set(epi.Bound.MEMORY, 1)
    with through(engine, echo.address) as sock:
        sock.sendall(b"a1b2")
        assert read_exactly(sock, 4) == b"a#b#"
    for bad in ("no-such-filter", "seal"):
        with pytest.raises(epi.Error):
            epi.NativeFilter.builtin(bad)
    assert epi.NativeFilter.builtin("seal", bytes(range(32))).name == "seal"


def test_flows_are_told_with_their_decisions(echo):
    here = {"a": {"addresses": ["127.0.0.0/8"]}}
    model = epi.Model({"epi": 1, "nodes": here,
                       "policy": {"default": "allow"}})
    flows = []
    with epi.Engine(model=model, listen=ANY, on_flow=flows.append) as engine:
        with through(engine, echo.address, "socks5") as sock:
            assert talk(sock, b"x") == b"x"
            assert flows[0].decision.rule == "default"
            assert flows[0].decision.model == model.hash
            with pytest.raises(epi.errors.InvalidState):
                flows[0].decision.reasoner_reply(1)
            engine.set_model(epi.Model({"epi": 1, "nodes": here}))
            with contextlib.suppress(ConnectionResetError):
                assert sock.recv(1) == b""
        with pytest.raises(epi.errors.Refused):
            through(engine, echo.address)
        engine.set_model(None)
        through(engine, echo.address).close()
    assert len(flows) == 2


def test_an_engine_under_asyncio(echo):
    async def main():
        loop, lines, flows = asyncio.get_running_loop(), [], []

        async def on_flow(flow):
            assert asyncio.get_running_loop() is loop
            flows.append(flow)

        def on_log(level, line):
            assert threading.current_thread() is threading.main_thread()
            lines.append((level, line))

        async with epi.Engine(listen=ANY, filters=[Upper()], on_flow=on_flow,
                              on_log=on_log) as engine:
            reader, writer = await epi.open_connection(
                echo.address, via=f"socks5://{engine.addresses[0]}")
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"HELLO"
            writer.close()
            while not (flows and lines):
                await asyncio.sleep(0.005)
        assert flows[0].dest == epi.Address.of(echo.address)
        assert lines[0][0] == epi.LogLevel.NOTE
    asyncio.run(asyncio.wait_for(main(), 120))


def test_log_lines_go_to_the_logger(proxy, echo, caplog):
    caplog.set_level(logging.DEBUG, "epi.engine")
    with through(proxy(), echo.address):
        pass
    until(lambda: "flow 1: " in caplog.text, "a line")


def test_parameters_of_an_engine():
    engine = epi.Engine(workers=2, idle_ms=5000)
    bounds = engine.bounds(epi.Parameter.IDLE_MS)
    assert bounds.value == 5000 and bounds.lowest <= 5000 <= bounds.highest
    with pytest.raises(TypeError, match="colour"):
        epi.Engine(colour=5)
    with pytest.raises(epi.errors.InvalidArgument):
        engine.set(epi.Parameter.WORKERS, -1)
    with pytest.raises(epi.errors.InvalidArgument):
        engine.set(99, 1)


def test_setting_an_engine_up(tmp_path, hospitals):
    plugins = tmp_path / "plugins"
    plugins.mkdir(mode=0o700)
    engine = epi.Engine(
        listen=[ANY, "tcp://127.0.0.1:0=10.0.0.1:80"],
        via=["socks6://10.9.9.9:1080"], name="px-umc",
        chain_key=bytes(range(32)), filter_path=plugins,
        metadata={epi.Meta.PURPOSE: "research"}, dns=("10.0.0.1", 53),
        model=epi.Model({"epi": 1, "nodes": {}}))
    assert [address.host for address in engine.addresses] == ["127.0.0.1"] * 2
    with pytest.raises(epi.errors.InvalidArgument, match="px-umc"):
        engine.start()
    for wrong, error in [
            (lambda: engine.listen("gopher://x"), epi.errors.InvalidArgument),
            (lambda: engine.listen(f"socks://{engine.addresses[0]}"),
             epi.errors.Busy),
            (lambda: engine.add_hop("socks6://"), epi.errors.InvalidArgument),
            (lambda: engine.set_chain_key(b"short"),
             epi.errors.InvalidArgument),
            (lambda: engine.set_filter_path("/no/such"), epi.errors.NotFound),
            (lambda: engine.add_filter(5), TypeError)]:
        with pytest.raises(error):
            wrong()
    engine.set_name(None)
    engine.set_dns(None)
    engine.set_metadata(epi.Meta.PURPOSE, None)
    engine.set_filter_path(None)


def test_the_life_of_an_engine():
    engine = epi.Engine(workers=1)
    with pytest.raises(epi.errors.InvalidState, match="listens nowhere"):
        engine.start()
    engine.listen(ANY)
    engine.start()
    for call in (engine.start, lambda: engine.add_filter(Upper()),
                 lambda: engine.set(epi.Parameter.MARK, 2),
                 lambda: engine.on_log(print)):
        with pytest.raises(epi.errors.InvalidState):
            call()
    engine.stop()
    assert engine.counts.open == 0
    engine.stop()
    engine.close()
    engine.close()
    for call in (engine.start, engine.stop, lambda: engine.counts,
                 lambda: engine.has_drained, lambda: engine.drain(1),
                 lambda: engine.set_model(None),
                 lambda: engine.bounds(epi.Parameter.WORKERS)):
        with pytest.raises(epi.errors.InvalidState):
            call()
    assert "closed" in repr(engine)


def test_listeners_change_while_an_engine_runs(proxy, echo):
    engine = proxy()
    first = engine.urls[0]
    with through(engine, echo.address) as sock:
        second = engine.listen("socks://127.0.0.1:0?version=5")
        assert engine.addresses[1] == second
        assert engine.urls == (first, "socks://127.0.0.1:0?version=5")
        engine.unlisten(f"socks://{engine.addresses[0]}")
        assert engine.addresses == (second,)
        assert talk(sock, b"goes on") == b"goes on"
    engine.relisten(engine.urls[0], first)
    assert engine.addresses == (second,) and engine.urls == (first,)
    with through(engine, echo.address) as sock:
        assert talk(sock, b"by the other") == b"by the other"
    with pytest.raises(epi.errors.NotFound):
        engine.unlisten("socks://127.0.0.1:1")
    with pytest.raises(epi.errors.InvalidState, match="is the last"):
        engine.unlisten(first)
    engine.drain(0)
    for call in (lambda: engine.listen(ANY), lambda: engine.unlisten(first),
                 lambda: engine.relisten(first, ANY)):
        with pytest.raises(epi.errors.InvalidState, match="drains"):
            call()


def test_settings_change_while_an_engine_runs(proxy, echo):
    engine = proxy()
    for parameter in epi.Parameter:
        if parameter != epi.Parameter.MARK:
            bounds = engine.bounds(parameter)
            engine.set(parameter, bounds.value)
            assert engine.bounds(parameter) == bounds
    for count in (3, 1, 4, 2):
        engine.set(epi.Parameter.WORKERS, count)
        for _ in range(20):
            with through(engine, echo.address) as sock:
                assert talk(sock, b"by any of them") == b"by any of them"
    engine.set(epi.Parameter.IDLE_MS, 50)
    began = time.monotonic()
    with through(engine, echo.address) as sock:
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b"", "it was idle for too long"
    assert time.monotonic() - began >= 0.05


def test_an_engine_drains(proxy, echo):
    engine = proxy()
    with through(engine, echo.address) as sock:
        engine.drain(60000)
        assert not engine.has_drained
        assert talk(sock, b"still there") == b"still there"
    until(lambda: engine.has_drained, "it has drained")


def test_an_engine_takes_sockets_over(proxy, echo):
    old = proxy()
    engine = epi.Engine()
    for fd in old.sockets():
        engine.adopt_socket(fd)
    engine.listen(f"socks://127.0.0.1:{old.addresses[0].port}")
    with engine:
        old.drain(0)
        until(lambda: old.has_drained, "it has drained")
        with through(engine, echo.address) as sock:
            assert talk(sock, b"taken over") == b"taken over"
        with pytest.raises(epi.errors.InvalidState):
            engine.adopt_socket(0)


def test_a_service_manager_is_told(tmp_path, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not epi.service_tell(epi.ServiceState.READY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        assert epi.service_tell(epi.ServiceState.STOPPING)
        assert manager.recv(64) == b"STOPPING=1"
        assert epi.service_pass_on(17)
        assert manager.recv(64) == b"MAINPID=17"
        with pytest.raises(epi.errors.InvalidArgument):
            epi.service_pass_on(0)


def test_an_engine_is_not_called_from_its_callbacks(echo):
    wrong = []

    class Stop(epi.Filter):
        def open(self, pipe):
            for call in (engine.stop, engine.close, engine.start,
                         lambda: engine.set_model(None)):
                try:
                    call()
                except epi.errors.InvalidState as error:
                    wrong.append(error)
            assert engine.counts.open == 1 and not engine.has_drained

    with epi.Engine(listen=ANY, filters=[Stop()], workers=1) as engine:
        through(engine, echo.address).close()
    assert len(wrong) == 4


def test_an_engine_may_be_let_go_of_in_a_callback(echo):
    other = epi.Engine(listen=ANY, workers=1)
    other.start()
    address = other.addresses[0]
    held = [other]
    del other

    class LetGo(epi.Filter):
        def open(self, pipe):
            held.clear()

    with epi.Engine(listen=ANY, filters=[LetGo()], workers=1) as engine:
        with through(engine, echo.address) as sock:
            assert talk(sock, b"x") == b"x"

    def stopped():
        try:
            socket.create_connection((address.host, address.port)).close()
        except OSError:
            return True
        return False
    until(stopped, "the other engine stops")


def test_counts_and_the_end_of_an_engine_may_meet():
    for _ in range(20):
        engine = epi.Engine(listen=ANY, workers=1)
        engine.start()

        def count():
            with contextlib.suppress(epi.errors.InvalidState):
                while True:
                    assert not engine.has_drained and engine.counts

        threads = [threading.Thread(target=count) for _ in range(3)]
        for thread in threads:
            thread.start()
        engine.close()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()


def test_other_threads_run_while_a_call_waits():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        url = "socks5://%s:%d" % server.getsockname()
        waiting = threading.Thread(target=epi.endpoint_wait,
                                   args=(url, 60000))
        waiting.start()
        server.listen()  # never, if that thread kept the interpreter's lock
        waiting.join(60)
        assert not waiting.is_alive()


def test_many_flows_at_once(echo):
    with epi.Engine(listen=ANY, filters=[Upper()], workers=2) as engine:
        failed = []

        def client(number):
            try:
                for scheme in ("socks5", "socks6"):
                    with through(engine, echo.address, scheme) as sock:
                        said = f"hello {number} ".encode() * 500
                        sock.sendall(said)
                        assert read_exactly(sock, len(said)) == said.upper()
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=client, args=(n,))
                   for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed


def test_an_engine_may_be_a_function():
    chain_key = bytes(range(32))
    key = epi.function_key(chain_key, "scan")
    assert len(key) == epi.limits.FUNCTION_KEY
    assert key != epi.function_key(chain_key, "seal")
    engine = epi.Engine(listen=ANY, function=("scan", key))
    epi.wipe(key)
    with pytest.raises(epi.errors.InvalidState):
        engine.set_chain_key(chain_key)
    for wrong in (lambda: engine.set_function("scan", b"short"),
                  lambda: epi.function_key(b"short", "scan"),
                  lambda: epi.function_key(chain_key, "")):
        with pytest.raises(epi.errors.InvalidArgument):
            wrong()


def test_instances_of_functions_are_told(hospitals):
    engine = epi.Engine(model=hospitals, chain_key=bytes(range(32)))
    assert engine.instances == (epi.Instance(
        "gate", "socks6://bf-gate:1080", True, False, 0),)


def test_waiting_for_an_endpoint(echo):
    epi.endpoint_wait("socks6://%s:%d" % echo.address, 60000)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(epi.errors.TimedOut):
            epi.endpoint_wait("socks5://%s:%d" % unused.getsockname(), 20)
    with pytest.raises(epi.errors.InvalidArgument):
        epi.endpoint_wait("nothing", 1)
    with pytest.raises(epi.errors.InvalidArgument):
        epi.endpoint_wait("socks5://127.0.0.1:1", -1)


# ---- instances that are started ----

STARTED = {
    "epi": 1, "nodes": {"all": {"addresses": ["127.0.0.0/8"]}},
    "functions": {"gate": {"provides": ["firewall"], "image": "r/gate:1",
                           "options": {"level": "9"}}},
    "policy": {"rules": [
        {"id": "wall", "effect": "require", "attributes": ["firewall"]},
        {"id": "ok", "effect": "allow"}]},
}


def test_a_program_starts_and_stops_instances(proxy, echo):
    function = proxy("count")
    url = f"socks6://{function.addresses[0]}"
    asked, stopped = [], []
    engine = epi.Engine(listen=ANY, workers=1, model=epi.Model(STARTED))
    engine.on_start_instance(lambda *what: (
        asked.append(what), engine.instance_ready(what[0], url)))
    engine.on_stop_instance(lambda *what: stopped.append(what))
    with engine:
        for _ in range(2):
            with through(engine, echo.address) as sock:
                assert talk(sock, b"hello") == b"hello"
        with pytest.raises(epi.errors.NotFound):
            engine.instance_ready(1, url)
        assert [one.url for one in engine.instances] == [url]
    assert asked == [(1, "gate", "r/gate:1", {"level": "9"})]
    assert stopped == [(1, "gate", url)]


def test_why_no_instance_is_started_is_a_refusal(echo):
    engine = epi.Engine(listen=ANY, workers=1, model=epi.Model(STARTED))
    engine.on_start_instance(
        lambda instance, *_: engine.instance_failed(instance, "no room"))
    with engine:
        with pytest.raises(epi.Error):
            through(engine, echo.address)
        assert engine.counts.failed == 1


def test_a_command_starts_instances(tmp_path):
    engine = epi.Engine(listen=ANY, workers=1)
    with pytest.raises(epi.errors.NotFound):
        engine.set_provision_command(tmp_path / "none")
    engine.set_provision_command("/bin/true")
    engine.set_provision_command(None)
    engine.close()


def test_metrics_are_text_and_served():
    with epi.Engine(listen=["socks://127.0.0.1:0"], workers=1) as engine:
        assert "epi_ready 1\n" in engine.metrics()
        assert engine.metrics(epi.MetricsFormat.OPEN).endswith("# EOF\n")
        with pytest.raises(epi.errors.InvalidArgument):
            engine.metrics(7)
        with pytest.raises(epi.errors.PrivilegeMissing, match="anyone=yes"):
            engine.serve_status("0.0.0.0:0")
        where = engine.serve_status("127.0.0.1:0")
        with pytest.raises(epi.errors.InvalidState):
            engine.serve_status("127.0.0.1:0")
        with urllib.request.urlopen(f"http://{where}/metrics") as answer:
            assert "epi_ready 1\n" in answer.read().decode()
        assert engine.serve_status(None) is None
        with pytest.raises(OSError):
            urllib.request.urlopen(f"http://{where}/metrics")
