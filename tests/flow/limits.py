#!/usr/bin/env python3
"""limits.py: how many flows there may be of whom and of what, how much each may
carry, and how fast."""
import json
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import datagrams, dns_server, flow, servers
from support import socks_client as wire

MIB = 1 << 20
CLOCK = time.monotonic


def model(limits=None, name="train"):
    application = {"flows": [{"from": "here", "to": "here"}],
                   **({"limits": limits} if limits else {})}
    return {"epi": 1,
            "nodes": {"here": {"addresses": ["127.0.0.0/8"]}},
            "applications": {name: application},
            "policy": {"rules": [{"id": "all", "effect": "allow"}]}}


def change(proxy, path, document):
    before = proxy.text.count("is in force")
    path.write_text(json.dumps(document))
    flow.until(lambda: proxy.text.count("is in force") > before,
               "the new model is in force")


def ask(proxy, echo, source="127.0.0.1"):
    """A socket and its reply's code."""
    sock = wire.ask5(proxy.port, flow.LOCAL, echo.port, wire.CONNECT, source)
    return sock, wire.reply5(sock)[0]


def has_room(proxy, echo, **who):
    def found():
        sock, code = ask(proxy, echo, **who)
        sock.close()
        return code == 0
    flow.until(found, "room for another flow")


def curl(proxy, url, *more):
    return flow.run(flow.need("curl"), "-sS", "--max-time", "20",
                    "--socks5-hostname", f"127.0.0.1:{proxy.port}", *more, url)


# ---- how many ----

@flow.test
def a_client_has_so_many_flows_over_all_workers():
    echo = servers.Echo()
    proxy = flow.proxy("--client-flows", "3", "--workers", "2")
    held = [ask(proxy, echo) for _ in range(5)]
    assert [code for _, code in held] == [0, 0, 0, 2, 2], held
    proxy.wait_line(r"refused \(.*\): the client 127.0.0.1 has 3 flows, as"
                    r" many as it may")
    assert ask(proxy, echo, "127.0.0.9")[1] == 0, "another client is another"
    held[0][0].close()
    has_room(proxy, echo)


@flow.test
def a_user_has_so_many_flows_wherever_from():
    echo = servers.Echo()
    users = flow.file("ada:secret\nbob:secret\n", "users")
    proxy = flow.proxy("--user-flows", "1", "--workers", "2",
                       listen=[f"socks://127.0.0.1:0?users={users}"])

    def login(user):
        return wire.socks5(proxy.port, flow.LOCAL, echo.port,
                           login=(user, "secret"))
    first, code = login("ada")
    assert code == 0
    assert login("ada")[1] == 2 and login("bob")[1] == 0
    proxy.wait_line("the user ada has 1 flows, as many as it may")
    first.close()
    flow.until(lambda: login("ada")[1] == 0, "room for ada")


@flow.test
def an_application_has_so_many_flows_as_the_model_says_now():
    echo = servers.Echo()
    path = flow.file(model({"flows": 2}))
    proxy = flow.proxy("--model", path, "--workers", "2")
    held = [ask(proxy, echo) for _ in range(3)]
    assert [code for _, code in held] == [0, 0, 2], held
    proxy.wait_line("application train has 2 flows, as many as it may")
    change(proxy, path, model({"flows": 3}))
    held.append(ask(proxy, echo))
    assert held[-1][1] == 0, "the new model has room for one more"
    assert ask(proxy, echo)[1] == 2
    change(proxy, path, model())
    held.append(ask(proxy, echo))
    assert held[-1][1] == 0, "there is no limit"
    change(proxy, path, model({"flows": 4}))
    assert ask(proxy, echo)[1] == 2, "those that run count, whatever they were"
    for sock, code in held:
        if code == 0:  # a lower limit cuts nothing
            sock.sendall(b"there?")
            assert wire.read(sock, 6) == b"there?"
    held[0][0].close()
    has_room(proxy, echo)


