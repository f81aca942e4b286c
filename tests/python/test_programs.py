"""test_programs.py: python -m epi check and proxy do what epi-check and
epi-proxy do."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest

import epi
from conftest import BUILD, HOSPITALS, ROOT, read_exactly

ENV = {**os.environ, "PYTHONPATH": str(ROOT / "bindings" / "python"),
       "COLUMNS": "300"}  # no option is broken at the end of a line
OURS = [sys.executable, "-m", "epi"]
FLOW = "--flow=umc:antonius:443"


def run(*argv, stdin=""):
    return subprocess.run([str(a) for a in argv], capture_output=True,
                          text=True, env=ENV, timeout=300, input=stdin)


@pytest.fixture
def files(tmp_path, hospitals):
    stricter = {**hospitals.to_dict(), "policy": {}}
    documents = {
        "old": stricter, "expected": {"epi-assert": 1, "expect": [
            {"from": "umc", "to": "antonius", "port": 443,
             "allowed": False}]},
        "deny": {"verdict": "deny", "verdict_reference": "v-1",
                 "reasons_for_denial": ["no consent"]}}
    for name, document in documents.items():
        (tmp_path / name).write_text(json.dumps(document))
    (tmp_path / "broken").write_text("{}")
    return tmp_path


@pytest.mark.parametrize("words", [
    "--json", FLOW, f"{FLOW} --json", f"{FLOW} --explain",
    f"{FLOW} --explain --json", f"{FLOW} --purpose commercial",
    "--flow=antonius:umc", "--flow=10.1.0.9:10.2.0.1:443",
    "--flow=10.1.0.9:ehr.antonius.example:443", "--flow=umc:[2001:db8::1]:80",
    f"{FLOW} --at 2026-01-31T09:30", f"{FLOW} --as-verdict violations",
    f"{FLOW} --verdict deny", f"{FLOW} --verdict deny --as-rule",
    f"{FLOW} --verdict deny --as-verdict deliberation", "--diff old",
    "--diff old --json", "--assert expected", "--assert expected --json",
    "--lint", "--lint --json", "--provision", "--provision --diff old",
    "--provision --json",
    "--provision --diff old --json", "--provision --application train --json",
    "--dot", "--html -", "--ports --application train --base-port 65535",
    "--ports --application train --json", "--ports --application train"
    " --base-port 65000 --purpose commercial --json", "", "--estimate latency",
    "--estimate rate --rtt-client 12.5 --rtt-server 0.1 --json",
    f"{FLOW} --estimate both", "--flow=antonius:umc --estimate both"])
def test_check_answers_as_epi_check(files, words):
    words = [str(files / word) if (files / word).exists() else word
             for word in words.split()]
    theirs = run(BUILD / "examples" / "epi-check", HOSPITALS, *words)
    ours = run(*OURS, "check", HOSPITALS, *words)
    assert ours.stdout == theirs.stdout
    assert ours.returncode == theirs.returncode


@pytest.mark.parametrize("words", [
    "--flow=umc", "--flow=a:b:c:d", "--flow=umc:umx", "--flow=umc:umc:99999",
    f"{FLOW} --at never", "--diff broken", "--diff /no/such", "--lint --flow",
    "--ports --application no",
    "--ports --base-port 0 --application train", "--base-port 5", "--dot --lint",
    "--purpose x", "--explain", "--estimate never", "--rtt-client 5",
    "--estimate rate --rtt-client -5", f"{FLOW} --estimate rate --explain", "--as-rule", f"{FLOW} --html -",
    "--html /no/such/folder", f"{FLOW} --verdict deny --as-rule --explain"])
def test_check_refuses_as_epi_check(files, words):
    words = [str(files / word) if (files / word).exists() else word
             for word in words.split()]
    assert run(BUILD / "examples" / "epi-check", HOSPITALS,
               *words).returncode == 2
    ours = run(*OURS, "check", HOSPITALS, *words)
    assert (ours.returncode, ours.stdout) == (2, "")
    assert ours.stderr and "Traceback" not in ours.stderr


@pytest.mark.parametrize("option", ["--flow", "--diff", "--assert", "--html",
                                    "--verdict", "--at", "--base-port"])
def test_check_takes_no_empty_value_for_none(option):
    """As of a variable that is not set: exit code 0 would mean allowed."""
    ours = run(*OURS, "check", HOSPITALS, option, "")
    assert (ours.returncode, ours.stdout) == (2, "") and option in ours.stderr


@pytest.mark.parametrize("words", ["broken", "MODEL --diff broken",
                                   "MODEL --assert broken", "/no/such",
                                   "MODEL --assert /no/such", "-"])
def test_check_names_the_file_that_is_wrong(files, words):
    words = [str(HOSPITALS) if word == "MODEL" else
             str(files / word) if (files / word).exists() else word
             for word in words.split()]
    said = [run(*program, *words, stdin="{}").stderr.replace("epi check",
                                                             "epi-check")
            for program in ([BUILD / "examples" / "epi-check"],
                            [*OURS, "check"])]
    assert said[0] == said[1] and said[0]


ODD = {"epi": 1, "nodes": {
    'a"\\&': {"addresses": ["192.0.2.0/24"], "attributes": ["x&"]},
    "b": {"addresses": ["2001:db8::1", "b.example"], "attributes": ["x&", "y"]},
    "<c>": {"addresses": ["192.0.2.1"]}},
    "applications": {"<&>": {"flows": [
        {"from": 'a"\\&', "to": "b", "ports": [1, 2]},
        {"from": "<c>", "to": "b"}, {"from": "b", "to": 'a"\\&', "ports": [3]},
        {"from": 'a"\\&', "to": "b", "ports": [4]}]}},
    "policy": {"default": "allow"}}


IMAGES = {"epi": 1, "nodes": {"a": {"domain": "a", "attributes": ["x", "y"]},
                             "b": {"domain": "b"}, "c": {"domain": "b"}},
          "proxies": {"p": {"domain": "a", "endpoint": "socks6://h:1"}},
          "functions": {
              "f": {"provides": ["x"], "image": "i:1", "instances": 1,
                    "capacity": 1, "options": {"k": "v\"\u00e9/"}},
              "g": {"provides": ["y"], "endpoints": ["socks6://h:2"],
                    "capacity": 1}},
          "applications": {"u": {"flows": [
              {"from": "a", "to": "b", "ports": [1]}, {"from": "a", "to": "c"},
              {"from": "a", "to": "b", "ports": [2]}]}},
          "policy": {"default": "allow"}}


def test_check_lists_what_must_run_as_epi_check(tmp_path):
    fewer = {**IMAGES, "applications": {"u": {"flows": [
        {"from": "a", "to": "c"}]}}}
    none = {"epi": 1, "nodes": {}}
    for name, model in (("all", IMAGES), ("fewer", fewer), ("none", none)):
        (tmp_path / name).write_text(json.dumps(model))
    for now in ("all", "fewer", "none"):
        for before in ("all", "fewer", "none"):
            words = [tmp_path / now, "--provision", "--diff", tmp_path / before]
            theirs = run(BUILD / "examples" / "epi-check", *words)
            ours = run(*OURS, "check", *words)
            assert ours.stdout == theirs.stdout
            assert (ours.returncode, theirs.returncode) == (0, 0)


@pytest.mark.parametrize("words", ["--dot", "--html -", "--ports",
                                   "--ports --json", "--estimate both",
                                   "--estimate both --json", ""])
def test_check_shows_odd_names_as_epi_check(tmp_path, words):
    (tmp_path / "m<&>.json").write_text(json.dumps(ODD))
    words = [tmp_path / "m<&>.json", *words.split()]
    theirs = run(BUILD / "examples" / "epi-check", *words)
    ours = run(*OURS, "check", *words)
    assert theirs.returncode == 0, theirs.stderr
    assert (ours.stdout, ours.returncode) == (theirs.stdout, 0)


def test_check_shows_a_model(files):
    shown = run(*OURS, "check", "-", stdin=HOSPITALS.read_text())
    assert "Flows of application train" in shown.stdout
    assert "    allowed  bridged: rule" in shown.stdout
    page = run(*OURS, "check", HOSPITALS, "--html", files / "page.html")
    assert page.returncode == 0
    assert "Which data may move" in (files / "page.html").read_text()


def test_usage():
    assert run(*OURS).returncode == run(*OURS, "nothing").returncode == 2
    assert epi.version() in run(*OURS, "--version").stdout
    for program in ("check", "proxy"):
        assert "Exit codes" in run(*OURS, program, "--help").stdout


class Running:
    """A proxy that runs, and what it said."""

    def __init__(self, *words, cwd, **environment):
        self.process = subprocess.Popen(
            [*OURS, "proxy", *(str(word) for word in words)], cwd=cwd,
            env={**ENV, **environment},
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.said = ""
        # Who waits for a line that never comes gets an end.
        self.limit = threading.Timer(300, self.process.kill)
        self.limit.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.limit.cancel()
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def wait_for(self, pattern):
        while not re.search(pattern, self.said):
            line = self.process.stderr.readline()
            assert line, self.said
            self.said += line
        return re.search(pattern, self.said)


def test_a_proxy_with_a_filter_in_python(tmp_path, echo):
    (tmp_path / "mine.py").write_text(
        "import epi\nclass Upper(epi.Filter):\n"
        "    def data(self, pipe, direction, data):\n"
        "        return data.upper()\n")
    with Running("--listen", "socks://127.0.0.1:0", "--workers", 1, "--filter",
                 "python:mine:Upper", "--filter", "count",
                 cwd=tmp_path) as proxy:
        where = proxy.wait_for(r"listening on socks://(\S+)")[1]
        proxy.wait_for("WARNING: no --model")
        with epi.connect(echo.address, f"socks6://{where}") as sock:
            sock.sendall(b"hello")
            assert read_exactly(sock, 5) == b"HELLO"
        proxy.wait_for("through upper, count")
        proxy.process.send_signal(signal.SIGTERM)
        assert proxy.process.wait(60) == 0


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_check_reads_an_audit_log_as_epi_check(tmp_path, as_json):
    key, log, changed = (tmp_path / name for name in ("key", "log", "changed"))
    key.touch(0o600)
    key.write_bytes(bytes(range(32)))
    epi.Engine().set_audit(log, key.read_bytes())
    changed.write_text(log.read_text().replace("stop", "step"))
    for paths in ([log], [changed], [log, log], [tmp_path / "none"]):
        words = ["--audit", "--audit-key", key, *as_json, *paths]
        theirs = run(BUILD / "examples" / "epi-check", *words)
        ours = run(*OURS, "check", *words)
        assert ours.stdout == theirs.stdout
        assert ours.returncode == theirs.returncode, ours.stderr
        assert bool(ours.stderr) == bool(theirs.stderr)
    assert run(*OURS, "check", "--audit", "--audit-key", key,
               log).returncode == 0


@pytest.mark.parametrize("words", [
    ["--audit", "log"], ["--audit-key", "key", "log"], ["one", "two"]])
def test_check_wants_a_log_with_its_key(words):
    ran = run(*OURS, "check", *words)
    assert ran.returncode == 2 and "epi check: " in ran.stderr


def test_settings_change_while_a_proxy_runs(tmp_path, echo):
    file = tmp_path / "settings"

    def change(text, says):
        (tmp_path / "new").write_text(text)
        (tmp_path / "new").replace(file)
        proxy.wait_for(says)

    file.write_text("listen = socks://127.0.0.1:0\nworkers = 1\n")
    with Running("--settings", file, cwd=tmp_path) as proxy:
        where = proxy.wait_for(r"listening on socks://(\S+)")[1]
        with epi.connect(echo.address, via=f"socks5://{where}") as sock:
            change("listen = socks://127.0.0.1:0?version=6\nlimit = 9\n"
                   "bind-ports = 90-99\n", "are in force")
            proxy.wait_for(rf"socks://{where} closes")
            change("listen = gopher://127.0.0.1:1\n", "a listener is")
            change("limit = many\n", "settings:1: --limit needs a number")
            change("\n", "no listener is left")
            sock.sendall(b"still there")
            assert sock.recv(64) == b"still there"
        with epi.connect(echo.address, via=f"socks6://{where}"):
            pass


def test_settings_are_followed_when_an_admin_closed_a_listener(tmp_path):
    file, admin = tmp_path / "settings", tmp_path / "admin"
    first, second = "socks://127.0.0.1:0", "socks://127.0.0.1:0?version=5"
    file.write_text(f"listen = {first}\nlisten = {second}\n")
    with Running("--settings", file, "--admin", admin, cwd=tmp_path) as proxy:
        proxy.wait_for("listening on socks://.*\n.*listening on socks://")
        assert run(*OURS, "proxy", "ctl", "--admin", admin, "listeners",
                   "remove", first).returncode == 0
        (tmp_path / "new").write_text(f"listen = {second}\nlimit = 77\n")
        (tmp_path / "new").replace(file)
        proxy.wait_for("are in force")
        assert "no listener" not in proxy.said


def test_a_change_while_a_proxy_starts_is_seen(tmp_path):
    """The filter's module changes the settings, which were read before."""
    (tmp_path / "settings").write_text("listen = socks://127.0.0.1:0\n")
    (tmp_path / "late.py").write_text(
        "import epi, pathlib\npathlib.Path('settings').write_text("
        "'listen = socks://127.0.0.1:0\\nlimit = 9\\n')\n"
        "class Late(epi.Filter):\n    pass\n")
    with Running("--settings", "settings", "--filter", "python:late:Late",
                 cwd=tmp_path) as proxy:
        proxy.wait_for("are in force")


