"""flow.py: the harness of the flow tests: whole programs, real sockets.

    import flow

    @flow.test
    def answers_over_ipv4():
        origin = flow.origin()
        proxy = flow.proxy()
        ...

    flow.main()

A test is a function; it passes if it returns. Whatever it started through
this module (programs, servers, folders, network namespaces) ends with it,
however it ends. What the programs said is printed if it fails. A test file
takes a part of a test's name as its argument, and prints the lines that
verdict.py describes. Programs come from $EPI_BUILD, by default `build`."""
import contextlib
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from support import verdict
from support.verdict import ROOT

BUILD = ROOT / os.environ.get("EPI_BUILD", "build")
SANITIZED = BUILD.name.endswith(("-asan", "-tsan"))
EXAMPLES = ROOT / "examples"
LOCAL = "127.0.0.1"

# ThreadSanitizer runs a program that finds names, by which some reports are
# left out: no sandbox lets it.
UNSEALED = ("--no-sandbox",) if BUILD.name.endswith("-tsan") else ()
if UNSEALED:
    os.environ.setdefault(
        "TSAN_OPTIONS",
        f"suppressions={ROOT}/tests/support/tsan.suppressions")

# What a program must never say: a sanitizer found something.
SANITIZER = re.compile(r"(ERROR|WARNING): \w+Sanitizer|runtime error:")

_tests = []
_ending = contextlib.ExitStack()  # of the test that runs
_programs = []                    # of the test that runs
_given = set()                    # ports that are not given again


class Skip(Exception):
    """The test cannot run here."""


class Timeout(Exception):
    """The test took too long."""


def test(function=None, *, timeout=30):
    """Register a test, with the seconds that it may take."""
    if function is None:
        return lambda function: test(function, timeout=timeout)
    _tests.append((function, timeout))
    return function


def skip(why):
    raise Skip(why)


def need(*commands):
    """Skip the test unless these commands are installed; return their paths,
    one as such, several as a list."""
    paths = []
    for command in commands:
        path = shutil.which(command, path=os.environ["PATH"] +
                            ":/usr/sbin:/sbin")
        if not path:
            skip(f"{command} is not installed")
        paths.append(path)
    return paths[0] if len(paths) == 1 else paths


def need_root():
    if os.geteuid() != 0:
        skip("not root")


def need_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        skip("no IPv6 on the loopback device")


@contextlib.contextmanager
def ending():
    """What is started inside ends when this is left, as with a test."""
    global _ending
    outer = _ending
    try:
        with contextlib.ExitStack() as _ending:
            yield
    finally:
        _ending = outer


def at_end(function, *arguments):
    """Call a function when the running test ends; the last one first."""
    _ending.callback(function, *arguments)


def folder():
    """A new folder that goes with the test."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="epi-flow-"))
    at_end(shutil.rmtree, path, True)
    return path


def file(text, name="file"):
    """A file with this text, only its owner can read it; its path."""
    path = folder() / name
    path.touch(0o600)
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


def free_port(host=LOCAL):
    """A port that nobody has, and that the kernel does not give to a
    connection before it is used: it takes those from 32768 on. Nor is it
    given to anybody else who asks here."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        port = random.randrange(10000, 32768)
        with socket.socket(family) as sock, contextlib.suppress(OSError):
            if port not in _given:
                sock.bind((host, port))
                _given.add(port)
                return port


def late_threads():
    """The environment of a program whose threads begin late."""
    if SANITIZED:
        skip("nothing can be loaded before a sanitizer")
    return {**os.environ, "LD_PRELOAD":
            str(BUILD / "tests" / "support" / "late_threads.so")}


def until(condition, what, timeout=10):
    """Wait for a condition; its value, which is true. It is looked at once the
    time is over, too: this process itself may have stood still."""
    end = time.monotonic() + timeout
    while True:
        over = time.monotonic() > end
        value = condition()
        if value:
            return value
        if over:
            raise AssertionError(f"{what}: not within {timeout} s")
        time.sleep(0.01)


def answers(port, host=LOCAL):
    """1 if something listens on a port, other than the asking socket itself,
    which may have been given that very port."""
    try:
        with socket.create_connection((host, port), 1) as sock:
            return int(sock.getsockname()[1] != port)
    except OSError:
        return 0


