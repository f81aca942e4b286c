#!/usr/bin/env python3
"""stack_options.py: what clients ask of IP and TCP is done, seen in packets,
and answered as it was done."""
import pathlib
import signal
import socket
import struct
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import capture, flow, netns, servers, socks_client as wire
from support import stack_client as stack
from support.stack_client import CLIENT, NO, REMOTE, YES

MPTCP = 262


class Net:
    """A client, a proxy and a host, each in a namespace, where they listen on
    ports of their own. What passes the proxy is captured."""

    def __init__(self, *options, listen="", server=servers.Echo):
        self.client, self.proxy_ns, self.host = (netns.Namespace()
                                                 for _ in range(3))
        _, (self.near, self.near6) = netns.link(self.client, self.proxy_ns)
        _, (self.far, self.far6) = netns.link(self.proxy_ns, self.host)
        for space in (self.client, self.proxy_ns, self.host):
            space.run("sysctl", "-qw", "net.ipv4.tcp_fastopen=3")
        self.proxy = flow.proxy(*options, namespace=self.proxy_ns.name,
                                listen=[f"socks://{self.near}:1080{listen}"])
        with self.host.inside():
            self.server = server(self.far, 8004)
            self.server6 = server(self.far6, 8006)
        with self.proxy_ns.inside():  # IPv6 takes a while to come up
            socket.create_connection((self.far6, self.server6.port), 10).close()
        self.seen = capture.Capture(self.proxy_ns)

    def connect(self, *options, host=None, early=b"", server=None):
        server = server or (self.server6 if host == self.far6 else self.server)
        with self.client.inside():
            sock, code, answers = stack.connect(
                self.proxy.port, host or self.far, server.port, options, early,
                proxy=self.near)
        assert code == 0, f"reply {code}"
        return sock, answers

    def answers(self, *options, **more):
        return self.connect(*options, **more)[1]


@flow.test
def nothing_is_asked():
    net = Net()
    sock, answers = net.connect()
    assert answers == {}, answers
    syn = net.seen.syn(net.server.port)
    assert (syn.tos, syn.ttl, syn.data) == (0, 64, b""), syn
    assert bytes([34]) not in kinds(syn), "TCP Fast Open"


def kinds(packet):
    """The kinds of a packet's TCP options."""
    found, at = [], 0
    while at < len(packet.options) and packet.options[at]:
        found.append(packet.options[at:at + 1])
        at += 1 if packet.options[at] == 1 else packet.options[at + 1]
    return found


@flow.test
def tos_and_ttl_of_the_remote_leg():
    net = Net()
    for host, server in ((net.far, net.server), (net.far6, net.server6)):
        answers = net.answers((REMOTE, stack.TOS, 0xb8),
                              (REMOTE, stack.TTL, 17), host=host)
        assert answers == {(REMOTE, stack.TOS): 0xb8,
                           (REMOTE, stack.TTL): 17}, answers
        syn = net.seen.syn(server.port)
        assert (syn.tos, syn.ttl) == (0xb8, 17), syn


@flow.test
def tos_and_ttl_of_the_client_leg():
    net = Net()
    sock, answers = net.connect((CLIENT, stack.TOS, 0x28),
                                (CLIENT, stack.TTL, 33))
    assert answers == {(CLIENT, stack.TOS): 0x28,
                       (CLIENT, stack.TTL): 33}, answers
    sock.sendall(b"there and back")
    assert wire.read(sock, 14) == b"there and back"
    to_client = flow.until(lambda: [
        p for p in list(net.seen.packets) if p.from_port == net.proxy.port
        and p.data == b"there and back"], "the data on its way to the client")
    assert {(p.tos, p.ttl) for p in to_client} == {(0x28, 33)}, to_client
    syn = net.seen.syn(net.server.port)
    assert (syn.tos, syn.ttl) == (0, 64), "the other leg"


@flow.test
def both_legs_at_once():
    net = Net()
    answers = net.answers((stack.BOTH, stack.TOS, 0x20))
    assert answers == {(CLIENT, stack.TOS): 0x20,
                       (REMOTE, stack.TOS): 0x20}, answers


