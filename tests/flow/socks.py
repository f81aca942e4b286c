#!/usr/bin/env python3
"""socks.py: what clients ask of epi-proxy, and what they get."""
import os
import pathlib
import signal
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire


def curl(*options, **more):
    return flow.run(flow.need("curl"), "-sS", "--noproxy", "", "-m", "15",
                    *options, **more)


def users(*lines):
    return flow.file("".join(line + "\n" for line in lines), "users")


def model(**parts):
    """A model whose one node is this machine."""
    document = {
        "epi": 1,
        "nodes": {"here": {"addresses": ["127.0.0.1/32", "localhost"]}},
        "policy": {"default": "allow"},
        **parts,
    }
    return flow.file(document, "model.json")


@flow.test
def connects_over_ipv4():
    origin, proxy = servers.Origin(), flow.proxy()
    got = curl("--socks5", f"{flow.LOCAL}:{proxy.port}", origin.url())
    assert got.stdout == "hello", got


@flow.test
def connects_over_ipv6():
    flow.need_ipv6()
    origin, proxy = servers.Origin("::1"), flow.proxy()
    got = curl("-g", "--socks5", f"{flow.LOCAL}:{proxy.port}",
               origin.url())
    assert got.stdout == "hello", got


@flow.test
def listens_on_ipv6():
    flow.need_ipv6()
    origin, proxy = servers.Origin(), flow.proxy(listen=["socks://[::1]:0"])
    got = curl("--socks5", f"[::1]:{proxy.port}", origin.url())
    assert got.stdout == "hello", got


@flow.test
def connects_by_name():
    origin, proxy = servers.Origin(), flow.proxy()
    got = curl("--socks5-hostname", f"{flow.LOCAL}:{proxy.port}",
               origin.url(host="localhost"))
    assert got.stdout == "hello", got


@flow.test
def keeps_a_connection_for_many_requests():
    origin, proxy = servers.Origin(), flow.proxy()
    wanted = [word for size in (1, 1000, 70000)
              for word in ("-o", "/dev/null", origin.url(f"/size/{size}"))]
    got = curl("--socks5", f"{flow.LOCAL}:{proxy.port}", "-w",
               "%{size_download} ", *wanted)
    assert got.stdout == "1 1000 70000 ", got
    assert origin.connections == 1, f"{origin.connections} connections"


@flow.test
def works_with_netcat():
    echo, proxy = servers.Echo(), flow.proxy()
    got = flow.run(flow.need("nc"), "-N", "-X", "5", "-x",
                   f"{flow.LOCAL}:{proxy.port}", flow.LOCAL, echo.port,
                   stdin="there and back\n")
    assert got.stdout == "there and back\n", got


@flow.test
def takes_a_right_login():
    origin = servers.Origin()
    proxy = flow.proxy(listen=[
        f"socks://127.0.0.1:0?users={users('ada:secret', 'bob:x:y')}"])
    for who in ("ada:secret", "bob:x:y"):
        got = curl("--proxy-user", who, "--socks5",
                   f"{flow.LOCAL}:{proxy.port}", origin.url())
        assert got.stdout == "hello", got


@flow.test
def refuses_wrong_and_missing_logins():
    origin = servers.Origin()
    proxy = flow.proxy(listen=[
        f"socks://127.0.0.1:0?users={users('ada:secret')}"])
    for login in (("ada", "Secret"), ("eve", "secret"), ("ada", "secre")):
        sock, code = wire.socks5(proxy.port, flow.LOCAL, origin.port, login)
        assert code == "login", f"{login} got {code}"
        assert wire.closed(sock)
    sock, code = wire.socks5(proxy.port, flow.LOCAL, origin.port)
    assert code == "method", f"without login: {code}"
    assert wire.closed(sock)
    proxy.wait_line("the client offers no login")
    flow.until(lambda: proxy.text.count(": the login is wrong") == 3,
               "three lines")
    assert origin.connections == 0
    assert "secret" not in proxy.text.lower(), "a password is in the log"


@flow.test
def checks_logins_of_socks6():
    echo = servers.Echo()
    proxy = flow.proxy(listen=[
        f"socks://127.0.0.1:0?users={users('ada:secret')}"])
    for options, kind in ((wire.login_option("ada", "secret"), 0),
                          (wire.login_option("ada", "wrong"), 1),
                          (b"", 1)):
        sock = wire.connect(proxy.port)
        sock.sendall(wire.request6(flow.LOCAL, echo.port, options))
        got, _ = wire.auth_reply6(sock)
        assert got == kind, f"type {got} for {options.hex()}"
        if kind == 0:
            assert wire.reply6(sock)[0] == 0
        else:
            assert wire.closed(sock)


@flow.test
def a_closed_port_is_reply_5():
    proxy, port = flow.proxy(), flow.free_port()
    sock, code = wire.socks5(proxy.port, flow.LOCAL, port)
    assert code == 5, f"reply {code}"
    assert wire.closed(sock)


@flow.test(timeout=90)
def an_unknown_name_is_reply_4():
    proxy = flow.proxy()
    sock = wire.connect(proxy.port, timeout=80)
    sock.sendall(wire.greeting(0))
    wire.read(sock, 2)
    sock.sendall(wire.request5("no-such-host.invalid", 80))
    code = wire.reply5(sock)[0]
    assert code == 4, f"reply {code}"
    assert wire.closed(sock)


