#!/usr/bin/env python3
"""functions_record.py: a line for each flow, in a file."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire


def ask(proxy, echo, data=b""):
    sock = wire.connect(proxy.port)
    sock.sendall(wire.greeting(wire.NONE))
    assert wire.read(sock, 2) == b"\x05\x00"
    sock.sendall(wire.request5(flow.LOCAL, echo.port))
    code = wire.reply5(sock)[0]
    if not code and data:
        sock.sendall(data)
        assert wire.read(sock, len(data)) == data
    sock.close()
    return code


def lines(path):
    """Those that are whole: the last one may be half written."""
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]]


@flow.test
def the_opening_and_the_end_are_recorded_without_payload():
    path = flow.file("", "folder").parent / "flows.log"
    echo = servers.Echo()
    proxy = flow.proxy("--filter", f"record:file={path}", "--workers", "2")
    for _ in range(20):
        assert ask(proxy, echo, b"patient 4711") == 0
    flow.until(lambda: len(lines(path)) == 40, "all are recorded")
    assert path.stat().st_mode & 0o777 == 0o600
    assert "patient" not in path.read_text()
    first = lines(path)[0]
    assert first["event"] == "open" and first["flow"] >= 1
    assert first["to"] == f"{flow.LOCAL}:{echo.port}"
    for end in (line for line in lines(path) if line["event"] == "end"):
        assert end["out"] == end["back"] == 12, end
        assert end["reason"] and end["duration_ms"] >= 0


@flow.test
def a_full_disk_refuses_flows_or_is_ignored():
    echo = servers.Echo()
    proxy = flow.proxy("--filter", "record:file=/dev/full")
    ask(proxy, echo)
    flow.until(lambda: ask(proxy, echo) == 1, "flows are refused")
    proxy.wait_line("filter record .*: cannot write: No space")
    proxy = flow.proxy("--filter", "record:file=/dev/full,on_error=ignore")
    for _ in range(5):
        assert ask(proxy, echo, b"goes on") == 0


if __name__ == "__main__":
    flow.main()
