"""test_socksx.py: scripts that are written for socksx run by changing the
import, with libepi and with the real socksx as the other side."""
import asyncio
import socket as sockets
import subprocess

import pytest

import epi
from epi.compat import socksx
from epi.compat.socksx import socks6
from epi.compat.socksx.socket import (
    Socket,
    SocketAddress,
    SocketFunction,
    SocketServer,
)
from support import fetched, flow


def run(main):
    return asyncio.run(asyncio.wait_for(main, 120))


async def _through(client, dest, chain=None, said=b"there and back"):
    """The logic of its client: connect, talk."""
    socket = await client.connect(dest, chain)
    await socket._send(said)
    got = b""
    while len(got) < len(said):
        piece = await socket._receive()
        assert piece, f"only {got!r}"
        got += piece
    socket.close()
    return got


class Proxy:
    """The logic of its proxy: take requests, follow chains, relay."""

    def __init__(self, links=(), function=None):
        self.links, self.function = list(links), function
        self.requests, self.tasks = [], set()

    async def start(self):
        self.server = await SocketServer.bind("127.0.0.1", 0)
        self.port = self.server._sock.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.accepting = asyncio.ensure_future(self._accept())
        return self

    async def _accept(self):
        while True:
            source = await self.server.accept()
            task = asyncio.ensure_future(self._serve(source))
            self.tasks.add(task)

    async def _serve(self, source):
        request = await socks6.read_request(source)
        self.requests.append(request)
        await socks6.write_no_authentication(source)
        chain = request.chain(self.links)
        try:
            if chain and chain.has_next():
                link = chain.next_link()
                client = socks6.Client(f"{link.host}:{link.port}")
                dest = await client.connect(request.destination, chain)
            else:
                dest = await Socket.connect(request.destination)
        except OSError:
            await socks6.write_connection_refused_reply(source)
            source.close()
            return
        if self.function:
            source.apply(self.function())
        await socks6.write_success_reply(source)
        await socksx.copy_bidirectional(source, dest)

    async def stop(self):
        self.accepting.cancel()
        await asyncio.gather(self.accepting, return_exceptions=True)
        self.server.close()
        for task in self.tasks:
            task.cancel()
        done = await asyncio.gather(*self.tasks, return_exceptions=True)
        return [e for e in done if isinstance(e, Exception)]


def test_its_client_and_its_proxy(echo):
    async def main():
        proxy = await Proxy().start()
        dest = SocketAddress("%s:%d" % echo.address)
        said = bytes(range(256)) * 2000
        assert await _through(socks6.Client(proxy.address), dest,
                              said=said) == said
        assert proxy.requests[0].destination == dest
        assert (proxy.requests[0].command,
                proxy.requests[0].initial_data_length) == (1, 0)
        assert not await proxy.stop()
    run(main())


def test_a_refused_connection(echo):
    async def main():
        proxy = await Proxy().start()
        with sockets.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            dest = SocketAddress("%s:%d" % unused.getsockname())
            with pytest.raises(epi.errors.Refused) as caught:
                await socks6.Client(proxy.address).connect(dest)
        assert caught.value.reply == epi.ReplyCode.REFUSED
        with pytest.raises(OSError):
            await Socket.connect(dest)
        await proxy.stop()
    run(main())


def test_chains_go_through_all_links(echo):
    async def main():
        last = await Proxy().start()
        detour = await Proxy().start()
        first = await Proxy([f"socks6://{detour.address}",
                             f"socks6://{last.address}"]).start()
        dest = SocketAddress("%s:%d" % echo.address)
        assert await _through(socks6.Client(first.address), dest)
        assert [len(p.requests) for p in (first, detour, last)] == [1, 1, 1]
        assert not any([await p.stop() for p in (first, detour, last)])
    run(main())


def _request(metadata):
    return socks6.Request(epi.Request(("a", 1), metadata=metadata))


def test_a_detour_stands_behind_the_current_link():
    links = [f"socks6://p{i}:{i}" for i in (1, 2, 3)]
    request = _request({998: "1", 999: "3",
                        **{1000 + i: url for i, url in enumerate(links)}})
    chain = request.chain(["socks6://p4:4", "socks5://me:secret@p5:5"])
    assert "secret" not in str(chain._metadata())
    assert chain._links[:2] == links[:2]
    order = []
    while chain.has_next():
        link = chain.next_link()
        order.append((link.host, link.port))
    assert order == [("p4", 4), ("p5", 5), ("p3", 3)]
    assert chain.next_link() is None
    fresh = _request({}).chain(["socks6://p4:4"])
    assert fresh._metadata()[1000] == "socks6://root:1080"
    assert _request({}).chain(None) is None


