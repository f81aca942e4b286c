#!/usr/bin/env python3
"""logins.py: hashed passwords, guesses, and users that come and go."""
import contextlib
import functools
import os
import pathlib
import pty
import select
import stat
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire

# Of "secret", which takes 5 ms.
HASH = "$y$j75$saltsaltsalt$jyf/lxrpdyAIshWRo1x5DRC6KIE7sNRRtjcomR3PgHA"
SESSION_REQUEST, SESSION_ID = 5, 6
SLOW = "$6$rounds=2000000$salt$"  # of nothing; over a second


def passwd(path, user, password=None, *options):
    return flow.run(flow.program_path("epi-proxy"), "passwd", *options, path,
                    user, stdin=password or "")


@functools.cache
def has_hashes():
    ran = passwd("/nonexistent/users", "ada", "secret\n")
    return "need a build with libcrypt" not in ran.stderr


def users(**hashes):
    if not has_hashes():
        flow.skip("no hashes in this build")
    return flow.file("".join(f"{user}:{text}\n"
                             for user, text in hashes.items()), "users")


def listening(path, *options, **more):
    return flow.proxy(*options, listen=[f"socks://127.0.0.1:0?users={path}"],
                      **more)


def login(proxy, to, user, password):
    """The socket, and the reply's code, or "login" if that was wrong."""
    return wire.socks5(proxy.port, flow.LOCAL, to.port, (user, password))


def code_of(proxy, to, user, password):
    sock, code = login(proxy, to, user, password)
    sock.close()
    return code


def rename(path, text):
    other = path.with_name("other")
    other.touch(0o600)
    other.write_text(text)
    other.rename(path)


@flow.test
def passwd_makes_what_the_proxy_takes():
    path = users()
    path.unlink()
    for user, password in (("ada", "secret"), ("bob", "p:w $1")):
        ran = passwd(path, user, password + "\nmore\n")
        assert ran.returncode == 0, ran
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "secret" not in path.read_text()
    origin, proxy = servers.Origin(), listening(path)
    for who in ("ada:secret", "bob:p:w $1"):
        got = flow.run(flow.need("curl"), "-sS", "--proxy-user", who,
                       "--socks5", f"{flow.LOCAL}:{proxy.port}", origin.url())
        assert got.stdout == "hello", got
    for user, password in (("ada", "secre"), ("eve", "secret"),
                           ("ada", path.read_text().split(":")[1][:70])):
        assert code_of(proxy, origin, user, password) == "login"
    assert "passwords as they are" not in proxy.text, proxy.text


@flow.test
def passwd_says_what_is_wrong():
    path = users(ada=HASH)
    before = path.read_text()
    for arguments, says in (((path, "eve", None, "--delete"), "no user eve"),
                            ((path, "ada", "\n"), "1 to 255 bytes"),
                            ((path, "a:b", "x\n"), "no ':'"),
                            ((path, "ada", "x" * 256), "1 to 255 bytes"),
                            (("/nonexistent/users", "a", "x\n"), "nonexist")):
        ran = passwd(*arguments)
        assert ran.returncode == 2 and says in ran.stderr, ran
    assert path.read_text() == before
    assert passwd(path, "ada", None, "--delete").returncode == 0
    assert path.read_text() == ""


def speak(terminal, says):
    """What a program says to a terminal, answering its questions in turn."""
    heard = b""
    with contextlib.suppress(OSError):  # its end
        while select.select([terminal], [], [], 10)[0]:
            heard += os.read(terminal, 1000)
            if says and heard.endswith(b": "):
                os.write(terminal, says.pop(0) + b"\n")
    return heard


@flow.test
def passwd_asks_twice_and_shows_nothing():
    for again, code in ((b"secret", 0), (b"Secret", 2)):
        path = users()
        path.unlink()
        program = str(flow.program_path("epi-proxy"))
        pid, terminal = pty.fork()
        if not pid:
            os.execv(program, [program, "passwd", str(path), "ada"])
        heard = speak(terminal, [b"secret", again])
        os.close(terminal)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == code, heard
        assert b"ecret" not in heard, heard
        assert path.exists() == (code == 0)


