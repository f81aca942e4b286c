"""proxy.py: python -m epi proxy, which takes connections, judges them by a
model, and sends them through what they need, as epi-proxy does; its filters may
be Python."""
from __future__ import annotations

import argparse
import contextlib
import getpass
import importlib
import os
import pathlib
import queue
import re
import signal
import sys
import sysconfig
import time
from typing import Any, Callable, Optional, Sequence, Tuple, Union

from ..audit import OnAuditError
from ..engine import (
    Engine,
    LogLevel,
    Parameter,
    ServiceState,
    function_key,
    service_tell,
)
from ..errors import Error, InvalidArgument, ModelError
from ..filter import Filter, NativeFilter
from ..library import read_secret, wipe
from ..model import Model
from ..redirect import MARK
from ..sandbox import Sandbox, SandboxAccess
from . import ctl
from ..users import users_remove, users_set
from .settings import Settings

_WATCH_S = 0.25  # how often files are looked at
_DRAIN_LOOK_S = 0.02
_LISTEN = "socks://0.0.0.0:1080?dialect=auto"

_NUMBERS = {
    "--dns-cache": Parameter.NAMES,
    "--workers": Parameter.WORKERS, "--limit": Parameter.LIMIT,
    "--client-connections": Parameter.CLIENT_CONNECTIONS,
    "--client-flows": Parameter.CLIENT_FLOWS,
    "--user-flows": Parameter.USER_FLOWS,
    "--flow-bytes-out": Parameter.FLOW_BYTES_OUT,
    "--flow-bytes-back": Parameter.FLOW_BYTES_BACK,
    "--flow-rate-out": Parameter.FLOW_RATE_OUT,
    "--flow-rate-back": Parameter.FLOW_RATE_BACK,
    "--login-failures": Parameter.LOGIN_FAILURES,
    "--login-window": Parameter.LOGIN_WINDOW_MS,
    "--login-pause": Parameter.LOGIN_PAUSE_MS,
    "--login-threads": Parameter.LOGIN_THREADS,
    "--handshake-timeout": Parameter.HANDSHAKE_MS,
    "--connect-timeout": Parameter.CONNECT_MS,
    "--idle-timeout": Parameter.IDLE_MS,
    "--half-closed-timeout": Parameter.HALF_CLOSED_MS,
    "--bind-timeout": Parameter.BIND_MS,
    "--client-binds": Parameter.CLIENT_BINDS,
    "--udp-idle-timeout": Parameter.UDP_IDLE_MS,
    "--associations": Parameter.ASSOCIATIONS,
    "--client-associations": Parameter.CLIENT_ASSOCIATIONS,
    "--sessions": Parameter.SESSIONS,
    "--sessions-per-owner": Parameter.SESSIONS_PER_OWNER,
    "--session-timeout": Parameter.SESSION_IDLE_MS,
    "--tokens": Parameter.TOKENS,
    "--audit-head-interval": Parameter.AUDIT_HEAD_MS,
    "--memory": Parameter.MEMORY,
    "--log-lines": Parameter.LOG_LINES,
    "--provision-timeout": Parameter.PROVISION_MS,
    "--provision-flows": Parameter.PROVISION_FLOWS,
    "--instance-idle": Parameter.INSTANCE_IDLE_MS,
    "--health-interval": Parameter.HEALTH_MS,
    "--warm": Parameter.WARM, "--warm-idle": Parameter.WARM_IDLE_MS,
}

_HELP = {
    "--dns-cache": "names that each event loop remembers [1024]",
    "--workers": "event loops [processors]",
    "--limit": "connections at once [what descriptors allow]",
    "--client-connections": "of an address, from the accept on [no limit]",
    "--client-flows": "of a client at once [no limit]",
    "--user-flows": "of a user at once [no limit]",
    "--flow-bytes-out": "that a flow may carry [no limit]",
    "--flow-bytes-back": "the same from its destination [no limit]",
    "--flow-rate-out": "bytes a second of a flow [no limit]",
    "--flow-rate-back": "the same from its destination [no limit]",
    "--login-failures": "of an address, 0: any number [10]",
    "--login-window": "within so long [60000]",
    "--login-pause": "until others from there are checked [30000]",
    "--login-threads": "that hash passwords [2]",
    "--handshake-timeout": "[10000]", "--connect-timeout": "[10000]",
    "--idle-timeout": "[3600000]", "--half-closed-timeout": "[120000]",
    "--bind-timeout": "for a BIND until its host connects [120000]",
    "--client-binds": "BINDs of a client that wait [256]",
    "--udp-idle-timeout": "of a UDP association [300000]",
    "--associations": "UDP associations at once [1024]",
    "--client-associations": "those of one client [64]",
    "--sessions": "of SOCKS 6, at once; 0: none [10000]",
    "--sessions-per-owner": "[16]", "--session-timeout": "[600000]",
    "--tokens": "the largest window [1024]",
    "--audit-head-interval": "between lines that vouch for all before [60000]",
    "--memory": "bytes that flows hold at once [no limit]",
    "--log-lines": "of a kind in a second; 0: all [1000]",
    "--provision-timeout": "for an instance to be ready [30000]",
    "--provision-flows": "flows that wait for one [1024]",
    "--instance-idle": "until one without flows is stopped [60000]",
    "--health-interval": "between probes of functions' instances [5000]",
    "--warm": "connections that each event loop keeps to a hop [8]",
    "--warm-idle": "how long it keeps them [8000]",
}


