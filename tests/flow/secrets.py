#!/usr/bin/env python3
"""secrets.py: keys and passwords that are in the environment, not in files."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import certificates, flow, servers
from support import socks_client as wire

SECRET = "a secret of the environment"


def environment(**secrets):
    return {**os.environ, **{f"EPI_SECRET_{name}": str(value)
                             for name, value in secrets.items()}}


def refused(*options, **secrets):
    """What epi-proxy complains about, which does not start."""
    ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                   "socks://127.0.0.1:0", *options, env=environment(**secrets))
    assert ran.returncode == 2, ran
    assert SECRET not in ran.stderr
    return flow.complaint(ran)


def keeps_quiet(*programs):
    for program in programs:
        assert SECRET not in program.text, program.text


@flow.test
def a_secret_seals_and_a_login_opens_the_way():
    echo = servers.Echo()
    users = flow.file(f"ada:{SECRET}\n", "users")
    second = flow.proxy("--filter", "open:key=env:EPI_SECRET_SEAL",
                        listen=[f"socks://127.0.0.1:0?users={users}"],
                        env=environment(SEAL=SECRET))
    first = flow.proxy(
        "--filter", "seal:key=env:EPI_SECRET_SEAL", "--chain",
        f"socks6://127.0.0.1:{second.port}?credentials=env:EPI_SECRET_LOGIN",
        env=environment(SEAL=SECRET, LOGIN=f"ada:{SECRET}"))
    sock, code = wire.socks5(first.port, flow.LOCAL, echo.port)
    assert code == 0, first.text
    sock.sendall(b"there and back")
    assert wire.read(sock, 14) == b"there and back"
    keeps_quiet(first, second)


@flow.test
def chain_and_audit_keys_are_taken():
    chain, audit = flow.file(SECRET, "chain"), flow.folder() / "audit"
    printed = [flow.run(flow.program_path("epi-proxy"), "key", "--function",
                        "gate", "--chain-key", source,
                        env=environment(CHAIN=SECRET))
               for source in (chain, "env:EPI_SECRET_CHAIN")]
    assert printed[0].stdout == printed[1].stdout and printed[0].stdout
    proxy = flow.proxy("--function", "gate", "--function-key",
                       "env:EPI_SECRET_FUNCTION", "--audit", audit,
                       "--audit-key", "env:EPI_SECRET_AUDIT",
                       env=environment(FUNCTION=printed[0].stdout.strip(),
                                       AUDIT=SECRET))
    assert proxy.stop() == 0
    keeps_quiet(proxy)

    def check(key):
        return flow.run(flow.program_path("epi-check"), "--audit", audit,
                        "--audit-key", "env:EPI_SECRET_AUDIT",
                        env=environment(AUDIT=key))
    assert check(SECRET).returncode == 0, check(SECRET)
    assert check(SECRET + "x").returncode == 1, check(SECRET + "x")


@flow.test
def a_listener_takes_its_key():
    echo = servers.Echo()
    authority = certificates.Authority()
    own = authority.issue("localhost", "DNS:localhost")
    proxy = flow.proxy(
        listen=[f"tcp+tls://127.0.0.1:0=127.0.0.1:{echo.port}?cert={own.cert}"
                "&key=env:EPI_SECRET_TLS"],
        env=environment(TLS=own.key.read_text()))
    with authority.client().wrap_socket(
            wire.connect(proxy.port), server_hostname="localhost") as sock:
        sock.sendall(b"there and back")
        assert wire.read(sock, 14) == b"there and back"


@flow.test
def bad_names_and_lengths_are_named():
    where = "epi-proxy: env:"
    assert refused("--chain-key", "env:EPI_SECRET_A") == [
        "epi-proxy: --chain-key: env:EPI_SECRET_A: there is no such variable"]
    [line] = refused("--chain-key", "env:HOME")
    assert line.startswith("epi-proxy: --chain-key: env:HOME: a variable with a"
                           " secret is named EPI_SECRET_"), line
    [line] = refused("--chain-key", "/no/such/key")
    assert line == ("epi-proxy: --chain-key: cannot open /no/such/key: No such"
                    " file or directory")
    [line] = refused("--chain-key", "env:EPI_SECRET_A", A=SECRET * 100)
    assert line == where + "EPI_SECRET_A: a chain key has 16 to 1024 bytes"
    [line] = refused("--function", "gate", "--function-key", "env:EPI_SECRET_A",
                     A=SECRET)
    assert "64 hexadecimal digits" in line, line
    [line] = refused("--audit", flow.folder() / "audit", "--audit-key",
                     "env:EPI_SECRET_A", A="short")
    assert "16" in line, line
    [line] = refused("--chain",
                     "socks6://127.0.0.1:1?credentials=env:EPI_SECRET_A",
                     A="ada")
    assert "not one line USER:PASSWORD" in line, line


@flow.test
def nobody_who_is_started_gets_them():
    folder = flow.folder()
    command = folder / "command"
    command.write_text(f"#!/bin/sh\nenv >{folder}/seen\nexit 1\n")
    command.chmod(0o700)
    model = flow.file({
        "epi": 1,
        "nodes": {"here": {"addresses": ["127.0.0.1"],
                           "attributes": ["firewall"]},
                  "there": {"addresses": ["127.0.0.9"]}},
        "functions": {"gate": {"provides": ["firewall"], "image": "x"}},
        "policy": {"rules": [{"id": "ok", "effect": "allow"}]}}, "model.json")
    proxy = flow.proxy("--model", model, "--provision-command", command,
                       "--chain-key", "env:EPI_SECRET_CHAIN",
                       env={**environment(CHAIN=SECRET), "EPI_ORDINARY": "1"})
    _, code = wire.socks5(proxy.port, "127.0.0.9", 9)
    assert code != 0
    seen = (folder / "seen").read_text()
    assert "EPI_ORDINARY=1" in seen and "EPI_FUNCTION=gate" in seen, seen
    assert "EPI_SECRET" not in seen and SECRET not in seen, seen


flow.main()
