#!/usr/bin/env python3
"""ports.py: epi-check says what a reverse proxy listens on."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire

HOSPITALS = flow.EXAMPLES / "hospitals.json"
MODEL = {
    "epi": 1,
    "nodes": {
        'a"\\': {"domain": "d", "addresses": ["10.1.0.0/16"]},
        "b": {"domain": "e", "addresses": ["10.2.0.0/16", "b.example"]},
        "c": {"domain": "e", "addresses": ["2001:db8::7"]},
        "ranges": {"domain": "e", "addresses": ["10.3.0.0/16"]},
        "alone": {"addresses": ["10.4.0.1"]},
    },
    "proxies": {"pd": {"domain": "d", "endpoint": "socks6://10.1.0.2:1080"},
                "pe": {"domain": "e", "endpoint": "socks6://proxy.e:1080"}},
    "applications": {
        "app": {"flows": [
            {"from": 'a"\\', "to": "b", "ports": [443, 80]},
            {"from": "b", "to": "c", "ports": [22]},
            {"from": "c", "to": "b", "ports": [13]},
            {"from": "b", "to": 'a"\\'},
            {"from": "b", "to": "ranges", "ports": [1]},
            {"from": "alone", "to": "alone", "ports": [1]},
            {"from": "b", "to": "alone", "ports": [5]}]},
        "other": {"nodes": ["b", "c"]}},
    "policy": {"default": "allow", "rules": [
        {"id": "no-13", "effect": "deny", "from": ["c"],
         "reason": "port 13 is closed"}]},
}


def check(*options, code=0):
    got = flow.run(flow.program_path("epi-check"), *options)
    assert got.returncode == code, f"{got.returncode}\n{got.stderr}"
    return got


def document(**parts):
    return flow.file({**MODEL, **parts}, "model.json")


@flow.test
def each_flow_has_a_port_and_keeps_it():
    got = check(document(), "--ports", "--application", "app").stdout
    assert got == (
        '20000  a"\\ -> b at b.example:443\n'
        "       pd: --listen tcp://10.1.0.2:20000=b.example:443\n"
        '       pd: ports: {"port":20000,"from":"a\\"\\\\","to":"b:443"}\n'
        '20001  a"\\ -> b at b.example:80\n'
        "       pd: --listen tcp://10.1.0.2:20001=b.example:80\n"
        '       pd: ports: {"port":20001,"from":"a\\"\\\\","to":"b:80"}\n'
        "20002  b -> c at [2001:db8::7]:22\n"
        "       pe: --listen tcp://0.0.0.0:20002=[2001:db8::7]:22\n"
        '       pe: ports: {"port":20002,"from":"b","to":"c:22"}\n'
        "    -  c -> b, port 13: port 13 is closed\n"
        '    -  b -> a"\\, port any: the application does not say which port\n'
        "    -  b -> ranges, port 1: the destination has no address of one"
        " host\n"
        "    -  alone -> alone, port 1: it passes no proxy\n"
        "20007  b -> alone at 10.4.0.1:5\n"
        "       pe: --listen tcp://0.0.0.0:20007=10.4.0.1:5\n"
        '       pe: ports: {"port":20007,"from":"b","to":"alone:5"}\n'), got


@flow.test
def json_has_the_same():
    got = json.loads(check(document(), "--ports", "--application", "app",
                           "--base-port", "30000", "--json").stdout)
    assert got["application"] == "app" and len(got["model"]) == 64, got
    assert got["ports"][0] == {
        "from": 'a"\\', "to": "b", "port": 443, "proxy": "pd",
        "listening": 30000, "destination": "b.example:443",
        "listen": "tcp://10.1.0.2:30000=b.example:443",
        "entry": {"port": 30000, "from": 'a"\\', "to": "b:443"}}, got["ports"][0]
    assert got["ports"][4] == {
        "from": "b", "to": 'a"\\', "port": None,
        "reason": "the application does not say which port"}, got["ports"][4]


@flow.test
def what_cannot_be_numbered_is_an_error():
    for options, says in (
            (("--ports",), "--application"),
            (("--ports", "--application", "none"), "none"),
            (("--ports", "--application", "app", "--base-port", "65530"),
             "more flows"),
            (("--ports", "--application", "app", "--base-port", "x"), "port"),
            (("--base-port", "2000"), "--ports")):
        got = check(document(), *options, code=2)
        assert says in got.stderr and not got.stdout, got


@flow.test
def the_only_application_needs_no_name():
    got = check(HOSPITALS, "--ports").stdout
    assert got == ("20000  umc -> antonius at ehr.antonius.example:443\n"
                   "       px-umc: --listen tcp://10.1.0.2:20000="
                   "ehr.antonius.example:443\n"
                   '       px-umc: ports: {"port":20000,"from":"umc",'
                   '"to":"antonius:443"}\n'), got


@flow.test
def a_model_takes_what_it_prints():
    path = document()
    proxies = json.loads(json.dumps(MODEL["proxies"]))
    for row in json.loads(check(path, "--ports", "--application", "app",
                                "--json").stdout)["ports"]:
        if "entry" in row:
            proxies[row["proxy"]].setdefault("ports", []).append(row["entry"])
    got = check(document(proxies=proxies), "--diff", path, code=1).stdout
    assert ('opens   port 10.1.0.2:20000 of pd\n    is from a"\\ to'
            " b.example:443\n") in got, got
    assert "opens   port 0.0.0.0:20002 of pe\n" in got, got
    assert got.count("opens   port ") == 4, got


@flow.test
def a_proxy_takes_the_line_and_forwards():
    echo = servers.Echo()
    model = flow.file({
        "epi": 1,
        "nodes": {"here": {"addresses": ["127.0.0.0/8", "127.0.0.1"]}},
        "applications": {"app": {"flows": [
            {"from": "here", "to": "here", "ports": [echo.port]}]}},
        "policy": {"default": "allow"}}, "model.json")
    port = flow.free_port()
    table = json.loads(check(model, "--ports", "--base-port", port,
                             "--json").stdout)
    proxy = flow.proxy("--model", model, listen=(table["ports"][0]["listen"],))
    assert proxy.port == port, proxy.port
    sock = wire.connect(port)
    sock.sendall(b"there and back")
    assert wire.read(sock, 14) == b"there and back"


flow.main()
