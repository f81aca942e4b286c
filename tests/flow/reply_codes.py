#!/usr/bin/env python3
"""reply_codes.py: what keeps a connection from coming about is what the
client is told, in either version of SOCKS and of IP."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, netns, servers, socks_client as wire
from support import stack_client as stack

# Of SOCKS 6; SOCKS 5 has no 9, and says 4.
NOT_ALLOWED, NO_NETWORK, NO_HOST, REFUSED, EXPIRED, TIMED_OUT = 2, 3, 4, 5, 6, 9


class Net:
    """A proxy in a namespace, a router, and a host behind it."""

    def __init__(self, *options):
        self.proxy_ns, self.router, self.host = (netns.Namespace()
                                                 for _ in range(3))
        (self.near, self.near6), (gate, gate6) = netns.link(self.proxy_ns,
                                                            self.router)
        (back, back6), (self.far, self.far6) = netns.link(self.router,
                                                          self.host)
        self.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        self.proxy_ns.route("default", gate)
        self.proxy_ns.route("default", gate6)
        self.host.route("default", back)
        self.host.route("default", back6)
        self.proxy = flow.proxy(*options, namespace=self.proxy_ns.name,
                                listen=["socks://127.0.0.1:0"])

    def sysctl(self, *settings):
        ran = self.router.run("sysctl", "-qw", *settings)
        if ran.returncode:
            flow.skip(f"no router here: {ran.stderr.strip()}")

    def ask(self, host, port, options=()):
        """The codes of SOCKS 6 and, without options, of SOCKS 5."""
        with self.proxy_ns.inside():
            _, code, _ = stack.connect(self.proxy.port, host, port, options)
            if not options:
                _, code5 = wire.socks5(self.proxy.port, host, port)
                assert code5 == (4 if code == 9 else code), \
                    f"{code} to SOCKS 6, {code5} to SOCKS 5"
        return code

    def expect(self, code, host, port=80, options=()):
        got = self.ask(host, port, options)
        assert got == code, f"{host}: reply {got}, not {code}"

    def chain(self, space, hook):
        self.rule(space, "add", "table", "inet", "t")
        self.rule(space, "add", "chain", "inet", "t", "c",
                  f"{{ type filter hook {hook} priority 0; }}")

    def rule(self, space, *words):
        ran = space.run("nft", *words)
        if ran.returncode:
            flow.skip(f"no nftables here: {ran.stderr.strip()}")


@flow.test
def a_host_that_answers():
    net = Net()
    with net.host.inside():
        echo = servers.Echo(net.far)
        echo6 = servers.Echo(net.far6)
    net.expect(0, net.far, echo.port)
    net.expect(0, net.far6, echo6.port)


@flow.test
def a_port_where_nobody_listens():
    net = Net()
    net.expect(REFUSED, net.far)
    net.expect(REFUSED, net.far6)


@flow.test
def a_network_without_a_route():
    net = Net()
    for family in ("-4", "-6"):
        net.proxy_ns.run("ip", family, "route", "del", "default")
    net.expect(NO_NETWORK, "10.99.0.1")
    net.expect(NO_NETWORK, "fd99::1")


@flow.test
def a_network_that_a_router_does_not_know():
    net = Net()
    net.expect(NO_NETWORK, "10.99.0.1")
    net.expect(NO_NETWORK, "fd99::1")
    net.proxy.wait_line("Network is unreachable")


@flow.test
def a_host_that_a_router_cannot_reach():
    net = Net()
    net.router.run("ip", "route", "add", "unreachable", "10.99.0.0/24")
    net.expect(NO_HOST, "10.99.0.1")
    net.proxy.wait_line("No route to host")


@flow.test
def a_host_that_is_not_there():
    net = Net()
    beside = net.near.rsplit(".", 1)[0] + ".77"
    net.expect(NO_HOST, beside)


@flow.test
def routes_that_this_machine_forbids():
    net = Net()
    net.proxy_ns.run("ip", "route", "add", "prohibit", "10.99.0.0/24")
    net.expect(NOT_ALLOWED, "10.99.0.1")


@flow.test
def routes_that_a_router_forbids():
    net = Net()
    net.router.run("ip", "route", "add", "prohibit", "10.99.0.0/24")
    net.router.run("ip", "-6", "route", "add", "prohibit", "fd99::/64")
    net.expect(NOT_ALLOWED, "10.99.0.1")
    net.expect(NOT_ALLOWED, "fd99::1")


@flow.test
def a_ttl_that_expires_on_the_way():
    net = Net()
    with net.host.inside():
        echo = servers.Echo(net.far)
        echo6 = servers.Echo(net.far6)
    one = [(stack.REMOTE, stack.TTL, 1)]
    net.expect(EXPIRED, net.far, echo.port, one)
    net.expect(EXPIRED, net.far6, echo6.port, one)
    net.proxy.wait_line("TTL expired on the way")
    two = [(stack.REMOTE, stack.TTL, 2)]
    net.expect(0, net.far, echo.port, two)
    net.expect(0, net.far6, echo6.port, two)


@flow.test
def socks_5_clients_learn_of_an_expired_ttl():
    net = Net()
    # The proxy's own TTL, as a loop of routes would use it up.
    net.proxy_ns.run("sysctl", "-qw", "net.ipv4.ip_default_ttl=1")
    net.expect(EXPIRED, net.far)


def complaints(router):
    """How often a router has said that something cannot be reached."""
    names, values = (line.split() for line in router.run(
        "grep", "^Icmp:", "/proc/net/snmp").stdout.splitlines())
    return int(values[names.index("OutDestUnreachs")])


@flow.test
def an_error_that_comes_later_ends_no_connection():
    net = Net()
    with net.host.inside():
        echo = servers.Echo(net.far)
    with net.proxy_ns.inside():
        sock, code, _ = stack.connect(net.proxy.port, net.far, echo.port)
    assert code == 0, f"reply {code}"
    before = complaints(net.router)
    net.router.run("ip", "route", "add", "unreachable", net.far)
    sock.sendall(b"lost, and sent again")
    # The first complaint may come while the proxy still sends.
    flow.until(lambda: complaints(net.router) > before + 1,
               "that the router complains")
    net.router.run("ip", "route", "del", "unreachable", net.far)
    assert wire.read(sock, 20) == b"lost, and sent again"


@flow.test
def a_host_that_does_not_answer():
    net = Net("--connect-timeout", "500")
    net.chain(net.host, "input")
    net.rule(net.host, "add", "rule", "inet", "t", "c", "drop")
    net.expect(TIMED_OUT, net.far)
    net.expect(TIMED_OUT, net.far6)


@flow.test
def what_a_firewall_on_the_way_says():
    net = Net()
    net.chain(net.router, "forward")
    for port, way, code in ((81, "icmpx host-unreachable", NO_HOST),
                            (82, "icmpx no-route", NO_NETWORK),
                            (83, "icmpx port-unreachable", REFUSED),
                            (84, "tcp reset", REFUSED),
                            (85, "icmpx admin-prohibited", NOT_ALLOWED)):
        net.rule(net.router, "add", "rule", "inet", "t", "c", "tcp", "dport",
                 str(port), "reject", "with", *way.split())
        net.expect(code, net.far, port)
        net.expect(code, net.far6, port)
    for port, way in ((86, "net-prohibited"), (87, "host-prohibited")):
        net.rule(net.router, "add", "rule", "inet", "t", "c", "tcp", "dport",
                 str(port), "reject", "with", "icmp", "type", way)
        net.expect(NOT_ALLOWED, net.far, port)


if __name__ == "__main__":
    flow.main()
