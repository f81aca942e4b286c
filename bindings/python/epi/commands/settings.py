"""settings.py: the file of settings of python -m epi proxy: lines `OPTION =
VALUE`, as on the command line, which change while it runs."""
from __future__ import annotations

import pathlib
import re
from dataclasses import dataclass, field
from typing import Callable, Mapping, Optional, Sequence

from ..engine import Engine, LogLevel, Parameter
from ..errors import Error, InvalidArgument, InvalidState

_MAX = 64 * 1024
_LEVELS = {"error": LogLevel.ERROR, "note": LogLevel.NOTE,
           "debug": LogLevel.DEBUG}
_FLAGS = {"no-happy-eyeballs": (Parameter.HAPPY_EYEBALLS, 0),
          "fast-open": (Parameter.FAST_OPEN, 1)}


@dataclass
class Said:
    """What a file says."""

    listens: list[str] = field(default_factory=list)
    numbers: dict[Parameter, int] = field(default_factory=dict)
    drain: Optional[int] = None


class Settings:
    """A file of settings, whose options beside `listen` and `log-level` are
    those of `numbers`; what it does not say is as on the command line."""

    def __init__(self, path: Optional[str], numbers: Mapping[str, Parameter],
                 listens: Sequence[str]) -> None:
        self.path, self.numbers, self.fixed = path, numbers, tuple(listens)
        self.said = self.read() if path else Said()
        self.base: dict[Parameter, int] = {}

    def read(self) -> Said:
        """Read the file. Raises InvalidArgument, which names the line."""
        path = pathlib.Path(self.path or "")
        with path.open() as file:
            text = file.read(_MAX + 1)
        if len(text) > _MAX:
            raise InvalidArgument(f"{path}: settings have 64 KiB at most")
        said = Said()
        for number, line in enumerate(text.split("\n"), 1):
            line = line.strip()
            if line and not line.startswith("#"):
                name, equals, value = line.partition("=")
                try:
                    if not equals:
                        raise ValueError("a setting is `OPTION = VALUE`")
                    self._take(said, name.strip(), value.strip())
                except ValueError as error:
                    raise InvalidArgument(f"{path}:{number}: {error}") from None
        for url in said.listens:
            if url in self.fixed or said.listens.count(url) > 1:
                raise InvalidArgument(f"listen: it is there twice: {url}")
        return said

    def _take(self, said: Said, name: str, value: str) -> None:
        if name == "listen":
            said.listens.append(value)
        elif name == "log-level":
            if value not in _LEVELS:
                raise ValueError("log-level is error, note or debug")
            said.numbers[Parameter.LOG_LEVEL] = _LEVELS[value]
        elif name in _FLAGS:
            parameter, yes = _FLAGS[name]
            if value not in ("yes", "no"):
                raise ValueError(f"{name} is yes or no")
            said.numbers[parameter] = yes if value == "yes" else 1 - yes
        elif name == "bind-ports":
            found = re.fullmatch(r"(\d+)(?:-(\d+))?", value, re.ASCII)
            if not found:
                raise ValueError("bind-ports is LOW-HIGH, or one port")
            said.numbers[Parameter.BIND_PORT_MIN] = int(found[1])
            said.numbers[Parameter.BIND_PORT_MAX] = int(found[2] or found[1])
        elif name == "drain":
            said.drain = _number(name, value)
        elif f"--{name}" in self.numbers:
            said.numbers[self.numbers[f"--{name}"]] = _number(name, value)
        else:
            raise ValueError(f"not a setting that a file may have: {name}")

    def begin(self, engine: Engine) -> None:
        """Set what the file says, after the command line's was set."""
        self.base = {parameter: engine.bounds(parameter).value
                     for parameter in Parameter}
        for parameter, value in self.said.numbers.items():
            engine.set(parameter, value)

    def again(self, engine: Engine, say: Callable[..., None]) -> None:
        """Read the file again, and have the engine do what it says; a bad one
        is reported and changes nothing."""
        try:
            said = self.read()
            self._check(engine, said)
            self._change_listeners(engine, self.said.listens, said.listens)
        except (Error, OSError, ValueError) as error:
            say(error)
            say(f"{self.path}: the settings stay as they were")
            return
        self._change_numbers(engine, said, say)
        self.said = said
        say(f"the settings in {self.path} are in force")

    def _now(self, said: Said, parameter: Parameter) -> int:
        return said.numbers.get(parameter, self.base[parameter])

    def _check(self, engine: Engine, said: Said) -> None:
        for parameter, value in said.numbers.items():
            bounds = engine.bounds(parameter)
            if not bounds.lowest <= value <= bounds.highest:
                raise InvalidArgument(
                    f"{self.path}: {parameter.name.lower()}: {value} is not"
                    f" from {bounds.lowest} to {bounds.highest}")
        if (self._now(said, Parameter.BIND_PORT_MIN)
                > self._now(said, Parameter.BIND_PORT_MAX)):
            raise InvalidArgument(f"{self.path}: bind-ports: no port is left")
        if self.said.listens and not said.listens and not self.fixed:
            raise InvalidArgument("no listener is left")

    def _change_numbers(self, engine: Engine, said: Said,
                        say: Callable[..., None]) -> None:
        changed = [parameter for parameter in Parameter
                   if self._now(said, parameter)
                   != self._now(self.said, parameter)]
        # Of the ports for BINDs, the one that moves outwards is set first.
        for parameter in changed + changed:
            try:
                engine.set(parameter, self._now(said, parameter))
            except InvalidState:
                say(f"{parameter.name.lower()}: counts from the next start")
            except InvalidArgument:
                continue

    def _change_listeners(self, engine: Engine, before: list[str],
                          after: list[str]) -> None:
        """What opens comes first: if one cannot, what was done is taken
        back."""
        steps: list[tuple[Optional[str], str]] = []
        # An admin may have closed one, or put another in its place.
        before = [url for url in before if url in engine.urls]
        try:
            for url in after:
                if url not in before:
                    old = next((old for old in before if old not in after
                                and _place(old) == _place(url)
                                and old not in dict(steps)), None)
                    if old is None:
                        engine.listen(url)
                    else:
                        engine.relisten(old, url)
                    steps.append((old, url))
        except Error:
            for old, url in reversed(steps):
                if old is None:
                    engine.unlisten(url)
                else:
                    engine.relisten(url, old)
            raise
        for url in before:
            if url not in after and url not in dict(steps):
                engine.unlisten(url)


def _number(name: str, value: str) -> int:
    if not re.fullmatch(r"\d{1,18}", value, re.ASCII):
        raise ValueError(f"--{name} needs a number, not {value!r}")
    return int(value)


def _place(url: str) -> str:
    """HOST:PORT."""
    return re.split("[=?]", url.partition("://")[2])[0]
