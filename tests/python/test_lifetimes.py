"""test_lifetimes.py: objects end in any order, memory stays flat, threads and
misuse are an exception at worst, never a crash."""
import copy
import gc
import inspect
import pickle
import resource
import threading

import pytest

import epi
from conftest import run_python
from epi import Accept, Session, Version

MODEL = {"epi": 1, "nodes": {"a": {"attributes": ["e"]}, "b": {}},
         "policy": {"default": "allow"}}


def _objects():
    """One of everything, made anew by each call."""
    model = epi.Model(MODEL)
    return {
        "Address": lambda: epi.Address("10.0.0.1", 1),
        "Model": lambda: epi.Model(MODEL),
        "Builder": lambda: epi.Builder().add_node("a"),
        "Decision": lambda: model.decide(epi.Query("b", "a")),
        "Provision": model.provision,
        "Diff": lambda: model.diff(model),
        "Request": lambda: epi.Request(("a", 1), metadata={1: "x"}),
        "Reply": lambda: epi.Reply(metadata={1: "x"}),
        "AuthReply": epi.AuthReply,
        "Datagram": lambda: epi.Datagram(epi.Address("a", 1), b"x").write(5),
        "Session": lambda: Session.client(5, epi.Request(("a", 1))),
        "Server": lambda: Session.server(Accept.SOCKS5 | Accept.SOCKS6),
        "SessionTable": epi.SessionTable,
        "Redirect": lambda: epi.Redirect(42000, ports=[1]),
        "Filter": lambda: epi.Filter()._made(),
        "Error": lambda: pytest.raises(epi.Error, epi.Address, ""),
    }


