"""proxy.py: python -m epi proxy, which takes connections, judges them by a
model, and sends them through what they need, as epi-proxy does; its filters may
be Python."""
from __future__ import annotations

import argparse
import importlib
import os
import pathlib
import signal
import stat
import sys
import threading
import time
from typing import Any, Optional, Sequence, Tuple, Union

from ..engine import Engine, LogLevel, Parameter, function_key
from ..errors import Error, InvalidArgument, ModelError
from ..filter import Filter, NativeFilter
from ..library import wipe
from ..model import Model
from ..redirect import MARK

_WATCH_S = 0.25  # how often the model's file is looked at

_NUMBERS = {
    "--workers": Parameter.WORKERS, "--limit": Parameter.LIMIT,
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
    "--provision-timeout": Parameter.PROVISION_MS,
    "--provision-flows": Parameter.PROVISION_FLOWS,
    "--instance-idle": Parameter.INSTANCE_IDLE_MS,
    "--health-interval": Parameter.HEALTH_MS,
    "--warm": Parameter.WARM, "--warm-idle": Parameter.WARM_IDLE_MS,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m epi proxy",
        description="Take connections, judge them by a model, send them"
                    " through what they need.",
        epilog="Exit codes: 0 fine, 2 usage or bad input.")
    several: Any = {"action": "append", "default": []}
    parser.add_argument("--listen", metavar="URL", **several,
                        help="socks://HOST:PORT, tcp://HOST:PORT=DEST:PORT or"
                             " redirect://HOST:PORT; any number of times"
                             " [socks://0.0.0.0:1080]")
    parser.add_argument("--model", metavar="FILE",
                        help="judge by this document; a change counts at once")
    parser.add_argument("--name", help="which of the model's proxies this is")
    parser.add_argument("--chain", metavar="URL", **several,
                        help="go on through socks5:// or socks6://")
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
    parser.add_argument("--provision-command", metavar="FILE",
                        help="starts and stops instances of functions")
    parser.add_argument("--dns", metavar="HOST:PORT",
                        help="serve DNS to who connects to 0.0.0.0:53")
    parser.add_argument("--no-happy-eyeballs", action="store_true",
                        help="one address of a name after another")
    parser.add_argument("--bind-ports", metavar="LOW-HIGH",
                        help="that clients may choose")
    for option, parameter in _NUMBERS.items():
        unit = "MS" if parameter.name.endswith("_MS") else "N"
        parser.add_argument(option, type=int, metavar=unit,
                            dest=parameter.name)
    parser.add_argument("--quiet", action="store_true",
                        help="say only what goes wrong")
    return parser


def _filter(spec: str, key: Optional[bytes]) -> Union[Filter, NativeFilter]:
    if spec.startswith("python:"):
        _, module, name = spec.split(":", 2)
        sys.path.insert(0, os.getcwd())
        made = getattr(importlib.import_module(module), name)()
        if not isinstance(made, Filter):
            raise InvalidArgument(f"{spec} is no epi.Filter")
        return made
    if "/" in spec.partition(":")[0]:
        return NativeFilter.load(spec)
    return NativeFilter.builtin(spec, key)


def _key(path: Optional[str]) -> Optional[bytearray]:
    """A file's bytes, one more than a key has at most."""
    if not path:
        return None
    with open(path, "rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_mode & stat.S_IROTH:
            raise InvalidArgument(f"{path}: everybody can read the key: chmod"
                                  " o-r it")
        return bytearray(file.read(1025))


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
    low, _, high = text.partition("-")
    if not low.isdigit() or not high.isdigit():
        raise InvalidArgument("--bind-ports must be LOW-HIGH")
    engine.set(Parameter.BIND_PORT_MIN, int(low))
    engine.set(Parameter.BIND_PORT_MAX, int(high))


def _say(*words: object) -> None:
    print("epi proxy:", *words, file=sys.stderr, flush=True)


def _set_up(options: argparse.Namespace) -> Engine:
    highest = LogLevel.ERROR if options.quiet else LogLevel.NOTE

    def on_log(level: LogLevel, line: str) -> None:
        if level <= highest:
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            print(now, line, file=sys.stderr, flush=True)

    engine = Engine(on_log=on_log)
    for parameter in _NUMBERS.values():
        value = getattr(options, parameter.name)
        if value is not None:
            engine.set(parameter, value)
    # A redirector on the same machine leaves marked connections alone.
    engine.set(Parameter.MARK, MARK)
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
    _set_ports(engine, options.bind_ports)
    key = _key(options.chain_key)
    _set_key(engine, options, key)
    for spec in options.filter:
        engine.add_filter(_filter(spec, key))
    if key is not None:
        wipe(key)
    engine.set_filter_path(options.filter_path)
    if options.model:
        engine.set_model(Model.load(options.model))
    for url in options.listen or ["socks://0.0.0.0:1080"]:
        _say(f"listening on {url.partition('://')[0]}://{engine.listen(url)}")
    return engine


def _problems(error: Exception) -> None:
    lines = error.problems if isinstance(error, ModelError) else ()
    for line in lines or [str(error)]:
        _say(line)


class _Watch:
    """Sets the model anew when its file has changed, or when it is asked to; a
    bad one is reported and changes nothing."""

    def __init__(self, engine: Engine, path: Optional[str]) -> None:
        self.engine, self.path = engine, path
        self.seen = self._look()
        self.asked = False

    def _look(self) -> Optional[Tuple[int, ...]]:
        try:
            found = pathlib.Path(self.path or "").stat()
        except OSError:  # away for a moment, while another takes its place
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def look(self) -> None:
        if not self.path or self.path == "-":
            return
        now = self._look()
        if self.asked or (now is not None and now != self.seen):
            self.asked, self.seen = False, now or self.seen
            try:
                self.engine.set_model(Model.load(self.path))
                _say("the model is in force")
            except Error as error:
                _problems(error)


def main(arguments: Sequence[str]) -> int:
    """Run the program until a signal ends it; its exit code."""
    options = _parser().parse_args(arguments)
    over = threading.Event()
    try:
        engine = _set_up(options)
        watch = _Watch(engine, options.model)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: over.set())
        signal.signal(signal.SIGHUP,
                      lambda *_: setattr(watch, "asked", True))
        if not options.model and not options.function:
            _say("WARNING: no --model: every connection is allowed")
        with engine:
            while not over.wait(_WATCH_S):
                watch.look()
        return 0
    except (Error, OSError, ImportError, AttributeError, ValueError) as error:
        _problems(error)
        return 2
