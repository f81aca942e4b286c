#!/usr/bin/env python3
"""upgrade.py: a new process takes a proxy's listening sockets over."""
import contextlib
import os
import pathlib
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.steady_load import Load, there_and_back

LONG = "60000"
HOST = "127.88.0.3"  # where nobody else listens

# Runs a program with a socket as its descriptor 3, as systemd does.
ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""


def listener(echo, more=""):
    return f"tcp://{HOST}:0=127.0.0.1:{echo.port}{more}"


def through(port):
    sock = wire.connect(port, host=HOST)
    there_and_back(sock)
    return sock


def taken_over(proxy):
    """Wait for the new process; its number."""
    line = proxy.wait_line(r"upgrade: process (\d+) took over", 25)
    return int(line.group(1))


def upgraded(proxy):
    """Upgrade a proxy; the new process, which ends with the test."""
    proxy.signal(signal.SIGUSR2)
    heir = taken_over(proxy)
    flow.at_end(end, proxy, heir)
    return heir


def end(proxy, heir):
    """Both have the same standard error, which ends with the last of them."""
    for pid in (proxy.process.pid, heir):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    flow.until(lambda: not proxy._reader.is_alive(), "all have ended", 20)


@flow.test(timeout=60)
def nothing_fails_over_reload_upgrade_and_drain():
    """Twice: what took over can be taken over from."""
    echo = servers.Echo()
    model = {"epi": 1, "nodes": {"a": {"domain": "d", "addresses": [
        "127.0.0.0/8"]}}, "policy": {"default": "allow"}}
    proxy = flow.proxy("--drain", LONG, "--workers", "2",
                       "--model", flow.file(model, "model.json"),
                       listen=[listener(echo), "socks://127.0.0.1:0?udp=0"])
    load = Load(HOST, proxy.port)
    load.go_on()
    proxy.signal(signal.SIGHUP)
    proxy.wait_line("the model in .* is in force")
    load.go_on()
    heir = upgraded(proxy)
    load.go_on()
    assert proxy.process.wait(20) == 0, "it ends with its last connection"
    load.go_on()
    os.kill(heir, signal.SIGUSR2)
    last = flow.until(lambda: [line for line in proxy.lines
                               if "took over" in line][1:], "the next", 25)
    flow.at_end(end, proxy, int(last[0].split()[3]))
    load.go_on()
    load.stop()
    assert not load.failed, load.failed
    assert "inherited, and no listener" not in proxy.text


@flow.test
def connections_stay_where_they_are():
    echo = servers.Echo()
    proxy = flow.proxy(listen=[listener(echo)])
    sock = through(proxy.port)
    upgraded(proxy)
    proxy.wait_line("draining: nobody can connect, 1 flows have 600000 ms")
    there_and_back(sock, b"still there")
    through(proxy.port)
    assert proxy.process.poll() is None
    sock.close()
    assert proxy.process.wait(20) == 0
    through(proxy.port)


@flow.test(timeout=60)
def a_new_model_cuts_what_stayed():
    echo, path = servers.Echo(), flow.folder() / "model.json"
    for default in ("allow", "deny"):
        os.replace(flow.file({"epi": 1, "nodes": {"a": {
            "domain": "d", "addresses": ["127.0.0.0/8"]}}, "policy": {
                "default": default}}, "new"), path)
        if default == "allow":
            proxy = flow.proxy("--model", path, listen=[listener(echo)])
            sock = through(proxy.port)
            upgraded(proxy)
            there_and_back(sock, b"still there")
    assert wire.closed(sock, 20)
    assert proxy.process.wait(20) == 0
    proxy.wait_line("flow 1: ended after .*cut by .* rule default")


@flow.test
def who_waits_is_served():
    """Who is in the queue when the processes change is accepted by one."""
    echo = servers.Echo()
    proxy = flow.proxy("--workers", "1", listen=[listener(echo)])
    proxy.signal(signal.SIGSTOP)
    waiting = [wire.connect(proxy.port, host=HOST) for _ in range(20)]
    proxy.signal(signal.SIGUSR2)
    proxy.signal(signal.SIGCONT)
    flow.at_end(end, proxy, taken_over(proxy))
    for sock in waiting:
        there_and_back(sock)


