#!/usr/bin/env python3
"""model_ports.py: ports that the model gives a proxy, and their life."""
import copy
import pathlib
import socket
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.bridging import (Bridge, NODE, ORIGIN, SECRET, UMC, connect,
                              model)


def port_to(to, number=None, **more):
    """A port of the proxy of UMC, for node umc."""
    return {"port": number or flow.free_port(UMC), "from": "umc",
            "to": to if isinstance(to, str) else f"{to.host}:{to.port}",
            **more}


def with_ports(bridge, *ports):
    document = copy.deepcopy(bridge.document)
    document["proxies"]["px-umc"]["ports"] = list(ports)
    return document


def alone(*ports):
    """The file of a model for one proxy, which needs no keys."""
    document = model(1, function="count")
    document["proxies"]["px-umc"]["ports"] = list(ports)
    return flow.file(document, "model.json")


def come(port, source=NODE):
    return connect((UMC, port["port"]), source)


def refused(port):
    try:
        socket.create_connection((UMC, port["port"]), 5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # as it closes
        return False
    return False


def turned_away(port, source=NODE):
    return wire.turned_away(port["port"], UMC, source)


def there_and_back(sock, data=SECRET):
    sock.sendall(data)
    assert wire.read(sock, len(data)) == data


@flow.test
def a_connection_goes_through_the_planned_chain():
    echo = servers.Echo(host=ORIGIN)
    port = port_to(echo)
    bridge = Bridge(echo, ports=[port])
    there_and_back(come(port))
    bridge.near.wait_line(r"port 127\.1\.0\.2:\d+ opens: from umc to"
                          rf" {ORIGIN}:{echo.port}")
    bridge.near.wait_line(rf"{NODE}:\d+ \(umc\) > {ORIGIN}:{echo.port}"
                          r" \(antonius\) bridged by rule train through seal")
    bridge.far.wait_line("through open")
    crossed = bridge.wire.crossed["out"] + bridge.wire.crossed["back"]
    assert crossed and SECRET not in crossed


@flow.test
def a_plain_client_gets_a_page():
    curl = flow.need("curl")
    web = servers.Origin(host=ORIGIN)
    port = port_to(web)
    bridge = Bridge(web, ports=[port])
    got = flow.run(curl, "-sS", "--interface", NODE, "--max-time", "10",
                   f"http://{UMC}:{port['port']}/")
    assert got.returncode == 0 and got.stdout == "hello", got
    bridge.near.wait_line("through seal")


@flow.test
def who_is_not_of_the_node_is_refused():
    echo = servers.Echo(host=ORIGIN)
    port = port_to(echo)
    bridge = Bridge(echo, ports=[port])
    for source, whose in (("127.2.0.5", "of node antonius"),
                          ("127.9.0.1", "of none")):
        assert turned_away(port, source), source
        bridge.near.wait_line(r"refused \(.*\): the port is for node umc, and"
                              rf" {source} is {whose}")
    assert echo.connections == 0


@flow.test
def a_flow_that_is_forbidden_is_refused():
    port = port_to(f"{ORIGIN}:8080")
    bridge = Bridge(servers.Echo(host=ORIGIN), ports=[port])
    assert turned_away(port)
    bridge.near.wait_line("denied by rule registry: the registry is closed")


@flow.test(timeout=90)
def ports_change_while_flows_run():
    echo, other = servers.Echo(host=ORIGIN), servers.Echo(host=ORIGIN)
    kept, gone, new = (port_to(echo) for _ in range(3))
    bridge = Bridge(echo, ports=[kept, gone])
    failures, served, running = [], [0], threading.Event()
    running.set()

    def load():
        while running.is_set():
            try:
                with socket.create_connection(
                        (UMC, kept["port"]), 10,
                        source_address=(NODE, 0)) as sock:
                    there_and_back(sock, b"still there")
                served[0] += 1
            except (OSError, EOFError, AssertionError) as error:
                failures.append(repr(error))
    threads = [threading.Thread(target=load, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    flow.at_end(running.clear)
    long = come(kept)
    there_and_back(long)
    for _ in range(3):
        cut = come(gone)
        there_and_back(cut)
        bridge.set_model(with_ports(bridge, new, kept))
        assert wire.closed(cut), "a flow of a port that is gone lives on"
        flow.until(lambda: refused(gone), "the port is closed")
        fresh = come(new)
        there_and_back(fresh)
        bridge.set_model(with_ports(bridge, kept, gone))
        assert wire.closed(fresh), "a flow of a port that is gone lives on"
        flow.until(lambda: not refused(gone), "the port is open again")
    before = served[0]
    flow.until(lambda: served[0] > before + 10, "flows come through")
    running.clear()
    for thread in threads:
        thread.join()
    assert not failures, f"{len(failures)} failures: {failures[:3]}"
    there_and_back(long, b"all the time")
    bridge.near.wait_line("cut by the new model: the model has no such port"
                          " any more")
    bridge.near.wait_line(rf"port {UMC}:{gone['port']} closes: from umc")
    assert not other.connections


@flow.test
def a_port_leads_elsewhere_without_a_gap():
    first, second = servers.Echo(host=ORIGIN), servers.Echo(host=ORIGIN)
    port = port_to(first)
    bridge = Bridge(first, ports=[port])
    sock = come(port)
    there_and_back(sock)
    document = with_ports(bridge, port_to(second, port["port"]))
    document["applications"]["train"]["flows"][0]["ports"].append(second.port)
    bridge.set_model(document)
    assert wire.closed(sock), "the old flow lives on"
    bridge.near.wait_line("cut by the new model: the port leads to"
                          rf" {ORIGIN}:{second.port} now")
    bridge.near.wait_line(rf"port {UMC}:{port['port']} changes: from umc to"
                          rf" {ORIGIN}:{second.port}")
    there_and_back(come(port))
    assert second.connections == 1, second.connections


@flow.test
def a_port_for_another_node_cuts_who_is_there():
    echo = servers.Echo(host=ORIGIN)
    port = port_to(echo)
    bridge = Bridge(echo, ports=[port])
    sock = come(port)
    there_and_back(sock)
    bridge.set_model(with_ports(bridge, {**port, "from": "antonius"}))
    assert wire.closed(sock), "the old flow lives on"
    bridge.near.wait_line("cut by the new model: the port is for node antonius")


@flow.test
def a_port_that_is_taken_leaves_the_old_model():
    echo = servers.Echo(host=ORIGIN)
    port, other, taken = (port_to(echo) for _ in range(3))
    bridge = Bridge(echo, ports=[port])
    sock = come(port)
    there_and_back(sock)
    with socket.create_server((UMC, taken["port"])):
        bridge.set_model(with_ports(bridge, other, taken))
        bridge.near.wait_line(r"proxies\.px-umc\.ports\[1\]: cannot listen on"
                              rf" {UMC}:{taken['port']}: Address already in"
                              " use")
        there_and_back(sock)
        assert refused(other), "half of the new model is in force"
        bridge.set_model(with_ports(bridge, port, other))
        bridge.near.wait_line(rf"port {UMC}:{other['port']} opens")
    flow.until(lambda: not refused(other), "the port is open")
    there_and_back(come(other))
    there_and_back(sock)


@flow.test
def a_proxy_whose_port_is_taken_does_not_start():
    port = port_to(f"{ORIGIN}:80")
    with socket.create_server((UMC, port["port"])):
        got = flow.run(flow.program_path("epi-proxy"), "--listen",
                       f"socks://{UMC}:0", "--name", "px-umc", "--model",
                       alone(port))
    assert got.returncode == 2, got
    assert ("cannot start: proxies.px-umc.ports[0]: cannot listen on" in
            got.stderr), got.stderr


@flow.test
def a_port_that_leads_to_the_proxy_is_no_model():
    here, there = flow.free_port(UMC), flow.free_port(UMC)
    got = flow.run(flow.program_path("epi-proxy"), "--listen",
                   f"socks://{UMC}:0", "--name", "px-umc", "--model",
                   alone(port_to(f"{UMC}:{there}", here),
                         port_to(f"{UMC}:{here}", there)))
    assert got.returncode == 2, got
    assert (f"proxies.px-umc.ports[0].to: a loop: {UMC}:{there} is this proxy"
            in got.stderr), got.stderr


@flow.test
def a_loop_that_shows_later_is_cut():
    number = flow.free_port()
    document = {
        "epi": 1,
        "nodes": {"here": {"domain": "d", "addresses": [
            "127.0.0.0/8", "localhost"]}},
        "proxies": {"px": {"domain": "d", "ports": [
            {"port": number, "from": "here", "to": f"localhost:{number}"}]}},
        "policy": {"default": "allow"}}
    proxy = flow.proxy("--name", "px", "--model",
                       flow.file(document, "model.json"))
    assert wire.turned_away(number)
    proxy.wait_line(rf"skipping 127\.0\.0\.1:{number}, which is this proxy:"
                    " a loop")


@flow.test
def another_proxy_of_the_model_does_not_listen():
    port = port_to(f"{ORIGIN}:80")
    proxy = flow.proxy("--name", "px-ant", "--model", alone(port))
    assert refused(port) and "opens" not in proxy.text


flow.main()