_TLS = {"ca": "the authorities for", "cert": "the certificate to show to",
        "key": "its key, for", "crl": "what is revoked of"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m epi proxy",
        description="Take connections, judge them by a model, send them"
                    " through what they need.",
        epilog="Exit codes: 0 fine, 2 usage or bad input.")
    several: Any = {"action": "append", "default": []}
    parser.add_argument("--listen", metavar="URL", **several,
                        help="socks://HOST:PORT, tcp://HOST:PORT=DEST:PORT,"
                             " these with +tls, or"
                             " redirect://HOST:PORT, with settings as"
                             " ?users=FILE (man epi-proxy); any number of times"
                             f" [{_LISTEN}]")
    parser.add_argument("--settings", metavar="FILE",
                        help="lines OPTION = VALUE of options that may change"
                             " while it runs: listen, log-level and numbers")
    parser.add_argument("--model", metavar="FILE",
                        help="judge by this document; a change counts at once")
    parser.add_argument("--name", help="which of the model's proxies this is")
    parser.add_argument("--chain", metavar="URL", **several,
                        help="go on through socks5:// or"
                             " socks6://HOST:PORT, or these with +tls, with"
                             " ?credentials=FILE for a login; any number of"
                             " times")
    for name, what in _TLS.items():
        parser.add_argument(f"--tls-{name}", metavar="FILE",
                            help=f"{what} all hops over TLS that do not say")
    parser.add_argument("--filter", metavar="SPEC", **several,
                        help="run a function in process: a built-in one, a"
                             " shared object ./FILE.so[:ARGS], or a class in"
                             " Python, python:MODULE:CLASS")
    parser.add_argument("--filter-path", metavar="DIR",
                        help="where the model may take shared objects from")
    parser.add_argument("--chain-key", metavar="FILE",
                        help="the key by which proxies believe each other")
    parser.add_argument("--function", metavar="NAME",
                        help="be this function of the proxies' models, with"
                             " its key:")
    parser.add_argument("--function-key", metavar="FILE",
                        help="what `epi-proxy key` printed, or that of"
                             " --chain-key")
    parser.add_argument("--admin", metavar="PATH",
                        help="a socket for `ctl`, of this user alone")
    parser.add_argument("--audit", metavar="FILE",
                        help="append a chained line for each decision and end")
    parser.add_argument("--audit-key", metavar="FILE")
    parser.add_argument("--audit-on-error", choices=("refuse", "ignore"),
                        help="flows that cannot be audited [refuse]")
    parser.add_argument("--status", metavar="HOST:PORT|unix:PATH",
                        help="metrics, health and a status page, without a"
                             " login")
    parser.add_argument("--provision-command", metavar="FILE",
                        help="starts and stops instances of functions")
    parser.add_argument("--dns", metavar="HOST:PORT",
                        help="serve DNS to who connects to 0.0.0.0:53")
    parser.add_argument("--no-happy-eyeballs", action="store_true",
                        help="one address of a name after another")
    parser.add_argument("--fast-open", action="store_true",
                        help="TCP Fast Open to destinations of tcp:// and"
                             " redirect://")
    parser.add_argument("--bind-ports", metavar="LOW-HIGH",
                        help="that clients may choose [1024-65535]")
    parser.add_argument("--drain", type=int, default=0, metavar="MS",
                        help="for connections to finish after TERM [0]")
    for option, parameter in _NUMBERS.items():
        unit = "MS" if parameter.name.endswith("_MS") else "N"
        parser.add_argument(option, type=int, metavar=unit,
                            dest=parameter.name, help=_HELP.get(option))
    parser.add_argument("--user", metavar="NAME[:GROUP]",
                        help="become this user once all is bound and read")
    parser.add_argument("--sandbox", metavar="WORDS",
                        help="what is given up then: capabilities, no-gain,"
                             " no-dump, files, calls [all that the system"
                             " has]; with require, or end")
    parser.add_argument("--sandbox-read", metavar="PATH", **several,
                        help="what must be reached later, beside the folders"
                             " of files that are named here")
    parser.add_argument("--sandbox-write", metavar="PATH", **several)
    parser.add_argument("--no-sandbox", action="store_true",
                        help="give nothing up")
    parser.add_argument("--quiet", action="store_true",
                        help="say only what goes wrong")
    return parser


