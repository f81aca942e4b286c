#!/usr/bin/env python3
"""audit.py: a chained line for each decision and each end."""
import hashlib
import hmac
import json
import pathlib
import random
import resource
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import bound, bridging, datagrams, flow, servers
from support import socks_client as wire

KEY = "the key of the audit log"
MODEL = {
    "epi": 1,
    "nodes": {"here": {"addresses": ["127.0.0.1/32"]},
              "there": {"addresses": ["127.0.0.2/32"]}},
    "policy": {"rules": [
        {"id": "no-there", "effect": "deny", "to": ["there"],
         "reason": "nothing goes there"},
        {"id": "all-here", "effect": "allow", "to": ["here"]}]},
}
SECRET = b"patient 4711"


def new_log():
    return flow.folder() / "audit.log"


def proxy(log, *options, **more):
    return flow.proxy("--audit", log, "--audit-key",
                      flow.file(KEY, "audit.key"), *options, **more)


def run(program, *options):
    return flow.run(flow.program_path(program), *options)


def ask(proxy, port, host=flow.LOCAL, data=SECRET):
    """The reply's code; data went there and back if it is 0."""
    return wire.echoed5(proxy.port, port, host, data)


def lines(log):
    whole, _, _ = log.read_text().rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def events(log):
    return [line["event"] for line in lines(log)]


def wait_for(log, event, count=1):
    flow.until(lambda: events(log).count(event) == count,
               f"{count} lines say {event}")
    return [line for line in lines(log) if line["event"] == event]


def check(*logs, code=0, key=KEY):
    ran = run("epi-check", "--audit", *logs, "--json", "--audit-key",
              flow.file(key, "check.key"))
    assert ran.returncode == code, (ran.returncode, ran.stdout, ran.stderr)
    return json.loads(ran.stdout), ran.stderr


def mac_of(line):
    """As doc/audit.md says it, by other code."""
    text = line.split(',"mac":"')[0].encode()
    extracted = hmac.new(bytes(32), KEY.encode(), hashlib.sha256).digest()
    key = hmac.new(extracted, b"libepi audit log 1\x01",
                   hashlib.sha256).digest()
    return hmac.new(key, text, hashlib.sha256).hexdigest()


@flow.test
def decisions_and_ends_are_in_the_log_and_payload_is_not():
    log, echo = new_log(), servers.Echo()
    program = proxy(log, "--model", flow.file(json.dumps(MODEL), "model"))
    assert ask(program, echo.port) == 0
    [ended] = wait_for(log, "ended")
    [allowed] = wait_for(log, "allowed")
    assert allowed["flow"] == ended["flow"]
    assert allowed["dest"] == f"{flow.LOCAL}:{echo.port}"
    assert allowed["source"].startswith(flow.LOCAL)
    assert allowed["decision"]["rule"] == "all-here"
    assert allowed["decision"]["verdict"] == "direct"
    assert ended["model"] == allowed["decision"]["model"]
    assert ended["out"] == ended["back"] == len(SECRET), ended
    assert ended["why"] and ended["duration_ms"] >= 0, ended
    assert ask(program, 443, host="127.0.0.2") == 2
    [refused] = wait_for(log, "refused")
    assert refused["decision"]["rule"] == "no-there"
    assert "nothing goes there" in refused["why"]
    port = flow.free_port()
    assert ask(program, port) == 5
    ended = wait_for(log, "ended", 2)[1]
    assert ended["dest"].endswith(f":{port}") and "refused" in ended["why"]
    with wire.connect(program.port) as sock:
        sock.sendall(b"\x05\x01\x02")
        wire.read(sock, 2)
    program.stop()
    assert events(log)[0] == "start" and events(log)[-1] == "stop"
    assert SECRET.decode() not in log.read_text()
    for text, line in zip(log.read_text().splitlines(), lines(log)):
        assert line["mac"] == mac_of(text)
    said, _ = check(log)
    assert said["whole"] and said["lines"] == len(lines(log)), said
    assert said["mac"] == lines(log)[-1]["mac"]


