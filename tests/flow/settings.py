#!/usr/bin/env python3
"""settings.py: what changes while a proxy runs: listeners, limits, times."""
import os
import pathlib
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import datagrams, flow, servers
from support import socks_client as wire

HOST = "127.88.0.4"  # where nobody else listens


class Settings:
    """A file of settings, and the proxy that has it."""

    def __init__(self, *lines, options=(), listen=("socks://127.0.0.1:0",)):
        self.path = flow.file(self.text(lines), "settings")
        self.proxy = flow.proxy("--settings", self.path, *options,
                                listen=listen)

    @staticmethod
    def text(lines):
        return "# a comment\n\n" + "".join(f"{line}\n" for line in lines)

    def change(self, *lines, says="epi-proxy: the settings in"):
        before = self.proxy.text.count(says)
        new = self.path.with_name("new")
        new.write_text(self.text(lines))
        os.replace(new, self.path)
        flow.until(lambda: self.proxy.text.count(says) > before, says)


def there_and_back(sock, data=b"there and back"):
    sock.sendall(data)
    assert wire.read(sock, len(data)) == data


def reverse(echo, port=None):
    return f"tcp://{HOST}:{port or flow.free_port(HOST)}=127.0.0.1:{echo.port}"


def port_of(url):
    return int(url.split("=")[0].rsplit(":", 1)[1])


def is_closed(port, host=flow.LOCAL):
    """Wait until nobody listens there: a worker may be late to close it."""
    flow.until(lambda: not flow.answers(port, host), "it is closed")


def answer(url):
    """What begins an answer by what is behind a listener."""
    with wire.connect(port_of(url), host=HOST) as sock:
        sock.sendall(b"GET /close HTTP/1.1\r\nHost: x\r\n\r\n")
        return wire.read(sock, 4)


def through(url):
    sock = wire.connect(port_of(url), host=HOST)
    there_and_back(sock)
    return sock


@flow.test
def a_file_that_became_a_pipe_is_not_waited_for():
    settings = Settings("limit = 100")
    settings.path.unlink()
    os.mkfifo(settings.path)
    settings.proxy.signal(signal.SIGHUP)
    settings.proxy.wait_line("not a regular file")
    assert settings.proxy.stop() == 0


@flow.test
def listeners_come_and_go():
    """Flows of one that goes live on."""
    echo = servers.Echo()
    first, second = reverse(echo), reverse(echo)
    settings = Settings(f"listen = {first}", options=("--workers", "3"))
    sock = through(first)
    settings.change(f"listen = {first}", f"listen = {second}")
    through(second)
    settings.change(f"listen = {second}")
    is_closed(port_of(first), HOST)
    there_and_back(sock, b"still there")
    through(second)
    settings.change()
    is_closed(port_of(second), HOST)
    assert flow.answers(settings.proxy.port), "the command line's stays"
    settings.change(f"listen = {first}")
    through(first)


@flow.test
def an_admin_may_have_closed_one():
    """The file is followed all the same."""
    echo = servers.Echo()
    here, there = reverse(echo), reverse(echo)
    socket_path = flow.folder() / "admin"
    settings = Settings(f"listen = {here}", f"listen = {there}",
                        options=("--admin", socket_path))

    def close(url):
        told = flow.run(flow.program_path("epi-proxy"), "ctl", "--admin",
                        socket_path, "listeners", "remove", url)
        assert told.returncode == 0, told
    close(here)
    close(there)
    is_closed(port_of(here), HOST)
    settings.change(f"listen = {here}?allow=127.0.0.0/8")
    through(here)
    assert f"no listener {there}" not in settings.proxy.text


@flow.test
def a_listener_gets_other_settings_and_nobody_is_refused():
    """Its sockets stay, and with them who waits in their queues."""
    echo, other = servers.Echo(), servers.Origin()
    here = reverse(echo)
    there = f"{here.split('=')[0]}=127.0.0.1:{other.port}"
    settings = Settings(f"listen = {here}", options=("--workers", "2"))
    sock = through(here)
    for _ in range(3):
        settings.change(f"listen = {there}")
        flow.until(lambda: answer(here) == b"HTTP", "the other settings")
        settings.change(f"listen = {here}")
        flow.until(lambda: answer(here) == b"GET ", "the settings from before")
    there_and_back(sock, b"still there")


