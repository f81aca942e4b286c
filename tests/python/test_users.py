"""test_users.py: users files, and who may log in."""
import os
import stat
import subprocess
import sys

import pytest

import epi
from conftest import ROOT


def test_users_are_put_and_taken_out(tmp_path):
    path = tmp_path / "users"
    epi.users_set(path, "ada", "secret")
    epi.users_set(str(path), "bob", "geheim")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [line.partition(":")[0] for line in path.read_text().splitlines()
            ] == ["ada", "bob"]
    assert "secret" not in path.read_text()
    epi.users_remove(path, "ada")
    with pytest.raises(epi.errors.NotFound):
        epi.users_remove(path, "ada")
    for user, password in (("a:b", "x"), ("ada", ""), ("", "x")):
        with pytest.raises(epi.errors.InvalidArgument):
            epi.users_set(path, user, password)


def test_an_engine_reads_them_again(tmp_path, echo):
    path = tmp_path / "users"
    epi.users_set(path, "ada", "secret")
    engine = epi.Engine()
    where = engine.listen(f"socks://127.0.0.1:0?users={path}")
    with engine:
        assert engine.reload_users() == 0
        epi.users_set(path, "bob", "new")
        assert engine.reload_users() == 1
        via = f"socks6://bob:new@{where}"
        with epi.connect(echo.address, via=via) as sock:
            sock.sendall(b"there?")
            assert sock.recv(64) == b"there?"
        path.write_text("nothing")
        with pytest.raises(epi.errors.InvalidArgument, match="line 1"):
            engine.reload_users()
        assert engine.reload_users() == 0, "it is said once"


def test_a_query_says_by_what_a_client_authenticated():
    model = epi.Model({"epi": 1, "nodes": {"a": {}}, "policy": {"rules": [
        {"id": "r", "effect": "allow",
         "authenticated": ["certificate", "key"]}]}})
    for means, allowed in ((None, False), ("none", False), ("key", True),
                           ("password,certificate", True),
                           ("password", False)):
        query = epi.Query("a", "a", authenticated=means)
        assert model.decide(query).allowed == allowed, means
    with pytest.raises(epi.errors.InvalidArgument, match="authenticated"):
        model.decide(epi.Query("a", "a", authenticated="passport"))


def test_passwd_makes_lines(tmp_path):
    path = tmp_path / "users"

    def passwd(*arguments, says=""):
        return subprocess.run(
            [sys.executable, "-m", "epi", "proxy", "passwd", *arguments,
             str(path), "ada"], input=says, text=True, capture_output=True,
            timeout=300, env={**os.environ,
                             "PYTHONPATH": str(ROOT / "bindings" / "python")})

    assert passwd(says="secret\nmore\n").returncode == 0
    assert path.read_text().startswith("ada:$")
    ran = passwd(says="\n")
    assert ran.returncode == 2 and "1 to 255 bytes" in ran.stderr
    assert passwd("--delete").returncode == 0
    assert path.read_text() == ""
    assert passwd("--delete").returncode == 2
