#!/usr/bin/env python3
"""audit.py: a chained line for each decision and each end."""
import hashlib
import hmac
import json
import pathlib
import resource
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire

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
    """The reply's code, and whether data came back."""
    with wire.connect(proxy.port) as sock:
        sock.sendall(wire.greeting(wire.NONE))
        assert wire.read(sock, 2) == b"\x05\x00"
        sock.sendall(wire.request5(host, port))
        code = wire.reply5(sock)[0]
        if not code:
            sock.sendall(data)
            assert wire.read(sock, len(data)) == data
    return code


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
    program = proxy("/dev/full", "--audit-on-error", "ignore")
    flow.until(lambda: ask(program, echo.port) == 0 and "WITHOUT" in
               program.text, "flows go on, and the log says so")


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