def _python_filter(spec: str) -> Filter:
    _, module, name = [*spec.split(":", 2), ""][:3]
    if not module or not name:
        raise InvalidArgument(f"{spec}: it is python:MODULE:CLASS")
    sys.path.insert(0, os.getcwd())
    try:
        made = getattr(importlib.import_module(module), name)()
    except Exception as error:  # whatever that code does
        raise InvalidArgument(f"{spec}: {type(error).__name__}:"
                              f" {error}") from error
    if not isinstance(made, Filter):
        raise InvalidArgument(f"{spec} is no epi.Filter")
    return made


def _filter(spec: str, key: Optional[bytes]) -> Union[Filter, NativeFilter]:
    if spec.startswith("python:"):
        return _python_filter(spec)
    if "/" in spec.partition(":")[0]:
        return NativeFilter.load(spec)
    return NativeFilter.builtin(spec, key)


def _key(source: Optional[str]) -> Optional[bytearray]:
    return read_secret(source) if source else None


def _set_audit(engine: Engine, options: argparse.Namespace) -> None:
    key = _key(options.audit_key)
    if not options.audit and (key is not None or options.audit_on_error):
        raise InvalidArgument("--audit-key and --audit-on-error need --audit")
    if options.audit and key is None:
        raise InvalidArgument("--audit needs --audit-key")
    if key is not None:
        engine.set_audit(options.audit, key,
                         OnAuditError[(options.audit_on_error
                                       or "refuse").upper()])
        wipe(key)


def _set_key(engine: Engine, options: argparse.Namespace,
             key: Optional[bytearray]) -> None:
    """The chain key, or that of the function that this is."""
    if not options.function and not options.function_key:
        if key is not None:
            engine.set_chain_key(key)
        return
    if not options.function or (key is None) == (not options.function_key):
        raise InvalidArgument("--function needs --function-key or --chain-key,"
                              " one of them")
    if options.model:
        raise InvalidArgument("a function has no --model: proxies judge")
    if key is not None:
        own = function_key(key, options.function)
    else:
        digits = _key(options.function_key) or bytearray()
        try:
            own = bytearray.fromhex(digits.decode("ascii"))
        except ValueError:
            raise InvalidArgument(f"{options.function_key}: a function's key is"
                                  " 64 hexadecimal digits") from None
        finally:
            wipe(digits)
    try:
        engine.set_function(options.function, own)
    finally:
        wipe(own)


def _set_ports(engine: Engine, text: Optional[str]) -> None:
    if text is None:
        return
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", text, re.ASCII)
    if not found:
        raise InvalidArgument("--bind-ports must be LOW-HIGH, or one port")
    engine.set(Parameter.BIND_PORT_MIN, int(found[1]))
    engine.set(Parameter.BIND_PORT_MAX, int(found[2] or found[1]))


def _say(*words: object) -> None:
    print("epi proxy:", *words, file=sys.stderr, flush=True)


def _warn_of_secrets(options: argparse.Namespace) -> None:
    """Python cannot take them out of the list of processes."""
    if any("@" in url for url in options.chain):
        _say("a password in the arguments can be seen by every user: use"
             " ?credentials=FILE")
    if any(re.search(r"[:,]secret=", spec) for spec in options.filter):
        _say("a secret in the arguments can be seen by every user: use"
             " key=FILE")


