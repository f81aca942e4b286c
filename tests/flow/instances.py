#!/usr/bin/env python3
"""instances.py: functions that run at several endpoints."""
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.bridging import REASON, SECRET, reply, reset
from support.endpoints import Function, Through, check, gate

NO_PROBES = ("--health-interval", "0")
PROBES = ("--health-interval", "50")


def loads(functions):
    return [len(function.open) for function in functions]


def until_loads(functions, wanted):
    flow.until(lambda: loads(functions) == wanted, f"flows are {wanted}")


@flow.test
def flows_are_spread_by_load():
    places = [Function() for _ in range(3)]
    through = Through({"gate": gate(*places)}, "--workers", "2")
    socks = [through.opened() for _ in range(6)]
    assert loads(places) == [2, 2, 2], loads(places)
    for sock in (socks[1], socks[4]):
        sock.close()
    until_loads(places, [2, 0, 2])
    more = [through.opened() for _ in range(2)]
    assert loads(places) == [2, 2, 2], loads(places)
    for sock in [socks[0], socks[2], *more]:
        check(sock)


@flow.test
def each_function_of_a_chain_has_instances_of_its_own():
    gates, scans = ([Function() for _ in range(2)] for _ in range(2))
    through = Through({"gate": gate(*gates), "scan": {
        **gate(*scans), "provides": ["inspection"]}})
    socks = [through.opened() for _ in range(4)]
    assert loads(gates) == loads(scans) == [2, 2], (gates, scans)
    for sock in socks:
        check(sock)


@flow.test
def no_instance_carries_more_than_it_can():
    places = [Function() for _ in range(2)]
    through = Through({"gate": gate(*places, capacity=1)})
    first, _ = through.opened(), through.opened()
    _, code, said = through.ask()
    assert code == 2, (code, said)
    assert ('"gate" has as many flows as its 2 instances can carry, 1 each'
            in said[REASON]), said
    first.close()
    until_loads(places, [0, 1])
    flow.until(lambda: through.ask()[1] == 0, "room again")


@flow.test
def a_function_without_room_is_replaced_by_another():
    """And not taken back by a new model, though the first has room for it."""
    cheap, dear = Function(), Function()
    through = Through({"gate": gate(cheap, capacity=1),
                       "wall": gate(dear, cost={"setup_ms": 9})})
    first, second = through.opened(), through.opened()
    assert loads([cheap, dear]) == [1, 1]
    first.close()
    until_loads([cheap, dear], [0, 1])
    through.document["nodes"]["there"] = {"addresses": ["192.0.2.0/24"]}
    through.set_model()
    check(second)
    through.opened()
    assert loads([cheap, dear]) == [1, 1]


@flow.test
def a_new_model_cuts_the_flows_of_what_is_gone_alone():
    places = [Function() for _ in range(3)]
    through = Through({"gate": gate(*places[:2])})
    stays, goes = through.opened(), through.opened()
    assert loads(places) == [1, 1, 0]
    through.document["functions"]["gate"] = gate(places[2], places[0])
    through.set_model()
    through.proxy.wait_line("cut by the new model: its instance "
                            f"{places[1].url()} is no longer there")
    assert wire.closed(goes)
    check(stays)
    through.opened()
    until_loads(places, [1, 0, 1])  # the count of the first was kept


# ---- one takes over from another ----

@flow.test
def no_client_sees_an_instance_die():
    places = [Function() for _ in range(3)]
    through = Through({"gate": gate(*places)}, *NO_PROBES)
    stays = [through.opened() for _ in range(3)]
    places[1].die()
    socks = [through.opened() for _ in range(6)]
    assert len(places[0].open) == len(places[2].open) == 4, loads(places)
    through.proxy.wait_line(
        r"flow \d+: \S+ takes over from " + places[1].url() +
        ' for "gate": Connection refused')
    downs = [line for line in through.proxy.lines if "does not answer" in line]
    assert len(downs) == 1 and places[1].url() in downs[0], downs
    for sock in [*stays, *socks]:
        check(sock)


@flow.test
def whatever_fails_in_its_handshake_is_left():
    for manner in ("leave", "garbage", "cut", "stall"):
        bad, good = Function(manner=manner), Function()
        # Within that time the good one must answer, however busy this is.
        limit = ("--connect-timeout", "2000") if manner == "stall" else ()
        through = Through({"gate": gate(bad, good)}, *NO_PROBES, *limit)
        for _ in range(3):
            through.opened()
        assert bad.connections == 1, (manner, bad.connections)
        assert good.began == 3, (manner, good.began)
        assert through.server.connections == 3, manner


@flow.test
def a_refusal_is_no_failure():
    strict, other = Function(manner="refuse"), Function()
    through = Through({"gate": gate(strict, other)}, *NO_PROBES)
    _, code, said = through.ask()
    assert code == 2, (code, said)
    assert other.connections == 0
    assert "does not answer" not in through.proxy.text


@flow.test
def where_all_are_dead_each_is_named():
    places = [Function(), Function(manner="leave"), Function()]
    through = Through({"gate": gate(*places)}, *NO_PROBES)
    places[0].die()
    places[2].die()
    _, code, _ = through.ask(b"never to be seen")
    assert code == 1, code
    line = through.proxy.wait_line('refused .*: no instance of "gate" works:'
                                   " .*").group()
    for place, why in zip(places, ("Connection refused", "it closed",
                                   "Connection refused")):
        assert f"{place.url()}: {why}" in line, line
    # One may be there again; the oldest failure is tried first.
    back = Function(port=places[0].port)
    check(through.opened())
    assert back.began == 1
    through.proxy.wait_line(f"{back.url()} answers again")


