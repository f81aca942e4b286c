#!/usr/bin/env python3
"""redirector_life.py: how epi-redirector starts and ends, what it then leaves
behind, and what it says on bad command lines."""
import pathlib
import re
import signal
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, redirected, servers
from support import socks_client as wire

BACKENDS = redirected.BACKENDS


def sites():
    """A site with an origin and a proxy for each backend, and its options."""
    flow.need("iptables")
    for name, options in BACKENDS.items():
        site = redirected.Site()
        site.proxy()
        yield site, site.origin(), name, options


def refused(site, server):
    """1 if the node's connection is refused."""
    try:
        with site.node.inside():
            socket.create_connection((server.host, server.port), 15).close()
    except ConnectionRefusedError:
        return 1
    return 0


def status(site):
    got = site.ask("status")
    assert got.stderr == "", got.stderr
    return got.returncode, got.stdout


def one_line(got, *words, code=2):
    """A command has failed, and said why in a line."""
    lines = got.stderr.splitlines()
    assert got.returncode == code, f"exit code {got.returncode}: {got.stderr}"
    assert len(lines) == 1, f"not one line: {lines}"
    for word in words:
        assert word in lines[0], f"{word!r} is not in {lines[0]!r}"
    assert got.stdout == "", got.stdout


@flow.test
def signals_remove_the_rules():
    for site, origin, name, options in sites():
        six = site.origin(site.far.address6)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            one = site.redirector(*options)
            assert name in one.text, one.text
            assert not site.goes_direct(origin) and not site.goes_direct(six)
            assert site.rules()
            one.signal(number)
            code = one.wait()
            assert code == 0, f"{name}, signal {number}: exit code {code}"
            assert not site.rules(), site.rules()
            assert site.goes_direct(origin) and site.goes_direct(six)


@flow.test
def nothing_is_left_in_nftables():
    site = redirected.Site()
    site.redirector().stop()
    left = site.node.run(flow.need("nft"), "list", "ruleset").stdout
    assert left == "", left


@flow.test
def a_terminal_that_closes_does_not_end_it_under_nohup():
    site = redirected.Site()
    one = site.node.start("nohup", *site.command(), ready=" goes to ")
    one.signal(signal.SIGHUP)
    time.sleep(0.5)
    assert one.process.poll() is None and site.rules()
    assert one.stop() == 0
    assert not site.rules(), site.rules()


@flow.test
def flows_are_cut_at_the_end():
    site = redirected.Site()
    echo, _ = site.server(servers.Echo), site.proxy()
    for options in BACKENDS.values():
        one = site.redirector(*options)
        sock = site.connect(echo)
        sock.sendall(b"x")
        assert wire.read(sock, 1) == b"x"
        assert one.stop() == 0
        assert wire.closed(sock), "the client was not told"


@flow.test
def a_killed_redirector_leaves_connections_refused():
    for site, origin, name, options in sites():
        one = site.redirector(*options)
        one.signal(signal.SIGKILL)
        one.wait()
        assert refused(site, origin), f"{name}: connected"
        assert origin.connections == 0, "leaked"
        code, said = status(site)
        assert code == 1 and "not running" in said, said
        assert name in said and "killed" in said and "refused" in said, said


@flow.test
def the_next_start_replaces_what_was_left():
    for site, origin, name, options in sites():
        one = site.redirector(*options)
        one.signal(signal.SIGKILL)
        one.wait()
        two = site.redirector(*options)
        two.wait_line(f"removed the {name} rules that a killed redirector")
        assert not site.goes_direct(origin)
        code, said = status(site)
        assert code == 0 and "killed" not in said, said
        assert two.stop() == 0
        assert not site.rules(), site.rules()


@flow.test
def the_other_backends_rules_are_replaced_too():
    for site, origin, name, options in sites():
        one = site.redirector(*options)
        one.signal(signal.SIGKILL)
        one.wait()
        other = BACKENDS["iptables" if name == "nftables" else "nftables"]
        two = site.redirector(*other)
        two.wait_line(f"removed the {name} rules")
        assert not site.goes_direct(origin)
        assert two.stop() == 0
        assert not site.rules(), site.rules()
        assert site.goes_direct(origin)


