#!/usr/bin/env python3
"""orchestrate.py: examples/orchestrator.c plans, starts, changes, tears down."""
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire

NODE, PX_UMC, PX_ANT, ORIGIN = "127.1.0.5", "127.1.0.2", "127.2.0.2", "127.2.0.9"


def model(port, px_umc, px_ant, effect="allow", **parts):
    """The two hospitals of the quickstart, on loopback."""
    text = {
        "epi": 1,
        "nodes": {
            "umc": {"domain": "utrecht", "addresses": ["127.1.0.0/16"],
                    "attributes": ["firewall", "encryption"]},
            "antonius": {"domain": "nieuwegein", "addresses": ["127.2.0.0/16"],
                         "attributes": ["firewall"]},
        },
        "proxies": {
            "px-umc": {"domain": "utrecht",
                       "endpoint": f"socks6://{PX_UMC}:{px_umc}"},
            "px-ant": {"domain": "nieuwegein",
                       "endpoint": f"socks6://{PX_ANT}:{px_ant}"},
        },
        "functions": {
            "seal": {"provides": ["encryption"], "filter": "seal",
                     "pair": "open"},
            "open": {"filter": "open"},
        },
        "applications": {"train": {
            "nodes": ["umc", "antonius"],
            "flows": [{"from": "umc", "to": "antonius", "ports": [port]}]}},
        "policy": {"rules": [{"id": "train", "effect": effect,
                              "application": ["train"],
                              "reason": "as agreed"}]},
    }
    return flow.file(json.dumps({**text, **parts}), "model.json")


def orchestrator(path):
    program = flow.Program(
        [flow.program_path("orchestrator"), path, "train"],
        stdin=subprocess.PIPE)
    flow.at_end(program.process.stdin.close)
    return program


def change(program, path):
    program.process.stdin.write(f"{path}\n".encode())
    program.process.stdin.flush()


def ports():
    return flow.free_port(PX_UMC), flow.free_port(PX_ANT)


def connect(px_umc, port):
    """From the node, through its proxy, to the origin."""
    sock = wire.connect(px_umc, PX_UMC, source=NODE)
    sock.sendall(wire.greeting(wire.NONE))
    assert wire.read(sock, 2) == b"\x05\x00"
    sock.sendall(wire.request5(ORIGIN, port))
    return sock, wire.reply5(sock)[0]


@flow.test
def what_is_planned_is_started_and_works():
    echo = servers.Echo(ORIGIN)
    px_umc, px_ant = ports()
    program = orchestrator(model(echo.port, px_umc, px_ant))
    program.wait_line("^Ready")
    assert [line for line in program.lines if line.startswith("starting")] == [
        f"starting px-umc at socks6://{PX_UMC}:{px_umc}",
        f"starting px-ant at socks6://{PX_ANT}:{px_ant}"], program.text
    sock, code = connect(px_umc, echo.port)
    assert code == 0, f"reply {code}"
    sock.sendall(b"records")
    assert wire.read(sock, 7) == b"records"
    program.process.stdin.close()
    assert program.wait() == 0
    assert wire.closed(sock), "the flow outlived its proxies"
    assert not flow.answers(px_umc, PX_UMC)


@flow.test
def a_policy_change_cuts_flows_and_stops_what_nobody_needs():
    echo = servers.Echo(ORIGIN)
    px_umc, px_ant = ports()
    program = orchestrator(model(echo.port, px_umc, px_ant))
    program.wait_line("^Ready")
    sock, code = connect(px_umc, echo.port)
    assert code == 0, f"reply {code}"
    change(program, model(echo.port, px_umc, px_ant, effect="deny"))
    program.wait_line("^Not ready")
    program.wait_line("umc > antonius:.* refused: as agreed")
    program.wait_line("stopped px-ant")
    assert wire.closed(sock), "the flow outlived the permission"
    change(program, model(echo.port, px_umc, px_ant))
    flow.until(lambda: program.lines.count("Ready") == 2, "ready again")
    _, code = connect(px_umc, echo.port)
    assert code == 0, f"reply {code}"


@flow.test
def pairs_that_cannot_be_bridged_are_named():
    px_umc, px_ant = ports()
    program = orchestrator(model(443, px_umc, px_ant, functions={}))
    program.wait_line("umc > antonius:443 refused: .*encryption")
    program.wait_line("^Not ready")
    program.process.stdin.close()
    assert program.wait() == 1


@flow.test
def bad_input_is_named_and_changes_nothing():
    echo = servers.Echo(ORIGIN)
    px_umc, px_ant = ports()
    program = orchestrator(model(echo.port, px_umc, px_ant))
    program.wait_line("^Ready")
    change(program, "/no/such/model.json")
    program.wait_line("/no/such/model.json: No such file")
    change(program, flow.file("{", "model.json"))
    program.wait_line("model.json: line 1")
    _, code = connect(px_umc, echo.port)
    assert code == 0, f"reply {code}"
    change(program, model(echo.port, px_umc, px_ant, applications={},
                          policy={"default": "deny"}))
    program.wait_line("train: no such application")
    program.process.stdin.close()
    assert program.wait() == 1


if __name__ == "__main__":
    flow.main()
