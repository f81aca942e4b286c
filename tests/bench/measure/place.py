"""place.py: where something is measured: a network namespace of its own, or
the one that we are in; and the programs that run there.

    place = Place()                  # a namespace with a loopback device
    origin = place.origin()          # HOST:PORT
    running = place.start("microsocks", "-p", port, port=port)
    said = place.load("--to", origin, "--clients", 16)"""
import contextlib
import itertools
import json
import subprocess

from measure import usage
from support import flow, netns

# Without these the measurement would be one of the congestion control, or of
# the ports that a client has left. Version 6 is given the same by the kernel.
SETTINGS = {
    "net.ipv4.tcp_congestion_control": "reno",
    "net.ipv4.ip_local_port_range": "10000 65000",
    "net.ipv4.tcp_tw_reuse": "1",
    "net.core.somaxconn": "65535",
    "net.ipv4.tcp_max_syn_backlog": "65535",
}
_ports = itertools.count(2000)


class Running:
    """A program that runs, with what it uses."""

    def __init__(self, program, used, log):
        self.program, self.usage, self.log = program, used, log

    def alive(self):
        return self.program.process.poll() is None

    def stop(self):
        self.program.stop()

    def said(self):
        """The end of what it printed."""
        return "\n".join(self.log.read_text().splitlines()[-10:])


class Place:
    def __init__(self, space="own"):
        """space is "own", None for the namespace that we are in, or a
        netns.Namespace."""
        self.space = netns.Namespace() if space == "own" else space
        self.host = flow.LOCAL
        self.behind = []  # what programs are put behind, as strace
        if self.space:
            for name, value in SETTINGS.items():
                self.set(name, value)

    def set(self, name, value):
        """A sysctl of the namespace, which ends with it."""
        ran = self.space.run("sysctl", "-qw", f"{name}={value}")
        if ran.returncode:
            raise RuntimeError(ran.stderr.strip())

    def inside(self):
        """What a command is put behind to run here."""
        return ["ip", "netns", "exec", self.space.name] if self.space else []

    def port(self):
        """A port that is free: below those that clients get."""
        return next(_ports) if self.space else flow.free_port()

    def answers(self, port, host=None):
        host = host or self.host
        with self.space.inside() if self.space else contextlib.nullcontext():
            return flow.answers(port, host)

    def start(self, *argv, port=None, host=None, said=None, count=True):
        """Start a program, and wait until it listens on a port or has said
        something. Its output goes to a file: reading it would cost time."""
        used = usage.Usage() if count else None
        if used:
            flow.at_end(used.remove)
        log = flow.folder() / "output"
        log.touch()
        joins = used.joins() if used else ""
        # "ip netns exec" hides the control groups: join them before it.
        program = flow.Program(["sh", "-c", f'{joins}exec "$@" >{log} 2>&1',
                                "sh", *self.inside(), *self.behind, *argv])
        program.expected = True  # how a peer ends says nothing
        running = Running(program, used, log)
        if used:
            used.session = program.process.pid

        def ready():
            if not running.alive():
                raise RuntimeError(f"{argv[0]} ended: {running.said()}")
            return ((not port or self.answers(port, host)) and
                    (not said or said in log.read_text()))
        flow.until(ready, f"{argv[0]} is ready", 30)
        return running

    def origin(self, host=None):
        """Start the web server; HOST:PORT."""
        port, host = self.port(), host or self.host
        self.start(tool("bench_origin"), host, port, port=port, host=host)
        return f"{host}:{port}"

    def words(self, *options):
        """The command of the load generator."""
        return [*self.inside(), str(tool("bench_load")), *map(str, options)]

    def load(self, *options, seconds=1.0, warm=0.0):
        """Run the load generator to its end; what it says."""
        ran = subprocess.run(
            self.words(*options, "--seconds", seconds, "--warm", warm),
            capture_output=True, text=True, timeout=seconds + warm + 20)
        if ran.returncode:
            raise RuntimeError(ran.stderr.strip())
        return json.loads(ran.stdout)

    @contextlib.contextmanager
    def loaded(self, *options):
        """Run the load generator while something else happens."""
        process = subprocess.Popen(self.words(*options), text=True,
                                   stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def tool(name):
    path = flow.BUILD / "tests" / "bench" / "tools" / name
    if not path.exists():
        raise RuntimeError(f"{name} is missing: ninja -C {flow.BUILD.name}")
    return path