class Program:
    """A running program; `lines` is all that it has said by now."""

    def __init__(self, argv, namespace=None, stdin=subprocess.DEVNULL,
                 **options):
        self.argv = [str(a) for a in argv]
        self._lines, self._rest = [], b""
        self._turn = threading.Lock()
        self.expected = False  # the test asked for the exit code itself
        # A program must not outlive this process, whatever kills that.
        prefix = ["setpriv", "--pdeathsig", "KILL"]
        if namespace:
            prefix = ["ip", "netns", "exec", namespace, *prefix]
        self.process = subprocess.Popen(
            prefix + self.argv, stdin=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, **options)
        os.set_blocking(self.process.stdout.fileno(), False)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        _programs.append(self)
        at_end(self._end)

    def _read(self):
        """Take what it says, so that it need not wait."""
        while self._take():
            select.select([self.process.stdout], [], [])

    def _take(self):
        """Take what it has said; 0 if it says no more."""
        with self._turn, contextlib.suppress(BlockingIOError):
            while True:
                more = os.read(self.process.stdout.fileno(), 1 << 16)
                if not more:
                    return 0
                *lines, self._rest = (self._rest + more).split(b"\n")
                self._lines += [line.decode(errors="replace")
                                for line in lines]
        return 1

    @property
    def lines(self):
        self._take()
        return self._lines

    @property
    def text(self):
        return "\n".join(self.lines)

    def wait_line(self, pattern, timeout=10):
        """Wait for a line that matches; the match."""
        def found():
            over = (self.process.poll() is not None and
                    not self._reader.is_alive())
            for line in list(self.lines):
                match = re.search(pattern, line)
                if match:
                    return match
            if over:
                raise AssertionError(f"ended with {self.wait()}, without a"
                                     f" line {pattern!r}")
            return None
        return until(found, f"a line {pattern!r}", timeout)

    def wait(self, timeout=10):
        """Wait for the end; the exit code."""
        self.expected = True
        code = self.process.wait(timeout)
        self._reader.join(5)
        return code

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        if number == signal.SIGSTOP:  # each thread stops when it is told
            until(lambda: set(self._states()) == {"T"}, "it is stopped")

    def _states(self):
        for entry in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                text = (entry / "stat").read_text()
                yield text.rpartition(")")[2].split()[0]

    def stop(self, timeout=10):
        """Ask it to end, and wait; the exit code."""
        if self.process.poll() is None:
            self.signal()
        return self.wait(timeout)

    def _end(self):
        if self.process.poll() is None:
            self.signal()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(5)
        found = SANITIZER.search(self.text)
        if found:
            report = self.text[found.start():].splitlines()[:40]
            raise AssertionError(f"{self.argv[0]}: a sanitizer complains:\n" +
                                 "\n".join(report))
        ours = self.argv[0].startswith(str(BUILD))
        if ours and not self.expected and self.process.returncode not in (
                0, -signal.SIGTERM):
            raise AssertionError(f"{self.argv[0]} ended with"
                                 f" {self.process.returncode}")


def program_path(name):
    """The path of one of libepi's programs."""
    for place in (BUILD / "examples" / name, BUILD / name):
        if place.exists():
            return place
    raise AssertionError(f"{name} is not in {BUILD.name}")


def start(*argv, ready=None, port=None, **options):
    """Start a program; with ready wait for a line, with port for a server."""
    program = Program(argv, **options)
    if ready:
        program.wait_line(ready)
    if port:
        until(lambda: answers(port), f"{argv[0]} on port {port}")
    return program


def run(*argv, stdin="", timeout=20, **options):
    """Run a command to its end; standard input, output and error as text."""
    return subprocess.run([str(a) for a in argv], input=stdin, text=True,
                          capture_output=True, timeout=timeout, **options)


def complaint(ran):
    """What a program said on standard error, as lines, without one at the end
    that points to its --help."""
    first, *rest = ran.stderr.strip().splitlines() or [""]
    return [first, *(line for line in rest if "--help" not in line)]


def proxy(*options, listen=("socks://127.0.0.1:0",), prefix=(), **more):
    """Start an epi-proxy, behind the words of prefix, and wait until it
    listens. Its `ports` are those of its listeners, in order; `port` is the
    first."""
    listeners = [a for url in listen for a in ("--listen", url)]
    program = Program([*prefix, program_path("epi-proxy"), *listeners,
                       *UNSEALED, *options], **more)
    def listening():
        if program.process.poll() is not None:
            raise AssertionError(f"epi-proxy ended with {program.wait()}")
        found = re.findall(r"listening on \S+?:(\d+)(?:[=?\s]|$)",
                           program.text, re.M)
        return found if len(found) >= len(listen) else None
    program.ports = [int(p) for p in until(listening, "epi-proxy listens")]
    program.port = program.ports[0]
    return program


def flows(program):
    """How many flows a proxy was asked for. What it calls the second may be
    the first: a connection that was kept ready for more counts, too."""
    return len(re.findall(r" flow \d+: \S+ > ", program.text))


def _report_programs():
    said = []
    for program in _programs:
        said.append(f"{' '.join(program.argv)}")
        said += ["  " + line for line in program.lines[-40:]]
    return "\n".join(said)


def _where():
    """Where the test's own code went wrong, innermost call last."""
    return traceback.format_exc(limit=-3, chain=False)


def _alarm(number, frame):
    raise Timeout()


def _stop(number, frame):
    sys.exit(128 + number)


def _run_one(name, function, timeout):
    why = None
    _programs.clear()
    signal.alarm(timeout)
    try:
        with ending():
            try:
                function()
            finally:
                signal.alarm(0)
    except Skip as reason:
        verdict.skip(name, reason)
        return
    except Timeout:
        why = f"took over {timeout} s\n{_where()}"
    except Exception as error:  # any: the test has failed
        why = f"{type(error).__name__}: {error}\n{_where()}"
    if why:
        verdict.not_ok(name, why + "\n" + _report_programs())
    else:
        verdict.ok(name)


def main():
    """Run the tests of the file, and leave."""
    script = pathlib.Path(sys.argv[0]).stem
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    signal.signal(signal.SIGALRM, _alarm)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stop)
    # Marked, because the same tests run with the programs of several builds.
    mark = (" (threads)" if BUILD.name.endswith("-tsan") else
            " (sanitizers)" if SANITIZED else "")
    for function, timeout in _tests:
        name = f"{script}.{function.__name__}{mark}"
        if part in name:
            _run_one(name, function, timeout)
    verdict.end()