@flow.test
def other_commands_are_reply_7():
    proxy = flow.proxy()
    sock, code = wire.socks5(proxy.port, flow.LOCAL, 1, command=9)
    assert code == 7, f"reply {code}"
    assert wire.closed(sock)


@flow.test
def what_policy_denies_is_reply_2_and_a_log_line():
    origin = servers.Origin()
    proxy = flow.proxy("--model", model(policy={
        "default": "allow",
        "rules": [{"id": "closed-here", "effect": "deny", "to": ["here"],
                   "ports": [origin.port],
                   "reason": "nobody may go there"}]}))
    sock, code = wire.socks5(proxy.port, flow.LOCAL, origin.port)
    assert code == 2, f"reply {code}"
    assert wire.closed(sock)
    proxy.wait_line("closed-here.*nobody may go there"
                    "|nobody may go there.*closed-here")
    assert origin.connections == 0
    echo = servers.Echo()
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 0, f"another port: reply {code}"


@flow.test
def a_model_admits_no_unknown_destination_by_default():
    proxy = flow.proxy("--model", model())
    sock, code = wire.socks5(proxy.port, "192.0.2.1", 80)
    assert code == 2, f"reply {code}"


@flow.test
def a_missing_attribute_is_reply_2():
    echo = servers.Echo()
    proxy = flow.proxy("--model", model(policy={
        "default": "allow",
        "rules": [{"id": "sealed", "effect": "require", "to": ["here"],
                   "attributes": ["encryption"]}]}))
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 2, f"reply {code}"
    proxy.wait_line("encryption")


def changes_its_model(tell):
    """A running proxy takes a good new model and ignores a bad one; tell()
    makes it look at the file."""
    echo, path = servers.Echo(), model()
    proxy = flow.proxy("--model", path)
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 0
    before = len(proxy.lines)
    path.write_text("{")
    tell(proxy)
    flow.until(lambda: "model.json" in "\n".join(proxy.lines[before:]),
               "a line about the bad model")
    sock.sendall(b"alive")
    assert wire.read(sock, 5) == b"alive"
    good = model(policy={"default": "allow", "rules": [
        {"id": "no-more", "effect": "deny", "to": ["here"]}]})
    good.replace(path)
    tell(proxy)
    assert wire.closed(sock, 10), "the flow was not cut"
    proxy.wait_line("no-more")
    _, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 2, f"reply {code}"


@flow.test
def a_new_model_cuts_what_it_does_not_allow():
    changes_its_model(lambda proxy: proxy.signal(signal.SIGHUP))


@flow.test
def a_changed_model_file_is_noticed():
    changes_its_model(lambda proxy: None)


@flow.test
def a_model_from_a_pipe_is_read_once():
    path = flow.folder() / "pipe"
    os.mkfifo(path)
    text = model().read_text()
    threading.Thread(target=path.write_text, args=(text,), daemon=True).start()
    proxy = flow.proxy("--model", path)
    proxy.signal(signal.SIGHUP)
    proxy.wait_line("not a regular file")
    assert proxy.stop() == 0


@flow.test
def socks6_carries_data_with_the_request():
    echo, proxy = servers.Echo(), flow.proxy()
    sock = wire.connect(proxy.port)
    sock.sendall(wire.request6("localhost", echo.port) + b"with the request")
    assert wire.auth_reply6(sock)[0] == 0
    assert wire.reply6(sock)[0] == 0
    assert wire.read(sock, 16) == b"with the request"


@flow.test
def socks6_knows_its_replies():
    proxy, port = flow.proxy(), flow.free_port()
    sock = wire.connect(proxy.port)
    sock.sendall(wire.request6(flow.LOCAL, port))
    assert wire.auth_reply6(sock)[0] == 0
    code = wire.reply6(sock)[0]
    assert code == 5, f"reply {code}"
    assert wire.closed(sock)


@flow.test
def another_version_is_told_so():
    proxy = flow.proxy()
    sock = wire.connect(proxy.port)
    sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
    got = wire.read_all(sock)
    assert got == b"\x06", f"got {got!r}"


@flow.test
def a_listener_can_take_one_version_only():
    echo = servers.Echo()
    proxy = flow.proxy(listen=["socks://127.0.0.1:0?version=5",
                               "socks://127.0.0.1:0?version=6"])
    _, code = wire.socks5(proxy.ports[0], flow.LOCAL, echo.port)
    assert code == 0
    for port, first in ((proxy.ports[0], wire.request6(flow.LOCAL, 1)),
                        (proxy.ports[1], wire.greeting(0))):
        sock = wire.connect(port)
        sock.sendall(first)
        assert wire.closed(sock)


@flow.test
def a_reverse_listener_needs_no_handshake():
    origin = servers.Origin()
    proxy = flow.proxy(listen=[
        f"tcp://127.0.0.1:0={flow.LOCAL}:{origin.port}"])
    got = curl(f"http://{flow.LOCAL}:{proxy.port}/")
    assert got.stdout == "hello", got


flow.main()
