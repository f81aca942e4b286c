#!/usr/bin/env python3
"""admin.py: a proxy that runs is asked and told by its admin socket."""
import json
import os
import pathlib
import signal
import socket
import stat
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.certificates import Authority

MODEL = {
    "epi": 1,
    "nodes": {"one": {"addresses": ["127.0.0.0/9"]},
              "two": {"addresses": ["127.128.0.0/9"]}},
    "policy": {"rules": [
        {"id": "to-one", "effect": "allow", "to": ["one"]},
        {"id": "to-two", "effect": "allow", "to": ["two"]}]},
}
FAR = "127.200.0.1"


def only(rule):
    """The model with one of its rules."""
    rules = [one for one in MODEL["policy"]["rules"] if one["id"] == rule]
    return {**MODEL, "policy": {"rules": rules}}


class Proxy:
    """A proxy with a model and an admin socket."""

    def __init__(self, *options, model=MODEL):
        self.path = flow.folder() / "admin.sock"
        self.model = flow.file(model, "model.json")
        self.program = flow.proxy("--admin", self.path, "--workers", "2",
                                  "--model", self.model, *options)
        self.echo = servers.Echo()
        self.far = servers.Echo(host=FAR)

    def ctl(self, *words, code=0, stdin=""):
        """What epi-proxy ctl printed; it must end with this exit code."""
        got = flow.run(flow.program_path("epi-proxy"), "ctl", "--admin",
                       self.path, *words, stdin=stdin)
        assert got.returncode == code, (
            f"{words}: exit code {got.returncode}, not {code}\n{got.stdout}"
            f"{got.stderr}")
        return got.stderr if code else got.stdout

    def ask(self, *words, **more):
        return json.loads(self.ctl("--json", *words, **more))

    def through(self, echo=None):
        echo = echo or self.echo
        sock, reply = wire.socks5(self.program.port, echo.host, echo.port)
        assert reply == 0, reply
        alive(sock)
        return sock

    def open(self):
        return self.ask("status")["flows"]["open"]

    def flows(self, *words):
        """Flows, once no worker is too busy to say which it has."""
        def whole():
            got = self.ask("flows", *words)
            return None if got["missing"] else got
        return flow.until(whole, "all workers answer")

    def plain(self):
        """A connection to the socket, which says what it likes."""
        sock = socket.socket(socket.AF_UNIX)
        flow.at_end(sock.close)
        sock.connect(str(self.path))
        sock.settimeout(10)
        return sock


def alive(sock):
    sock.sendall(b"x")
    assert wire.read(sock, 1) == b"x"


def line_of(sock):
    """The next reply; what is behind it stays."""
    data = b""
    while not data.endswith(b"\n"):
        ready = sock.recv(65536, socket.MSG_PEEK)
        assert ready, f"closed after {data!r}"
        data += sock.recv(ready.find(b"\n") + 1 or len(ready))
    return json.loads(data)


@flow.test
def flows_are_listed_and_explained():
    proxy = Proxy()
    sock = proxy.through()
    proxy.through(proxy.far)
    found = proxy.flows()
    assert [one["rule"] for one in found["flows"]] == ["to-one", "to-two"]
    number = found["flows"][0]["flow"]
    source = "{}:{}".format(*sock.getsockname())
    assert found["flows"][0]["source"] == source
    table = proxy.ctl("flows", "--rule", "to-one").splitlines()
    assert len(table) == 2 and table[0].split()[:3] == [
        "FLOW", "PHASE", "SOURCE"], table
    assert source in table[1] and "relaying" in table[1], table
    why = proxy.ask("explain", number)
    assert why["decision"]["rule"] == "to-one", why
    assert "to-one" in proxy.ctl("explain", number)
    assert proxy.ctl("explain", 999, code=1).endswith("no flow 999\n")


@flow.test
def flows_are_killed():
    proxy = Proxy()
    first, second = proxy.through(), proxy.through(proxy.far)
    proxy.ctl("kill", "--reason", "x", code=2)
    proxy.ctl("kill", "--all", code=2)
    assert proxy.ask("kill", "--rule", "none", "--reason", "x") == {
        "killed": 0}
    assert proxy.ctl("kill", "--rule", "to-one", "--reason",
                     "an incident") == "1 flows were killed\n"
    assert wire.closed(first)
    alive(second)
    proxy.program.wait_line("ended after .*killed: an incident .user 0")
    proxy.program.wait_line("admin: kill rule=to-one reason=an incident by"
                            r" process \d+ of user 0")
    proxy.ctl("kill", "--all", "--reason", "all of them")
    assert wire.closed(second)


