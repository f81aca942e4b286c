#!/usr/bin/env python3
"""service.py: epi-proxy tells a service manager how it is."""
import os
import pathlib
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow

MODEL = {"epi": 1, "nodes": {"a": {}}}


class Manager:
    """A service manager's socket, and what came to it."""

    def __init__(self, name=None):
        self.name = name or str(flow.folder() / "notify")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.name.replace("@", "\0", 1))
        self.sock.settimeout(10)
        flow.at_end(self.sock.close)

    def start(self, *options):
        return flow.proxy(*options, env={**os.environ,
                                         "NOTIFY_SOCKET": self.name})

    def told(self):
        return self.sock.recv(4096).decode()


@flow.test
def it_is_told_the_whole_life():
    manager, path = Manager(), flow.file(MODEL, "model.json")
    proxy = manager.start("--model", path)
    assert manager.told() == "READY=1"
    proxy.signal(signal.SIGHUP)
    first, second = manager.told().split("\n")
    assert first == "RELOADING=1" and second.startswith("MONOTONIC_USEC=")
    assert int(second.split("=")[1]) > 0
    assert manager.told() == "READY=1"
    path.with_name("new").write_text("{")
    path.with_name("new").rename(path)  # in one piece, and one change
    proxy.wait_line("this is not JSON")
    assert manager.told().startswith("RELOADING=1")
    assert manager.told() == "READY=1", "the old model is in force"
    proxy.signal()
    assert manager.told() == "STOPPING=1"
    assert proxy.wait() == 0


@flow.test
def its_socket_may_be_no_file():
    manager = Manager(f"@epi-test-{os.getpid()}")
    manager.start()
    assert manager.told() == "READY=1"


@flow.test
def one_that_is_gone_does_no_harm():
    for name in ("/nowhere/notify", "relative", "@", "/" + "x" * 200):
        proxy = flow.proxy(env={**os.environ, "NOTIFY_SOCKET": name})
        proxy.wait_line("epi-proxy: .*(NOTIFY_SOCKET|service manager)")
        assert proxy.stop() == 0


flow.main()