@pytest.mark.parametrize("metadata", [
    {998: "0"}, {999: "1"}, {998: "1", 999: "1", 1000: "socks6://a:1"},
    {998: "-1", 999: "1", 1000: "socks6://a:1"}, {998: "x", 999: "1"},
    {998: "0", 999: "2", 1000: "socks6://a:1"}, {998: "0", 999: "9" * 30}])
def test_a_chain_that_makes_no_sense_is_an_error(metadata):
    with pytest.raises(epi.errors.ProtocolError):
        _request(metadata).chain(None)


def test_functions_change_what_is_read(echo):
    """The logic of its functions, as chacha20: what goes in is changed."""
    class Rot(SocketFunction):
        def __init__(self):
            self.count = 0

        def partial(self, data):
            self.count += len(data)
            return bytes((b + 1) % 256 for b in data)

        def end(self):
            return str(self.count).encode()

    async def main():
        proxy = await Proxy(function=Rot).start()
        dest = SocketAddress("%s:%d" % echo.address)
        socket = await socks6.Client(proxy.address).connect(dest)
        await socket._send(b"abc")
        await socket.flush()
        socket._sock.shutdown(sockets.SHUT_WR)
        got = b""
        while piece := await socket._receive():
            got += piece
        assert got == b"bcd3"
        assert socket.get_raw_fd() == socket._sock.fileno()
        with pytest.raises(TypeError):
            socket.apply(lambda data: data)
        socket.close()
        await proxy.stop()
    run(main())


def test_what_is_there_already_is_initial_data(echo):
    """The logic of its redirector, but that it does not wait."""
    async def main():
        server = await SocketServer.bind("127.0.0.1", 0)
        with sockets.create_connection(server._sock.getsockname()) as client:
            source = await server.accept()
            assert await source.try_read_initial_data() == b""
            client.sendall(b"early")
            data = b""
            while not data:
                await asyncio.sleep(0.001)
                data = await source.try_read_initial_data()
            assert data == b"early"
            with pytest.raises(OSError):
                await source.get_original_dst()
        source.close()
        server.close()
    run(main())


def test_addresses():
    address = SocketAddress("10.0.0.1:80")
    assert (address.ip, address.port, str(address)) == (
        "10.0.0.1", 80, "10.0.0.1:80")
    assert SocketAddress("[::1]:5").ip == "::1"
    for wrong in ("", "10.0.0.1", "a b:5", "a:99999"):
        with pytest.raises(ValueError):
            SocketAddress(wrong)
    with pytest.raises(TypeError):
        socks6.Client(5)


@pytest.mark.parametrize("dialect", ["socksx", "auto"])
def test_libepi_as_its_proxy_and_as_its_client(echo, dialect):
    async def main():
        dest = SocketAddress("%s:%d" % echo.address)
        with epi.Engine(workers=1, listen=f"socks://127.0.0.1:0?dialect="
                                          f"{dialect}") as engine:
            assert await _through(socks6.Client(str(engine.addresses[0])),
                                  dest)
        proxy = await Proxy().start()
        for more in ("?dialect=socksx", ""):
            reader, writer = await epi.open_connection(
                echo.address, f"socks6://{proxy.address}{more}")
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
            writer.close()
        await proxy.stop()
    run(main())


@pytest.mark.parametrize("said", [
    b"\x06", b"\x05\x01\x00", b"GET / HTTP/1.1\r\n\r\n", b"\x06\x01\x09\x00"])
def test_a_request_that_is_none(said):
    async def main():
        server = await SocketServer.bind("127.0.0.1", 0)
        with sockets.create_connection(server._sock.getsockname()) as client:
            source = await server.accept()
            client.sendall(said)
            client.shutdown(sockets.SHUT_WR)
            with pytest.raises(epi.Error):
                await socks6.read_request(source)
            source.close()
        server.close()
    run(main())


# ---- the real one ----


class Real:
    """A proxy of socksx itself."""

    def __init__(self, *options):
        program, why = fetched.socksx()
        if not program:
            pytest.skip(why)
        self.port = flow.free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [program, "-h", "127.0.0.1", "-p", str(self.port), *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        epi.endpoint_wait(f"socks6://{self.address}", 60000)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()


def test_our_client_and_the_real_proxy(echo):
    dest = SocketAddress("%s:%d" % echo.address)
    with Real() as real:
        assert run(_through(socks6.Client(real.address), dest))


def test_the_real_proxy_between_ours(echo):
    async def main():
        last = await Proxy().start()
        with Real("-c", f"socks6://{last.address}") as real:
            first = await Proxy([f"socks6://{real.address}"]).start()
            dest = SocketAddress("%s:%d" % echo.address)
            assert await _through(socks6.Client(first.address), dest)
            assert [len(p.requests) for p in (first, last)] == [1, 1]
            chain = last.requests[0].chain(None)
            assert not chain.has_next()
            await first.stop()
        await last.stop()
    run(main())
