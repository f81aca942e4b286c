#!/usr/bin/env python3
"""authenticated.py: policy asks by what a client has shown who it is."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire
from support.bridging import metadata

KEY = "a chain key for two proxies, and nobody else"


def model(*rules):
    """One node, and rules by what clients authenticate by; default: deny."""
    return {"epi": 1, "nodes": {"here": {"addresses": ["127.0.0.0/8"]}},
            "policy": {"rules": [
                {"id": f"{effect}-{'-'.join(means)}", "effect": effect,
                 "authenticated": means} for effect, *means in rules]}}


def code_of(proxy, to, login=None):
    sock, code = wire.socks5(proxy.port, flow.LOCAL, to, login=login)
    sock.close()
    return code


@flow.test
def by_a_password_or_not_at_all():
    echo, users = servers.Echo(), flow.file("ada:secret\n", "users")
    path = flow.file(model(("deny", "none"), ("allow", "password")))
    closed = flow.proxy("--model", path)
    open_ = flow.proxy("--model", path,
                       listen=[f"socks://127.0.0.1:0?users={users}"])
    assert code_of(closed, echo.port) == 2
    closed.wait_line("is denied by rule deny-none")
    assert code_of(open_, echo.port, ("ada", "secret")) == 0


@flow.test
def by_a_login_of_socks6():
    echo, users = servers.Echo(), flow.file("ada:secret\n", "users")
    proxy = flow.proxy("--model", flow.file(model(("allow", "password"))),
                       listen=[f"socks://127.0.0.1:0?users={users}"])
    sock = wire.connect(proxy.port)
    sock.sendall(wire.request6(flow.LOCAL, echo.port,
                               wire.login_option("ada", "secret")))
    assert wire.auth_reply6(sock)[0] == 0
    assert wire.reply6(sock)[0] == 0


@flow.test
def the_next_proxy_knows_what_the_first_did():
    echo, users = servers.Echo(), flow.file("ada:secret\n", "users")
    key = flow.file(KEY, "key")
    for rules, login, code in (
            ([("deny", "none"), ("allow", "password")], ("ada", "secret"), 0),
            ([("allow", "key")], ("ada", "secret"), 0),
            ([("allow", "address")], ("ada", "secret"), 2),
            ([("deny", "none"), ("allow", "key")], None, 2)):
        last = flow.proxy("--model", flow.file(model(*rules)),
                          "--chain-key", key)
        first = flow.proxy(
            "--chain-key", key, "--chain", f"socks6://127.0.0.1:{last.port}",
            listen=["socks://127.0.0.1:0" + (f"?users={users}" if login
                                             else "")])
        assert code_of(first, echo.port, login) == code, rules


@flow.test
def nobody_is_believed_without_the_key():
    echo = servers.Echo()
    proxy = flow.proxy("--model", flow.file(model(("allow", "password", "key"))),
                       "--chain-key", flow.file(KEY, "key"))
    sock = wire.connect(proxy.port)
    sock.sendall(wire.request6(flow.LOCAL, echo.port,
                               metadata({2014: "password"})))
    assert wire.auth_reply6(sock)[0] == 0
    assert wire.reply6(sock)[0] == 2
    proxy.wait_line("is denied by rule default")


@flow.test
def flows_go_with_their_rule():
    echo, users = servers.Echo(), flow.file("ada:secret\n", "users")
    path = flow.file(model(("allow", "password")))
    proxy = flow.proxy("--model", path,
                       listen=[f"socks://127.0.0.1:0?users={users}"])
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port,
                             login=("ada", "secret"))
    assert code == 0
    for rule in (("allow", "address", "password"), ("allow", "address")):
        before = proxy.text.count("is in force")
        path.write_text(json.dumps(model(rule)))
        flow.until(lambda: proxy.text.count("is in force") > before,
                   "the new model is in force")
        if "password" in rule:
            sock.sendall(b"there?")
            assert wire.read(sock, 6) == b"there?"
    assert wire.closed(sock)


def turned_away(port):
    """Nobody reads what the client says."""
    try:
        sock = wire.connect(port)
        sock.sendall(wire.greeting(0))
        return sock.recv(1) == b""
    except ConnectionError:
        return True


@flow.test
def by_the_address():
    echo, path = servers.Echo(), flow.file(model(("allow", "address")))
    strange, other = "allow=127.0.0.0/24,10.0.0.0/8", "allow=10.0.0.0/8"
    dest = f"127.0.0.1:{echo.port}"
    proxy = flow.proxy("--model", path, listen=[
        f"socks://127.0.0.1:0?{strange}", "socks://127.0.0.1:0",
        f"socks://127.0.0.1:0?{other}", f"tcp://127.0.0.1:0={dest}?{other}",
        f"redirect://127.0.0.1:0?{other}", f"tcp://127.0.0.1:0={dest}?{strange}"])
    for port, code in ((proxy.ports[0], 0), (proxy.ports[1], 2)):
        sock, got = wire.socks5(port, flow.LOCAL, echo.port)
        sock.close()
        assert got == code, got
    for port in proxy.ports[2:5]:
        for _ in range(20):
            assert turned_away(port)
    def said():
        return [line.partition(": closed")[0].split()[1]
                for line in proxy.lines if "allow= does not have" in line]
    flow.until(lambda: len(set(said())) == 3, "each listener says so")
    assert len(said()) < 20, "it says so now and then, not each time"
    sock = wire.connect(proxy.ports[5])
    sock.sendall(b"there?")
    assert wire.read(sock, 6) == b"there?"


@flow.test
def a_list_that_is_none_is_said():
    ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                   "tcp://127.0.0.1:0=127.0.0.1:9?allow=10.0.0.0/8,home")
    assert ran.returncode == 2 and "home" in ran.stderr, ran


@flow.test
def the_audit_log_says_it():
    echo, users = servers.Echo(), flow.file("ada:secret\n", "users")
    key, log = flow.file("k" * 32, "key"), flow.folder() / "audit.log"
    proxy = flow.proxy("--audit", log, "--audit-key", key,
                       listen=[f"socks://127.0.0.1:0?users={users}"])
    assert code_of(proxy, echo.port, ("ada", "secret")) == 0
    flow.until(lambda: '"event":"ended"' in log.read_text(), "the flow's end")
    allowed = [line for line in map(json.loads, log.read_text().splitlines())
               if line["event"] == "allowed"]
    assert allowed[0]["authenticated"] == "password", allowed


@flow.test
def epi_check_takes_it():
    path = flow.file(model(("allow", "certificate")))
    check = flow.program_path("epi-check")
    for means, code in (("certificate", 0), ("key,certificate", 0),
                        ("none", 1), ("certificates", 2)):
        ran = flow.run(check, path, "--flow", "here:here", "--authenticated",
                       means)
        assert ran.returncode == code, ran
    assert "authenticated is by password" in ran.stderr, ran


flow.main()
