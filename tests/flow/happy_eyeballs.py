#!/usr/bin/env python3
"""happy_eyeballs.py: names whose addresses do not all work (RFC 8305)."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import dns_server, flow, netns, servers, socks_client as wire
from support import stack_client as stack

ASKED = [(stack.REMOTE, stack.HAPPY, stack.YES)]
DECLINED = [(stack.REMOTE, stack.HAPPY, stack.NO)]
SYN_SENT = "02"

# Seconds, of which far fewer are needed: what waits in vain takes 10, those of
# the connect timeout.
SOON = 8


class Net:
    """A proxy in a namespace, a host in another, and a name server. What goes
    to `hole`, `lost` and `hole6` is lost."""

    def __init__(self, options=(), silent_kinds=(), **records):
        self.proxy_ns, self.host = netns.pair()
        hole, lost = (self.host.address.rsplit(".", 1)[0] + end
                      for end in (".66", ".67"))
        hole6 = self.host.address6.rsplit(":", 1)[0] + ":66"
        device = self.proxy_ns.run(
            "ip", "-o", "route", "get", self.host.address).stdout.split(
            " dev ")[1].split()[0]
        for address in (hole, lost, hole6):
            self.proxy_ns.run("ip", "neigh", "add", address, "lladdr",
                              "02:00:00:00:00:66", "dev", device)
        with self.host.inside():
            self.echo = servers.Echo(self.host.address)
            self.echo6 = servers.Echo(self.host.address6, self.echo.port)
        with self.proxy_ns.inside():  # IPv6 takes a while to come up
            wire.connect(self.echo.port, self.host.address6).close()
        flow.until(lambda: self.echo6.connections, "IPv6")
        self.echo6.connections = 0
        names = {"4": self.host.address, "6": self.host.address6,
                 "hole": hole, "lost": lost, "hole6": hole6}
        with self.proxy_ns.inside():
            self.dns = dns_server.Server(
                {f"{name}.example": [names[what] for what in found]
                 for name, found in records.items()},
                silent_kinds=silent_kinds)
        self.start(*options)

    def start(self, *options):
        """Start a proxy, in the place of one that there is."""
        self.proxy = self.dns.proxy(*options, namespace=self.proxy_ns.name)

    def ask(self, name, options=(), port=None):
        """The reply's code, its stack options, the seconds that it took."""
        began = time.monotonic()
        with self.proxy_ns.inside():
            sock, code, answers = stack.connect(
                self.proxy.port, f"{name}.example", port or self.echo.port,
                options)
        took = time.monotonic() - began
        if code == 0:
            sock.sendall(b"there")
            assert wire.read(sock, 5) == b"there"
        return code, answers, took

    def under_way(self):
        """Attempts to connect that go on in the proxy's namespace."""
        rows = self.proxy_ns.run("cat", "/proc/net/tcp",
                                 "/proc/net/tcp6").stdout.splitlines()
        return [row for row in rows if row.split()[3] == SYN_SENT]


@flow.test(timeout=60)
def ipv4_wins_where_ipv6_is_lost():
    net = Net(both=["hole6", "4"])
    for options in (ASKED, ()):
        code, answers, took = net.ask("both", options)
        assert code == 0, f"reply {code}"
        assert took < SOON, f"{took:.1f} s, close to the connect timeout"
    flow.until(lambda: not net.under_way(), "the attempt that lost ends")


@flow.test(timeout=60)
def ipv6_wins_where_ipv4_is_lost():
    net = Net(both=["hole", "6"])
    code, _, took = net.ask("both", ASKED)
    assert code == 0 and took < SOON, f"reply {code} after {took:.1f} s"
    assert not net.echo.connections and net.echo6.connections


@flow.test(timeout=60)
def ipv6_comes_first_where_both_work():
    net = Net(both=["4", "6"])
    code, *_ = net.ask("both", ASKED)
    assert code == 0, f"reply {code}"
    assert not net.echo.connections and net.echo6.connections


@flow.test(timeout=60)
def the_answer_says_what_was_done():
    net = Net(both=["4", "6"])
    for options, expected in ((ASKED, stack.YES), (DECLINED, stack.NO)):
        _, answers, _ = net.ask("both", options)
        assert answers == {(stack.REMOTE, stack.HAPPY): expected}, answers
    _, answers, _ = net.ask("both")
    assert answers == {}, "nobody asked"


@flow.test(timeout=60)
def a_client_without_a_name_is_not_answered():
    net = Net()
    with net.proxy_ns.inside():
        _, code, answers = stack.connect(net.proxy.port, net.host.address,
                                         net.echo.port, ASKED)
    assert code == 0 and answers == {}, answers