@flow.test
def one_alone_fails_as_before():
    place = Function()
    through = Through({"gate": gate(place)}, *NO_PROBES)
    place.die()
    _, code, _ = through.ask()
    assert code == 5, code  # as the connection was refused
    through.proxy.wait_line(f"cannot connect to the proxy {place.url()}: ")


@flow.test
def what_may_fail_open_is_left_out_when_all_are_gone():
    places = [Function() for _ in range(2)]
    through = Through({"gate": gate(*places, fail="open")}, *NO_PROBES)
    for place in places:
        place.die()
    through.opened()
    through.proxy.wait_line(r"goes on WITHOUT \S+, which may fail open")


@flow.test
def early_data_goes_to_one_instance_only():
    """What was sent may have had its effect: it is not sent again."""
    class Takes(servers.Server):
        got = b""

        def serve(self, sock):
            while not self.got.endswith(SECRET):
                self.got += sock.recv(65536)

    first, second = Takes(), Function()
    through = Through({"gate": {**gate(), "endpoints": [
        f"socks6://{first.host}:{first.port}", second.url()]}}, *NO_PROBES)
    _, code, _ = through.ask(SECRET)
    assert code == 1, code
    assert second.connections == 0
    assert SECRET in first.got
    sock, code, _ = through.ask(SECRET)
    assert code == 0 and wire.read(sock, len(SECRET)) == SECRET


@flow.test
def what_could_not_be_sent_goes_another_way():
    """The client speaks while the instance is lost, the others are gone, and
    the function may be left out: not a byte of it is."""
    for spoken in (SECRET, b""):
        first, second = Function(manner="hold"), Function()
        through = Through({"gate": {**gate(fail="open"), "endpoints": [
            first.url().replace("socks5", "socks6"), second.url()]}},
            *NO_PROBES)
        second.die()
        sock = wire.connect(through.proxy.port)
        sock.sendall(wire.request6(through.server.host, through.server.port))
        assert wire.auth_reply6(sock)[0] == 0
        flow.until(lambda: first.open, "it is asked")
        through.proxy.signal(signal.SIGSTOP)
        sock.sendall(spoken)
        reset(first.open[0])
        first.open[0].close()
        sock.sendall(SECRET)
        through.proxy.signal(signal.SIGCONT)
        assert reply(sock)[0] == 0
        for part in (spoken, SECRET):
            assert wire.read(sock, len(part)) == part


@flow.test
def without_data_a_request_is_made_again():
    first, second = Function(manner="cut"), Function()
    through = Through({"gate": {**gate(), "endpoints": [
        first.url().replace("socks5", "socks6"), second.url()]}}, *NO_PROBES)
    through.opened()
    assert first.connections == 1


@flow.test
def behind_socks_5_the_one_that_failed_is_replaced():
    first, bad, good = Function(), Function(manner="garbage"), Function()
    through = Through({"gate": gate(first), "scan": {
        **gate(bad, good), "provides": ["inspection"]}}, *NO_PROBES)
    through.opened()
    assert (bad.connections, good.began) == (1, 1)
    through.proxy.wait_line(f"{good.url()} takes over from {bad.url()}"
                            ' for "scan"')
    good.die()
    bad.die()
    _, code, _ = through.ask()
    assert code == 1, code
    through.proxy.wait_line('no instance of "scan" works')
    assert first.url() + " does not" not in through.proxy.text


@flow.test
def behind_socks_6_others_are_tried_once():
    near, bad, good = flow.proxy("--warm", "0"), Function(), Function()
    bad.die()
    through = Through({"gate": {
        **gate(), "endpoints": [f"socks6://{flow.LOCAL}:{near.port}"]},
        "scan": {**gate(bad, good), "provides": ["inspection"]}}, *NO_PROBES)
    through.opened()
    assert good.began == 1
    good.die()
    _, code, _ = through.ask()
    assert code == 5, code


# ---- probes ----

def told_of(through, place, what):
    return [line for line in through.proxy.lines
            if f'"gate" at {place.url()} {what}' in line]


@flow.test
def probes_find_out_what_is_gone_and_what_is_back():
    places = [Function() for _ in range(3)]
    through = Through({"gate": gate(*places)}, *PROBES)
    flow.until(lambda: all(place.connections > 2 for place in places), "probes")
    places[1].die()
    flow.until(lambda: told_of(through, places[1], "does not answer: "),
               "a probe finds nobody")
    seen = places[0].connections
    flow.until(lambda: places[0].connections > seen + 3, "further probes")
    socks = [through.opened() for _ in range(4)]
    assert loads(places) == [2, 0, 2], loads(places)
    assert "takes over" not in through.proxy.text
    places[1] = Function(port=places[1].port)
    flow.until(lambda: told_of(through, places[1], "answers again"), "it is back")
    socks += [through.opened() for _ in range(2)]
    assert loads(places) == [2, 2, 2], loads(places)
    for what in ("does not answer", "answers again"):
        assert len(told_of(through, places[1], what)) == 1, through.proxy.text
    assert not told_of(through, places[0], ""), through.proxy.text


@flow.test
def probes_are_no_failed_flows_where_they_come_to():
    near, other = flow.proxy(), Function()
    through = Through({"gate": {**gate(), "endpoints": [
        f"socks6://{flow.LOCAL}:{near.port}", other.url()]}}, *PROBES)
    flow.until(lambda: other.connections > 3, "probes")
    through.opened()
    assert "handshake" not in near.text, near.text


@flow.test
def one_alone_is_probed_once_it_failed():
    place = Function()
    through = Through({"gate": gate(place)}, *PROBES)
    through.opened()
    place.die()
    assert through.ask()[1] == 5
    assert place.connections == 1
    place = Function(port=place.port)
    flow.until(lambda: told_of(through, place, "answers again"), "it is back")
    through.opened()


if __name__ == "__main__":
    flow.main()