@flow.test
def connections_of_an_address_count_before_they_speak():
    echo, log = servers.Echo(), flow.folder() / "audit.log"
    proxy = flow.proxy("--client-connections", "2", "--workers", "2",
                       "--audit", log, "--audit-key",
                       flow.file("the key of the audit log", "key"))
    silent, early = [], 0
    for _ in range(5):
        try:
            silent.append(wire.connect(proxy.port))
        except ConnectionResetError:  # before it saw itself connected
            early += 1
    flow.until(lambda: proxy.text.count("is turned away") == 3,
               "those that are too many are closed, whichever came last")
    flow.until(lambda: early + sum(wire.closed(sock, 0.1)
                                   for sock in silent) == 3, "they are closed")
    proxy.wait_line("127.0.0.1:[0-9]+ is turned away: its address has 2"
                    " connections, as many as it may")
    assert ask(proxy, echo, "127.0.0.9")[1] == 0, "another address is another"
    for sock in silent:
        sock.close()

    def let_in():
        try:
            return ask(proxy, echo)[1] == 0
        except (OSError, EOFError):
            return False
    flow.until(let_in, "room for another connection")
    flow.until(lambda: log.read_text().count('"event":"turned away"') >= 1,
               "the audit log has the first of them")


@flow.test
def an_association_is_a_flow():
    echo = datagrams.Echo()
    proxy = flow.proxy("--client-flows", "1")
    control, code = wire.socks5(proxy.port, "0.0.0.0", 0,
                                command=wire.UDP_ASSOCIATE)
    assert code == 0
    assert ask(proxy, echo)[1] == 2
    control.close()
    has_room(proxy, servers.Echo())


# ---- how much ----

@flow.test
def a_flow_ends_with_the_byte_that_is_too_many():
    echo, log = servers.Echo(), flow.folder() / "audit.log"
    proxy = flow.proxy("--flow-bytes-out", "1000", "--audit", log,
                       "--audit-key", flow.file("the audit log's key", "key"))
    sock, code = ask(proxy, echo)
    assert code == 0
    sock.sendall(bytes(1000))
    assert wire.read(sock, 1000) == bytes(1000), "so many it may"
    sock.sendall(b"x")
    assert wire.closed(sock)
    why = "it may carry no more than 1000 bytes out"
    proxy.wait_line("1000 bytes out, 1000 back: " + why)
    flow.until(lambda: why in log.read_text(), "the audit log has the reason")


@flow.test
def a_flow_that_ends_with_its_last_byte_is_fine():
    proxy = flow.proxy("--flow-bytes-out", "1000")
    sock, _ = ask(proxy, servers.Echo())
    sock.sendall(bytes(1000))
    sock.shutdown(1)
    assert len(wire.read_all(sock)) == 1000
    proxy.wait_line("1000 bytes out, 1000 back: both sides are done")


@flow.test
def what_is_spliced_counts_to_the_byte():
    size, most = 40 * MIB, 30 * MIB + 4321
    proxy = flow.proxy("--flow-bytes-back", str(most))
    sock, _ = ask(proxy, servers.AfterEnd(size))
    sock.shutdown(1)
    got = wire.read_all(sock)
    assert len(got) <= most, len(got)
    proxy.wait_line(f" {most} back: it may carry no more than {most} bytes back")


@flow.test
def what_comes_with_the_request_counts():
    proxy = flow.proxy("--flow-bytes-out", "10")
    sock = wire.connect(proxy.port)
    echo = servers.Echo()
    sock.sendall(wire.greeting(wire.NONE) +
                 wire.request5(flow.LOCAL, echo.port) + bytes(11))
    assert wire.closed(sock)
    proxy.wait_line("0 bytes out, 0 back: it may carry no more than 10 bytes")


@flow.test
def the_lower_of_two_limits_counts_and_a_new_model_changes_it():
    echo = servers.Echo()
    path = flow.file(model({"bytes_out": 100, "bytes_back": 5000}))
    proxy = flow.proxy("--model", path, "--flow-bytes-out", "1000")
    sock, _ = ask(proxy, echo)
    sock.sendall(bytes(101))
    assert wire.closed(sock)
    proxy.wait_line("it may carry no more than 100 bytes out")
    sock, _ = ask(proxy, echo)
    change(proxy, path, model({"bytes_out": 2000}))
    sock.sendall(bytes(1000))
    assert wire.read(sock, 1000)
    sock.sendall(bytes(1))
    assert wire.closed(sock)
    proxy.wait_line("it may carry no more than 1000 bytes out")


