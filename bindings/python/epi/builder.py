"""builder.py: a model by calls, without a document."""
from __future__ import annotations

from typing import Union

from . import _abi as c
from ._handle import Handle, Report, check, made
from .model import Model

Value = Union[str, int, float]


class Builder(Handle):
    """A model by calls.

        builder = Builder()
        builder.add_node("umc").add("attributes", "encryption")
        builder.add_node("antonius").set("domain", "st-antonius")
        model = builder.finish()

    set() and add() describe what was added last; before anything was added,
    the model as a whole. Keys are those of doc/model.md; a key of an object
    within stands behind a dot, as in "cost.setup_ms". Every call returns the
    builder.

    Raises InvalidArgument for a key that has a value of another kind already.
    An unknown key shows in finish(). Threads: any.
    """

    __slots__ = ()
    _free = c.epi_builder_free

    def __init__(self) -> None:
        super().__init__(made(c.epi_builder_new))

    def add_node(self, name: str) -> Builder:
        """Add a node."""
        check(c.epi_builder_add_node(self._handle, name))
        return self

    def add_proxy(self, name: str, domain: str) -> Builder:
        """Add the proxy of a domain."""
        check(c.epi_builder_add_proxy(self._handle, name, domain))
        return self

    def add_port(self, from_: str, to: str) -> Builder:
        """Add a port to the proxy that was added last, from a node to NODE:PORT
        or HOST:PORT; the key "port" says at which number."""
        check(c.epi_builder_add_port(self._handle, from_, to))
        return self

    def add_function(self, name: str) -> Builder:
        """Add a bridging function."""
        check(c.epi_builder_add_function(self._handle, name))
        return self

    def add_application(self, name: str) -> Builder:
        """Add an application."""
        check(c.epi_builder_add_application(self._handle, name))
        return self

    def add_flow(self, from_: str, to: str) -> Builder:
        """Add a flow to the application that was added last."""
        check(c.epi_builder_add_flow(self._handle, from_, to))
        return self

    def add_rule(self, id: str, effect: str) -> Builder:
        """Add a rule that says "allow", "deny" or "require"."""
        check(c.epi_builder_add_rule(self._handle, id, effect))
        return self

    def set(self, key: str, value: Value) -> Builder:
        """Give a key its one value."""
        if isinstance(value, str):
            check(c.epi_builder_set_text(self._handle, key, value))
        else:
            check(c.epi_builder_set_number(self._handle, key, value))
        return self

    def add(self, key: str, *values: Value) -> Builder:
        """Put values into the list of a key."""
        for value in values:
            if isinstance(value, str):
                check(c.epi_builder_add_text(self._handle, key, value))
            else:
                check(c.epi_builder_add_number(self._handle, key, value))
        return self

    def finish(self) -> Model:
        """Make the model of what was added so far; more may be added later.

        Raises ModelError with all problems."""
        return Model._finished(self._handle)
