"""test_audit.py: the audit log of an engine, and who changed it."""
import json

import pytest

import epi

KEY = bytes(range(32))


def _log(path):
    for _ in range(2):  # a second engine goes on where the first ended
        epi.Engine().set_audit(path, KEY)
    return path


def test_a_log_is_checked(tmp_path):
    path = _log(tmp_path / "log")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["start", "stop"] * 2
    found = epi.check_audit([path], KEY)
    assert found and found.lines == found.last == 4 and found.first == 1
    assert found.mac == lines[-1]["mac"]
    assert (found.first_time, found.last_time) == (lines[0]["time"],
                                                   lines[-1]["time"])


def test_a_change_is_named(tmp_path):
    path = _log(tmp_path / "log")
    path.write_text(path.read_text().replace("stop", "step", 1))
    found = epi.check_audit([path], KEY)
    assert not found and found.broken_line == 2 and "changed" in found.broken
    assert found.lines == 1
    with pytest.raises(epi.errors.ProtocolError, match="line 2 is broken"):
        epi.Engine().set_audit(path, KEY)


def test_bytes_are_fed_in_pieces(tmp_path):
    audit = epi.AuditCheck(KEY)
    for byte in _log(tmp_path / "log").read_bytes()[:-1]:
        audit.feed(bytes([byte]))
    with pytest.raises(epi.errors.ProtocolError, match="cut off"):
        audit.end()
    assert audit.found().lines == 3


def test_bad_arguments_are_refused(tmp_path):
    with pytest.raises(epi.errors.InvalidArgument):
        epi.AuditCheck(b"short")
    engine = epi.Engine()
    for key, on_error in ((b"short", epi.OnAuditError.REFUSE), (KEY, 7)):
        with pytest.raises(epi.errors.InvalidArgument):
            engine.set_audit(tmp_path / "log", key, on_error)
    engine.set_audit(tmp_path / "log", KEY, epi.OnAuditError.IGNORE)
    with pytest.raises(epi.errors.InvalidState):
        engine.set_audit(tmp_path / "other", KEY)