@flow.test
def a_flow_that_a_new_model_cuts_names_the_rule():
    log, echo = new_log(), servers.Echo()
    path = flow.file(json.dumps(MODEL), "model")
    program = proxy(log, "--model", path)
    with wire.connect(program.port) as sock:
        sock.sendall(wire.greeting(wire.NONE))
        wire.read(sock, 2)
        sock.sendall(wire.request5(flow.LOCAL, echo.port))
        assert wire.reply5(sock)[0] == 0
        rules = [{"id": "closed", "effect": "deny"}]
        path.write_text(json.dumps({**MODEL, "policy": {"rules": rules}}))
        [ended] = wait_for(log, "ended")
    assert "by rule closed" in ended["why"], ended


@flow.test
def what_was_changed_is_named():
    log, echo = new_log(), servers.Echo()
    program = proxy(log)
    for _ in range(3):
        assert ask(program, echo.port) == 0
    wait_for(log, "ended", 3)
    program.stop()
    text = log.read_text().splitlines(keepends=True)
    for about, line, changed in (
            ("changed", 2, [text[0], text[1].replace("allowed", "refused"),
                            *text[2:]]),
            ("missing", 3, text[:2] + text[3:]),
            ("inserted or moved", 3, text[:2] + text[1:]),
            ("cut off", len(text), [*text[:-1], text[-1][:-10]])):
        log.write_text("".join(changed))
        said, why = check(log, code=1)
        assert not said["whole"]
        assert f"line {line}: " in why and about in why, (about, why)
    check(log, code=1, key=KEY + "!")


@flow.test
def the_chain_goes_on_after_a_kill_and_a_torn_line():
    log, echo = new_log(), servers.Echo()
    program = proxy(log)
    assert ask(program, echo.port) == 0
    wait_for(log, "ended")
    program.signal(signal.SIGKILL)
    program.wait()
    with log.open("a") as out:
        out.write('{"time":')
    program = proxy(log)
    assert wait_for(log, "start", 2)[1]["cut_off"] == 8
    assert ask(program, echo.port) == 0
    program.stop()
    assert check(log)[0]["last"] == len(lines(log))


@flow.test
def a_log_that_was_changed_is_not_continued():
    log = new_log()
    proxy(log).stop()
    log.write_text(log.read_text().replace("start", "begin"))
    ran = run("epi-proxy", "--listen", "socks://127.0.0.1:0", "--audit", log,
              "--audit-key", flow.file(KEY, "key"))
    assert ran.returncode == 2 and "line 1 is broken" in ran.stderr, ran


@flow.test
def a_log_has_one_writer():
    log = new_log()
    proxy(log)
    wait_for(log, "start")
    ran = run("epi-proxy", "--listen", "socks://127.0.0.1:0", "--audit", log,
              "--audit-key", flow.file(KEY, "key"))
    assert ran.returncode == 2 and "somebody else" in ran.stderr, ran


@flow.test
def a_renamed_log_is_followed_by_a_new_one():
    log, echo = new_log(), servers.Echo()
    program = proxy(log)
    assert ask(program, echo.port) == 0
    wait_for(log, "ended")
    old = log.rename(log.with_suffix(".1"))
    assert ask(program, echo.port) == 0
    flow.until(log.exists, "there is a new file")
    wait_for(log, "ended")
    program.stop()
    assert events(old)[-1] == "ended" and events(log)[0] == "allowed"
    said, _ = check(old, log)
    assert said["lines"] == len(lines(old)) + len(lines(log))
    assert check(log)[0]["first"] == len(lines(old)) + 1
    assert "inserted or moved" in check(log, old, code=1)[1]


@flow.test
def a_full_disk_refuses_flows_or_is_ignored_loudly():
    echo = servers.Echo()
    program = proxy("/dev/full")
    flow.until(lambda: ask(program, echo.port) == 1, "flows are refused")
    program.wait_line("audit: cannot write: No space.*flows are refused")
    program.stop()
    program.wait_line(r"audit: cannot write: No space.*: the last \d+ lines are"
                      " LOST")
    program = proxy("/dev/full", "--audit-on-error", "ignore")
    flow.until(lambda: ask(program, echo.port) == 0 and "WITHOUT" in
               program.text, "flows go on, and the log says so")