@flow.test
def what_the_kernel_refuses_is_answered_as_it_is():
    net = Net()
    for host in (net.far, net.far6):
        answers = net.answers((REMOTE, stack.TTL, 0), (REMOTE, stack.TOS, 0x23),
                              host=host)
        assert answers[REMOTE, stack.TTL] == 64, answers
        syn = net.seen.syn(net.server6.port if host == net.far6
                           else net.server.port)
        assert syn.ttl == 64, syn
        # The last two bits are TCP's own, for congestion.
        assert syn.tos == answers[REMOTE, stack.TOS] or host == net.far6, syn


@flow.test
def fragmentation():
    net = Net()
    for wish, whole in ((YES, 1), (NO, 0)):
        net.seen.packets.clear()
        answers = net.answers((stack.BOTH, stack.NO_FRAGMENT, wish))
        assert answers == {(CLIENT, stack.NO_FRAGMENT): wish,
                           (REMOTE, stack.NO_FRAGMENT): wish}, answers
        assert net.seen.syn(net.server.port).whole == whole
        answers = net.answers((REMOTE, stack.NO_FRAGMENT, wish), host=net.far6)
        assert answers == {(REMOTE, stack.NO_FRAGMENT): wish}, answers


class MultipathEcho(servers.Echo):
    """Its sockets take MPTCP."""

    def _run(self, handler, host, port):
        class Threads(servers._Threads):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

            def __init__(self, *where):
                super().__init__(*where, bind_and_activate=False)
                self.socket.close()
                self.socket = socket.socket(self.address_family,
                                            socket.SOCK_STREAM, MPTCP)
                self.server_bind()
                self.server_activate()

        self._server = Threads((host, port), handler)
        self._started()


def need_mptcp():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP).close()
    except OSError as error:
        flow.skip(f"no MPTCP here: {error}")


@flow.test
def multipath():
    need_mptcp()
    net = Net(server=MultipathEcho)
    for host in (net.far, net.far6):
        sock, answers = net.connect((REMOTE, stack.MULTIPATH, YES), host=host)
        assert answers == {(REMOTE, stack.MULTIPATH): YES}, answers
        sock.sendall(b"there")
        assert wire.read(sock, 5) == b"there"
    answers = net.answers((REMOTE, stack.MULTIPATH, NO))
    assert answers == {(REMOTE, stack.MULTIPATH): NO}, answers


@flow.test
def bulk_over_multipath():
    need_mptcp()
    sock, _ = Net(server=MultipathEcho).connect(
        (REMOTE, stack.MULTIPATH, YES))
    data = servers.body(16 << 20)
    sender = threading.Thread(target=sock.sendall, args=(data,), daemon=True)
    sender.start()
    assert wire.read(sock, len(data)) == data
    sender.join()


@flow.test
def multipath_with_a_host_that_has_none():
    net = Net()
    sock, answers = net.connect((REMOTE, stack.MULTIPATH, YES))
    assert answers == {(REMOTE, stack.MULTIPATH): NO}, answers
    sock.sendall(b"there")
    assert wire.read(sock, 5) == b"there"


@flow.test
def other_options_count_more_than_multipath():
    net = Net(server=MultipathEcho)
    answers = net.answers((REMOTE, stack.MULTIPATH, YES),
                          (REMOTE, stack.TTL, 17))
    assert answers == {(REMOTE, stack.MULTIPATH): NO,
                       (REMOTE, stack.TTL): 17}, answers


class FastEcho(servers.Echo):
    """It takes data out of the SYN."""

    def _run(self, handler, host, port):
        super()._run(handler, host, port)
        self.take_fast()


FILLING = b"twenty bytes, early."


def fast(net, limit, early=FILLING, host=None):
    """Connect with TCP Fast Open; the data of the SYN, and the answer."""
    net.seen.packets.clear()
    sock, answers = net.connect((REMOTE, stack.TFO, limit), early=early,
                                host=host)
    sock.sendall(b" And late.")
    whole = early + b" And late."
    assert wire.read(sock, len(whole)) == whole
    port = (net.server6 if host == net.far6 else net.server).port
    sock.shutdown(socket.SHUT_WR)
    assert wire.read_all(sock) == b"", "more than was sent"
    assert list(answers) == [(REMOTE, stack.TFO)], answers
    return net.seen.syn(port).data, answers[REMOTE, stack.TFO]