@flow.test
def a_mixed_file_is_warned_about_once():
    path, echo = users(ada=HASH, bob="plain"), servers.Echo()
    proxy = listening(path)
    proxy.wait_line("WARNING: .* has 1 passwords as they are")
    assert code_of(proxy, echo, "ada", "secret") == 0
    assert code_of(proxy, echo, "bob", "plain") == 0
    assert code_of(proxy, echo, "bob", "plai") == "login"
    rename(path, f"ada:{HASH}\nbob:other\n")
    proxy.wait_line("was read again: 2 users")
    assert code_of(proxy, echo, "bob", "other") == 0
    assert proxy.text.count("WARNING: /") == 1
    assert "secret" not in proxy.text and "plain" not in proxy.text


@flow.test
def other_hashes_are_refused():
    ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                   f"socks://127.0.0.1:0?users={users(ada='$1$salt$hash')}")
    assert ran.returncode == 2 and "line 1: a hash of this kind" in ran.stderr


@flow.test
def users_come_and_go_while_it_runs():
    path, echo = users(ada=HASH), servers.Echo()
    proxy = listening(path)
    cut, code = login(proxy, echo, "ada", "secret")
    assert code == 0
    passwd(path, "bob", "new\n")
    proxy.wait_line("was read again: 2 users")
    assert code_of(proxy, echo, "bob", "new") == 0
    # A bad file changes nothing, and is named.
    rename(path, "nobody\n")
    proxy.wait_line("the users are those of before, as .* line 1: not NAME:")
    assert code_of(proxy, echo, "bob", "new") == 0
    cut.sendall(b"there?")
    assert wire.read(cut, 6) == b"there?"
    rename(path, f"eve:{HASH}\n")
    proxy.wait_line("was read again: 1 users")
    assert code_of(proxy, echo, "eve", "secret") == 0
    for user, password in (("bob", "new"), ("ada", "secret")):
        assert code_of(proxy, echo, user, password) == "login", user
    assert wire.closed(cut)
    proxy.wait_line("its user was taken out of the users file")


@flow.test
def a_session_ends_with_its_user():
    path, echo = users(ada=HASH), servers.Echo()
    proxy = listening(path)
    for reply in (0, 2):
        sock = wire.connect(proxy.port)
        sock.sendall(wire.request6(
            flow.LOCAL, echo.port, wire.option(SESSION_ID, ident) if reply else
            wire.option(SESSION_REQUEST, b"") +
            wire.login_option("ada", "secret")))
        kind, said = wire.auth_reply6(sock)
        assert kind == 0
        ident = ident if reply else said[said.index(b"\0\6\0\x14") + 4:][:16]
        assert wire.reply6(sock)[0] == reply
        rename(path, f"eve:{HASH}\n")
        proxy.wait_line("was read again: 1 users")


@flow.test
def another_password_cuts_nothing():
    path, echo = users(ada=HASH), servers.Echo()
    proxy = listening(path)
    kept, code = login(proxy, echo, "ada", "secret")
    assert code == 0
    passwd(path, "ada", "other\n")
    proxy.wait_line("was read again: 1 users")
    assert code_of(proxy, echo, "ada", "secret") == "login"
    assert code_of(proxy, echo, "ada", "other") == 0
    kept.sendall(b"there?")
    assert wire.read(kept, 6) == b"there?"


@flow.test
def a_removed_file_may_come_back():
    path, echo = users(ada=HASH), servers.Echo()
    proxy = listening(path)
    path.rename(path.with_name("away"))
    assert code_of(proxy, echo, "ada", "secret") == 0
    rename(path, f"bob:{HASH}\n")
    proxy.wait_line("was read again: 1 users")
    assert code_of(proxy, echo, "ada", "secret") == "login"


