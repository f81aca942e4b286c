#!/usr/bin/env python3
"""chain.py: epi-proxy in front of other proxies, and under other programs."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, sshd
from support import socks_client as wire


def through(proxy, server):
    """Something goes there and back through a proxy."""
    for host in (flow.LOCAL, "localhost"):
        sock, code = wire.socks5(proxy.port, host, server.port)
        assert code == 0, f"{host}: reply {code}"
        sock.sendall(b"there and back")
        assert wire.read(sock, 14) == b"there and back"


def two(scheme, *options, users=""):
    """Two proxies; the tap between them proves that flows pass both."""
    echo = servers.Echo()
    last = flow.proxy(listen=[f"socks://127.0.0.1:0{users}"])
    tap = servers.Tap(last.port)
    first = flow.proxy("--chain",
                       f"{scheme}://127.0.0.1:{tap.port}{''.join(options)}")
    return first, last, tap, echo


@flow.test
def two_proxies_speak_socks5():
    first, _, tap, echo = two("socks5")
    through(first, echo)
    assert tap.connections == 2
    assert tap.sent[0][:1] == b"\5"


@flow.test
def two_proxies_speak_socks6():
    first, _, tap, echo = two("socks6")
    through(first, echo)
    assert tap.connections == 2
    assert tap.sent[0][:1] == b"\6"


@flow.test
def two_proxies_speak_draft_12():
    echo = servers.Echo()
    last = flow.proxy(listen=["socks://127.0.0.1:0?draft=12"])
    first = flow.proxy("--chain",
                       f"socks6://127.0.0.1:{last.port}?draft=12")
    through(first, echo)


@flow.test
def initial_data_goes_along_at_every_hop():
    first, _, tap, echo = two("socks6")
    sock = wire.connect(first.port)
    sock.sendall(wire.request6(flow.LOCAL, echo.port) + b"early data")
    assert wire.auth_reply6(sock)[0] == 0
    assert wire.reply6(sock)[0] == 0
    assert wire.read(sock, 10) == b"early data"
    assert tap.sent[0].endswith(b"early data"), "not with the request"


@flow.test
def hops_log_in():
    users = flow.file("ada:secret\n", "users")
    credentials = flow.file("ada:secret\n", "credentials")
    for scheme in ("socks5", "socks6"):
        first, _, _, echo = two(scheme, f"?credentials={credentials}",
                                users=f"?users={users}")
        through(first, echo)


@flow.test
def a_hop_that_refuses_the_login_is_a_refusal():
    users = flow.file("ada:secret\n", "users")
    credentials = flow.file("ada:wrong\n", "credentials")
    for scheme in ("socks5", "socks6"):
        first, _, _, echo = two(scheme, f"?credentials={credentials}",
                                users=f"?users={users}")
        sock, code = wire.socks5(first.port, flow.LOCAL, echo.port)
        assert code != 0, scheme
        assert wire.closed(sock)
        assert echo.connections == 0


@flow.test
def the_last_hops_reply_comes_through():
    port = flow.free_port()
    for scheme in ("socks5", "socks6"):
        first, *_ = two(scheme)
        _, code = wire.socks5(first.port, flow.LOCAL, port)
        assert code == 5, f"{scheme}: reply {code}"


@flow.test
def a_hop_that_is_down_is_a_refusal():
    echo = servers.Echo()
    proxy = flow.proxy("--chain", f"socks5://127.0.0.1:{flow.free_port()}")
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    assert code != 0
    assert wire.closed(sock)
    assert echo.connections == 0, "the hop was left out"


@flow.test
def three_hops_in_a_row():
    echo = servers.Echo()
    taps = []
    for _ in range(3):
        taps.append(servers.Tap(flow.proxy().port))
    first = flow.proxy("--chain", f"socks5://127.0.0.1:{taps[0].port}",
                       "--chain", f"socks6://127.0.0.1:{taps[1].port}",
                       "--chain", f"socks6://127.0.0.1:{taps[2].port}")
    through(first, echo)
    assert [tap.connections for tap in taps] == [2, 2, 2]


@flow.test(timeout=60)
def ssh_goes_through_the_proxy():
    ssh, nc = flow.need("ssh", "nc")
    port = flow.free_port()
    options = sshd.start(flow.LOCAL, port)
    proxy = flow.proxy()
    got = flow.run(ssh, *options, "-o",
                   f"ProxyCommand={nc} -X 5 -x {flow.LOCAL}:{proxy.port}"
                   " %h %p", "-p", port, flow.LOCAL,
                   "head -c 3000000 /dev/zero | cksum", timeout=40)
    assert got.returncode == 0, got.stderr
    assert got.stdout.split()[-1] == "3000000", got.stdout


flow.main()