# ---- how fast ----

def seconds_for(proxy, size, **server):
    sock, code = ask(proxy, servers.AfterEnd(size, **server))
    assert code == 0
    start = CLOCK()
    sock.shutdown(1)
    got = len(wire.read_all(sock))
    assert got == size, got
    return CLOCK() - start


@flow.test
def a_flow_is_held_to_its_rate_and_no_other_is():
    proxy = flow.proxy("--flow-rate-back", str(2 * MIB), "--workers", "1")
    taken = []
    threads = [threading.Thread(target=lambda: taken.append(
        seconds_for(proxy, 4 * MIB))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 3 and min(taken) > 1.7, taken
    assert max(taken) < 20, taken


@flow.test
def a_rate_that_is_spliced_is_kept():
    proxy = flow.proxy("--flow-rate-back", str(20 * MIB))
    took = seconds_for(proxy, 40 * MIB)
    assert 1.7 < took < 20, took


@flow.test
def a_low_rate_wakes_nobody_in_vain():
    proxy = flow.proxy("--flow-rate-out", "1000", "--workers", "1")
    sock, _ = ask(proxy, servers.Echo())
    sock.setblocking(False)
    sock.send(bytes(20000))

    def switches():
        text = pathlib.Path(f"/proc/{proxy.process.pid}/task").iterdir()
        return sum(int(line.split()[1]) for task in text
                   for line in (task / "status").read_text().splitlines()
                   if line.startswith("voluntary_ctxt"))
    time.sleep(0.3)
    before, start = switches(), CLOCK()
    time.sleep(1.5)
    more = switches() - before
    assert more < 27 * (CLOCK() - start), more


@flow.test
def the_rate_of_an_application_may_change_while_it_runs():
    path = flow.file(model({"rate_back": 1000}))
    proxy = flow.proxy("--model", path)
    sock, _ = ask(proxy, servers.AfterEnd(3 * MIB))
    sock.shutdown(1)
    time.sleep(0.5)
    change(proxy, path, model())
    assert len(wire.read_all(sock)) == 3 * MIB, "the limit is gone"


@flow.test
def a_rate_and_a_filter_go_together():
    proxy = flow.proxy("--flow-rate-back", str(2 * MIB), "--filter", "count")
    assert seconds_for(proxy, 4 * MIB) > 1.7


@flow.test
def datagrams_over_the_rate_are_lost_and_over_the_volume_end_the_flow():
    echo = datagrams.Echo()
    proxy = flow.proxy("--flow-rate-out", "2000", "--flow-bytes-back", "5000")
    control = wire.ask5(proxy.port, "0.0.0.0", 0, wire.UDP_ASSOCIATE)
    code, _, port = wire.reply5(control)
    assert code == 0
    mine = datagrams.udp()
    head = b"\0\0\0\1" + bytes([127, 0, 0, 1]) + echo.port.to_bytes(2, "big")
    sent = 0
    while len(echo.got) < 3:
        for _ in range(50):  # at once, however seldom it is this one's turn
            mine.sendto(head + bytes(1000), (flow.LOCAL, port))
        sent += 50
        time.sleep(0.01)
    assert sent > 20, f"{sent} datagrams, of which 3 went on"
    while not wire.closed(control, 0.02):
        mine.sendto(head + bytes(1000), (flow.LOCAL, port))
    proxy.wait_line("5000 back: it may carry no more than 5000 bytes back")


@flow.test
def datagrams_that_wait_for_a_name_end_with_the_flow():
    echo, dns = datagrams.Echo(), dns_server.Server({"a.example": [flow.LOCAL]})
    proxy = dns.proxy("--flow-bytes-out", "100")
    dns.gate.clear()
    client = datagrams.Socks5(proxy.port)
    for data in bytes(200), b"after the end":
        client.send("a.example", echo.port, data)
    flow.until(lambda: dns.asked, "the name is asked for")
    dns.gate.set()
    assert wire.closed(client.tcp)
    proxy.wait_line("it may carry no more than 100 bytes out")
    datagrams.udp().sendto(b"probe", (flow.LOCAL, echo.port))
    flow.until(lambda: echo.got, "the probe is there")
    assert [data for data, _ in echo.got] == [b"probe"], echo.got


flow.main()