@flow.test
def logins_of_a_listener_change():
    echo = servers.Echo()
    port = flow.free_port()
    url = f"socks://127.0.0.1:{port}"
    users = flow.file("ann:secret\n", "users")
    settings = Settings(f"listen = {url}",
                        options=("--sandbox-read", users.parent))
    sock, _ = wire.socks5(port, "127.0.0.1", echo.port)
    settings.change(f"listen = {url}?users={users}")
    there_and_back(sock)

    def method():
        with wire.connect(port) as asks:
            asks.sendall(wire.greeting(0))
            return wire.read(asks, 2)
    flow.until(lambda: method() == b"\x05\xff", "a login is demanded now")


@flow.test
def datagrams_go_with_their_listener():
    port = flow.free_port()
    url = f"socks://127.0.0.1:{port}?udp=0"
    settings = Settings(f"listen = {url}", options=("--workers", "2"))
    said = f"datagrams of {url.split('?')[0]} come to"
    for times in (1, 2, 3):
        flow.until(lambda: settings.proxy.text.count(said) == times, said)
        settings.change()
        is_closed(port)
        settings.change(f"listen = {url}")
    assert flow.answers(port)


@flow.test
def limits_and_times_change():
    echo = servers.Echo()
    here = reverse(echo)
    listen = f"listen = {here}"
    settings = Settings(listen)
    kept = through(here)
    settings.change(listen, "limit = 1")
    waiting = wire.connect(port_of(here), host=HOST)
    settings.proxy.wait_line("there are 1 connections, as many as the limit")
    settings.change(listen)
    there_and_back(waiting)
    settings.change(listen, "idle-timeout = 50")
    hasty = wire.connect(port_of(here), host=HOST)
    assert wire.closed(hasty)
    settings.proxy.wait_line("ended after .*: nothing moved for too long")
    there_and_back(kept, b"it has the time that it was given")


@flow.test
def every_setting_is_taken():
    settings = Settings()
    settings.change(
        "limit = 900", "handshake-timeout = 9000", "connect-timeout = 9000",
        "idle-timeout = 90000", "half-closed-timeout = 9000",
        "health-interval = 900", "bind-timeout = 9000", "client-binds = 9",
        "bind-ports = 9000-9999", "udp-idle-timeout = 9000",
        "associations = 9", "client-associations = 3", "sessions = 9",
        "sessions-per-owner = 3", "session-timeout = 9000", "tokens = 9",
        "warm = 3", "warm-idle = 900", "dns-cache = 9", "fast-open = yes",
        "no-happy-eyeballs = yes", "provision-timeout = 900",
        "provision-flows = 9", "instance-idle = 900", "drain = 1",
        "log-level = debug")
    settings.change("bind-ports = 90-99", "sessions = 0", "health-interval=0")
    settings.change("bind-ports = 60000-60001", "warm = 0")
    settings.change()
    settings.change("workers = 60")
    settings.change("workers = 1")
    settings.change()
    assert "counts from" not in settings.proxy.text


@flow.test
def workers_come_and_go():
    """One that is not wanted any more serves those whom it has."""
    echo = servers.Echo()
    here = reverse(echo)
    listen = f"listen = {here}"
    settings = Settings(listen, options=("--workers", "1"))
    kept = [through(here) for _ in range(10)]
    for count in (4, 2, 3, 1, 6):
        settings.change(listen, f"workers = {count}")
        kept += [through(here) for _ in range(10)]
        for sock in kept:
            there_and_back(sock)


@flow.test
def datagrams_find_their_worker_whatever_the_number():
    """And new associations, each in one of the workers that are wanted."""
    echo = datagrams.Echo()
    settings = Settings(options=("--workers", "1"),
                        listen=["socks://127.0.0.1:0?udp=0"])
    port = datagrams.udp_port(settings.proxy)
    clients = []
    for count in (1, 4, 2, 5):
        settings.change(f"workers = {count}")
        for _ in range(8):
            client = datagrams.Socks6(settings.proxy.port, port)
            client.send(flow.LOCAL, echo.port, b"hello")
            client.confirm()
            assert client.receive()[2] == b"hello"
            clients.append(client)
        for client in clients:
            assert client.ask(flow.LOCAL, echo.port, b"again")[2] == b"again"


