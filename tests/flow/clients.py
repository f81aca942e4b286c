#!/usr/bin/env python3
"""clients.py: programs of others as clients of epi-proxy. Each is put to
what it can do. What curl does when all is well is in socks.py."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import dns_server, flow, servers, socks_peers, sshd

QUESTION = "there and back\n"
USER, PASSWORD = "ada", "secret"


def goes_through(client, proxy, host, server, login=None):
    got = client.ask(proxy.port, host, server.port, QUESTION, login)
    assert got.stdout == QUESTION, got
    flow.until(lambda: server.connections == 1, "a connection")
    proxy.wait_line("flow 1: ")


def is_refused(client, proxy, server, login=None):
    got = client.ask(proxy.port, flow.LOCAL, server.port, QUESTION, login)
    assert QUESTION not in got.stdout, got
    assert server.connections == 0, "it got there all the same"


def users():
    path = flow.file(f"{USER}:{PASSWORD}\n", "users")
    return flow.proxy(listen=[f"socks://127.0.0.1:0?users={path}"])


def connects_by_address(client):
    goes_through(client, flow.proxy(), flow.LOCAL, servers.Echo())


def carries_a_megabyte(client):
    echo, proxy = servers.Echo(), flow.proxy()
    text = servers.body(2 ** 19).hex()
    got = client.ask(proxy.port, flow.LOCAL, echo.port, text)
    assert got.stdout == text, f"{len(got.stdout)} of {len(text)} bytes"


def connects_by_name(client):
    """The name exists for the proxy alone."""
    dns = dns_server.Server({"origin.example": [flow.LOCAL]})
    goes_through(client, dns.proxy(), "origin.example", servers.Echo())
    assert "origin.example" in [name for name, _ in dns.asked], dns.asked


def connects_over_ipv6(client):
    flow.need_ipv6()
    goes_through(client, flow.proxy(), "::1", servers.Echo("::1"))


def logs_in(client):
    goes_through(client, users(), flow.LOCAL, servers.Echo(),
                 (USER, PASSWORD))


def is_refused_with_a_wrong_password(client):
    proxy = users()
    is_refused(client, proxy, servers.Echo(), (USER, "wrong"))
    proxy.wait_line("the login is wrong")


def is_refused_without_a_login(client):
    proxy = users()
    is_refused(client, proxy, servers.Echo())
    proxy.wait_line("the client offers no login")


def closed():
    model = flow.file({
        "epi": 1, "nodes": {"here": {"addresses": ["127.0.0.1/32"]}},
        "policy": {"rules": [{"id": "closed-here", "effect": "deny",
                              "to": ["here"]}]}}, "model.json")
    return flow.proxy("--model", model)


def is_refused_by_the_model(client):
    proxy = closed()
    is_refused(client, proxy, servers.Echo())
    proxy.wait_line("closed-here")


CASES = {
    None: [connects_by_address, carries_a_megabyte,
           is_refused_without_a_login, is_refused_by_the_model],
    socks_peers.NAMES: [connects_by_name],
    socks_peers.IPV6: [connects_over_ipv6],
    socks_peers.LOGIN: [logs_in, is_refused_with_a_wrong_password],
}


def register(client, case):
    def run():
        case(client)
    run.__name__ = f"{client.name}_{case.__name__}"
    flow.test(run, timeout=90)


for each in socks_peers.CLIENTS:
    for ability in (None, *each.can):
        for what in CASES[ability]:
            register(each, what)


@flow.test(timeout=120)
def curl_says_that_the_proxy_refuses():
    for proxy, login, said in (
            (closed(), None, r"complete SOCKS5 connection.*\(2\)"),
            (users(), (USER, "wrong"), "User was rejected"),
            (users(), None, "No authentication method was acceptable")):
        origin = servers.Origin()
        words = ["--proxy-user", ":".join(login)] if login else []
        for kind in ("socks5", "socks5h"):
            got = flow.run(flow.need("curl"), "-sS", "--noproxy", "", *words,
                           "--proxy", f"{kind}://{flow.LOCAL}:{proxy.port}",
                           origin.url())
            assert got.returncode == 97, got
            assert re.search(said, got.stderr), got.stderr
        assert origin.connections == 0


@flow.test(timeout=120)
def ssh_goes_through_with_a_login():
    ssh, ncat = flow.need("ssh", "ncat")
    port = flow.free_port()
    options = sshd.start(flow.LOCAL, port)
    proxy = users()
    got = flow.run(ssh, *options, "-o",
                   f"ProxyCommand={ncat} --proxy-type socks5 --proxy"
                   f" {flow.LOCAL}:{proxy.port} --proxy-auth"
                   f" {USER}:{PASSWORD} %h %p", "-p", port, flow.LOCAL,
                   "head -c 3000000 /dev/zero | cksum", timeout=40)
    assert got.returncode == 0, got.stderr
    assert got.stdout.split()[-1] == "3000000", got.stdout


@flow.test(timeout=120)
def nmap_sees_the_methods():
    nmap = flow.need("nmap")
    for proxy, open_to_all in ((flow.proxy(), 1), (users(), 0)):
        got = flow.run(nmap, "-Pn", "-n", "-p", proxy.port, "--script",
                       "+socks-auth-info", flow.LOCAL, timeout=40)
        assert "Username and password" in got.stdout, got.stdout
        assert ("No authentication" in got.stdout) == open_to_all, got.stdout


if __name__ == "__main__":
    flow.main()
