#!/usr/bin/env python3
"""storms.py: too much at once of what an operator does: models that are far too
large, and SIGHUP without end."""
import json
import os
import pathlib
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire

MODEL = {"epi": 1, "nodes": {"here": {"addresses": ["127.0.0.0/8"]}},
         "policy": {"rules": [{"id": "all", "effect": "allow"}]}}
MODEL_MAX = 64 << 20
HUGE = 100_000_000


def huge():
    """A document of a hundred megabytes that begins like a model."""
    path = flow.folder() / "huge.json"
    head = json.dumps(MODEL)[:-1] + ', "x": ["'
    with path.open("w") as out:
        out.write(head)
        for _ in range(HUGE // 1_000_000):
            out.write("x" * 1_000_000)
        out.write('"]}')
    return path


def peak_mib(proxy):
    text = pathlib.Path(f"/proc/{proxy.process.pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) / 1024


def is_alive(sock):
    sock.sendall(b"there?")
    return wire.read(sock, 6) == b"there?"


@flow.test
def a_model_of_a_hundred_megabytes_is_refused_at_once():
    path = huge()
    for program, options in (("epi-proxy", ("--model", path)),
                             ("epi-check", (path,))):
        memory = () if flow.SANITIZED else ("--as=200000000",)
        ran = flow.run(flow.need("prlimit"), "--cpu=2", *memory,
                       flow.program_path(program), *options)
        assert ran.returncode == 2, ran
        assert f"{MODEL_MAX}" in ran.stderr and str(path) in ran.stderr, ran


@flow.test
def one_that_takes_the_place_of_a_model_changes_nothing():
    path, echo = flow.file(MODEL, "model.json"), servers.Echo()
    proxy = flow.proxy("--model", path)
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 0
    before = peak_mib(proxy)
    huge().rename(path)
    proxy.wait_line(str(MODEL_MAX))
    assert peak_mib(proxy) - before < 20, "it was not even read"
    assert is_alive(sock)
    assert wire.socks5(proxy.port, flow.LOCAL, echo.port)[1] == 0


class Load:
    """Flows, one after another, from some threads."""

    def __init__(self, proxy, echo):
        self.proxy, self.echo = proxy, echo
        self.ended, self.wrong, self.over = [0] * 4, [], threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(number,))
                        for number in range(4)]
        for thread in self.threads:
            thread.start()
        flow.at_end(self.end)

    @property
    def done(self):
        return sum(self.ended)

    def _run(self, number):
        while not self.over.is_set() and not self.wrong:
            try:
                sock, code = wire.socks5(self.proxy.port, flow.LOCAL,
                                         self.echo.port)
                if code or not is_alive(sock):
                    self.wrong.append(code)
                sock.close()
                self.ended[number] += 1
            except (OSError, EOFError, AssertionError) as error:
                self.wrong.append(error)

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


@flow.test(timeout=60)
def hup_without_end_loses_nothing():
    """Hundreds a second under load, while the model changes as well."""
    path, log, echo = (flow.file(MODEL, "model.json"),
                       flow.folder() / "audit.log", servers.Echo())
    proxy = flow.proxy("--model", path, "--workers", "2", "--audit", log,
                       "--audit-key", flow.file("the audit log's key", "key"))
    living, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 0
    load = Load(proxy, echo)
    end, sent = time.monotonic() + 3, 0
    while not load.wrong and (time.monotonic() < end or sent <= 300 or
                              load.done <= 20):
        os.kill(proxy.process.pid, signal.SIGHUP)
        sent += 1
        if sent % 100 == 0:
            document = {**MODEL, "bridgeable": [], "nodes": {
                **MODEL["nodes"], f"n{sent}": {}}}
            new = path.with_suffix(".new")
            new.write_text(json.dumps(document))
            new.rename(path)
        time.sleep(0.002)
    load.end()
    assert not load.wrong, (load.done, load.wrong[:5])
    assert is_alive(living), "a flow that ran goes on"
    living.close()
    flow.until(lambda: log.read_text().count('"event":"ended"') ==
               load.done + 1, "each flow is in the audit log")
    assert proxy.stop() == 0
    ran = flow.run(flow.program_path("epi-check"), "--audit", log,
                   "--audit-key", flow.file("the audit log's key", "key"))
    assert ran.returncode == 0, ran


if __name__ == "__main__":
    flow.main()
