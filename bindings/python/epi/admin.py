"""admin.py: an engine, in another process as a rule, is asked and told by its
admin socket (include/epi/admin.h, doc/admin.md)."""
from __future__ import annotations

import ctypes
import json
import os
from typing import Any, Union

from . import _abi as c
from ._handle import Report, check, taken

Argument = Union[str, int, bool]


class Admin:
    """An engine that serves admins at a socket:

        admin = Admin("/run/epi/proxy.sock")
        admin.ask("status")["flows"]["open"]
        admin.ask("kill", rule="train", reason="an incident")
        print(admin.text("flows", most=20))

    Commands and their arguments are in doc/admin.md. What the engine says is
    wrong is raised as if it were called here: NotFound (no such flow),
    ModelError with its problems, InvalidArgument, InvalidState and so on. Else
    they raise NotFound (no such socket), PrivilegeMissing, SystemRefused
    (nobody listens there), TimedOut, Closed, ProtocolError. Threads: any."""

    def __init__(self, path: Union[str, os.PathLike[str]],
                 timeout_ms: int = 60000) -> None:
        self.path, self.timeout_ms = os.fspath(path), timeout_ms

    def _ask(self, form: int, command: str,
             arguments: dict[str, Argument]) -> str:
        problems = Report()
        out = ctypes.c_void_p()
        request = json.dumps({"epi": 1, "command": command, **arguments})
        result = c.epi_admin_ask(self.path, request, self.timeout_ms, form,
                                 problems._handle, ctypes.byref(out))
        check(result, tuple(problems))
        return taken(out)

    def ask(self, command: str, **arguments: Argument) -> Any:
        """Carry out a command; its result."""
        return json.loads(self._ask(c.EPI_FORM_JSON, command, arguments))

    def text(self, command: str, **arguments: Argument) -> str:
        """The same in lines and tables for people."""
        return self._ask(c.EPI_FORM_TEXT, command, arguments)

    def __repr__(self) -> str:
        return f"Admin({self.path!r})"
