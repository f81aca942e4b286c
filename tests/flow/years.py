#!/usr/bin/env python3
"""years.py: all that happens to a proxy in years, in seconds, under load: no
connection is refused, and none breaks but where a model says so."""
import json
import os
import pathlib
import signal
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.steady_load import Load, there_and_back

HOST = "127.88.0.6"  # where nobody else listens


def replace(path, text):
    new = path.with_name("new")
    new.write_text(text)
    os.replace(new, path)


class Proxy:
    """A proxy with all that may change, a load of two kinds, and connections
    that stay."""

    def __init__(self, *options):
        folder = flow.folder()
        self.echo, self.closed = servers.Echo(), flow.free_port()
        self.model, self.settings = folder / "model", folder / "settings"
        self.port, self.other = flow.free_port(HOST), flow.free_port(HOST)
        self.rules, self.lines = 0, ["drain = 600000"]
        self.write_model()
        self.write_settings()
        self.program = flow.proxy(
            "--model", self.model, "--settings", self.settings, "--workers",
            "2", "--filter", "count", *options, listen=[self.reverse(self.port),
                             f"socks://{HOST}:0?udp=0"])
        self.kept = [self.by_socks() for _ in range(20)]
        self.loads = [Load(HOST, self.port),
                      Load(HOST, self.program.ports[1], 2, self.by_socks)]

    def reverse(self, port):
        return f"tcp://{HOST}:{port}=127.0.0.1:{self.echo.port}"

    def by_socks(self):
        sock = wire.connect(self.program.ports[1], host=HOST)
        sock.sendall(wire.greeting(wire.NONE))
        assert wire.read(sock, 2) == b"\5\0"
        sock.sendall(wire.request5("127.0.0.1", self.echo.port))
        assert wire.reply5(sock)[0] == 0
        return sock

    def write_model(self):
        """One rule more, which forbids what nobody asks for."""
        self.rules += 1
        replace(self.model, json.dumps(
            {"epi": 1, "nodes": {"here": {"domain": "d", "addresses": [
                "127.0.0.0/8"]}}, "policy": {"default": "allow", "rules": [
                    {"id": f"rule-{i}", "effect": "deny",
                     "ports": [self.closed]} for i in range(self.rules)]}}))

    def write_settings(self, *lines):
        replace(self.settings, "\n".join([*self.lines, *lines]) + "\n")

    def says(self, what, do, *arguments):
        """Do something, and wait until it is said once more."""
        before = self.program.text.count(what)
        do(*arguments)
        flow.until(lambda: self.program.text.count(what) > before, what, 20)

    def goes_on(self):
        for load in self.loads:
            load.go_on(20)
        for sock in self.kept:
            there_and_back(sock)


def change_all(proxy):
    """Models, settings and listeners, good and bad ones."""
    in_force = "the settings in"
    proxy.says("the model in", proxy.write_model)
    proxy.says("epi-proxy: ", replace, proxy.model, "{")
    proxy.says(in_force, proxy.write_settings,
               f"listen = {proxy.reverse(proxy.other)}", "limit = 5000")
    with wire.connect(proxy.other, host=HOST) as sock:
        there_and_back(sock)
    proxy.says("stay as they were", proxy.write_settings, "nonsense")
    proxy.says(in_force, proxy.write_settings,
               f"listen = tcp://{HOST}:{proxy.other}=127.0.0.1:1",
               "warm = 2", "dns-cache = 5", "health-interval = 900",
               "workers = 4")
    proxy.goes_on()
    proxy.says(in_force, proxy.write_settings)
    proxy.says("the model in", proxy.write_model)


@flow.test(timeout=90)
def nothing_fails_over_all_that_changes():
    audit, key = flow.folder() / "audit", flow.file("k" * 32, "key")
    proxy = Proxy("--audit", audit, "--audit-key", key)
    program = proxy.program
    proxy.goes_on()
    for _ in range(3):
        change_all(proxy)
        proxy.goes_on()
    storm = threading.Thread(target=hang_up, args=(program,))
    storm.start()
    proxy.goes_on()
    storm.join()
    proxy.says("the model in", program.signal, signal.SIGHUP)
    assert program.process.poll() is None
    for load in proxy.loads:
        load.stop()
        assert not load.failed, load.failed
    program.signal()
    program.wait_line(r"draining: nobody can connect, \d+ flows have 600000 ms")
    for sock in proxy.kept:
        there_and_back(sock)
        sock.close()
    assert program.wait(20) == 0
    assert "cut by" not in program.text
    checked = flow.run(flow.program_path("epi-check"), "--audit", audit,
                       "--audit-key", key)
    assert checked.returncode == 0, checked.stderr


def hang_up(program):
    """A storm of signals, which may come faster than models are read."""
    for _ in range(300):
        program.signal(signal.SIGHUP)


@flow.test(timeout=90)
def nothing_fails_over_changes_upgrade_and_drain():
    """The new process has the settings and the model of now, and an audit log
    of its own."""
    proxy = Proxy("--audit", flow.folder() / "audit", "--audit-key",
                  flow.file("k" * 32, "key"))
    program = proxy.program
    proxy.says("the settings in", proxy.write_settings,
               f"listen = {proxy.reverse(proxy.other)}")
    load = Load(HOST, proxy.other, 2)
    flow.at_end(end_all, program)
    for round in range(2):
        proxy.goes_on()
        threading.Thread(target=hang_up, args=(program,)).start()
        upgraded(program, round)
        proxy.goes_on()
        load.go_on(20)
        proxy.write_model()
        proxy.goes_on()
    for one in [*proxy.loads, load]:
        one.stop()
        assert not one.failed, one.failed


processes = []


def upgraded(program, round):
    """Have the process that took over last be taken over from."""
    if not round:
        processes[:] = [program.process.pid]
    os.kill(processes[-1], signal.SIGUSR2)
    said = flow.until(lambda: [line for line in program.lines
                               if "took over" in line][round:],
                      "the next takes over", 30)
    processes.append(int(said[0].split()[3]))


def end_all(program):
    """All have the same standard error, which ends with the last of them."""
    for pid in processes:
        try:
            os.kill(pid, signal.SIGTERM)
            os.kill(pid, signal.SIGINT)
        except ProcessLookupError:
            continue
    flow.until(lambda: not program._reader.is_alive(), "all have ended", 20)


flow.main()