@flow.test
def stop_removes_what_was_left():
    for site, origin, name, options in sites():
        one = site.redirector(*options)
        one.signal(signal.SIGKILL)
        one.wait()
        got = site.ask("stop")
        assert got.returncode == 0 and f"removed the {name}" in got.stdout, got
        assert not site.rules(), site.rules()
        assert site.goes_direct(origin)
        assert status(site) == (1, "redirector: not running\nrules: none\n")


@flow.test
def stop_ends_the_one_that_runs():
    site = redirected.Site()
    one = site.redirector()
    code, said = status(site)
    assert code == 0 and f"pid {one.process.pid}" in said, said
    assert "rules: nftables" in said, said
    got = site.ask("stop")
    assert got.returncode == 0, got
    assert got.stdout == f"stopped pid {one.process.pid}\n", got
    assert one.wait() == 0
    assert not site.rules(), site.rules()
    got = site.ask("stop")
    assert (got.returncode, got.stdout) == (0, "nothing to stop\n"), got


@flow.test
def one_redirector_in_a_namespace():
    site = redirected.Site()
    origin, _ = site.origin(), site.proxy()
    one = site.redirector()
    rules = site.rules()
    got = site.node.run(*site.command("--listen-port", "42001"))
    one_line(got, f"pid {one.process.pid}")
    assert site.rules() == rules
    assert not site.goes_direct(origin)
    # Another namespace has its own.
    redirected.Site().redirector()


@flow.test
def a_port_in_use_leaves_nothing_behind():
    site = redirected.Site()
    with site.node.inside():
        servers.Echo(port=redirected.LISTEN_PORT)
    one_line(site.node.run(*site.command()), "127.0.0.1:42000")
    assert not site.rules()
    one = site.redirector("--listen-port", 0)
    assert "port 42000" not in one.text


@flow.test
def iptables_rules_stand_beside_others():
    site = redirected.Site()
    iptables = flow.need("iptables")
    others = ["-t", "nat", "-A", "OUTPUT", "-p", "tcp", "--dport", "9",
              "-j", "RETURN"]
    assert site.node.run(iptables, *others).returncode == 0
    before = site.node.run(iptables, "-t", "nat", "-S").stdout
    one = site.redirector("--iptables")
    during = site.node.run(iptables, "-t", "nat", "-S").stdout
    assert "EPI_REDIRECT" in during, during
    assert one.stop() == 0
    after = site.node.run(iptables, "-t", "nat", "-S").stdout
    assert after == before, after


# A program started by this has root's name and none of its capabilities.
def powerless():
    return [flow.need("setpriv"), "--bounding-set=-all", "--inh-caps=-all"]


@flow.test
def a_dry_run_needs_nothing_and_changes_nothing():
    site = redirected.Site()
    for options, words in (
            ((), ["table inet epi_redirect", "redirect to :42000"]),
            (("--iptables",), ["iptables-restore", "ip6tables-restore",
                               "--to-ports 42000"])):
        got = site.node.run(*powerless(), *site.command(
            "--dry-run", "--port", "443", "--to", "10.0.0.0/8", *options))
        assert (got.returncode, got.stderr) == (0, ""), got
        for word in [*words, "443", "10.0.0.0/8"]:
            assert word in got.stdout, f"no {word} in {got.stdout}"
    assert site.node.run(flow.need("nft"), "list", "ruleset").stdout == ""


@flow.test
def what_a_dry_run_prints_can_be_loaded():
    site = redirected.Site()
    rules = site.node.run(*site.command("--dry-run", "--port", "443",
                                        "--except", "10.0.0.1:80"))
    got = site.node.run(flow.need("nft"), "-f", "-", stdin=rules.stdout)
    assert got.returncode == 0, got
    assert site.rules()


