"""test_connect.py: sockets through proxies."""
import asyncio
import socket
import threading

import pytest

import epi
from conftest import read_exactly
from epi import Session, Version

ANY = "socks://127.0.0.1:0"


def url(engine, scheme="socks6", more=""):
    return f"{scheme}://{engine.addresses[0]}{more}"


def test_directly(echo):
    with epi.connect(echo.address) as sock:
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
        assert sock.gettimeout() is None


@pytest.mark.parametrize("more", ["", "?draft=12", "?draft=11"])
def test_through_several_proxies(echo, more):
    log = []
    with epi.Engine(listen=ANY + more, workers=1,
                    on_log=lambda _, line: log.append(line)) as first, \
            epi.Engine(listen=ANY, workers=1) as second:
        via = [url(first, "socks6", more), url(second, "socks5"), url(second)]
        with epi.connect(echo.address, via, metadata={
                epi.Meta.PURPOSE: "research"}) as sock:
            sock.sendall(b"there")
            assert read_exactly(sock, 5) == b"there"
        assert second.counts.allowed == 2
    assert any(str(second.addresses[0]) in line for line in log)


def test_a_login(echo, tmp_path):
    users = tmp_path / "users"
    users.touch(0o600)
    users.write_text("me:p@ss\n")
    with epi.Engine(listen=f"{ANY}?users={users}", workers=1) as engine:
        where = engine.addresses[0]
        for scheme in ("socks5", "socks6"):
            epi.connect(echo.address, f"{scheme}://me:p%40ss@{where}").close()
            with pytest.raises(epi.Error) as caught:
                epi.connect(echo.address, f"{scheme}://me:wrong@{where}")
            assert "wrong" not in str(caught.value)
            with pytest.raises(epi.Error):
                epi.connect(echo.address, f"{scheme}://{where}")


def test_the_dialect_of_socksx(echo):
    with epi.Engine(listen=f"{ANY}?dialect=socksx", workers=1) as engine:
        with epi.connect(echo.address,
                         url(engine, more="?dialect=socksx")) as sock:
            sock.sendall(b"x")
            assert sock.recv(1) == b"x"


def test_what_can_go_wrong(echo):
    with epi.Engine(listen=ANY, workers=1) as engine:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            nobody = unused.getsockname()
            with pytest.raises(epi.errors.Refused) as caught:
                epi.connect(nobody, url(engine))
            assert caught.value.reply == epi.ReplyCode.REFUSED
            with pytest.raises(epi.errors.SystemRefused, match="refused"):
                epi.connect(nobody)
            with pytest.raises(epi.errors.SystemRefused):
                epi.connect(echo.address, "socks5://%s:%d" % nobody)
        for via in ("http://127.0.0.1:1", "socks6://127.0.0.1",
                    "socks5://127.0.0.1:1?draft=12", "socks6://h:1?draft=9",
                    "socks6://h:1?x=y", "socks6://h:1/path", "nonsense",
                    "socks6://h:1#x"):
            with pytest.raises(epi.errors.InvalidArgument):
                epi.connect(echo.address, via)
        for via in ("http://me:secret@h:1", "socks5://me:secret@[::1:1",
                    "socks5://me:secret@h\u2100:1", "me:secret@h:1",
                    "socks5://:secret@h:1"):
            with pytest.raises(epi.errors.InvalidArgument) as caught:
                epi.connect(echo.address, via)
            assert "secret" not in str(caught.value)
        with pytest.raises(epi.errors.InvalidArgument, match="port"):
            epi.connect("example.org", url(engine))
        with pytest.raises(epi.errors.NotSupported):
            epi.connect(echo.address, [url(engine), "socks6+tls://h:1"])
        for wrong in ((5,), (echo.address, 5), (echo.address, [5]),
                      (echo.address, [b"socks5://h:1"])):
            with pytest.raises(TypeError):
                epi.connect(*wrong)
    with pytest.raises(epi.errors.ResolveError):
        epi.connect("no-such-name.invalid:1", timeout=60)


def test_a_password_holds_what_it_likes():
    for password in ("1#2", "1/2", "1?2", "1@2", "1:2", "1%232", ""):
        link = epi.client.Link.parse(f"socks5://me:{password}@proxy:1080")
        assert str(link.address) == "proxy:1080" and link.user == "me"
        assert link.password == password.replace("%23", "#")


def _serve_once(answer):
    """A server that says something to whoever comes; its URL."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        with server:
            peer, _ = server.accept()
            with peer:
                answer(peer)
    threading.Thread(target=serve, daemon=True).start()
    return "socks5://%s:%d" % server.getsockname()


def test_a_proxy_that_misbehaves():
    def silent(peer):
        peer.recv(100)
        peer.recv(100)

    with pytest.raises(epi.errors.TimedOut):
        epi.connect(("a.example", 1), _serve_once(silent), timeout=0.1)
    with pytest.raises(epi.errors.Closed):
        epi.connect(("a.example", 1), _serve_once(lambda p: p.recv(100)))
    with pytest.raises(epi.Error):
        epi.connect(("a.example", 1),
                    _serve_once(lambda p: p.sendall(b"HTTP/1.1 400 no")))

    async def main():
        with pytest.raises(epi.errors.TimedOut):
            await epi.open_connection(("a.example", 1), _serve_once(silent),
                                      timeout=0.1)
        with pytest.raises(epi.errors.Closed):
            await epi.open_connection(("a.example", 1),
                                      _serve_once(lambda p: p.recv(100)))
        with pytest.raises(epi.errors.SystemRefused):
            with socket.socket() as unused:
                unused.bind(("127.0.0.1", 0))
                await epi.open_connection(unused.getsockname())
    asyncio.run(main())


def test_what_comes_right_behind_the_handshake_is_kept():
    """A server that speaks first, in the same piece as the proxy's reply."""
    def answer(peer):
        server = Session.server(1)
        while server.next != epi.Next.DONE:
            server.feed(peer.recv(100))
            if server.next == epi.Next.REPLY:
                server.reply(epi.Reply())
                peer.sendall(server.take() + b"220 hello")
            else:
                peer.sendall(server.take())
        peer.recv(1)

    with epi.connect(("a.example", 1), _serve_once(answer)) as sock:
        assert read_exactly(sock, 9) == b"220 hello"
    assert Version.SOCKS5 == 5
