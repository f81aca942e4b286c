"""decision.py: what may happen to one flow, and why; and the plan of what must
be put in between."""
from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field
from typing import Any, Optional

from . import _abi as c
from ._foreign import maybe_text_of, text_of
from ._handle import Handle, made, texts, written
from .errors import InvalidState


class Verdict(enum.IntEnum):
    """The decision in one word; the last three are refused alike."""

    DIRECT = c.EPI_DIRECT
    BRIDGED = c.EPI_BRIDGED
    UNBRIDGEABLE = c.EPI_UNBRIDGEABLE
    UNPLACEABLE = c.EPI_UNPLACEABLE
    DENIED = c.EPI_DENIED

    def __str__(self) -> str:
        return text_of(c.epi_verdict_name(self.value))


class ReasonerVersion(enum.IntEnum):
    """The two forms of a reply of the EPI policy reasoner."""

    DELIBERATION = c.EPI_REASONER_DELIBERATION
    VIOLATIONS = c.EPI_REASONER_VIOLATIONS


@dataclass(frozen=True)
class PlannedFunction:
    """A bridging function at a hop: in process as `filter`, `NAME[:ARGS]`, or
    at `endpoints`, URLs, of which a flow passes one. `endpoint` is the first of
    these; it or `filter` is None. `proves` says whether it must show that it
    saw a flow (doc/chains.md)."""

    name: str
    filter: Optional[str]
    endpoint: Optional[str]
    endpoints: tuple[str, ...]
    fails_open: bool
    proves: bool


@dataclass(frozen=True)
class Hop:
    """A proxy, with the functions that the flow passes there, in the order in
    which data passes them on its way to the destination. Without proxies in the
    model, `proxy` and `endpoint` are ""."""

    proxy: str
    endpoint: str
    functions: tuple[PlannedFunction, ...]


@dataclass(frozen=True)
class Plan:
    """What must be put in between, hop by hop. `cost_ms` is the chain's, in the
    query's weighting; `optimal` says whether no cheaper chain exists; `rtt_ms`
    is the sum of the round trips from proxy to proxy, as far as the model has
    them."""

    hops: tuple[Hop, ...]
    cost_ms: float
    optimal: bool
    rtt_ms: float


class CDecision(Handle):
    """epi_decision."""

    __slots__ = ()
    _free = c.epi_decision_free

    def __init__(self) -> None:
        super().__init__(made(c.epi_decision_new))

    # It never changes once it is decided, so that copies share it. What is
    # pickled goes without.

    def __copy__(self) -> CDecision:
        return self

    def __deepcopy__(self, memo: object) -> CDecision:
        return self

    def __reduce__(self) -> Any:
        return type(None), ()


@dataclass(frozen=True)
class Decision:
    """What may happen to one flow, and why.

    `from_` and `to` are nodes, or "unknown"; `application` is "" outside of
    any; `rule` is the id of the rule that decided, or "default". `missing` is
    what the destination lacks of what is needed, also if the flow is denied.
    `model` is the hash of the model that decided, "" if there is none.

    Source: include/epi/area.h, doc/model.md.
    """

    verdict: Verdict
    from_: str
    to: str
    application: str
    rule: str
    requires: tuple[str, ...]
    reason: str
    need: tuple[str, ...]
    have: tuple[str, ...]
    missing: tuple[str, ...]
    plan: Plan
    model: str
    allowed: bool
    _json: str = field(repr=False, compare=False)
    _made: Optional[CDecision] = field(repr=False, compare=False)

    def __bool__(self) -> bool:
        """Whether the flow may exist."""
        return self.allowed

    def to_json(self) -> str:
        """The decision as JSON, the same object everywhere (doc/model.md)."""
        return self._json

    def to_dict(self) -> dict[str, Any]:
        """The same as Python values."""
        found: dict[str, Any] = json.loads(self._json)
        return found

    def reasoner_reply(self, version: ReasonerVersion,
                       reference: Optional[str] = None) -> str:
        """The decision as a reply of the EPI policy reasoner.

        reference is the verdict_reference of the first version, the rule that
        decided if it is None. Raises InvalidArgument for no such version, and
        InvalidState for a decision of a flow in a filter, which is over, and
        for one that was pickled."""
        if self._made is None:
            raise InvalidState("this decision is that of a running flow, or was"
                               " pickled")
        return written(c.epi_reasoner_reply, self._made._handle, version,
                       reference)


def _function(plan: int, hop: int, index: int) -> PlannedFunction:
    return PlannedFunction(
        name=text_of(c.epi_plan_function_name(plan, hop, index)),
        filter=maybe_text_of(c.epi_plan_function_filter(plan, hop, index)),
        endpoint=maybe_text_of(c.epi_plan_function_endpoint(plan, hop, index)),
        endpoints=texts(
            c.epi_plan_function_endpoint_count(plan, hop, index),
            lambda i: c.epi_plan_function_endpoint_at(plan, hop, index, i)),
        fails_open=bool(c.epi_plan_function_fails_open(plan, hop, index)),
        proves=bool(c.epi_plan_function_proves(plan, hop, index)))


def _plan(plan: int) -> Plan:
    return Plan(
        hops=tuple(
            Hop(proxy=text_of(c.epi_plan_hop_proxy(plan, hop)),
                endpoint=text_of(c.epi_plan_hop_endpoint(plan, hop)),
                functions=tuple(
                    _function(plan, hop, index)
                    for index in range(c.epi_plan_function_count(plan, hop))))
            for hop in range(c.epi_plan_hop_count(plan))),
        cost_ms=c.epi_plan_cost_ms(plan),
        optimal=bool(c.epi_plan_optimal(plan)),
        rtt_ms=c.epi_plan_rtt_ms(plan))


def _attributes(decision: int, which: int) -> tuple[str, ...]:
    return texts(c.epi_decision_attribute_count(decision, which),
                 lambda i: c.epi_decision_attribute(decision, which, i))


def decision_at(pointer: int, of: Optional[CDecision] = None) -> Decision:
    """A decision as a plain object; it keeps nothing of what it was read from
    but what a reply of the reasoner is made of."""
    model = c.epi_decision_model(pointer)
    return Decision(
        verdict=Verdict(c.epi_decision_verdict(pointer)),
        from_=text_of(c.epi_decision_from(pointer)),
        to=text_of(c.epi_decision_to(pointer)),
        application=text_of(c.epi_decision_application(pointer)),
        rule=text_of(c.epi_decision_rule(pointer)),
        requires=texts(c.epi_decision_require_count(pointer),
                       lambda i: c.epi_decision_require(pointer, i)),
        reason=text_of(c.epi_decision_reason(pointer)),
        need=_attributes(pointer, c.EPI_NEED),
        have=_attributes(pointer, c.EPI_HAVE),
        missing=_attributes(pointer, c.EPI_MISSING),
        plan=_plan(c.epi_decision_plan(pointer)),
        model=text_of(c.epi_model_hash(model)) if model else "",
        allowed=bool(c.epi_decision_allowed(pointer)),
        _json=written(c.epi_decision_write, pointer),
        _made=of)