def _set_up(options: argparse.Namespace) -> Tuple[Engine, Settings]:
    file = Settings(options.settings, _NUMBERS, options.listen)

    def on_log(level: LogLevel, line: str) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        print(now, line, file=sys.stderr, flush=True)

    if not 0 <= options.drain < 2**31:
        raise InvalidArgument("--drain is from 0 to 2147483647 ms")
    engine = Engine(on_log=on_log)
    engine.set(Parameter.LOG_LEVEL,
               LogLevel.ERROR if options.quiet else LogLevel.NOTE)
    for parameter in _NUMBERS.values():
        value = getattr(options, parameter.name)
        if value is not None:
            engine.set(parameter, value)
    # A redirector on the same machine leaves marked connections alone.
    engine.set(Parameter.MARK, MARK)
    for name in _TLS:
        engine.set_tls(name, getattr(options, f"tls_{name}"))
    for url in options.chain:
        engine.add_hop(url)
    if options.name and not options.model:
        raise InvalidArgument("--name is a proxy of a model: it needs --model")
    engine.set_name(options.name)
    engine.set_provision_command(options.provision_command)
    if options.dns:
        engine.set_dns(options.dns)
    if options.no_happy_eyeballs:
        engine.set(Parameter.HAPPY_EYEBALLS, 0)
    if options.fast_open:
        engine.set(Parameter.FAST_OPEN, 1)
    _set_ports(engine, options.bind_ports)
    file.begin(engine)
    key = _key(options.chain_key)
    _set_key(engine, options, key)
    for spec in options.filter:
        engine.add_filter(_filter(spec, key))
    if key is not None:
        wipe(key)
    engine.set_filter_path(options.filter_path)
    if options.model:
        engine.set_model(Model.load(options.model))
    _set_audit(engine, options)
    for url in options.listen + file.said.listens or [_LISTEN]:
        engine.listen(url)
    return engine, file


def _say_where(engine: Engine, options: argparse.Namespace) -> None:
    _say("sandbox:", options.made.text)
    if not options.model and not options.function:
        _say("WARNING: no --model: every connection is allowed")
    for url, address in zip(engine.urls, engine.addresses):
        _say(f"listening on {url.partition('://')[0]}://{address}")


def _problems(error: Exception) -> None:
    lines = error.problems if isinstance(error, ModelError) else ()
    for line in lines or [str(error)]:
        _say(line)


class _Watch:
    """Has a file read anew when it has changed since this was made, or when it
    is asked to. It is made before the file is read first: what changes after
    that must not be taken for what was read."""

    def __init__(self, path: Optional[str]) -> None:
        self.path = path
        self.seen = self._look()
        self.asked = False

    def _look(self) -> Optional[Tuple[int, ...]]:
        try:
            found = pathlib.Path(self.path or "").stat()
        except OSError:  # away for a moment, while another takes its place
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def look(self, read: Callable[[str], None]) -> None:
        if not self.path:
            return
        now = self._look()
        if self.asked or (now is not None and now != self.seen):
            self.asked, self.seen = False, now or self.seen
            _tell(ServiceState.RELOADING)
            read(self.path)
            _tell(ServiceState.READY)


def _read_model(engine: Engine, path: str) -> None:
    """A bad one is reported and changes nothing."""
    # A pipe would block, and keep the end from signals.
    if path == "-" or (os.path.exists(path) and not os.path.isfile(path)):
        _say(f"{path}: not a regular file: its model is not read again")
        return
    try:
        engine.set_model(Model.load(path))
        _say(f"the model in {path} is in force")
    except Error as error:
        _problems(error)


def _audit_head(engine: Engine) -> None:
    """The audit log's file is the one at its path again."""
    try:
        engine.audit_head()
    except Error as error:
        _problems(error)


def _tell(state: ServiceState) -> None:
    try:
        service_tell(state)
    except Error as error:
        _say(f"service: {error}")


Ends = queue.SimpleQueue[int]
"""The signals that end the program, as they come."""


def _next(ends: Ends, seconds: float) -> Optional[int]:
    try:
        return ends.get(timeout=seconds)
    except queue.Empty:
        return None


def _drain(engine: Engine, ms: int, ends: Ends) -> None:
    """Let connections finish for a while; a second signal ends it at once."""
    engine.drain(ms)
    while not engine.has_drained and _next(ends, _DRAIN_LOOK_S) is None:
        pass


def _sandbox(options: argparse.Namespace) -> Sandbox:
    """What --sandbox, --no-sandbox and --user say."""
    if options.no_sandbox and options.sandbox:
        raise InvalidArgument("--no-sandbox and --sandbox: one of them")
    sandbox = Sandbox("none" if options.no_sandbox else options.sandbox or "")
    if options.user:
        sandbox.set_user(options.user)
    return sandbox


