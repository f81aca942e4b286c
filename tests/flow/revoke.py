#!/usr/bin/env python3
"""revoke.py: a new model cuts what it forbids, however much that is."""
import json
import os
import pathlib
import re
import resource
import socket
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire

# As many as EPI_FLOWS says, to measure; a sanitizer makes it slow. The lines of
# so many can wait for an audit log that stands still.
FLOWS = int(os.environ.get("EPI_FLOWS", 200 if flow.SANITIZED else 1500))
BOUND_S = 5  # of processor time: a machine may do other things, too
HOST = "127.88.0.5"  # where nobody else listens


def model(rule, *, effect):
    return {"epi": 1, "nodes": {"here": {"domain": "d", "addresses": [
        "127.0.0.0/8"]}}, "policy": {"default": "deny", "rules": [
            {"id": rule, "effect": effect, "from": ["here"], "to": ["here"]}]}}


def set_model(path, document):
    new = path.with_name("new")
    new.write_text(json.dumps(document))
    os.replace(new, path)


class Sink:
    """Takes connections, and keeps them."""

    def __init__(self):
        self.sockets = []
        self.server = socket.create_server((flow.LOCAL, flow.free_port()),
                                           backlog=4096)
        self.port = self.server.getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        flow.at_end(self.close)

    def _run(self):
        while True:
            try:
                self.sockets.append(self.server.accept()[0])
            except OSError:
                return

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)  # which ends the thread
        self.thread.join(10)
        self.server.close()
        for sock in self.sockets:
            sock.close()


def busy_s(program):
    """Seconds of processor time that it has spent."""
    text = pathlib.Path(f"/proc/{program.process.pid}/stat").read_text()
    user, system = text.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def connected(port, count):
    """So many connections to a port; they close with the test."""
    sockets = []
    flow.at_end(lambda: [sock.close() for sock in sockets])
    for _ in range(count):
        sockets.append(socket.create_connection((HOST, port), 10))
    return sockets


@flow.test(timeout=100)
def all_flows_are_cut_and_the_log_says_in_what_time():
    """With the rule that did it, of each, in log and audit log."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most < 2 * FLOWS + 2000:
        flow.skip(f"{most} descriptors are too few")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    sink, folder = Sink(), flow.folder()
    path = flow.file(model("admit", effect="allow"), "model.json")
    key = flow.file("k" * 32, "key")
    audit = folder / "audit"
    proxy = flow.proxy(
        "--model", path, "--workers", "2", "--log-lines", "0", "--audit", audit,
        "--audit-key", key,
        listen=[f"tcp://{HOST}:0=127.0.0.1:{sink.port}"])
    sockets = connected(proxy.port, FLOWS)
    flow.until(lambda: len(sink.sockets) == FLOWS, "all are there", 60)
    flow.until(lambda: proxy.text.count("direct by rule admit") == FLOWS,
               "all are told", 60)
    flow.until(lambda: audit.read_text().count('"rule":"admit"') == FLOWS,
               "all are audited", 60)
    spent = busy_s(proxy)
    set_model(path, model("revoked", effect="deny"))
    line = proxy.wait_line(
        rf"model [0-9a-f]{{12}}: {FLOWS} of {FLOWS} flows cut in (\d+) ms", 60)
    spent = busy_s(proxy) - spent
    assert spent < BOUND_S, f"{spent} s"
    if "EPI_FLOWS" in os.environ:
        print(f"# {FLOWS} flows were cut in {line.group(1)} ms")
    for sock in sockets:
        assert wire.closed(sock, 10), "it was cut"
    why = "cut by the new model: denied by rule revoked"
    flow.until(lambda: proxy.text.count(why) == FLOWS, "each is told", 60)
    proxy.stop()
    ends = [line for line in audit.read_text().splitlines()
            if '"event":"ended"' in line]
    assert len(ends) == FLOWS and all(why in line for line in ends)
    ran = flow.run(flow.program_path("epi-check"), "--audit", audit,
                   "--audit-key", key)
    assert ran.returncode == 0, ran.stderr
    assert "dropped" not in audit.read_text()


@flow.test
def a_model_that_cuts_few_leaves_the_others():
    echo, other = servers.Echo(), servers.Echo()
    document = model("admit", effect="allow")
    path = flow.file(document, "model.json")
    proxy = flow.proxy("--model", path, "--workers", "2")
    kept = [wire.socks5(proxy.port, flow.LOCAL, echo.port)[0]
            for _ in range(8)]
    cut = [wire.socks5(proxy.port, flow.LOCAL, other.port)[0]
           for _ in range(5)]
    document["policy"]["rules"].insert(0, {
        "id": "not-there", "effect": "deny", "ports": [other.port]})
    set_model(path, document)
    proxy.wait_line(r"model [0-9a-f]{12}: 5 of 13 flows cut in \d+ ms")
    for sock in cut:
        assert wire.closed(sock, 10)
    for sock in kept:
        sock.sendall(b"still there")
        assert wire.read(sock, 11) == b"still there"
    assert len(re.findall("by rule not-there", proxy.text)) == 5


flow.main()