def _memory():
    """The memory that this process has now, in KiB."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


@pytest.mark.weighed
@pytest.mark.parametrize("name", list(_objects()))
def test_objects_leave_nothing_behind(name):
    make = _objects()[name]
    for _ in range(500):
        make()

    def grown():
        before = _memory()
        for _ in range(10000):
            make()
        return _memory() - before

    # A leak of the smallest block for each object would be over 300 KiB, and
    # of an object much more, each time.
    assert any(grown() < 300 for _ in range(3))


@pytest.mark.weighed
def test_a_million_objects_need_no_more_memory_than_one():
    for _ in range(1000):
        epi.AuthReply()

    def grown():
        before = _memory()
        for _ in range(1_000_000):
            epi.AuthReply()
        return _memory() - before

    assert any(grown() < 1000 for _ in range(3))


@pytest.mark.weighed
def test_engines_leave_nothing_behind():
    class Look(epi.Filter):
        def data(self, pipe, direction, data):
            return data

    def make():
        engine = epi.Engine(listen="socks://127.0.0.1:0", workers=1,
                            filters=[Look()], on_flow=print,
                            model=epi.Model(MODEL))
        engine.start()

    from epi import pipe
    for _ in range(5):
        make()
    threads = threading.active_count()  # some of which may still end

    def grown():
        before = _memory()
        for _ in range(30):
            make()
        return _memory() - before

    assert any(grown() < 1000 for _ in range(3))
    assert pipe.filters == {} and pipe._pipes == {}
    assert threading.active_count() <= threads


def test_what_an_object_was_made_from_may_go_first():
    model = epi.Model(MODEL)
    decision = model.decide(epi.Query("b", "a"))
    del model
    assert decision.reasoner_reply(1)
    request = Session.client(Version.SOCKS6, epi.Request(("a", 1))).request
    assert request.dest.port == 1 and request.metadata == {}
    table = epi.SessionTable()
    server = Session.server(Accept.SOCKS6)
    server.use_table(table, "x", 0)
    del table
    server.feed(b"\6")
    metadata = epi.Request(("a", 1)).metadata
    metadata[1] = "x"
    assert dict(metadata) == {1: "x"}
    engine = epi.Engine(filters=[epi.Filter(),
                                 epi.NativeFilter.builtin("count")],
                        model=epi.Model(MODEL))
    gc.collect()
    del engine
    builder = epi.Builder().add_node("a")
    model = builder.finish()
    del builder
    assert model.nodes[0].name == "a"


def test_an_object_that_was_never_made_is_an_error():
    for kind in (epi.Model, epi.Request, epi.Session, epi.Engine, epi.Builder,
                 epi.SessionTable, epi.Redirect, epi.NativeFilter):
        thing = kind.__new__(kind)
        for name, value in inspect.getmembers(kind):
            if name.startswith("_") and name != "__repr__":
                continue
            if isinstance(value, property):
                with pytest.raises((epi.Error, AttributeError)):
                    len(getattr(thing, name))
        repr(thing) if kind in (epi.Model, epi.Engine) else None
        del thing
    for kind in (epi.Session, epi.NativeFilter):
        with pytest.raises(TypeError):
            kind()


@pytest.mark.parametrize("name", [
    "Builder", "Request", "Session", "SessionTable", "Redirect"])
def test_objects_are_not_copied_by_accident(name):
    thing = _objects()[name]()
    for how in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            how(thing)


WRONG = [None, 5, -1, 2**100, 1.5, "", "\0", "\ud800", b"", b"x", [], {},
         object(), (), ("a",), ("a", "b"), ("a", -1), lambda: 0]


def _misuses():
    """Calls that take one argument of any kind."""
    model = epi.Model(MODEL)
    request, reply, auth = epi.Request(), epi.Reply(), epi.AuthReply()
    client = Session.client(5, epi.Request(("a", 1)))
    server = Session.server(7)
    table, builder = epi.SessionTable(), epi.Builder()
    engine = epi.Engine()
    found = [
        epi.Address, epi.Address.parse, epi.Address.of, epi.Model,
        epi.Model.load, model.decide, model.explain, model.diff,
        lambda x: model.diff_flows(None, x), model.check, model.node,
        model.node_at, model.pairs, model.unfeasibility_ratio,
        lambda x: model.decide(epi.Query(x, "a")),
        lambda x: model.decide(epi.Query("a", "b", x)),
        lambda x: model.decide(epi.Query("a", "b", user=x)),
        lambda x: model.decide(epi.Query("a", "b", time=x)),
        lambda x: model.decide(epi.Query("a", "b", weights={"setup": x})),
        lambda x: model.decide(epi.Query("a", "b", running={"f": x})),
        lambda x: model.provision(application=x),
        lambda x: model.with_reply(x, epi.Query("a", "b")),
        lambda x: epi.reasoner_rule({"verdict": "Success"}, x, "i"),
        lambda x: model.decide(epi.Query("b", "a")).reasoner_reply(x),
        builder.add_node, builder.add_rule, lambda x: builder.set("k", x),
        lambda x: builder.add("l", x), lambda x: builder.set(x, 1),
        epi.Request, lambda x: epi.Request(("a", 1), x),
        lambda x: epi.Request.read(x, 5), lambda x: epi.Request.read(b"5", x),
        request.write, request.offer_method, request.offers_method,
        request.set_session, lambda x: request.set_session(2, x),
        lambda x: request.set_login(x, x), lambda x: request.metadata[x],
        lambda x: request.metadata.__setitem__(x, "a"),
        lambda x: request.metadata.__setitem__(1, x),
        lambda x: request.stack.__setitem__(x, 1),
        lambda x: request.stack.__setitem__((3, 0x101), x),
        lambda x: request.auth_data.__setitem__(x, b"a"),
        lambda x: request.auth_data.__setitem__(5, x),
        lambda x: setattr(request, "token", x),
        lambda x: setattr(request, "token_window", x),
        lambda x: setattr(request, "initial_data", x),
        lambda x: setattr(request, "dest", x), epi.Reply,
        lambda x: setattr(reply, "session_id", x), reply.write,
        lambda x: setattr(reply, "bound", x),
        lambda x: setattr(auth, "token_window", x),
        lambda x: setattr(auth, "method", x),
        lambda x: setattr(auth, "session", x), epi.reply_text,
        lambda x: epi.Datagram(x).write(5),
        lambda x: epi.Datagram(epi.Address("a"), x).write(5),
        lambda x: epi.Datagram(epi.Address("a"), b"", x).write(6),
        lambda x: epi.Datagram(epi.Address("a"), b"", 3, x).write(6),
        lambda x: epi.Datagram.read(x, 6), lambda x: Session.client(x, request),
        lambda x: Session.client(5, x), lambda x: Session.server(x),
        lambda x: Session.server(3, draft=x), client.feed, client.ack,
        server.reply, server.login,
        lambda x: server.use_table(x, "o", 0),
        lambda x: server.use_table(table, x, 0),
        lambda x: server.use_table(table, "o", x), epi.SessionTable,
        lambda x: table.set(x, 1), lambda x: table.set("tokens", x),
        table.expire, table.hold, lambda x: table.release(x, 0),
        epi.NativeFilter.builtin, epi.NativeFilter.load,
        lambda x: epi.NativeFilter.builtin("count", x),
        lambda x: epi.NativeFilter.builtin("count").set(x, 1),
        lambda x: epi.NativeFilter.builtin("count").set(1, x),
        engine.listen, engine.add_hop, engine.add_filter, engine.set_name,
        engine.set_chain_key, engine.set_filter_path, engine.set_dns,
        engine.set_model, engine.bounds, lambda x: engine.set(x, 1),
        lambda x: engine.set(1, x), lambda x: engine.set_metadata(x, "a"),
        lambda x: engine.set_metadata(7, x), epi.Redirect,
        lambda x: epi.Redirect(1, ports=[x]),
        lambda x: epi.Redirect(1, ranges=[x]),
        lambda x: epi.Redirect(1, excepting=[x]),
        lambda x: epi.Redirect(1, excepting_uids=[x]),
        epi.Redirect(1).render, lambda x: epi.Redirect(1).render(2, x),
        lambda x: epi.endpoint_wait(x, 0), epi.tls_has, epi.wipe,
        lambda x: epi.estimate_ms(x), lambda x: epi.estimate_ms(1, busy_ms=x),
        lambda x: epi.connect(x, timeout=0.01),
        lambda x: epi.connect(("127.0.0.1", 1), x, timeout=0.01),
        epi.use_allocator,
    ]
    return found, (request, reply, auth, client, server, table, builder,
                   engine)


def test_wrong_arguments_are_an_exception_at_worst():
    calls, kept = _misuses()
    for call in calls:
        for value in WRONG:
            try:
                call(value)
            except (epi.Error, TypeError, ValueError, KeyError, AttributeError,
                    OverflowError, LookupError, OSError):
                pass
    del kept


def test_an_object_of_another_class_is_a_type_error():
    """C would take its pointer for what it is not."""
    model, engine, query = epi.Model(MODEL), epi.Engine(), epi.Query("a", "b")
    server, sandbox = Session.server(7), epi.Sandbox()
    takers = {
        model.decide: "Query", model.explain: "Query",
        model.explain_dict: "Query", model.diff: "Model",
        lambda x: model.diff_flows(x, [query]): "Model",
        lambda x: model.diff_flows(None, [x]): "Query",
        model.provision: "Model",
        lambda x: model.provision(facts=x): "Facts",
        lambda x: model.with_reply("{}", x): "Query",
        lambda x: epi.reasoner_rule("{}", x): "Query",
        lambda x: epi.Engine(model=x): "Model",
        engine.set_model: "Model", engine.plan: "Model",
        engine.flows: "Match", lambda x: engine.kill(x, "why"): "Match",
        lambda x: Session.client(5, x): "Request", server.reply: "Reply",
        lambda x: server.use_table(x, "o", 0): "SessionTable",
        sandbox.allow_engine: "Engine",
    }
    others = {name: make() for name, make in _objects().items()}
    others.update({"Query": query, "Facts": epi.Facts(), "Match": epi.Match(),
                   "a Filter": epi.Filter(), "Engine": engine,
                   "Server": server})
    for take, kind in takers.items():
        for name, other in others.items():
            if name != kind:
                with pytest.raises(TypeError, match=f"an? {kind} is needed"):
                    take(other)


def test_calls_in_any_order_are_an_exception_at_worst():
    server = Session.server(7, login=True)
    for call in (lambda: server.login(True), lambda: server.reply(epi.Reply()),
                 server.bind_whole):
        with pytest.raises(epi.errors.InvalidState):
            call()
    assert server.auth is None and server.result is None
    assert server.peek() == b"" and server.version is None
    with pytest.raises(epi.errors.InvalidArgument):
        server.ack(1)
    with pytest.raises(epi.Error):
        server.feed(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(epi.Error):
        server.feed(b"\5\1\0")
    with pytest.raises(epi.errors.InvalidState):
        server.use_table(epi.SessionTable(), "x", 0)


def test_threads_may_share_objects():
    model, request = epi.Model(MODEL), epi.Request(("a", 1))
    builder, table = epi.Builder(), epi.SessionTable()
    failed = []

    def work(number):
        try:
            for i in range(100):
                assert model.decide(epi.Query("b", "a")).allowed
                request.metadata[number] = f"text {i}"
                request.write(Version.SOCKS6)
                builder.add_node(f"n{number}-{i}")
                server = Session.server(Accept.SOCKS6)
                server.use_table(table, str(number), i)
                server.feed(b"\6\1\0\0\0\1\0\1\1\2\3\4")
                with pytest.raises(epi.Error) as caught:
                    model.node(f"no {number}")
                assert str(number) in str(caught.value)
                with pytest.raises(epi.Error) as caught:
                    epi.Address.parse(f"{number} {number}")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(request.metadata) == 8
    assert len(builder.finish().nodes) == 800


ENGINE = """
import epi, socket, threading
server = socket.create_server(("127.0.0.1", 0))
def serve():
    while True:
        try:
            peer, _ = server.accept()
            peer.sendall(b"x")
        except Exception:
            pass