@pytest.mark.parametrize("program", ["check", "proxy"])
def test_our_options_are_theirs(program):
    """But for those of socksx."""
    def options(*argv):
        return set(re.findall(r"--[a-z][a-z-]*", run(*argv, "--help").stdout))

    theirs = options(BUILD / "examples" / f"epi-{program}")
    assert theirs - {"--version"} == options(*OURS, program)


def test_admins_call_settings_as_the_options_are_called(tmp_path):
    from epi.commands import proxy
    with epi.Engine(listen="socks://127.0.0.1:0", workers=1) as engine:
        engine.serve_admin(tmp_path / "admin.sock")
        said = epi.Admin(tmp_path / "admin.sock").ask("settings")
    names = {one["parameter"]: one["name"] for one in said}
    for option, parameter in proxy._NUMBERS.items():
        assert names[parameter].lower().replace(" ", "-") == option[2:]


def test_a_proxy_takes_socksx_s_dialect_where_nothing_else_is_said(
        monkeypatch, echo):
    from epi.commands import proxy
    monkeypatch.setattr(proxy, "_LISTEN", proxy._LISTEN.replace(
        "0.0.0.0:1080", "127.0.0.1:0"))
    engine, _ = proxy._set_up(proxy._parser().parse_args(
        ["--bind-ports", "2000", "--drain", "5"]))
    try:
        engine.start()
        port = engine.addresses[0].port
        epi.connect(echo.address,
                    f"socks6://127.0.0.1:{port}?dialect=socksx").close()
        assert engine.bounds(epi.Parameter.BIND_PORT_MAX).value == 2000
    finally:
        engine.close()


