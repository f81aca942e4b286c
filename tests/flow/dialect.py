#!/usr/bin/env python3
"""dialect.py: socksx's dialect of SOCKS 6, on both sides of epi-proxy, spoken
here by a client and a proxy that know nothing else."""
import contextlib
import pathlib
import socket
import struct
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire

METADATA = 65000
INDEX, LENGTH, LINK = 998, 999, 1000


# ---- a client ----

def option(kind, data):
    """Padded by 1 to 4 bytes, never by none."""
    data += bytes(4 - len(data) % 4)
    return struct.pack(">HH", kind, 4 + len(data)) + data


def metadata(key, value):
    value = value.encode()
    return option(METADATA, struct.pack(">HH", key, len(value)) + value)


def chain(index, *links):
    return (metadata(INDEX, str(index)) + metadata(LENGTH, str(len(links))) +
            b"".join(metadata(LINK + i, link)
                     for i, link in enumerate(links)))


def request(host, port, options=b"", initial=0):
    kind, data = wire.address(host)
    options = option(2, struct.pack(">H", initial)) + options
    return (bytes([6, 1, kind]) + data + struct.pack(">HBH", port, 0,
                                                     len(options)) + options)


def reply(sock):
    """The code of an operation reply."""
    version, code, _, kind = wire.read(sock, 4)
    assert version == 6, f"version {version}"
    wire.read_address(sock, kind)
    _, size = struct.unpack(">HH", wire.read(sock, 4))
    wire.read(sock, size)
    return code


def ask(port, host, to, options=b"", initial=0):
    """A request; the socket, and the code of the reply."""
    sock = wire.connect(port)
    sock.sendall(request(host, to, options, initial))
    assert wire.read(sock, 4) == b"\6\0\0\0"
    return sock, reply(sock)


def works(sock):
    sock.sendall(b"there and back")
    assert wire.read(sock, 14) == b"there and back"


# ---- a proxy ----

class Socksx(servers.Server):
    """Carries out requests in its own order; `asked` has the destination and
    the metadata of each."""

    def __init__(self, **where):
        self.asked = []
        super().__init__(**where)

    def serve(self, sock):
        with contextlib.suppress(OSError, EOFError):
            version, command, kind = wire.read(sock, 3)
            assert (version, command) == (6, 1)
            host = wire.read_address(sock, kind)
            port, _, size = struct.unpack(">HBH", wire.read(sock, 5))
            self.asked.append((host, port, self.options(wire.read(sock, size))))
            sock.sendall(b"\6\0\0\0")
            with socket.create_connection((host, port)) as onward:
                sock.sendall(b"\6\0\0\1" + bytes(8))
                back = threading.Thread(target=servers.Tap._copy,
                                        args=(onward, sock), daemon=True)
                back.start()
                servers.Tap._copy(sock, onward)
                back.join()

    @staticmethod
    def options(data):
        found = {}
        while data:
            kind, size = struct.unpack(">HH", data[:4])
            if kind == METADATA:
                key, length = struct.unpack(">HH", data[4:8])
                found[key] = data[8:8 + length].decode()
            data = data[size:]
        return found


# ---- our proxy, asked by socksx ----

@flow.test
def socksx_asks_us():
    echo = servers.Echo()
    proxy = flow.proxy(listen=["socks://127.0.0.1:0?dialect=socksx",
                               "socks://127.0.0.1:0?dialect=auto"])
    for port in proxy.ports:
        for host in (flow.LOCAL, "localhost"):
            sock, code = ask(port, host, echo.port)
            assert code == 0, code
            works(sock)


@flow.test
def auto_takes_the_draft_and_socks_5_too():
    echo = servers.Echo()
    proxy = flow.proxy(listen=["socks://127.0.0.1:0?dialect=auto"])
    sock = wire.connect(proxy.port)
    sock.sendall(wire.request6(flow.LOCAL, echo.port))
    assert wire.auth_reply6(sock) == (0, b"")
    assert wire.reply6(sock)[0] == 0
    works(sock)
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 0
    works(sock)


@flow.test
def the_draft_alone_is_the_default():
    echo = servers.Echo()
    proxy = flow.proxy()
    sock = wire.connect(proxy.port)
    sock.sendall(request(flow.LOCAL, echo.port))
    assert wire.read_all(sock) == b""
    assert echo.connections == 0


@flow.test
def initial_data_is_passed_on_and_not_waited_for():
    echo = servers.Echo()
    proxy = flow.proxy(listen=["socks://127.0.0.1:0?dialect=auto"])
    # socksx announces data that it never sends.
    sock, code = ask(proxy.port, flow.LOCAL, echo.port, initial=5)
    assert code == 0
    works(sock)
    sock = wire.connect(proxy.port)
    sock.sendall(request(flow.LOCAL, echo.port, initial=5) + b"early")
    assert wire.read(sock, 4) == b"\6\0\0\0"
    assert reply(sock) == 0
    assert wire.read(sock, 5) == b"early"


@flow.test
def a_refusal_has_its_code():
    proxy = flow.proxy(listen=["socks://127.0.0.1:0?dialect=socksx"])
    sock, code = ask(proxy.port, flow.LOCAL, flow.free_port())
    assert code == 5, code
    assert wire.closed(sock)