def is_in_phase(proxy, phase):
    flow.until(lambda: phase in {one["phase"] for one in
                                 proxy.flows()["flows"]},
               f"the flow is in the phase {phase}")


@flow.test
def one_that_waits_for_tls_says_so():
    silent = socket.create_server((flow.LOCAL, 0), backlog=1)
    flow.at_end(silent.close)
    hop = f"socks5+tls://{flow.LOCAL}:{silent.getsockname()[1]}"
    proxy = Proxy("--chain", f"{hop}?ca={Authority().cert}")
    sock = wire.ask5(proxy.program.port, flow.LOCAL, 9, wire.CONNECT)
    is_in_phase(proxy, "securing")
    proxy.ctl("kill", "--all", "--reason", "too slow")
    assert wire.reply5(sock)[0] == 2


@flow.test
def one_that_waits_for_its_reply_gets_it():
    silent = socket.create_server((flow.LOCAL, 0), backlog=1)
    flow.at_end(silent.close)
    hop = f"socks5://127.0.0.1:{silent.getsockname()[1]}"
    proxy = Proxy("--chain", hop)  # which never answers
    sock = wire.ask5(proxy.program.port, flow.LOCAL, 9, wire.CONNECT)
    is_in_phase(proxy, "hops")
    proxy.ctl("kill", "--all", "--reason", "too slow")
    assert wire.reply5(sock)[0] == 2
    proxy.program.wait_line("refused .*killed: too slow")


@flow.test
def a_plan_is_what_happens():
    proxy = Proxy()
    near, far = [proxy.through() for _ in range(3)], proxy.through(proxy.far)
    new = flow.file(only("to-two"), "new.json")
    plan = proxy.ask("model", "plan", new, "--changes")
    assert (plan["judged"], plan["cut"]) == (4, 3), plan
    assert {one["rule"] for one in plan["flows"]} == {"to-one"}, plan
    assert plan["changes"]["changes"], plan
    told = proxy.ctl("model", "plan", new)
    assert "3 of 4 flows would be cut" in told, told
    assert "denied by rule default" in told, told
    for sock in near:
        alive(sock)
    planned = {one["flow"] for one in plan["flows"]}
    before = {one["flow"] for one in proxy.flows()["flows"]}
    assert "out of step" in proxy.ctl("model", "set", new)
    flow.until(lambda: proxy.open() == 1, "what was planned is cut")
    left = {one["flow"] for one in proxy.flows()["flows"]}
    assert before - left == planned
    alive(far)
    status = proxy.ask("status")
    assert (status["model"], status["model_by"]) == (plan["is"], "admin")


@flow.test
def a_model_of_an_admin_gives_way_to_the_file():
    proxy = Proxy()
    text = json.dumps(only("to-two"))
    proxy.ctl("model", "set", "-", stdin=text)
    assert proxy.ask("model", "show")["by"] == "admin"
    proxy.ctl("reload")
    flow.until(lambda: proxy.ask("model", "show")["by"] == "program",
               "the file counts again")
    alive(proxy.through())


@flow.test
def a_bad_model_changes_nothing():
    proxy = Proxy()
    before = proxy.ask("status")["model"]
    bad = flow.file({"epi": 1, "nodes": {"a": {"x": 1}}, "y": 2}, "bad.json")
    for command in ("set", "plan"):
        said = proxy.ctl("model", command, bad, code=2)
        assert "nodes.a.x" in said and "y" in said, said
    assert "line 1" in proxy.ctl("model", "set", "-", code=2, stdin="{")
    assert proxy.ask("status")["model"] == before


@flow.test
def settings_the_log_and_listeners_change():
    proxy = Proxy()
    proxy.ctl("settings", "set", "connect-timeout", 1234)
    proxy.ctl("settings", "set", "idle timeout", 4321)
    found = {one["name"]: one["value"] for one in proxy.ask("settings")}
    assert found["connect timeout"] == 1234, found
    assert found["idle timeout"] == 4321, found
    proxy.ctl("settings", "set", "connect-timeout", 0, code=2)
    proxy.ctl("settings", "set", "mark", 3, code=1)
    proxy.ctl("settings", "set", "workers", 3)
    proxy.ctl("settings", "set", "nonsense", 3, code=2)
    assert proxy.ctl("log").split() == ["level", "note"]
    proxy.ctl("log", "error")
    lines = len(proxy.program.lines)
    proxy.through().close()
    flow.until(lambda: not proxy.open(), "the flow ends")
    proxy.ctl("log", "note")
    proxy.program.wait_line("admin: log level=note")
    assert len(proxy.program.lines) == lines + 1, proxy.program.text
    url = f"tcp://127.0.0.1:0=127.0.0.1:{proxy.echo.port}"
    port = int(proxy.ask("listeners", "add", url)["at"].split(":")[1])
    alive(wire.connect(port))
    assert [one["url"] for one in proxy.ask("listeners")][1] == url
    proxy.ctl("listeners", "remove", url)
    flow.until(lambda: not flow.answers(port), "nobody listens there")
    proxy.ctl("listeners", "remove", url, code=1)