@flow.test
def data_in_the_syn():
    net = Net(server=FastEcho)
    for host in (net.far, net.far6):
        # The first time there is no cookie yet.
        assert fast(net, 0, host=host) == (b"", 0)
        assert fast(net, 0, host=host) == (FILLING, 20)
        assert fast(net, 5, host=host) == (FILLING[:5], 5)
        assert fast(net, 65535, host=host) == (FILLING, 20)
        assert fast(net, 0, early=b"", host=host) == (b"", 0)
    assert kinds(net.seen.syn(net.server6.port)).count(bytes([34])) == 1


@flow.test
def more_data_than_a_syn_holds():
    net = Net(server=FastEcho)
    fast(net, 0)
    early = servers.body(8000)
    data, told = fast(net, 0, early=early)
    assert 1000 < len(data) < 1500 and early.startswith(data), len(data)
    assert told == len(data), f"{told}, and it had {len(data)}"


@flow.test
def data_in_the_syn_only_if_asked():
    net = Net(server=FastEcho)
    fast(net, 0)
    net.seen.packets.clear()
    sock, answers = net.connect(early=FILLING)
    assert wire.read(sock, 20) == FILLING
    syn = net.seen.syn(net.server.port)
    assert syn.data == b"" and bytes([34]) not in kinds(syn), syn
    assert answers == {}, answers


@flow.test
def a_host_that_left_the_data_of_the_syn():
    net = Net(server=FastEcho)
    fast(net, 0)
    net.host.run("sysctl", "-qw", "net.ipv4.tcp_fastopen=0")
    assert fast(net, 0) == (FILLING, 20), "and all came once"


@flow.test
def a_host_that_refuses_gets_data_and_no_connection():
    net = Net(server=FastEcho)
    fast(net, 0)
    net.server.close()
    with net.client.inside():
        _, code, _ = stack.connect(net.proxy.port, net.far, net.server.port,
                                   [(REMOTE, stack.TFO, 0)], FILLING,
                                   proxy=net.near)
    assert code == 5, f"reply {code}"


@flow.test
def no_data_in_the_syn_before_a_filter_has_seen_it():
    net = Net("--filter", "count", server=FastEcho)
    fast(net, 0)
    assert fast(net, 0) == (b"", 0)


def frozen(program, act):
    """What act() does while the program stands still is all there at once."""
    program.signal(signal.SIGSTOP)
    try:
        return act()
    finally:
        program.signal(signal.SIGCONT)


def send_early(port, host=flow.LOCAL):
    sock = wire.connect(port, host)
    sock.sendall(FILLING)
    return sock


@flow.test
def data_in_the_syn_of_a_reverse_listener():
    net = Net(server=FastEcho)
    host = f"{net.far}:{net.server.port}"
    for options, cookie, data in ((("--fast-open",), 1, FILLING), ((), 0, b"")):
        proxy = flow.proxy(*options, namespace=net.proxy_ns.name,
                           listen=[f"tcp://{net.near}:0={host}"])
        for _ in range(2):  # the first fetches the cookie
            net.seen.packets.clear()
            with net.client.inside():
                sock = frozen(proxy, lambda: send_early(proxy.port, net.near))
            assert wire.read(sock, 20) == FILLING
            sock.shutdown(socket.SHUT_WR)
            assert wire.read_all(sock) == b"", "more than was sent"
        syn = net.seen.syn(net.server.port)
        assert syn.data == data, (options, syn)
        assert kinds(syn).count(bytes([34])) == cookie, (options, syn)


@flow.test
def hops_are_asked_for_fast_open_in_one_segment_with_the_data():
    echo = servers.Echo()
    far = flow.proxy()
    tap = servers.Tap(far.port)
    for option, asked in (((), {}), (("--fast-open",), {(REMOTE, stack.TFO): 0})):
        near = flow.proxy("--chain", f"socks6://{flow.LOCAL}:{tap.port}",
                          "--warm", "0", *option, listen=[
                              f"tcp://127.0.0.1:0=127.0.0.1:{echo.port}"])
        sock = frozen(near, lambda: send_early(near.port))
        assert wire.read(sock, 20) == FILLING
        request = tap.sent.pop()
        size, at = struct.unpack(">H", request[2:4])[0], 6 + 2 + 4
        found = stack.read_options(request[at:at + size])
        assert found == asked, (option, found)
        assert request[at + size:] == FILLING, "not behind the request"