@flow.test
def if_the_new_one_fails_the_old_one_goes_on():
    echo = servers.Echo()
    link = flow.folder() / "epi-proxy"
    link.symlink_to(flow.program_path("epi-proxy"))
    proxy = flow.Program([link, "--listen", listener(echo), *flow.UNSEALED])
    port = int(proxy.wait_line(rf"listening on tcp://{HOST}:(\d+)").group(1))
    failures = 0
    for broken in ("/bin/false", "/nowhere"):
        link.unlink()
        link.symlink_to(broken)
        proxy.signal(signal.SIGUSR2)
        failures += 1
        flow.until(lambda: proxy.text.count(
            "upgrade FAILED, the old process goes on: the new one ended before"
            " it was ready") == failures, "it says so", 20)
        through(port)
    proxy.wait_line("cannot run the new program")
    link.unlink()
    link.symlink_to(flow.program_path("epi-proxy"))
    upgraded(proxy)
    through(port)


def audited(path, key, *events):
    """An audit log is whole, and has these events."""
    ran = flow.run(flow.program_path("epi-check"), "--audit", path,
                   "--audit-key", key)
    assert ran.returncode == 0, ran
    text = path.read_text()
    for event in events:
        assert f'"event":"{event}"' in text, (event, text)


@flow.test
def each_process_has_an_audit_log_of_its_own():
    echo, folder = servers.Echo(), flow.folder()
    log, key = folder / "audit", flow.file("k" * 32, "key")
    proxy = flow.proxy("--audit", log, "--audit-key", key,
                       listen=[listener(echo)])
    aside = folder / f"audit.{proxy.process.pid}"
    sock = through(proxy.port)
    heir = upgraded(proxy)
    there_and_back(sock)
    later = through(proxy.port)
    sock.close()
    assert proxy.process.wait(20) == 0
    audited(aside, key, "start", "allowed", "moved", "ended", "stop")
    later.close()
    flow.until(lambda: '"event":"ended"' in log.read_text(), "it is told")
    end(proxy, heir)
    audited(log, key, "start", "allowed", "ended", "stop")


@flow.test
def if_the_new_one_fails_the_old_one_has_its_audit_log_again():
    echo, folder = servers.Echo(), flow.folder()
    log, key = folder / "audit", flow.file("k" * 32, "key")
    link = folder / "epi-proxy"
    link.symlink_to(flow.program_path("epi-proxy"))
    proxy = flow.Program([link, "--listen", listener(echo), "--audit", log,
                          "--audit-key", key, *flow.UNSEALED])
    port = int(proxy.wait_line(rf"listening on tcp://{HOST}:(\d+)").group(1))
    through(port).close()
    # It begins a log, and ends: what it was started with is gone.
    script = flow.file(f"#!/bin/sh\necho mine > {log}\nexit 1\n", "fails")
    script.chmod(0o755)
    link.unlink()
    link.symlink_to(script)
    proxy.signal(signal.SIGUSR2)
    proxy.wait_line("upgrade FAILED, the old process goes on", 20)
    pid = proxy.process.pid
    flow.until(log.exists, "it is there again")
    through(port).close()
    flow.until(lambda: log.read_text().count('"event":"ended"') == 2,
               "it is told there")
    assert proxy.stop() == 0
    audited(log, key, "start", "moved", "stop")
    assert (folder / f"audit.{pid}.failed").read_text() == "mine\n"
    assert not (folder / f"audit.{pid}").exists()


@flow.test
def a_service_manager_listens_for_it():
    """All workers share the one socket; who came before it is served."""
    echo = servers.Echo()
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        early = wire.connect(port, host=HOST)
        fd = server.fileno()
        proxy = flow.proxy(
            "--workers", "2",
            listen=[f"tcp://{HOST}:{port}=127.0.0.1:{echo.port}"],
            prefix=[sys.executable, "-c", ACTIVATE, fd], pass_fds=[fd])
        there_and_back(early)
        load = Load(HOST, port)
        load.go_on()
        load.stop()
        assert proxy.stop() == 0
        wire.connect(port, host=HOST)  # the next one will serve it


@flow.test
def what_nothing_listens_at_is_let_go():
    with socket.create_server((HOST, 0)) as server:
        fd = server.fileno()
        proxy = flow.proxy(prefix=[sys.executable, "-c", ACTIVATE, fd],
                           pass_fds=[fd])
        proxy.wait_line(f"a socket at {HOST}:{server.getsockname()[1]} was"
                        " inherited, and no listener is there")


@flow.test
def what_is_no_listening_socket_is_refused():
    with socket.socket() as idle:
        program = flow.Program(
            [sys.executable, "-c", ACTIVATE, idle.fileno(),
             flow.program_path("epi-proxy")], pass_fds=[idle.fileno()])
        program.wait_line("LISTEN_FDS: the socket of descriptor 3 does not"
                          " listen")
        assert program.wait() == 2


flow.main()
