#!/usr/bin/env python3
"""redirect.py: a node's connections go through the proxy unnoticed.

The node is one network namespace, proxy and servers are another."""
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, netns

BACKENDS = {"nftables": [], "iptables": ["--iptables"]}


class Network:
    """A node; a peer with a web server on port 80 and 81, and a proxy."""

    def __init__(self, backend, *options):
        flow.need("curl", "nft" if backend == "nftables" else "iptables")
        self.options = [*BACKENDS[backend], *options]
        self.node, self.peer = netns.pair()
        place = flow.folder()
        (place / "file").write_text("from afar")
        self.web = {port: [self.peer.start(
            sys.executable, "-u", "-m", "http.server", "--bind", host,
            "--directory", place, port, ready="Serving")
            for host in (self.peer.address, self.peer.address6)]
            for port in (80, 81)}
        self.proxy = flow.proxy(namespace=self.peer.name, listen=[
            f"socks://{self.peer.address}:1080"])
        self.redirector = self.redirect()

    def command(self, *words):
        return [flow.program_path("epi-redirector"), *words]

    def redirect(self):
        program = self.node.start(*self.command(
            "--proxy", f"socks6://{self.peer.address}:1080", *self.options))
        flow.until(lambda: self.ready(program), "epi-redirector's rules")
        return program

    def ready(self, program):
        if "libnftables-dev" in program.text:
            program.wait()
            flow.skip("epi-redirector was built without libnftables")
        assert program.process.poll() is None, f"ended with {program.wait()}"
        return any("goes to socks6://" in line for line in program.lines)

    def get(self, host=None, port=80):
        """What the web server gave, or curl's exit code."""
        host = host or self.peer.address
        host = f"[{host}]" if ":" in host else host
        got = self.node.run("curl", "-gsS", "--noproxy", "*", "-m", "10",
                            f"http://{host}:{port}/file")
        return got.stdout if got.returncode == 0 else got.returncode

    def seen(self, port=80):
        """Where the web server saw each of its clients: "node", which came
        directly, or "proxy"."""
        places = {self.node.address: "node", self.node.address6: "node",
                  self.peer.address: "proxy", self.peer.address6: "proxy"}
        return [places[line.split()[0]] for server in self.web[port]
                for line in list(server.lines) if '"GET ' in line]

    def say(self, word):
        return self.node.run(*self.command(word))

    def rules(self):
        nft = self.node.run("nft", "list", "ruleset")
        return "epi_redirect" in nft.stdout.lower()


def each_backend(function):
    """Register a test once for each backend."""
    for backend in BACKENDS:
        def run(backend=backend):
            function(backend)
        run.__name__ = f"{function.__name__}_{backend}"
        flow.test(run, timeout=60)
    return function


@each_backend
def connections_go_through_the_proxy(backend):
    network = Network(backend)
    assert network.get() == "from afar"
    assert network.get(network.peer.address6) == "from afar"
    assert network.seen() == ["proxy", "proxy"], network.seen()


@each_backend
def other_ports_are_left_alone(backend):
    network = Network(backend, "--port", "81")
    assert network.get() == "from afar"
    assert network.get(port=81) == "from afar"
    assert network.seen(81) == ["proxy"], network.seen(81)
    assert network.seen() == ["node"], network.seen()


@each_backend
def exceptions_are_left_alone(backend):
    network = Network(backend)
    network.redirector.stop()
    network.options += ["--except", f"{network.peer.address}:80"]
    network.redirector = network.redirect()
    assert network.get() == "from afar"
    assert network.get(port=81) == "from afar"
    assert network.seen(81) == ["proxy"], network.seen(81)
    assert network.seen() == ["node"], network.seen()


@each_backend
def term_leaves_the_system_open_and_clean(backend):
    network = Network(backend)
    assert network.say("status").returncode == 0
    assert network.rules()
    assert network.redirector.stop() == 0, network.redirector.text
    assert not network.rules()
    assert network.say("status").returncode == 1
    assert network.get() == "from afar"
    assert network.seen() == ["node"], network.seen()


@each_backend
def a_killed_one_fails_closed_until_stop(backend):
    network = Network(backend)
    network.redirector.signal(signal.SIGKILL)
    network.redirector.wait()
    assert isinstance(network.get(), int), "a connection went past"
    assert network.say("status").returncode == 1
    got = network.say("stop")
    assert got.returncode == 0, got
    assert not network.rules()
    assert network.get() == "from afar"


@each_backend
def a_new_one_replaces_what_a_killed_one_left(backend):
    network = Network(backend)
    network.redirector.signal(signal.SIGKILL)
    network.redirector.wait()
    network.redirector = network.redirect()
    assert network.get() == "from afar"
    assert network.seen() == ["proxy"], network.seen()


@each_backend
def stop_ends_a_running_one(backend):
    network = Network(backend)
    got = network.say("stop")
    assert got.returncode == 0, got
    assert network.redirector.wait() == 0
    assert not network.rules()


@each_backend
def there_is_one_in_a_namespace(backend):
    network = Network(backend)
    got = network.node.run(*network.command(
        "--proxy", f"socks6://{network.peer.address}:1080",
        *BACKENDS[backend]))
    assert got.returncode == 2, got
    assert len(flow.complaint(got)) == 1, got.stderr
    assert network.get() == "from afar"


@each_backend
def a_dry_run_changes_nothing(backend):
    got = flow.run(flow.program_path("epi-redirector"), "--proxy",
                   "socks6://192.0.2.1:1080", "--dry-run", *BACKENDS[backend])
    assert got.returncode == 0, got
    for words in ("192.0.2.1", "1080", "42000"):
        assert words in got.stdout, got.stdout


@flow.test
def bad_command_lines_are_one_line():
    for options, says in (((), "--proxy"),
                          (("--proxy", "http://192.0.2.1:80"), "http"),
                          (("--no-such-option",), "no-such-option"),
                          (("--proxy", "socks6://192.0.2.1:1080", "--to",
                            "10.0.0.0/99"), "10.0.0.0/99")):
        got = flow.run(flow.program_path("epi-redirector"), *options)
        assert got.returncode == 2, got
        assert says in got.stderr, got.stderr
        assert len(flow.complaint(got)) == 1, got.stderr


flow.main()