@flow.test
def a_machine_without_fast_open():
    net = Net(server=FastEcho)
    net.proxy_ns.run("sysctl", "-qw", "net.ipv4.tcp_fastopen=0")
    assert fast(net, 0) == (b"", 0)


class Hop(Net):
    """With a second proxy, on the host, that connects to a server there."""

    def __init__(self, scheme, **more):
        super().__init__(**more)
        with self.host.inside():
            self.local = servers.Echo()
        hop = flow.proxy(namespace=self.host.name,
                         listen=[f"socks://{self.far}:1080"])
        self.proxy = flow.proxy(
            "--chain", f"{scheme}://{self.far}:{hop.port}",
            namespace=self.proxy_ns.name, listen=[f"socks://{self.near}:0"])
        self.seen = capture.Capture(self.host)


WISHES = ((stack.BOTH, stack.TOS, 0x28), (REMOTE, stack.TTL, 17),
          (REMOTE, stack.NO_FRAGMENT, YES), (REMOTE, stack.TFO, 0),
          (REMOTE, stack.MULTIPATH, YES), (REMOTE, stack.HAPPY, YES))


@flow.test
def a_socks_6_proxy_on_the_way_does_it():
    net = Hop("socks6")
    sock, answers = net.connect(*WISHES, host=flow.LOCAL, server=net.local)
    assert answers == {(CLIENT, stack.TOS): 0x28, (REMOTE, stack.TOS): 0x28,
                       (REMOTE, stack.TTL): 17,
                       (REMOTE, stack.NO_FRAGMENT): YES,
                       (REMOTE, stack.TFO): 0,
                       (REMOTE, stack.MULTIPATH): NO}, answers
    syn = net.seen.syn(net.local.port)
    assert (syn.tos, syn.ttl, syn.whole) == (0x28, 17, 1), syn
    between = [p for p in net.seen.packets if p.dest == net.far]
    assert between and all((p.tos, p.ttl) == (0, 64) for p in between)


@flow.test
def of_a_socks_5_proxy_on_the_way_little_is_known():
    net = Hop("socks5")
    sock, answers = net.connect(*WISHES, host=flow.LOCAL, server=net.local)
    assert answers == {(CLIENT, stack.TOS): 0x28,
                       (REMOTE, stack.NO_FRAGMENT): NO,
                       (REMOTE, stack.TFO): 0,
                       (REMOTE, stack.MULTIPATH): NO,
                       (REMOTE, stack.HAPPY): NO}, answers
    syn = net.seen.syn(net.local.port)
    assert (syn.tos, syn.ttl) == (0, 64), syn


@flow.test
def a_refusal_answers_what_there_is():
    net = Net()
    with net.client.inside():
        _, code, answers = stack.connect(
            net.proxy.port, net.far, flow.free_port(),
            [(stack.BOTH, stack.TOS, 0x28)], proxy=net.near)
    assert code == 5 and answers == {(CLIENT, stack.TOS): 0x28}, answers


def request_in_syn(net):
    """Send a request by TCP Fast Open; the last 20 bytes of the SYN's data."""
    net.seen.packets.clear()
    with net.client.inside():
        sock = socket.socket()
        flow.at_end(sock.close)
        sock.sendto(wire.request6(net.far, net.server.port) + FILLING,
                    socket.MSG_FASTOPEN, (net.near, net.proxy.port))
    sock.settimeout(10)
    assert wire.auth_reply6(sock)[0] == 0
    assert wire.reply6(sock)[0] == 0
    assert wire.read(sock, 20) == FILLING
    return net.seen.syn(net.proxy.port).data[-20:]


@flow.test
def requests_are_taken_out_of_the_syn():
    net = Net(listen="?tfo=16")
    assert request_in_syn(net) == b"", "there is no cookie yet"
    assert request_in_syn(net) == FILLING
    assert net.server.connections == 2


@flow.test
def requests_are_not_taken_out_of_the_syn_unless_told():
    net = Net()
    assert request_in_syn(net) == b""
    assert request_in_syn(net) == b""


@flow.test
def bad_settings_are_refused():
    for number in ("0", "65536", "-1", "x", ""):
        ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                       f"socks://127.0.0.1:0?tfo={number}")
        assert ran.returncode == 2 and "tfo" in ran.stderr, ran.stderr


if __name__ == "__main__":
    flow.main()