threading.Thread(target=serve, daemon=True).start()
class Look(epi.Filter):
    def data(self, pipe, direction, data):
        return data
    def close(self, pipe):
        print("closed")
engine = epi.Engine(listen="socks://127.0.0.1:0", filters=[Look()],
                    on_log=lambda level, line: None)
engine.start()
sock = epi.connect(server.getsockname(), f"socks5://{engine.addresses[0]}")
sock.recv(1)
"""


def test_the_interpreter_ends_with_an_engine_that_runs():
    assert run_python(ENGINE) == "closed\n"


def test_the_interpreter_ends_in_the_midst_of_callbacks():
    run_python(ENGINE + """
def load():
    while True:
        try:
            with epi.connect(server.getsockname(),
                             f"socks6://{engine.addresses[0]}") as sock:
                sock.recv(1)
        except Exception:
            return
for _ in range(4):
    threading.Thread(target=load, daemon=True).start()
import time
time.sleep(0.1)
""")


def test_an_engine_that_nobody_holds_is_stopped():
    assert run_python(ENGINE + """
address = engine.addresses[0]
del engine
try:
    socket.create_connection((address.host, address.port)).close()
except ConnectionRefusedError:
    print("stopped")
""") == "closed\nstopped\n"


def test_a_child_of_fork_has_no_engine():
    assert run_python(ENGINE + """