@flow.test
def a_folder_that_takes_no_new_file_is_named_as_such():
    """Without the right to pass over its mode, which the sandbox drops."""
    flow.need_root()
    if flow.UNSEALED:
        flow.skip("not in its sandbox")
    log, echo = new_log(), servers.Echo()
    program = proxy(log)
    wait_for(log, "start")
    log.parent.chmod(0o500)
    log.rename(log.with_name("old"))
    flow.until(lambda: ask(program, echo.port) == 1, "flows are refused")
    program.wait_line("audit: cannot write: Permission denied: flows are ref")


@flow.test
def flows_go_on_once_there_is_room_again():
    """A limit on the size of files stands in for a disk."""
    log, echo = new_log(), servers.Echo()
    program = proxy(log)
    assert ask(program, echo.port) == 0
    wait_for(log, "ended")
    unlimited = resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE,
                     (log.stat().st_size + 100, unlimited[1]))
    flow.until(lambda: ask(program, echo.port) == 1, "flows are refused")
    resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, unlimited)
    flow.until(lambda: ask(program, echo.port) == 0, "flows are allowed")
    program.wait_line("lines are written again")
    program.stop()
    assert check(log)[0]["whole"]


@flow.test
def hup_goes_over_to_a_new_file_and_the_model_in_force_is_told():
    log, path = new_log(), flow.file(MODEL, "model.json")
    program = proxy(log, "--model", path)
    first = wait_for(log, "model")[0]["model"]
    old = log.rename(log.with_suffix(".1"))
    program.signal(signal.SIGHUP)
    flow.until(log.exists, "there is a new file without a flow")
    head = wait_for(log, "head")[0]
    assert head["open"] == 0
    program.wait_line(f"audit: line {head['seq']} has MAC {head['mac']}")
    path.write_text(json.dumps({**MODEL, "policy": {"rules": []}}))
    other = wait_for(log, "model")[0]["model"]
    assert len(other) == 64 and other != first
    program.stop()
    assert check(old, log)[0]["whole"]
    assert events(old) == ["start", "model"], "the same model is no other one"


@flow.test
def heads_come_in_time_if_there_is_something_to_vouch_for():
    log, echo = new_log(), servers.Echo()
    program = proxy(log, "--audit-head-interval", "100")
    assert ask(program, echo.port) == 0
    wait_for(log, "ended")
    flow.until(lambda: events(log)[-1] == "head", "a head follows")
    before = len(lines(log))
    time.sleep(0.5)
    assert len(lines(log)) == before, "an idle proxy has nothing to say"
    program.stop()
    assert check(log)[0]["whole"]


@flow.test
def kills_at_any_moment_cost_no_whole_line():
    """Under load; what is torn is cut off, and the next start says so."""
    log, echo = new_log(), servers.Echo()
    known = []
    for _ in range(4):
        program = proxy(log, "--workers", "2")

        def ask_on(program=program):
            while program.process.poll() is None:
                try:
                    ask(program, echo.port)
                except (OSError, EOFError, AssertionError):
                    return
        threads = [threading.Thread(target=ask_on) for _ in range(4)]
        for thread in threads:
            thread.start()
        flow.until(lambda: events(log)[len(known):].count("allowed") > 1,
                   "the load has begun")
        time.sleep(random.uniform(0, 0.3))
        program.signal(signal.SIGKILL)
        program.wait()
        for thread in threads:
            thread.join()
        now = lines(log)
        assert now[:len(known)] == known, "lines that were there are there"
        known = now
    proxy(log).stop()
    said, _ = check(log)
    assert said["whole"] and said["last"] == len(lines(log))
    assert events(log).count("start") == 5, events(log)
    assert events(log).count("allowed") > 4