@flow.test
def other_versions_get_a_mismatch():
    proxy = flow.proxy(listen=["socks://127.0.0.1:0?dialect=socksx&version=6"])
    for first in (b"\5\1\0", b"\4\1", b"GET /"):
        sock = wire.connect(proxy.port)
        sock.sendall(first)
        assert wire.read_all(sock) == b"\6"


@flow.test
def the_command_line_of_socksx_means_auto():
    echo = servers.Echo()
    for more in ((), ("-s", "6")):
        port = flow.free_port()
        flow.start(flow.program_path("epi-proxy"), "-h", flow.LOCAL, "-p",
                   str(port), *more, port=port)
        sock, code = ask(port, flow.LOCAL, echo.port)
        assert code == 0
        works(sock)
        sock = wire.connect(port)
        sock.sendall(wire.request6(flow.LOCAL, echo.port))
        assert wire.auth_reply6(sock)[0] == 0
        assert wire.reply6(sock)[0] == 0
        works(sock)


# ---- our proxy asks socksx ----

@flow.test
def we_ask_socksx():
    echo = servers.Echo()
    hop = Socksx()
    proxy = flow.proxy("--chain",
                       f"socks6://127.0.0.1:{hop.port}?dialect=socksx")
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 0, code
    works(sock)
    host, port, said = hop.asked[0]
    assert (host, port) == (flow.LOCAL, echo.port)
    assert (said[INDEX], said[LENGTH]) == ("1", "2"), said
    assert said[LINK] == "socks6://root:1080"
    assert said[LINK + 1] == f"socks6://127.0.0.1:{hop.port}"


@flow.test
def a_chain_of_socksx_is_told_without_settings():
    echo = servers.Echo()
    hop = Socksx()
    proxy = flow.proxy(
        "--chain", f"socks6://127.0.0.1:{hop.port}?dialect=socksx",
        "--chain", "socks6://127.0.0.1:9999?dialect=socksx")
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code == 0
    works(sock)
    said = hop.asked[0][2]
    assert (said[INDEX], said[LENGTH]) == ("1", "3"), said
    assert said[LINK + 2] == "socks6://127.0.0.1:9999"


@flow.test
def a_failed_connect_behind_socksx_is_a_refusal():
    hop = Socksx()
    proxy = flow.proxy("--chain",
                       f"socks6://127.0.0.1:{hop.port}?dialect=socksx")
    sock, code = wire.socks5(proxy.port, flow.LOCAL, flow.free_port())
    assert code == 1, code
    assert wire.closed(sock)


@flow.test
def socksx_over_its_limit_is_a_refusal():
    class Full(servers.Server):
        def serve(self, sock):
            sock.recv(4096)
            sock.sendall(b"\6\5\0\1" + bytes(8))

    hop = Full()
    proxy = flow.proxy("--chain",
                       f"socks6://127.0.0.1:{hop.port}?dialect=socksx")
    sock, code = wire.socks5(proxy.port, flow.LOCAL, 80)
    assert code == 5, code


# ---- socksx, us, socksx ----

@flow.test
def links_of_socksx_are_dialled_in_its_dialect():
    echo = servers.Echo()
    hop = Socksx()
    proxy = flow.proxy(listen=["socks://127.0.0.1:0?dialect=auto"])
    links = ("socks6://root:1080", f"socks6://127.0.0.1:{proxy.port}",
             f"socks6://127.0.0.1:{hop.port}")
    sock, code = ask(proxy.port, flow.LOCAL, echo.port, chain(1, *links))
    assert code == 0, code
    works(sock)
    said = hop.asked[0][2]
    assert (said[INDEX], said[LENGTH]) == ("2", "3"), said
    assert tuple(said[LINK + i] for i in range(3)) == links


@flow.test
def own_links_go_behind_the_index():
    echo = servers.Echo()
    first, last = Socksx(), Socksx()
    proxy = flow.proxy("--chain",
                       f"socks6://127.0.0.1:{first.port}?dialect=socksx",
                       listen=["socks://127.0.0.1:0?dialect=auto"])
    sock, code = ask(proxy.port, flow.LOCAL, echo.port,
                     chain(1, "socks6://root:1080", "socks6://us:1080",
                           f"socks6://127.0.0.1:{last.port}"))
    assert code == 0
    works(sock)
    said = first.asked[0][2]
    at, size = int(said[INDEX]), int(said[LENGTH])
    ahead = [said[LINK + i] for i in range(at, size)]
    assert ahead == [f"socks6://127.0.0.1:{first.port}",
                     f"socks6://127.0.0.1:{last.port}"], said


@flow.test
def bad_settings_are_refused():
    for url in ("socks://127.0.0.1:0?dialect=fast",
                "socks://127.0.0.1:0?version=5&dialect=auto"):
        ran = flow.run(flow.program_path("epi-proxy"), "--listen", url)
        assert ran.returncode == 2 and "dialect" in ran.stderr, ran.stderr
    for url in ("socks5://127.0.0.1:1?dialect=socksx",
                "socks6://127.0.0.1:1?dialect=auto",
                "socks6://127.0.0.1:1?dialect=socksx&draft=12"):
        ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                       "socks://127.0.0.1:0", "--chain", url)
        assert ran.returncode == 2 and "dialect" in ran.stderr, ran.stderr


if __name__ == "__main__":
    flow.main()
