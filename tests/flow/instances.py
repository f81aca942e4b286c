#!/usr/bin/env python3
"""instances.py: functions that run at several endpoints."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow
from support import socks_client as wire
from support.bridging import REASON
from support.endpoints import Function, Through, check, gate


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
    assert loads(places) == [1, 0, 1], "the count of the first was kept"


if __name__ == "__main__":
    flow.main()