@flow.test(timeout=60)
def one_after_another_where_it_is_not_wanted():
    net = Net(["--connect-timeout", "1500"], both=["hole", "lost", "4"])
    code, _, took = net.ask("both", DECLINED)
    assert code == 0, f"reply {code}"
    assert took > 2.9, f"{took:.1f} s: two addresses take 1.5 s each"


@flow.test(timeout=60)
def off_for_all_but_those_who_ask():
    net = Net(["--connect-timeout", "1500", "--no-happy-eyeballs"],
              both=["hole", "lost", "4"])
    code, _, took = net.ask("both")
    assert code == 0 and took > 2.9, f"reply {code} after {took:.1f} s"
    net.start("--no-happy-eyeballs")
    code, _, took = net.ask("both", ASKED)
    assert code == 0 and took < SOON, f"reply {code} after {took:.1f} s"


@flow.test(timeout=60)
def a_name_server_that_knows_no_ipv6_holds_nothing_up():
    net = Net(silent_kinds=(dns_server.AAAA,), both=["4"])
    code, _, took = net.ask("both", ASKED)
    assert code == 0, f"reply {code}"
    assert took < SOON, f"{took:.1f} s: it waited for the other family"


@flow.test(timeout=60)
def a_name_server_that_knows_no_ipv4_holds_nothing_up():
    net = Net(silent_kinds=(dns_server.A,), both=["6"])
    code, _, took = net.ask("both", ASKED)
    assert code == 0, f"reply {code}"
    assert took < SOON, f"{took:.1f} s: it waited for the other family"


@flow.test(timeout=60)
def addresses_that_come_late_are_tried_too():
    # IPv6 is known at once, and lost; IPv4 is known only after a second query.
    net = Net(both=["hole6", "4"])
    net.dns.drop_first = dns_server.A
    code, _, took = net.ask("both", ASKED)
    assert code == 0, f"reply {code}"
    assert took < SOON, f"{took:.1f} s"


@flow.test(timeout=60)
def what_refuses_says_more_than_what_is_lost():
    net = Net(["--connect-timeout", "1000"], both=["hole6", "4"])
    code, *_ = net.ask("both", ASKED, port=flow.free_port())
    assert code == 5, f"reply {code}"


@flow.test(timeout=60)
def where_all_is_lost_it_ends_in_time():
    many = ["hole6", "hole"] * 4
    net = Net(["--connect-timeout", "1000"], lost=many)
    code, _, took = net.ask("lost", ASKED)
    assert code == 9, f"reply {code}"
    assert took < 7.5, f"{took:.1f} s: one after another takes 8"
    flow.until(lambda: not net.under_way(), "no attempt goes on")


@flow.test(timeout=60)
def data_in_a_syn_is_not_raced():
    net = Net(["--connect-timeout", "1200"], six=["6"], both=["6", "4"])
    net.host.run("sysctl", "-qw", "net.ipv4.tcp_fastopen=3")
    net.echo6.take_fast()
    fast = [(stack.REMOTE, stack.TFO, 0)]
    net.ask("six", fast)  # a cookie comes with this one
    for words in (("add", "table", "inet", "t"),
                  ("add", "chain", "inet", "t", "c",
                   "{ type filter hook input priority 0; }"),
                  ("add", "rule", "inet", "t", "c", "tcp", "dport",
                   str(net.echo6.port), "meta", "nfproto", "ipv6", "drop")):
        ran = net.host.run("nft", *words)
        if ran.returncode:
            flow.skip(f"no nftables here: {ran.stderr.strip()}")
    with net.proxy_ns.inside():
        began = time.monotonic()
        sock, code, answers = stack.connect(
            net.proxy.port, "both.example", net.echo.port, fast + ASKED,
            b"early")
    took = time.monotonic() - began
    assert code == 0, f"reply {code}"
    assert took > 1.1, f"{took:.1f} s: two hosts had the data at a time"
    sock.sendall(b", late")
    sock.shutdown(wire.socket.SHUT_WR)
    assert wire.read_all(sock) == b"early, late"


@flow.test(timeout=60)
def a_client_that_leaves_ends_the_attempts():
    net = Net(lost=["hole6", "hole"])
    with net.proxy_ns.inside():
        sock = wire.connect(net.proxy.port)
        sock.sendall(wire.request6("lost.example", 80))
        flow.until(lambda: len(net.under_way()) == 2, "two attempts")
        sock.setsockopt(wire.socket.SOL_SOCKET, wire.socket.SO_LINGER,
                        b"\1\0\0\0\0\0\0\0")
        sock.close()
    flow.until(lambda: not net.under_way(), "that they end")


if __name__ == "__main__":
    flow.main()
