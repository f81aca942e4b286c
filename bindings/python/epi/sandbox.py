"""sandbox.py: what a process gives up once it has what it needs."""
from __future__ import annotations

import enum
from os import PathLike, fspath
from typing import TYPE_CHECKING, Union

from . import _abi as c
from ._foreign import text_of
from ._handle import Handle, check, made, needed

if TYPE_CHECKING:
    from .engine import Engine


class SandboxPart(enum.IntFlag):
    """The parts of a sandbox (include/epi/sandbox.h)."""

    CAPABILITIES = c.EPI_SANDBOX_CAPABILITIES
    NO_GAIN = c.EPI_SANDBOX_NO_GAIN
    NO_DUMP = c.EPI_SANDBOX_NO_DUMP
    FILES = c.EPI_SANDBOX_FILES
    CALLS = c.EPI_SANDBOX_CALLS
    ALL = c.EPI_SANDBOX_ALL


class SandboxKeep(enum.IntFlag):
    """What is needed all the same."""

    MARKS = c.EPI_SANDBOX_KEEP_MARKS
    LOW_PORTS = c.EPI_SANDBOX_KEEP_LOW_PORTS
    REDIRECT = c.EPI_SANDBOX_KEEP_REDIRECT
    PROGRAMS = c.EPI_SANDBOX_KEEP_PROGRAMS


class SandboxAccess(enum.IntEnum):
    """What may be done with a file."""

    READ = c.EPI_SANDBOX_READ
    WRITE = c.EPI_SANDBOX_WRITE


class Sandbox(Handle):
    """What a process goes on to need; enter() gives up all else, for good, for
    this thread and those that it starts afterwards.

        sandbox = Sandbox()
        sandbox.allow("model.json")
        sandbox.allow_engine(engine)
        sandbox.enter()

    A sandbox of Python needs the folders that modules are imported from, so
    allow those too, or import everything before. Enter before the engine
    starts, and before other threads do. doc/sandbox.md says what each part
    does. Source: include/epi/sandbox.h."""

    __slots__ = ()
    _free = c.epi_sandbox_free

    def __init__(self, words: str = "") -> None:
        super().__init__(made(c.epi_sandbox_new))
        if words:
            self.parse(words)

    def parse(self, words: str) -> None:
        """Choose the parts by words with commas between them: `capabilities`,
        `no-gain`, `no-dump`, `files`, `calls`, all if none is named; `require`
        makes them required; `none` alone is no part.

        Raises InvalidArgument, InvalidState."""
        check(c.epi_sandbox_parse(self._handle, words))

    def set_parts(self, wanted: int, required: int = 0) -> None:
        """Choose the parts: those of `wanted` are entered where the system has
        them, those of `required` or enter() fails.

        Raises InvalidArgument, InvalidState."""
        check(c.epi_sandbox_set_parts(self._handle, wanted, required))

    def keep(self, what: int) -> None:
        """Keep what SandboxKeep names, beside what is kept already.

        Raises InvalidArgument, InvalidState."""
        check(c.epi_sandbox_keep(self._handle, what))

    def set_user(self, user: str) -> None:
        """Become another user on entering: NAME, NAME:GROUP, or numbers.

        Raises NotFound, LimitReached, InvalidState."""
        check(c.epi_sandbox_set_user(self._handle, user))

    def allow(self, path: Union[str, PathLike[str]],
              access: int = SandboxAccess.READ) -> None:
        """Allow a file, by its folder, so that a file that takes its place is
        seen; a folder with what is in it.

        Raises InvalidArgument, NotFound, LimitReached, InvalidState."""
        check(c.epi_sandbox_allow(self._handle, fspath(path), access))

    def allow_filter(self, spec: str) -> None:
        """Allow what the text of a filter, `NAME[:ARGS]`, names.

        Raises as allow()."""
        check(c.epi_sandbox_allow_filter(self._handle, spec))

    def allow_engine(self, engine: "Engine") -> None:
        """Allow what an engine that was set up goes on to need; not the model's
        own file, nor what its `filters` name.

        Raises as allow()."""
        from .engine import Engine
        check(c.epi_engine_sandbox(needed(Engine, engine)._handle,
                                   self._handle))

    def enter(self) -> str:
        """Enter, once; `text`. What cannot be had is left out, but for what is
        required and for the user.

        Raises PrivilegeMissing, NotSupported, InvalidState, SystemRefused."""
        check(c.epi_sandbox_enter(self._handle))
        return self.text

    @property
    def active(self) -> SandboxPart:
        """The parts that are active: none before enter()."""
        return SandboxPart(c.epi_sandbox_active(self._handle))

    @property
    def text(self) -> str:
        """One line that says what is active, what is not and why, and what will
        fail later; "" before enter()."""
        return text_of(c.epi_sandbox_text(self._handle))