@flow.test
def guesses_are_refused_after_some():
    echo = servers.Echo()
    proxy = listening(users(ada=HASH), "--login-failures", "3",
                      "--login-pause", "1000")
    began = time.monotonic()
    for _ in range(3):
        assert code_of(proxy, echo, "ada", "wrong") == "login"
    proxy.wait_line(r"logins from 127\.0\.0\.1:\d+ are refused for 1 s, as 3"
                    " failed within 60 s")
    refused = 0
    for _ in range(5):
        code = code_of(proxy, echo, "ada", "secret")
        refused += code == "login"
        assert code == "login" or time.monotonic() - began > 1, code
    # Others are not meant.
    sock = wire.connect(proxy.port, source="127.0.0.2")
    sock.sendall(wire.greeting(2))
    assert wire.read(sock, 2) == b"\5\2"
    sock.sendall(wire.login5("ada", "secret"))
    assert wire.read(sock, 2) == b"\1\0"
    flow.until(lambda: code_of(proxy, echo, "ada", "secret") == 0,
               "the pause is over")
    if refused:
        proxy.wait_line(r"are checked again: \d+ were refused meanwhile")
    assert proxy.text.count("the login is wrong") == 3, "said once for all"


@flow.test
def many_guesses_at_once_are_no_more():
    echo = servers.Echo()
    proxy = listening(users(ada="$6$rounds=50000$salt$x"),
                      "--login-failures", "4", "--login-threads", "1")
    threads = [threading.Thread(target=code_of,
                                args=(proxy, echo, "ada", str(i)))
               for i in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    proxy.wait_line("are refused for 30 s, as 4 failed")

    def wrong():
        return proxy.text.count("the login is wrong")
    flow.until(lambda: wrong() >= 4, "each is said")
    assert wrong() == 4, f"{wrong()} were hashed"


@flow.test
def logins_at_once_hold_up_nobody():
    echo = servers.Echo()
    proxy = listening(users(ada=HASH, bob=SLOW + "x"), "--workers", "1",
                      "--login-failures", "0")
    running, code = login(proxy, echo, "ada", "secret")
    assert code == 0
    waiting = []
    for i in range(50):
        sock = wire.connect(proxy.port)
        sock.sendall(wire.greeting(2))
        assert wire.read(sock, 2) == b"\5\2"
        sock.sendall(wire.login5("bob", f"try {i}"))
        waiting.append(sock)
    for _ in range(50):  # one hash in the loop for each, if it were there
        running.sendall(b"x" * 1000)
        wire.read(running, 1000)
    assert not select.select(waiting[20:], [], [], 0)[0], "they wait"
    for sock in waiting:
        sock.close()


@flow.test
def a_login_that_takes_too_long_ends():
    echo = servers.Echo()
    proxy = listening(users(bob=SLOW + "x"), "--handshake-timeout", "300")

    def asked():
        """A socket with a login, if there was time for that."""
        sock = wire.connect(proxy.port)
        with contextlib.suppress(OSError, EOFError):
            sock.sendall(wire.greeting(2))
            assert wire.read(sock, 2) == b"\5\2"
            sock.sendall(wire.login5("bob", "x"))
            return sock
    assert wire.closed(flow.until(asked, "a login"))
    proxy.wait_line("did not finish its handshake in time")
    assert proxy.stop() == 0
    assert echo.connections == 0


@flow.test
def what_came_with_the_login_is_not_lost():
    echo, proxy = servers.Echo(), listening(users(ada=HASH))
    sock = wire.connect(proxy.port)
    sock.sendall(wire.greeting(2) + wire.login5("ada", "secret") +
                 wire.request5(flow.LOCAL, echo.port) + b"early data")
    assert wire.read(sock, 4) == b"\5\2\1\0"
    assert wire.reply5(sock)[0] == 0
    assert wire.read(sock, 10) == b"early data"
    sock = wire.connect(proxy.port)
    sock.sendall(wire.request6(flow.LOCAL, echo.port,
                               wire.login_option("ada", "secret")) + b"early")
    assert wire.auth_reply6(sock)[0] == 0
    assert wire.reply6(sock)[0] == 0
    assert wire.read(sock, 5) == b"early"


@flow.test
def a_listener_has_no_login_in_its_url():
    ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                   "socks://ada:secret@127.0.0.1:0")
    assert ran.returncode == 2 and "users=FILE" in ran.stderr, ran
    assert "secret" not in ran.stderr, ran


flow.main()