@flow.test
def a_missing_privilege_is_one_line():
    site = redirected.Site()
    unshare = flow.need("unshare")
    for options in BACKENDS.values():
        got = site.node.run(*powerless(), *site.command(*options))
        one_line(got, "CAP_NET_ADMIN")
    # All capabilities, but not over this network namespace.
    got = site.node.run(unshare, "--user", "--map-root-user", "true")
    if got.returncode == 0:
        for options in BACKENDS.values():
            got = site.node.run(unshare, "--user", "--map-root-user",
                                *site.command(*options))
            one_line(got, "CAP_NET_ADMIN")
    assert not site.rules()
    one = site.redirector()
    got = site.node.run(*powerless(), flow.program_path("epi-redirector"),
                        "status")
    assert got.returncode == 0 and "CAP_NET_ADMIN" in got.stdout, got
    assert site.rules() and one.process.poll() is None


@flow.test
def bad_command_lines_are_one_line():
    program = flow.program_path("epi-redirector")
    url = "socks6://10.0.0.1:1080"
    for words, says in (
            ([], "--proxy"),
            (["--proxy"], "--proxy"),
            (["--proxy", "10.0.0.1:1080"], "--proxy"),
            (["--proxy", "http://10.0.0.1:1080"], "http"),
            (["--proxy", "socks6://10.0.0.1"], "10.0.0.1"),
            (["--proxy", "socks6://10.0.0.1:99999"], "99999"),
            (["--proxy", url + "?colour=red"], "colour"),
            (["--proxy", url + "?credentials=/nonexistent/file"],
             "/nonexistent/file"),
            (["--proxy", url, "--proxy", url], "--proxy"),
            (["--proxy", url, "--port", "http"], "http"),
            (["--proxy", url, "--port", "0"], "--port"),
            (["--proxy", url, "--port", "70000"], "70000"),
            (["--proxy", url, "--to", "10.0.0.0/33"], "10.0.0.0/33"),
            (["--proxy", url, "--to", "example.org"], "example.org"),
            (["--proxy", url, "--except", "example.org"], "example.org"),
            (["--proxy", url, "--except-uid", "no such user"],
             "no such user"),
            (["--proxy", url, "--listen-port", "-1"], "-1"),
            (["--proxy", url, "--workers", "many"], "many"),
            (["--proxy", url, "--workers", "65"], "64"),
            (["--proxy", url, "--application", "\udcff"], "application"),
            (["--proxy", url, "--no-such-option"], "--no-such-option"),
            (["--proxy", url, "--dry-run", "--listen-port", "0"],
             "--listen-port"),
            (["--proxy", url, "start"], "start"),
            (["status", "now"], "status"),
            (["stop", "--port", "1"], "stop")):
        # Without privilege: what is wrong with the words comes first.
        got = flow.run(*powerless(), program, *words)
        one_line(got, says)


@flow.test
def help_and_version_go_to_standard_output():
    for option, word in (("--help", "--proxy"), ("--version", "0.")):
        got = flow.run(flow.program_path("epi-redirector"), option)
        assert got.returncode == 0 and word in got.stdout, got
        assert got.stderr == "", got.stderr
        assert len(got.stdout.splitlines()) <= 40


@flow.test
def gives_up_what_the_rules_do_not_need():
    for options, programs in ((), False), (("--iptables",), True):
        if programs:
            flow.need("iptables", "ip6tables")
        site = redirected.Site()
        site.proxy()
        redirector = site.redirector(*options)
        said = redirector.wait_line("sandbox: (.*)")[1]
        assert ("NO files: programs may be run" in said) == programs, said
        pid = redirector.process.pid
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            text = (task / "status").read_text()
            assert "Seccomp:\t2" in text and "NoNewPrivs:\t1" in text, text
            kept = int(re.search(r"CapPrm:\s*(\w+)", text)[1], 16)
            assert kept == 1 << 10 | 1 << 12 | 1 << 13, text
        origin = site.origin(site.far.address)
        assert site.curl(origin.url()).stdout == "hello"
        assert redirector.stop() == 0
        assert site.goes_direct(origin), "the rules are gone"


flow.main()
