#!/usr/bin/env python3
"""drain.py: a proxy that is to end lets connections finish."""
import json
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire

LONG = "60000"
HOST = "127.88.0.2"  # where nobody else listens


def started(echo, *options, **more):
    """A proxy with a reverse listener."""
    return flow.proxy(*options, listen=[
        f"tcp://{HOST}:0=127.0.0.1:{echo.port}"], **more)


def through(proxy):
    sock = wire.connect(proxy.port, host=HOST)
    there_and_back(sock)
    return sock


def there_and_back(sock, data=b"there and back"):
    sock.sendall(data)
    assert wire.read(sock, len(data)) == data


def draining(ms, echo, *options, **more):
    """A proxy that has a connection and drains, and the connection."""
    proxy = started(echo, "--drain", ms, *options, **more)
    sock = through(proxy)
    proxy.signal()
    proxy.wait_line(rf"draining: nobody can connect, 1 flows have {ms} ms")
    flow.until(lambda: not flow.answers(proxy.port, HOST), "nobody can connect")
    return proxy, sock


@flow.test
def ends_with_the_last_connection():
    proxy, sock = draining(LONG, servers.Echo())
    there_and_back(sock, b"still there")
    sock.close()
    assert proxy.wait() == 0
    proxy.wait_line("flow 1: ended after")


@flow.test
def what_takes_too_long_is_cut():
    proxy, sock = draining("100", servers.Echo())
    assert wire.closed(sock, 10)
    assert proxy.wait() == 0
    proxy.wait_line("ended after .*: the proxy drains, and the flow took too"
                    " long")


@flow.test
def a_second_signal_ends_it_at_once():
    for number in (signal.SIGTERM, signal.SIGINT):
        proxy, sock = draining(LONG, servers.Echo())
        proxy.signal(number)
        assert proxy.wait() == 0
        assert wire.closed(sock, 10)
        proxy.wait_line("ended after .*: the proxy stops")


@flow.test
def it_ends_at_once_unless_told_to_drain():
    echo = servers.Echo()
    for options, number in (((), signal.SIGTERM),
                            (("--drain", LONG), signal.SIGINT)):
        proxy = started(echo, *options)
        sock = through(proxy)
        proxy.signal(number)
        assert proxy.wait() == 0
        assert wire.closed(sock, 10)
        assert "draining" not in proxy.text


@flow.test
def what_is_accepted_last_is_cut_too():
    """Whichever worker has it, and whether that has cut its flows or not."""
    echo = servers.Echo()
    for _ in range(5):
        proxy = started(echo, "--drain", "1", "--workers", "4")
        proxy.signal(signal.SIGSTOP)
        waiting = [wire.connect(proxy.port, host=HOST) for _ in range(40)]
        proxy.signal(signal.SIGTERM)
        proxy.signal(signal.SIGCONT)
        assert proxy.wait() == 0
        for sock in waiting:
            sock.close()


@flow.test
def nobody_who_waits_is_refused():
    """Who connected before it drained is served, accepted or not."""
    echo = servers.Echo()
    proxy = started(echo, "--drain", LONG)
    proxy.signal(signal.SIGSTOP)
    waiting = [wire.connect(proxy.port, host=HOST) for _ in range(20)]
    proxy.signal(signal.SIGTERM)
    proxy.signal(signal.SIGCONT)
    for sock in waiting:
        there_and_back(sock)
        sock.close()
    assert proxy.wait() == 0


@flow.test
def workers_that_begin_late_close_their_sockets_too():
    proxy, sock = draining(LONG, servers.Echo(), "--workers", "4",
                           env=flow.late_threads())
    there_and_back(sock)
    sock.close()
    assert proxy.wait() == 0


def model(path, default):
    """Have a model at a path that allows or denies all."""
    new = path.with_name("new")
    new.write_text(json.dumps({"epi": 1, "nodes": {"here": {
        "domain": "d", "addresses": ["127.0.0.0/8"]}}, "policy": {
            "default": default}}))
    os.replace(new, path)


@flow.test
def a_new_model_cuts_what_is_to_finish():
    """One that is wrong changes nothing."""
    echo, path = servers.Echo(), flow.folder() / "model.json"
    model(path, "allow")
    proxy, sock = draining(LONG, echo, "--model", path)
    path.write_text("{")
    proxy.wait_line("epi-proxy: .*/model.json: ")
    there_and_back(sock, b"still there")
    model(path, "deny")
    assert wire.closed(sock, 20)
    assert proxy.wait(20) == 0
    proxy.wait_line("flow 1: ended after .*cut by .* rule default")


@flow.test
def who_is_taken_out_of_a_users_file_does_not_finish():
    path = flow.folder() / "users"
    path.touch(0o600)
    path.write_text("ada:secret\n")
    proxy = flow.proxy("--drain", LONG, listen=[
        f"socks://127.0.0.1:0?users={path}"])
    echo = servers.Echo()
    sock, code = wire.socks5(proxy.port, "127.0.0.1", echo.port,
                             ("ada", "secret"))
    assert code == 0
    proxy.signal()
    proxy.wait_line("draining: nobody can connect, 1 flows")
    there_and_back(sock)
    path.write_text("bob:secret\n")
    assert wire.closed(sock, 20)
    assert proxy.wait(20) == 0
    proxy.wait_line("its user was taken out of the users file")


flow.main()
