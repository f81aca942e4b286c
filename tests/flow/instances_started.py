#!/usr/bin/env python3
"""instances_started.py: instances of functions that a proxy has started when
flows need them, by a command."""
import contextlib
import json
import os
import pathlib
import re
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire

COMMAND = flow.EXAMPLES / "local-instances"


def model(**function):
    """A document in which all flows need a function that is started."""
    return json.dumps({
        "epi": 1,
        "nodes": {"here": {"addresses": ["127.0.0.0/8"],
                           "attributes": ["firewall"]},
                  "there": {"addresses": ["127.2.0.9"]}},
        "functions": {"gate": {"provides": ["firewall"], "image": "count",
                               **function}},
        "policy": {"rules": [{"id": "ok", "effect": "allow",
                              "to": ["there"]}]},
    })


class Network:
    """A proxy that starts instances by a command, and an origin behind them.
    A script stands in the place of the example's; of what it runs, $COMMAND is
    the example."""

    def __init__(self, script="", options=(), document=None, **function):
        self.echo = servers.Echo("127.2.0.9")
        self.folder = flow.folder()
        self.command = COMMAND
        if script:
            self.command = self.folder / "command"
            self.command.write_text(f"#!/bin/sh\ncd {self.folder}\n{script}\n")
            self.command.chmod(0o700)
        self.model = self.folder / "model.json"
        self.model.write_text(document or model(**function))
        self.proxy = flow.proxy(
            "--model", self.model, "--provision-command", self.command,
            "--workers", "2", *options,
            env={**os.environ, "EPI_STATE": str(self.folder / "state"),
                 "EPI_PROXY": str(flow.program_path("epi-proxy")),
                 "COMMAND": str(COMMAND)})

    def ask(self, data=b"", source=flow.LOCAL):
        """Ask for the origin, with data right behind the request."""
        sock = wire.connect(self.proxy.port, source=source)
        sock.sendall(wire.greeting(wire.NONE))
        assert wire.read(sock, 2) == b"\x05\x00"
        sock.sendall(wire.request5("127.2.0.9", self.echo.port) + data)
        return sock

    def connect(self, source=flow.LOCAL):
        sock = self.ask(source=source)
        code = wire.reply5(sock)[0]
        assert code == 0, f"reply {code}"
        return sock

    def refused(self, code, why):
        sock = self.ask()
        got = wire.reply5(sock)[0]
        assert got == code, f"reply {got}, not {code}"
        self.proxy.wait_line(re.escape(why))

    def said(self, text):
        return len(re.findall(text, self.proxy.text))

    def instances(self):
        """The processes of the instances that the example's command keeps."""
        return [int(path.read_text())
                for path in (self.folder / "state").glob("*.pid")]


