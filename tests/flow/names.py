#!/usr/bin/env python3
"""names.py: names with several addresses, and name servers that misbehave."""
import json
import pathlib
import select
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import dns_server, flow, servers, socks_client as wire

DEAD = ["127.0.66.1", "127.0.66.2"]  # nobody listens there


@flow.test
def each_address_of_a_name_is_tried():
    echo = servers.Echo()
    dns = dns_server.Server({"many.example": [*DEAD, flow.LOCAL]})
    proxy = dns.proxy()
    sock, code = wire.socks5(proxy.port, "many.example", echo.port)
    assert code == 0, f"reply {code}"
    sock.sendall(b"there")
    assert wire.read(sock, 5) == b"there"


@flow.test
def both_families_are_tried():
    flow.need_ipv6()
    echo4 = servers.Echo()
    echo6 = servers.Echo("::1")
    dns = dns_server.Server({"both.example": [flow.LOCAL, "::1"]})
    proxy = dns.proxy()
    for echo in (echo4, echo6):
        sock, code = wire.socks5(proxy.port, "both.example", echo.port)
        assert code == 0, f"reply {code}"
        sock.sendall(b"there")
        assert wire.read(sock, 5) == b"there"


def questions(ttl, *options, names=("a.example", "A.Example.")):
    """How often a name server is asked about a name of two flows."""
    echo = servers.Echo()
    dns = dns_server.Server({"a.example": [*DEAD, flow.LOCAL]}, ttl=ttl)
    proxy = dns.proxy("--workers", "1", *options)
    for name in names:
        sock, code = wire.socks5(proxy.port, name, echo.port)
        assert code == 0, f"reply {code}"
        sock.sendall(b"there")
        assert wire.read(sock, 5) == b"there"
    return [dns.asked.count(("a.example", kind))
            for kind in (dns_server.A, dns_server.AAAA)]


@flow.test
def a_name_is_remembered_for_as_long_as_its_records_say():
    assert questions(60) == [1, 1]
    assert questions(60, "--no-happy-eyeballs") == [1, 1]
    assert questions(0) == [2, 2]
    assert questions(60, "--dns-cache", "0") == [2, 2]


@flow.test
def half_an_answer_is_not_remembered():
    echo = servers.Echo()
    dns = dns_server.Server({"a.example": [flow.LOCAL]}, ttl=60,
                            silent_kinds=[dns_server.AAAA])
    proxy = dns.proxy("--workers", "1")
    for count in (1, 2):
        sock, code = wire.socks5(proxy.port, "a.example", echo.port)
        assert code == 0, f"reply {code}"
        assert dns.asked.count(("a.example", dns_server.A)) == count, dns.asked


@flow.test
def a_name_without_a_live_address_is_the_last_ones_reply():
    dns = dns_server.Server({"dead.example": DEAD})
    proxy = dns.proxy()
    _, code = wire.socks5(proxy.port, "dead.example", 9)
    assert code == 5, f"reply {code}"


@flow.test
def a_name_that_does_not_exist_is_reply_4():
    dns = dns_server.Server({})
    proxy = dns.proxy()
    _, code = wire.socks5(proxy.port, "none.example", 80)
    assert code == 4, f"reply {code}"
    proxy.wait_line("cannot resolve none.example")


@flow.test
def a_silent_name_server_holds_up_nobody_else():
    echo = servers.Echo()
    dns = dns_server.Server({"good.example": [flow.LOCAL]},
                            silent=("slow.example",))
    proxy = dns.proxy("--connect-timeout", "1500")

    def overtaken():
        """Who waits, if another was served meanwhile."""
        slow = wire.ask5(proxy.port, "slow.example", 80, wire.CONNECT)
        _, code = wire.socks5(proxy.port, "good.example", echo.port)
        return code == 0 and not select.select([slow], [], [], 0)[0] and slow
    slow = flow.until(overtaken, "another client need not wait")
    assert wire.reply5(slow)[0] == 4, "timed out, as SOCKS 5 can say it"


@flow.test
def garbage_of_a_name_server_is_reply_4():
    dns = dns_server.Server({}, garbage=("bad.example",))
    proxy = dns.proxy("--connect-timeout", "2000")
    _, code = wire.socks5(proxy.port, "bad.example", 80)
    assert code == 4, f"reply {code}"


@flow.test
def a_name_without_an_address_is_reply_4():
    dns = dns_server.Server({"empty.example": []})
    proxy = dns.proxy()
    assert wire.socks5(proxy.port, "empty.example", 80)[1] == 4
    assert len(dns.asked) == 2, dns.asked


@flow.test(timeout=60)
def lies_of_a_name_server_lead_nowhere():
    """Each names an address where somebody waits."""
    echo, trap = servers.Echo(), servers.Echo()
    kinds = ("id", "name", "loop")
    dns = dns_server.Server({"good.example": [flow.LOCAL]},
                            lies={f"{kind}.example": kind for kind in kinds})
    proxy = dns.proxy("--connect-timeout", "1500", "--workers", "1")
    asked = [wire.ask5(proxy.port, f"{kind}.example", trap.port, wire.CONNECT)
             for kind in kinds]

    def connected():
        sock, code = wire.socks5(proxy.port, "good.example", echo.port)
        return code == 0 and sock
    good = flow.until(connected, "who asks for a name that is there")
    for kind, sock in zip(kinds, asked):
        code = wire.reply5(sock)[0]
        assert code in (1, 4, 6), (kind, code)
    assert trap.connections == 0, "somebody was led there by a lie"
    good.sendall(b"there?")
    assert wire.read(good, 6) == b"there?"


@flow.test
def an_answer_that_is_cut_off_for_good_is_reply_4():
    dns = dns_server.Server({}, lies={"cut.example": "cut"})
    assert wire.socks5(dns.proxy().port, "cut.example", 80)[1] == 4


def model():
    """Two nodes: the name is one's, and some of its addresses another's."""
    return flow.file(json.dumps({
        "epi": 1,
        "nodes": {"here": {"addresses": ["127.0.0.0/24"]},
                  "ehr": {"addresses": ["ehr.example", "127.0.7.0/24"]},
                  "other": {"addresses": ["127.0.8.0/24"]}},
        "policy": {"default": "allow"},
    }), "model.json")


@flow.test
def addresses_of_another_node_are_skipped():
    port = flow.free_port()
    meant = servers.Echo("127.0.7.1", port)
    other = servers.Echo("127.0.8.1", port)
    dns = dns_server.Server({"db.ehr.example": ["127.0.8.1", "127.0.7.1"]})
    proxy = dns.proxy("--model", model())
    sock, code = wire.socks5(proxy.port, "db.ehr.example", port)
    assert code == 0, f"reply {code}"
    assert sock.getpeername(), "connected"
    proxy.wait_line(r"skipping 127\.0\.8\.1")
    assert meant.port == other.port


@flow.test
def a_name_that_leads_to_another_node_only_is_reply_2():
    other = servers.Echo("127.0.8.1")
    dns = dns_server.Server({"ehr.example": ["127.0.8.1"]})
    proxy = dns.proxy("--model", model())
    _, code = wire.socks5(proxy.port, "ehr.example", other.port)
    assert code == 2, f"reply {code}"


if __name__ == "__main__":
    flow.main()
