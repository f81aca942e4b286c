"""test_sandbox.py: what a process of Python gives up."""
import subprocess
import sys

import pytest

from conftest import ROOT
from epi import Sandbox, SandboxAccess, SandboxKeep, SandboxPart, errors

START = f"""
import os, sys
sys.path.insert(0, {str(ROOT / "bindings" / "python")!r})
import epi
"""


def inside(code):
    """Run some code in a process of its own; what it prints."""
    ran = subprocess.run([sys.executable, "-c", START + code], text=True,
                         capture_output=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_words_are_parts():
    sandbox = Sandbox("require,files")
    with pytest.raises(errors.InvalidArgument, match="not 'fires'"):
        sandbox.parse("fires")
    sandbox.set_parts(SandboxPart.CALLS | SandboxPart.NO_DUMP)
    sandbox.keep(SandboxKeep.PROGRAMS)
    sandbox.allow("/tmp", SandboxAccess.WRITE)
    sandbox.allow_filter("count")
    with pytest.raises(errors.NotFound):
        sandbox.allow("/no/such/folder/file")
    with pytest.raises(errors.NotFound, match="no user"):
        sandbox.set_user("no such user")
    assert sandbox.active == SandboxPart(0) and sandbox.text == ""


def test_files_and_programs_are_gone(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file").write_text("x")
    (tmp_path / "out").write_text("y")
    said = inside(f"""
sandbox = epi.Sandbox("no-gain,files,calls")
sandbox.allow({str(tmp_path / "in" / "file")!r})
print(sandbox.enter())
print(open({str(tmp_path / "in" / "file")!r}).read())
try:
    open({str(tmp_path / "out")!r})
except PermissionError:
    print("closed")
try:
    os.execv("/bin/true", ["true"])
except PermissionError:
    print("no programs")
""").splitlines()
    if "NO files" in said[0]:
        pytest.skip(said[0])
    assert "no new privileges; files: read" in said[0]
    assert said[1:] == ["x", "closed", "no programs"]


def test_an_engine_is_allowed_what_it_names(tmp_path):
    users = tmp_path / "users"
    users.touch(0o600)
    users.write_text("ann:secret\n")
    said = inside(f"""
engine = epi.Engine(listen="socks://127.0.0.1:0?users={users}")
sandbox = epi.Sandbox("files")
sandbox.allow_engine(engine)
print(sandbox.enter())
with engine:
    print(len(engine.addresses))
print(open({str(users)!r}).read())
""").splitlines()
    if "NO files" in said[0]:
        pytest.skip(said[0])
    assert f"files: read {tmp_path}" in said[0]
    assert said[1:3] == ["1", "ann:secret"]
