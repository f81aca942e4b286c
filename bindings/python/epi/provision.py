"""provision.py: what must run for the flows of applications."""
from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping, Optional

from . import _abi as c
from ._foreign import maybe_text_of, text_of
from ._handle import Handle, check, made, needed, written
from .query import Facts


class ProvisionChange(enum.IntEnum):
    """How an entry differs from what the model before needed."""

    SAME = c.EPI_PROVISION_SAME
    ADDED = c.EPI_PROVISION_ADDED
    REMOVED = c.EPI_PROVISION_REMOVED
    CHANGED = c.EPI_PROVISION_CHANGED

    def __str__(self) -> str:
        return text_of(c.epi_provision_change_name(self.value))


@dataclass(frozen=True)
class Need:
    """A proxy, or a function there, that must run. `function` is None for the
    proxy itself, `flows` how many pass it, `instances` how many are needed, 0
    of what is needed no longer."""

    proxy: str
    function: Optional[str]
    image: Optional[str]
    options: Mapping[str, str]
    flows: int
    instances: int
    instances_before: int
    change: ProvisionChange


@dataclass(frozen=True)
class Provision:
    """What must run; proxies in document order, each before its functions."""

    needs: tuple[Need, ...]
    _json: str = field(repr=False)

    def __iter__(self) -> Iterator[Need]:
        return iter(self.needs)

    def __len__(self) -> int:
        return len(self.needs)

    def to_json(self) -> str:
        """The list as JSON (doc/model.md)."""
        return self._json

    def to_dict(self) -> dict[str, Any]:
        """The same as Python values."""
        found: dict[str, Any] = json.loads(self._json)
        return found


class _List(Handle):
    __slots__ = ()
    _free = c.epi_provision_free


def _need(of: int, entry: int) -> Need:
    options = c.epi_provision_options(of, entry)
    return Need(
        proxy=text_of(c.epi_provision_proxy(of, entry)),
        function=maybe_text_of(c.epi_provision_function(of, entry)),
        image=maybe_text_of(c.epi_provision_image(of, entry)),
        options=json.loads(options) if options else {},
        flows=c.epi_provision_flows(of, entry),
        instances=c.epi_provision_instances(of, entry),
        instances_before=c.epi_provision_instances_before(of, entry),
        change=ProvisionChange(check(c.epi_provision_change(of, entry))))


def provision_of(model: int, before: Optional[int], application: Optional[str],
                 facts: Optional[Facts]) -> Provision:
    query = None if facts is None else needed(Facts, facts)._made()
    listed = _List(made(c.epi_provision_new, model, before, application,
                        query._handle if query else None))
    of = listed._handle
    return Provision(
        needs=tuple(_need(of, i) for i in range(c.epi_provision_count(of))),
        _json=written(c.epi_provision_write, of))
