#!/usr/bin/env python3
"""examples.py: the teaching examples do what they say."""
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire


@flow.test
def upper_changes_what_clients_send():
    server, port = servers.AfterEnd(100000), flow.free_port()
    upper = flow.start(flow.program_path("upper"),
                       f"tcp://127.0.0.1:{port}={server.host}:{server.port}",
                       port=port)
    sock = wire.connect(port)
    sock.sendall(b"Shout, 1 2 3" * 1000)
    sock.shutdown(socket.SHUT_WR)
    assert wire.read_all(sock) == servers.body(100000)
    assert server.got == b"SHOUT, 1 2 3" * 1000
    assert upper.stop() == 0


@flow.test
def upper_says_what_is_wrong():
    got = flow.run(flow.program_path("upper"), "udp://127.0.0.1:1")
    assert got.returncode == 2 and "udp" in got.stderr, got


flow.main()
