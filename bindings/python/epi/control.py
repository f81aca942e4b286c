"""control.py: what an operator sees of a running engine's flows, and ends
(include/epi/control.h, doc/admin.md)."""
from __future__ import annotations

import ctypes
import json
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Mapping, Optional, Union

from . import _abi as c
from ._handle import Handle, check, made, needed, taken

Call = Callable[..., int]
"""Engine._call()."""


@dataclass(frozen=True)
class Match:
    """Which flows are meant: those that meet all that is given here, so by
    default all. `flow` is a number, as in the log; `source` an IP address or a
    range as "10.0.0.0/8"; `dest` the same, or a name: as asked for, or the
    address that the name became; `address` one of both; `rule` what lets it
    live; `user` who logged in, or a proxy vouched for; `application` what it is
    judged as part of."""

    flow: Optional[int] = None
    source: Optional[str] = None
    dest: Optional[str] = None
    address: Optional[str] = None
    rule: Optional[str] = None
    user: Optional[str] = None
    application: Optional[str] = None

    def _made(self) -> CMatch:
        """The match as the C API has it. Raises InvalidArgument."""
        match = CMatch(made(c.epi_match_new))
        for name, criterion in _CRITERIA.items():
            value: Union[None, int, str] = getattr(self, name)
            if value is not None:
                check(c.epi_match_set(match._handle, criterion, str(value)))
        return match


_CRITERIA = {
    "flow": c.EPI_MATCH_FLOW, "source": c.EPI_MATCH_SOURCE,
    "dest": c.EPI_MATCH_DEST, "address": c.EPI_MATCH_ADDRESS,
    "rule": c.EPI_MATCH_RULE, "user": c.EPI_MATCH_USER,
    "application": c.EPI_MATCH_APPLICATION,
}


class CMatch(Handle):
    """epi_match; made for one call, so never shared between threads."""

    __slots__ = ()
    _free = c.epi_match_free


@dataclass(frozen=True)
class FlowList:
    """Flows that are open, each as doc/admin.md has it; `matched` is how many
    there are from the first one on, `next` the number to go on from, None if
    these are all; `missing` how many workers did not answer in time."""

    flows: tuple[Mapping[str, Any], ...]
    matched: int
    next: Optional[int]
    missing: int

    def __len__(self) -> int:
        return len(self.flows)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self.flows)


@dataclass(frozen=True)
class PlannedPort:
    """A port of this proxy that a model "opens", "closes" or "changes"."""

    change: str
    listen: str
    from_: str
    to: str


@dataclass(frozen=True)
class ModelPlan:
    """What a model would change: the hashes of the models; how many flows were
    judged by it, and would be cut; those, with `why` and `then`, the decision;
    how many are not judged at once; and ports. `missing` is how many workers
    did not answer in time."""

    was: Optional[str]
    is_: str
    judged: int
    cut: int
    later: int
    flows: tuple[Mapping[str, Any], ...]
    ports: tuple[PlannedPort, ...]
    missing: int


def plan_of(call: Call, model: Handle, most: int) -> ModelPlan:
    out = ctypes.c_void_p()
    call(c.epi_engine_plan, model._handle, most, ctypes.byref(out))
    found = json.loads(taken(out))
    return ModelPlan(
        found["was"], found["is"], found["judged"], found["cut"],
        found["later"], tuple(found["flows"]),
        tuple(PlannedPort(one["change"], one["listen"], one["from"], one["to"])
              for one in found["ports"]), found["missing"])


def flows_of(call: Call, match: Optional[Match], start: int,
             most: int) -> FlowList:
    out = ctypes.c_void_p()
    wanted = None if match is None else needed(Match, match)._made()
    call(c.epi_engine_flows, wanted, start, most, ctypes.byref(out))
    found = json.loads(taken(out))
    return FlowList(tuple(found["flows"]), found["matched"], found["next"],
                    found["missing"])


def explanation_of(call: Call, flow: int) -> Mapping[str, Any]:
    out = ctypes.c_void_p()
    call(c.epi_engine_explain, flow, ctypes.byref(out))
    found: Mapping[str, Any] = json.loads(taken(out))
    return found