@flow.test
def datagrams_go_on_with_the_listener_that_takes_the_place():
    """And to nobody without one: the number of its socket is another's then."""
    echo, other = datagrams.Echo(), servers.Echo()
    port = flow.free_port(HOST)
    listen = f"listen = socks://{HOST}:{port}?udp={port}"
    settings = Settings(listen, options=("--workers", "1"))
    client = datagrams.Socks6(port, port, proxy=HOST)
    client.send(flow.LOCAL, echo.port, b"hello")
    client.confirm()
    assert client.receive()[2] == b"hello"
    settings.change(f"{listen}&version=6")
    peer = echo.got[0][1]
    echo.sock.sendto(b"late", peer)
    assert client.receive()[2] == b"late"
    assert client.ask(flow.LOCAL, echo.port, b"again")[2] == b"again"
    settings.change()
    flows = [wire.socks5(settings.proxy.port, flow.LOCAL, other.port)[0]
             for _ in range(20)]
    echo.sock.sendto(b"to nobody", peer)
    assert datagrams.silent(client.sock)
    for sock in flows:
        there_and_back(sock)


@flow.test
def the_log_says_more_or_less():
    echo = servers.Echo()
    here = reverse(echo)
    settings = Settings(f"listen = {here}", "log-level = error")
    through(here).close()
    settings.change(f"listen = {here}", "log-level = note")
    through(here).close()
    settings.proxy.wait_line("flow 2: ended")
    assert "flow 1: 127" not in settings.proxy.text
    settings.change(f"listen = {here}", "log-level = debug")
    wire.connect(settings.proxy.port).close()
    settings.proxy.wait_line("flow 3 from .*: closed unused")


@flow.test
def a_bad_file_changes_nothing():
    echo = servers.Echo()
    here, wrong = reverse(echo), reverse(echo)
    with socket.create_server((HOST, 0)) as taken:
        busy = reverse(echo, taken.getsockname()[1])
        settings = Settings(f"listen = {here}", "limit = 900")
        for lines, why in [
                (["limit = 800", "nonsense"], r":4: a setting is `OPTION"),
                (["limt = 800"], r":3: not a setting .*: limt"),
                (["limit = many"], r":3: this line is wrong"),
                (["limit = -1"], r"--limit needs a number, not '-1'"),
                (["tokens = 0"], r": tokens: 0 is not from 1 to 65536"),
                (["bind-ports = 9-8"], r": bind-ports: no port is left"),
                (["model = x"], r":3: not a setting .*: model"),
                (["fast-open = perhaps"], r"fast-open: is yes or no"),
                (["log-level = loud"], r"log-level: is error, note or debug"),
                ([f"listen = {wrong}", f"listen = {wrong}"], "it is there twice"),
                ([f"listen = {wrong}", f"listen = {busy}"], "in use"),
                (["listen = gopher://127.0.0.1:1"], "a listener is"),
                ([f"# {'x' * 65536}"], "64 KiB at most")]:
            settings.change(*lines, says="the settings stay as they were")
            settings.proxy.wait_line(why)
            is_closed(port_of(wrong), HOST)
        through(here)
        assert "are in force" not in settings.proxy.text


@flow.test
def a_bad_file_at_the_start_is_an_error():
    path = flow.file("limit = many\n", "settings")
    program = flow.Program([flow.program_path("epi-proxy"),
                            "--settings", path])
    assert program.wait() == 2
    program.wait_line(":1: this line is wrong")


@flow.test
def it_may_be_all_that_says_where_to_listen():
    """And SIGHUP reads it again, changed or not."""
    echo = servers.Echo()
    here = reverse(echo)
    path = flow.file(f"listen = {here}\nworkers = 2\n", "settings")
    proxy = flow.Program([flow.program_path("epi-proxy"), "--settings", path])
    proxy.wait_line("listening on tcp://")
    through(here)
    assert "1080" not in proxy.text
    proxy.signal(signal.SIGHUP)
    proxy.wait_line("the settings in .* are in force")
    path.unlink()
    proxy.signal(signal.SIGHUP)
    proxy.wait_line("settings: No such file")
    path.write_text("")
    proxy.wait_line("no listener is left")
    through(here)


flow.main()