import os
child = os.fork()
if child == 0:
    try:
        engine.stop()
    except epi.errors.InvalidState:
        engine.close()
        os.write(1, b"child\\n")
    os._exit(0)
os.waitpid(child, 0)
print("parent", engine.counts.open)
""").splitlines()[:2] == ["child", "parent 1"]


def test_no_engine_starts_at_the_very_end():
    assert run_python("""
import atexit
def late():
    try:
        engine.start()
    except epi.errors.InvalidState:
        print("too late")
atexit.register(late)
import epi
engine = epi.Engine(listen="socks://127.0.0.1:0")
# Callbacks run in the opposite order: this one, which epi's stand behind.
atexit.unregister(late)
import epi.engine
epi.engine._close_all()
late()
""") == "too late\n"


def test_another_allocator():
    assert run_python("""
import ctypes, epi
epi.use_allocator(ctypes.CDLL(None))
assert epi.Model({"epi": 1, "nodes": {}})
try:
    epi.use_allocator(ctypes.CDLL(None))
except epi.errors.InvalidState:
    print("too late")
""") == "too late\n"


def test_a_library_that_is_not_there():
    for where in ("/no/such/libepi.so", "libc.so.6"):
        assert "EPI_LIBRARY" in run_python("""
try:
    import epi
except ImportError as error:
    print(error)
""", EPI_LIBRARY=where)