@flow.test
def datagrams_are_in_the_log_by_whom_to_whom():
    log, echo = new_log(), datagrams.Echo()
    program = proxy(log, "--model", flow.file(MODEL, "model.json"))
    mine = datagrams.Socks5(program.port)
    assert mine.ask(flow.LOCAL, echo.port, SECRET)[2] == SECRET
    mine.send("127.0.0.2", echo.port, SECRET)
    refused = wait_for(log, "datagrams refused")[0]
    allowed = wait_for(log, "datagrams allowed")[0]
    mine.tcp.close()
    ended = wait_for(log, "ended")[0]
    assert allowed["dest"] == f"127.0.0.1:{echo.port}"
    assert allowed["decision"]["rule"] == "all-here"
    assert refused["dest"] == f"127.0.0.2:{echo.port}"
    assert "no-there" in refused["why"], refused
    assert {line["flow"] for line in (allowed, refused, ended)} == {
        ended["flow"]}
    assert ended["out"] == ended["back"] == len(SECRET)
    assert SECRET.decode() not in log.read_text()


@flow.test
def hosts_of_a_bind_are_in_the_log_strangers_too():
    document = {**MODEL, "policy": {"rules": [
        {"id": "in", "effect": "allow", "from": ["there"], "to": ["here"]}]}}
    log = new_log()
    program = proxy(log, "--model", flow.file(document, "model.json"))
    waiting = bound.Bound(5, program.port, bound.ANY)
    assert waiting.code == 0
    for _ in range(2):
        assert waiting.shuts_out("127.9.0.9")
    strangers = wait_for(log, "host refused", 2)
    host = waiting.connect("127.0.0.2")
    assert waiting.again()[0] == 0
    bound.exchange(waiting.sock, host)
    allowed = wait_for(log, "allowed")[0]
    waiting.sock.close()
    host.close()
    ended = wait_for(log, "ended")[0]
    at = f"127.0.0.1:{waiting.port}"
    for line in strangers:
        assert line["source"].startswith("127.9.0.9:"), line
        assert line["dest"] == at and line["decision"]["from"] == "unknown"
        assert line["flow"] == ended["flow"] and "default" in line["why"]
    assert allowed["source"].startswith("127.0.0.2:")
    assert allowed["dest"] == at and allowed["decision"]["rule"] == "in"
    assert ended["out"] and ended["back"], ended


@flow.test
def both_proxies_of_a_bridged_flow_have_its_chain():
    logs = [new_log(), new_log()]
    more = [("--audit", log, "--audit-key", flow.file(KEY, f"key{i}"))
            for i, log in enumerate(logs)]
    bridge = bridging.Bridge(servers.Echo(host=bridging.ORIGIN),
                             near=more[0], far=more[1])
    sock, code, _ = bridge.ask(data=SECRET)
    assert code == 0 and wire.read(sock, len(SECRET)) == SECRET
    sock.close()
    near, far = ({event: wait_for(log, event)[0]
                  for event in ("allowed", "ended")} for log in logs)
    for line in (near["allowed"], far["allowed"]):
        assert line["decision"]["verdict"] == "bridged", line
        assert len(line["decision"]["chain"]) == 2, line
    assert near["allowed"]["source"] == far["allowed"]["source"], \
        "the second proxy has the first one's word on it"
    assert near["allowed"]["via"] and "via" not in far["allowed"]
    for log in logs:
        assert check(log)[0]["whole"]
        assert SECRET.decode() not in log.read_text()


@flow.test
def options_that_make_no_sense_are_refused():
    key = flow.file(KEY, "key")
    for options in (("--audit", new_log()), ("--audit-key", key),
                    ("--audit", new_log(), "--audit-key",
                     flow.file("short", "key")),
                    ("--audit", new_log(), "--audit-key", key,
                     "--audit-on-error", "perhaps")):
        ran = run("epi-proxy", *options)
        assert ran.returncode == 2 and "audit" in ran.stderr, ran
    for options in (("--audit",), ("--audit", "--audit-key", key),
                    ("model", "--audit-key", key)):
        ran = run("epi-check", *options)
        assert ran.returncode == 2 and "audit" in ran.stderr, ran


if __name__ == "__main__":
    flow.main()