@flow.test
def metrics_are_there_as_well():
    proxy = Proxy()
    proxy.through()
    def types(text):
        return [line for line in text.splitlines() if line.startswith("# TYPE")]
    told = types(proxy.ctl("metrics"))
    assert told and told == types(proxy.ask("metrics")["text"]), told


@flow.test
def a_proxy_drains_when_it_is_told():
    proxy = Proxy()
    sock = proxy.through()
    proxy.ctl("drain", 60000)
    flow.until(lambda: not flow.answers(proxy.program.port), "it takes nobody")
    assert proxy.ask("status")["state"] == "draining"
    alive(sock)
    sock.close()
    flow.until(lambda: proxy.ask("status")["state"] == "drained", "it drained")


@flow.test
def lists_are_whole_while_flows_come_and_go():
    proxy = Proxy()
    stays, over, problems = [proxy.through() for _ in range(20)], [], []

    def churn():
        while not over:
            try:
                proxy.through().close()
            except (OSError, EOFError, AssertionError) as error:
                problems.append(error)
                return

    threads = [threading.Thread(target=churn) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            seen, start = [], "0"
            while start != "None":
                page = proxy.flows("--start", start, "--most", 7)
                seen += [one["flow"] for one in page["flows"]]
                start = str(page["next"])
            assert set(range(1, 21)) <= set(seen), seen
            assert seen == sorted(seen) and len(seen) == len(set(seen)), seen
    finally:
        over.append(1)
        for thread in threads:
            thread.join()
    assert not problems, problems
    for sock in stays:
        alive(sock)


# ---- the socket ----

@flow.test
def the_socket_is_this_user_s_alone():
    flow.need_root()
    old = os.umask(0)
    try:
        proxy = Proxy()
    finally:
        os.umask(old)
    assert stat.S_IMODE(proxy.path.stat().st_mode) == 0o600
    folder = proxy.path.parent
    folder.chmod(0o755)
    proxy.path.chmod(0o666)  # whoever opens it must still be the right user
    sock = flow.run("setpriv", "--reuid", "65534", "--clear-groups",
                    sys.executable, "-c",
                    "import socket, sys\n"
                    "sock = socket.socket(socket.AF_UNIX)\n"
                    "sock.connect(sys.argv[1])\n"
                    "print(len(sock.recv(10)))\n", proxy.path)
    assert sock.stdout == "0\n", sock.stderr
    proxy.program.wait_line(r"admin: process \d+ of user 65534 may not ask")
    proxy.ctl("status")
    proxy.program.stop()
    assert not proxy.path.exists()


@flow.test
def a_stale_socket_is_replaced_and_a_live_one_is_not():
    proxy = Proxy()
    proxy.program.signal(signal.SIGKILL)
    proxy.program.wait()
    assert proxy.path.exists()
    again = flow.proxy("--admin", proxy.path)
    proxy.ctl("status")
    refused = flow.run(flow.program_path("epi-proxy"), "--listen",
                       "socks://127.0.0.1:0", "--admin", proxy.path)
    assert refused.returncode == 2, refused
    assert "another process listens there" in refused.stderr, refused.stderr
    proxy.ctl("status")
    again.stop()
    proxy.path.write_text("not a socket")
    refused = flow.run(flow.program_path("epi-proxy"), "--listen",
                       "socks://127.0.0.1:0", "--admin", proxy.path)
    assert "is no socket" in refused.stderr, refused.stderr
    assert proxy.path.read_text() == "not a socket"
    assert "nobody listens there" in proxy.ctl("status", code=1)


@flow.test
def an_upgrade_hands_the_path_over():
    proxy = Proxy("--drain", "60000")
    first = proxy.ask("status")["pid"]
    sock = proxy.through()
    proxy.program.signal(signal.SIGUSR2)
    proxy.program.wait_line(r"upgrade: process \d+ took over")
    second = proxy.ask("status")["pid"]
    flow.at_end(lambda: os.kill(second, signal.SIGTERM))
    assert second != first
    alive(sock)
    sock.close()
    assert proxy.program.wait() == 0
    assert proxy.ask("status")["pid"] == second
    proxy.through()


# ---- those who speak badly ----

@flow.test
def garbage_gets_an_answer():
    proxy = Proxy()
    sock = proxy.plain()
    for said in (b"", b"{", b"\xff\xfe", b"[]", b"7", b'"x"', b"{}",
                 b'{"epi":2,"command":"status"}', b'{"epi":1}',
                 b'{"epi":1,"command":"nonsense"}',
                 b'{"epi":1,"command":"status","x":1}',
                 b'{"epi":1,"command":"flows","most":"x"}',
                 b'{"epi":1,"command":"flows","most":0}',
                 b'{"epi":1,"command":"flows","most":1.5}',
                 b'{"epi":1,"command":"explain"}',
                 b'{"epi":1,"command":"explain","flow":1,"flow":2}',
                 b'{"epi":1,"command":"drain","ms":-1}',
                 b'{"epi":1,"command":"log","level":"loud"}',
                 b"[" * 1000, b'{"a":' * 1000):
        sock.sendall(said + b"\n")
        reply = line_of(sock)
        assert reply["ok"] is False and reply["code"] < 0, (said, reply)
        assert reply["message"], (said, reply)
    sock.sendall(b'{"epi":1,"id":7,"command":"log"}\n'
                 b'{"epi":1,"id":8,"command":"nonsense"}\n')
    both = [line_of(sock), line_of(sock)]
    assert [one["id"] for one in both] == [7, 8], both
    proxy.ctl("status")


@flow.test
def a_line_may_come_in_pieces_and_its_end_with_the_end():
    proxy = Proxy()
    sock = proxy.plain()
    for byte in b'{"epi":1,"command":"status"}\n':
        sock.sendall(bytes([byte]))
    assert line_of(sock)["ok"]
    sock.sendall(b'{"epi":1,"command":"status"}\n')
    sock.shutdown(socket.SHUT_WR)
    assert line_of(sock)["ok"]
    assert sock.recv(1) == b""


@flow.test
def one_large_request_at_a_time():
    proxy = Proxy()
    first = proxy.plain()
    first.sendall(b" " * 200_000)

    def refused():
        second = proxy.plain()
        try:
            second.sendall(b" " * 200_000)
            second.sendall(b'{"epi":1,"command":"status"}\n')
        except (BrokenPipeError, ConnectionResetError):
            pass
        reply = line_of(second)
        second.close()
        return "another large request" in reply.get("message", "")
    flow.until(refused, "another large one is refused")
    first.sendall(b'{"epi":1,"command":"status"}\n')
    assert line_of(first)["ok"]


@flow.test
def a_hundred_admins_at_once():
    proxy = Proxy()
    socks = [proxy.plain() for _ in range(100)]
    for sock in socks:
        sock.sendall(b'{"epi":1,"command":"sta')
    proxy.ctl("status")
    for sock in socks:
        sock.sendall(b'tus"}\n')
    assert all(line_of(sock)["ok"] for sock in socks)
    more = [proxy.plain() for _ in range(200)]  # the silent ones give way
    proxy.ctl("status")
    more[-1].sendall(b'{"epi":1,"command":"status"}\n')
    assert line_of(more[-1])["ok"]
    alive(proxy.through())


@flow.test
def one_that_takes_no_reply_hinders_nobody():
    proxy = Proxy()
    stays = [proxy.through() for _ in range(50)]
    greedy = proxy.plain()
    greedy.setblocking(False)
    try:
        for _ in range(20_000):
            greedy.send(b'{"epi":1,"command":"flows"}\n')
    except BlockingIOError:
        pass
    proxy.ctl("status")
    for sock in stays[:3]:
        alive(sock)


@flow.test
def usage_is_checked_before_anything_is_asked():
    for words in ((), ("nonsense",), ("explain",), ("explain", "x"),
                  ("status", "more"), ("flows", "--most"),
                  ("flows", "--nonsense", "1"), ("model", "set", "/no/such"),
                  ("status", "--most", "1"), ("log", "loud", "er"),
                  ("--timeout", "0", "status"), ("raw", "[]"),
                  ("settings", "set", "limit"), ("kill", "--reason")):
        got = flow.run(flow.program_path("epi-proxy"), "ctl", "--admin",
                       "/no/such/socket", *words)
        assert got.returncode == 2 and got.stderr, (words, got)
    got = flow.run(flow.program_path("epi-proxy"), "ctl", "--admin",
                   "/no/such/socket", "status")
    assert got.returncode == 1 and "/no/such/socket" in got.stderr, got
    got = flow.run(flow.program_path("epi-proxy"), "ctl", "status")
    assert got.returncode == 2 and "EPI_ADMIN" in got.stderr, got
    assert "Exit codes" in flow.run(flow.program_path("epi-proxy"), "ctl",
                                    "--help").stdout


flow.main()