@pytest.mark.parametrize("signals", [
    [signal.SIGTERM], [signal.SIGTERM, signal.SIGTERM], [signal.SIGINT]])
def test_a_proxy_drains(tmp_path, echo, signals):
    with Running("--listen", "socks://127.0.0.1:0", "--drain", 600000,
                 cwd=tmp_path) as proxy:
        where = proxy.wait_for(r"listening on socks://(\S+)")[1]
        with epi.connect(echo.address, f"socks6://{where}") as sock:
            proxy.process.send_signal(signals[0])
            if signals[0] == signal.SIGTERM:
                proxy.wait_for("draining: nobody can connect")
                sock.sendall(b"still there")
                assert read_exactly(sock, 11) == b"still there"
            for number in signals[1:]:
                proxy.process.send_signal(number)
            if signals != [signal.SIGTERM]:
                assert proxy.process.wait(60) == 0  # cuts it
        assert proxy.process.wait(60) == 0


def test_a_proxy_tells_the_service_manager(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        with Running("--listen", "socks://127.0.0.1:0", cwd=tmp_path,
                     NOTIFY_SOCKET=str(tmp_path / "notify")) as proxy:
            assert manager.recv(64) == b"READY=1"
            proxy.process.send_signal(signal.SIGTERM)
            assert manager.recv(64) == b"STOPPING=1"
            assert proxy.process.wait(60) == 0


def test_a_proxy_serves_status_at_a_path(tmp_path):
    """In the sandbox, and in a folder that nothing else names."""
    path = tmp_path / "status"
    with Running("--listen", "socks://127.0.0.1:0", "--status", f"unix:{path}",
                 cwd="/") as proxy:
        proxy.wait_for("status at unix:|built without")
        if "built without" in proxy.said:
            pytest.skip("this build serves no status")
        assert path.is_socket()


def test_a_proxy_warns_of_secrets_in_its_arguments(tmp_path):
    with Running("--listen", "socks://127.0.0.1:0", "--chain",
                 "socks5://me:hush@127.0.0.1:1", "--filter",
                 "seal:secret=hush", cwd=tmp_path) as proxy:
        proxy.wait_for("every user: use .credentials=FILE")
        proxy.wait_for("use key=FILE")
        proxy.wait_for("a key has 16 to 1024 bytes")
        assert "hush" not in proxy.said


def test_a_proxy_may_be_a_function(tmp_path, echo):
    key = tmp_path / "key"
    key.touch(0o600)
    key.write_bytes(bytes(range(32)))
    digits = run(BUILD / "examples" / "epi-proxy", "key", "--chain-key", key,
                 "--function", "scan").stdout
    ours = run(*OURS, "proxy", "key", "--chain-key", key, "--function", "scan")
    assert ours.stdout == digits
    wrong = run(*OURS, "proxy", "key", "--chain-key", os.devnull,
                "--function", "scan")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    own = tmp_path / "own"
    own.touch(0o600)
    own.write_text(digits)
    for words in (["--chain-key", key], ["--function-key", own]):
        with Running("--listen", "socks://127.0.0.1:0", "--function", "scan",
                     "--no-happy-eyeballs", "--bind-ports", "2000-3000",
                     "--fast-open", "--dns-cache", 5,
                     *words, cwd=tmp_path) as proxy:
            where = proxy.wait_for(r"listening on socks://(\S+)")[1]
            with pytest.raises(epi.errors.Refused):  # no proxy sends it
                epi.connect(echo.address, f"socks6://{where}")
            assert "WARNING" not in proxy.said


def test_a_proxy_follows_its_model(tmp_path, echo):
    document = {"epi": 1, "nodes": {"a": {"addresses": ["127.0.0.0/8"]}},
                "policy": {"default": "allow"}}
    model = tmp_path / "model.json"
    model.write_text(json.dumps(document))
    with Running("--listen", "socks://127.0.0.1:0", "--model", model,
                 cwd=tmp_path) as proxy:
        where = proxy.wait_for(r"listening on socks://(\S+)")[1]
        epi.endpoint_wait(f"socks6://{where}", 60000)
        epi.connect(echo.address, f"socks6://{where}").close()
        model.write_text("{")
        proxy.wait_for("epi proxy: .*(JSON|expected|end)")
        epi.connect(echo.address, f"socks6://{where}").close()
        model.write_text(json.dumps({**document, "policy": {}}))
        proxy.wait_for("the model in .* is in force")
        with pytest.raises(epi.errors.Refused):
            epi.connect(echo.address, f"socks6://{where}")
        proxy.process.send_signal(signal.SIGINT)
        assert proxy.process.wait(60) == 0


@pytest.mark.parametrize("words", [
    "--listen gopher://x", "--name px", "--model /no/such", "--filter none",
    "--filter python:os:getcwd", "--filter python:nothing:X", "--chain x",
    "--chain-key key", "--workers -1", "--bind-ports 5-x", "--function f",
    "--drain -1", "--drain 9999999999",
    "--function-key key", "--function f --function-key key", "--dns :::", "--what"])
def test_a_proxy_refuses_bad_settings(tmp_path, words):
    (tmp_path / "key").write_text("x" * 32)
    (tmp_path / "key").chmod(0o644)
    ran = subprocess.run([*OURS, "proxy", "--listen", "socks://127.0.0.1:0",
                          *words.split()], env=ENV, cwd=tmp_path,
                         capture_output=True, text=True, timeout=300)
    assert ran.returncode == 2
    assert ran.stderr and "Traceback" not in ran.stderr


@pytest.mark.parametrize("spec, said", [
    ("python:mine", "python:MODULE:CLASS"), ("python:", "python:MODULE:CLASS"),
    ("python:mine:Wants", "TypeError"), ("python:mine:Nothing", "Attribute"),
    ("python:wrong:X", "SyntaxError"), ("python:.mine:X", "TypeError")])
def test_a_filter_that_cannot_be_made_is_told(tmp_path, spec, said):
    (tmp_path / "mine.py").write_text("class Wants:\n"
                                      " def __init__(self, what): pass\n")
    (tmp_path / "wrong.py").write_text("class\n")
    ran = subprocess.run([*OURS, "proxy", "--listen", "socks://127.0.0.1:0",
                          "--filter", spec], env=ENV, cwd=tmp_path,
                         capture_output=True, text=True, timeout=30)
    assert ran.returncode == 2 and "Traceback" not in ran.stderr
    assert f"{spec}: " in ran.stderr and said in ran.stderr


@pytest.mark.parametrize("words", [
    "status", "flows", "settings", "--json flows --rule own", "explain 99",
    "log loud", "nonsense", "explain x", "listeners", "--json model show",
    "kill --all", "settings set limit 0", "model set /dev/null"])
def test_ctl_says_what_epi_proxy_says(tmp_path, words):
    words = ["ctl", "--admin", tmp_path / "admin.sock", *words.split()]
    with epi.Engine(listen="socks://127.0.0.1:0", workers=1) as engine:
        engine.serve_admin(tmp_path / "admin.sock")
        theirs = run(BUILD / "examples" / "epi-proxy", *words)
        ours = run(*OURS, "proxy", *words)
    assert ours.returncode == theirs.returncode
    assert (re.sub(r"uptime_ms.*", "", ours.stdout)
            == re.sub(r"uptime_ms.*", "", theirs.stdout))