def _confine(engine: Engine, options: argparse.Namespace) -> None:
    """Give up what the proxy does not need. Python reads modules late, too:
    its own, and installed ones."""
    sandbox = options.made
    for path in (options.model, options.settings, *options.sandbox_read):
        if path:
            sandbox.allow(path)
    for path in {sysconfig.get_path(name) for name in
                 ("stdlib", "platstdlib", "purelib", "platlib")}:
        if path and os.path.isdir(path):
            sandbox.allow(path)
    sandbox.allow(os.path.dirname(os.path.dirname(__file__)))
    for path in options.sandbox_write:
        sandbox.allow(path, SandboxAccess.WRITE)
    status = re.match("unix:(.+)", options.status or "")
    for path in (options.admin, status and status[1]):
        if path:  # made in its folder, where an old one may be replaced
            sandbox.allow(os.path.dirname(os.path.abspath(path)),
                          SandboxAccess.WRITE)
    for spec in options.filter:
        if not spec.startswith("python:"):
            sandbox.allow_filter(spec)
    sandbox.allow_engine(engine)
    sandbox.enter()


def _serve(engine: Engine, file: Settings, options: argparse.Namespace,
           settings: _Watch, model: _Watch) -> None:
    """Until a signal ends it."""
    ends = Ends()
    hung_up = queue.SimpleQueue[int]()

    def read_again(number: int, _: object) -> None:
        hung_up.put(number)
        settings.asked = model.asked = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: ends.put(number))
    signal.signal(signal.SIGHUP, read_again)
    _confine(engine, options)
    if options.status:
        where = engine.serve_status(options.status)
        _say(f"status at http://{where}/" if where else
             f"status at {options.status}")
    engine.on_reload(lambda: os.kill(os.getpid(), signal.SIGHUP))
    if options.admin:
        engine.serve_admin(options.admin)
    with engine:
        _say_where(engine, options)
        _tell(ServiceState.READY)
        while (got := _next(ends, _WATCH_S)) is None:
            again = _next(hung_up, 0) is not None
            if again and options.audit:
                _audit_head(engine)
            with contextlib.suppress(Error):  # which the log has
                engine.reload_tls(again)
            settings.look(lambda _: file.again(engine, _say))
            model.look(lambda path: _read_model(engine, path))
            with contextlib.suppress(Error):  # the same
                engine.reload_users()
        _tell(ServiceState.STOPPING)
        ms = options.drain if file.said.drain is None else file.said.drain
        if got == signal.SIGTERM and ms:
            _drain(engine, ms, ends)


def _print_key(arguments: Sequence[str]) -> None:
    """`proxy key`: what a function's proxy gets in place of the chain key."""
    parser = argparse.ArgumentParser(
        prog="python -m epi proxy key",
        description="Print the key of a function at an endpoint.")
    parser.add_argument("--chain-key", metavar="FILE", required=True,
                        help="the key by which proxies believe each other")
    parser.add_argument("--function", metavar="NAME", required=True,
                        help="the function's name in the proxies' models")
    options = parser.parse_args(arguments)
    key = _key(options.chain_key) or bytearray()
    try:
        own = function_key(key, options.function)
    finally:
        wipe(key)
    print(own.hex())
    wipe(own)


def _passwd(arguments: Sequence[str]) -> None:
    """`proxy passwd`: a user's line in a users file."""
    parser = argparse.ArgumentParser(
        prog="python -m epi proxy passwd",
        description="Put a user into the users file of a listener, or give him"
                    " another password: it is asked for twice on a terminal,"
                    " else it is the first line of standard input. Or take him"
                    " out.")
    parser.add_argument("--delete", action="store_true")
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("user", metavar="USER")
    options = parser.parse_args(arguments)
    if options.delete:
        users_remove(options.file, options.user)
        return
    if sys.stdin.isatty():
        password = getpass.getpass()
        if getpass.getpass("Once more: ") != password:
            raise InvalidArgument("the passwords differ: nothing was changed")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    users_set(options.file, options.user, password)


def main(arguments: Sequence[str]) -> int:
    """Run the program until a signal ends it; its exit code."""
    try:
        if arguments[:1] == ["passwd"]:
            _passwd(arguments[1:])
            return 0
        if arguments[:1] == ["ctl"]:
            return ctl.main(arguments[1:])
        if arguments[:1] == ["key"]:
            _print_key(arguments[1:])
            return 0
        options = _parser().parse_args(arguments)
        _warn_of_secrets(options)
        options.made = _sandbox(options)
        watches = _Watch(options.settings), _Watch(options.model)
        _serve(*_set_up(options), options, *watches)
        return 0
    except (Error, OSError, ImportError, AttributeError, ValueError) as error:
        _problems(error)
        return 2