def is_there(pid):
    """Does a process run? One that ended, and that nobody asks about, may stay
    for a while."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


def passes(sock, data=b"through the gate"):
    sock.sendall(data)
    return wire.read(sock, len(data)) == data


def ended(sock):
    """It ends without a byte; the end of a flow that is cut is a reset."""
    with contextlib.suppress(ConnectionResetError):
        assert sock.recv(1) == b""


@flow.test
def flows_wait_for_an_instance_and_share_it():
    net = Network('until [ -e go ]; do sleep 0.02; done; exec "$COMMAND" "$@"')
    first, second = net.ask(b"early"), net.ask()
    flow.until(lambda: net.said('waits for an instance of "gate"') == 2,
               "both wait")
    (net.folder / "go").touch()
    for sock in (first, second):
        assert wire.reply5(sock)[0] == 0
    assert wire.read(first, 5) == b"early"
    assert passes(first) and passes(second) and passes(net.connect())
    assert net.said("is being started") == 1, net.proxy.text
    assert len(net.instances()) == 1
    net.proxy.wait_line("bridged by rule ok via socks6://127.0.0.1:")


@flow.test
def more_flows_than_one_carries_bring_another_one():
    net = Network(instances=2, capacity=1)
    flows = [net.connect(), net.connect()]
    assert net.said("is being started") == 2
    net.refused(2, '"gate" has as many flows as its 2 instances can carry')
    assert all(passes(sock) for sock in flows)
    flows.pop().close()

    def another():
        sock = net.ask()
        return wire.reply5(sock)[0] == 0 and sock
    assert passes(flow.until(another, "room for another flow"))
    assert net.said("is being started") == 2


@flow.test
def chains_share_instances():
    net = Network(document=json.dumps({
        "epi": 1,
        "nodes": {"both": {"addresses": ["127.3.0.1"],
                           "attributes": ["firewall", "metering"]},
                  "one": {"addresses": ["127.3.0.2"],
                          "attributes": ["metering"]},
                  "there": {"addresses": ["127.2.0.9"]}},
        "functions": {"gate": {"provides": ["firewall"], "image": "gate:port="
                               "1-65535"},
                      "meter": {"provides": ["metering"], "image": "count"}},
        "policy": {"default": "allow"}}))
    first, second = net.connect("127.3.0.1"), net.connect("127.3.0.2")
    assert passes(first) and passes(second)
    assert net.said("is being started") == len(net.instances()) == 2
    gate, meter = (net.proxy.wait_line(rf'of "{name}" is ready at (\S+)')[1]
                   for name in ("gate", "meter"))
    net.proxy.wait_line(f"via {gate} via {meter}$")
    net.proxy.wait_line(f"default via {meter}$")


@flow.test
def a_flow_that_waits_for_several_does_not_stand_in_its_own_way():
    net = Network('case "$1 $EPI_FUNCTION" in "start meter")\n'
                  'until [ -e go ]; do sleep 0.02; done\nesac\n'
                  'exec "$COMMAND" "$@"',
                  document=json.dumps({
        "epi": 1,
        "nodes": {"here": {"addresses": ["127.0.0.0/8"],
                           "attributes": ["firewall", "metering"]},
                  "there": {"addresses": ["127.2.0.9"]}},
        "functions": {"gate": {"provides": ["firewall"], "image": "count",
                               "capacity": 1},
                      "meter": {"provides": ["metering"], "image": "count",
                                "capacity": 1}},
        "policy": {"default": "allow"}}))
    sock = net.ask()
    net.proxy.wait_line('of "gate" is ready')
    (net.folder / "go").touch()
    assert wire.reply5(sock)[0] == 0
    assert passes(sock)
    assert net.said("is being started") == 2


@flow.test
def a_flow_waits_for_no_more_functions_than_it_can_pass():
    names = [f"f{number}" for number in range(17)]
    net = Network("exit 1", document=json.dumps({
        "epi": 1,
        "nodes": {"here": {"addresses": ["127.0.0.0/8"], "attributes": names},
                  "there": {"addresses": ["127.2.0.9"]}},
        "functions": {name: {"provides": [name], "image": "count"}
                      for name in names},
        "policy": {"default": "allow"}}))
    net.refused(2, "over 16 hops")


@flow.test
def an_instance_without_flows_is_stopped():
    net = Network(options=("--instance-idle", "100"))
    sock = net.connect()
    [pid] = net.instances()
    assert passes(sock)
    sock.close()
    net.proxy.wait_line("instance 1 of .* is being stopped")
    flow.until(lambda: not is_there(pid), "its process ends")
    assert passes(net.connect())
    net.proxy.wait_line("instance 2 of .* is ready")


@flow.test
def what_cannot_be_started_is_a_reason():
    net = Network("echo starting; echo 'no room left' >&2; exit 1")
    began = time.monotonic()
    net.refused(1, 'no instance of "gate" can be had: no room left')
    net.refused(1, 'no instance of "gate" can be had: no room left')
    assert net.said("is being started") == 1 or time.monotonic() - began > 1, \
        "it was tried again at once"


@flow.test
def garbage_is_no_instance():
    net = Network('[ "$1" = start ] || touch stopped; echo "what is this"')
    net.refused(1, 'no instance of "gate" can be had: what it printed is of no'
                   " use: a URL is SCHEME://HOST:PORT")
    flow.until((net.folder / "stopped").exists, "the command is told")


@flow.test
def a_start_that_hangs_ends():
    net = Network('[ "$1" = stop ] && touch stopped && exit\n'
                  "echo $$ >pid; exec sleep 60",
                  options=("--provision-timeout", "300"))
    net.refused(1, "ready in 300 ms")
    flow.until((net.folder / "stopped").exists, "the command is told")
    pid = net.folder / "pid"
    # It may have been too late for that, too.
    assert not pid.exists() or not is_there(int(pid.read_text() or "0"))


@flow.test
def an_instance_that_is_gone_is_replaced():
    net = Network()
    sock = net.connect()
    [pid] = net.instances()
    assert passes(sock)
    os.kill(pid, signal.SIGKILL)
    flow.until(lambda: not is_there(pid), "it ends")
    assert passes(net.connect())
    net.proxy.wait_line("takes over from")
    assert net.said("is being started") == 2


@flow.test
def with_the_proxy_all_instances_end():
    net = Network(instances=2, capacity=1)
    flows = [net.connect(), net.connect()]
    pids = net.instances()
    assert len(pids) == 2 and all(is_there(pid) for pid in pids)
    assert net.proxy.stop() == 0
    assert not any(is_there(pid) for pid in pids)
    assert not net.instances(), flows


@flow.test
def a_start_ends_with_the_proxy():
    net = Network('[ "$1" = stop ] && touch stopped && exit\n'
                  "echo $$ >pid; exec sleep 60")
    net.ask()
    flow.until(lambda: (net.folder / "pid").exists() and
               (net.folder / "pid").read_text(), "it starts")
    assert net.proxy.stop() == 0
    assert not is_there(int((net.folder / "pid").read_text()))
    assert (net.folder / "stopped").exists()


@flow.test
def a_new_model_stops_what_it_has_not():
    net = Network()
    sock = net.connect()
    [pid] = net.instances()
    net.model.write_text(model(image="count:"))
    net.proxy.wait_line("cut by the new model: its instance .* is no longer")
    flow.until(lambda: not is_there(pid), "its process ends")
    ended(sock)


@flow.test
def a_new_model_leaves_what_waits_for_another_instance():
    net = Network('case "$1$EPI_INSTANCE" in start2)\n'
                  'until [ -e go ]; do sleep 0.02; done\nesac\n'
                  'exec "$COMMAND" "$@"')
    net.connect()
    [pid] = net.instances()
    os.kill(pid, signal.SIGKILL)
    flow.until(lambda: not is_there(pid), "it ends")
    sock = net.ask()
    net.proxy.wait_line('flow 2: waits for an instance of "gate"')
    net.model.write_text(model(capacity=9))
    net.proxy.wait_line("is in force")
    (net.folder / "go").touch()
    assert wire.reply5(sock)[0] == 0, net.proxy.text
    assert passes(sock)


@flow.test
def the_example_loads_no_code_that_a_model_names():
    net = Network(image="./filter.so:on")
    net.refused(1, "./filter.so:on: no filter that is built in")


@flow.test
def a_client_that_leaves_waits_no_longer():
    net = Network('[ "$1" = stop ] || exec sleep 60')
    net.ask().close()
    net.proxy.wait_line("the client left while it waited")


@flow.test
def what_may_fail_open_is_left_out():
    net = Network("exit 1", fail="open")
    assert passes(net.connect())
    net.proxy.wait_line("goes on WITHOUT gate, which may fail open")


@flow.test
def without_a_command_nothing_is_started():
    path = flow.file(model(), "model.json")
    echo = servers.Echo("127.2.0.9")
    proxy = flow.proxy("--model", path)
    sock = wire.connect(proxy.port)
    sock.sendall(wire.greeting(wire.NONE))
    assert wire.read(sock, 2) == b"\x05\x00"
    sock.sendall(wire.request5("127.2.0.9", echo.port))
    assert wire.reply5(sock)[0] == 1
    proxy.wait_line('nothing starts instances of "gate" here')


@flow.test
def a_command_that_cannot_be_run_is_refused():
    loose = flow.file("#!/bin/sh\n", "loose")
    loose.chmod(0o777)
    for path, why in ((loose, "everybody can change"),
                      ("/nowhere/x", "No such file or directory"),
                      (flow.file("x"), "Permission denied"),
                      (flow.folder(), "it is not a file")):
        ran = flow.run(flow.program_path("epi-proxy"),
                       "--provision-command", path)
        assert ran.returncode == 2 and why in ran.stderr, ran.stderr


flow.main()
