"""query.py: one flow that a model is asked about."""
from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Mapping, Optional, Tuple, Union

from . import _abi as c
from ._handle import Handle, check, made
from .address import Address

End = Union[str, Address, Tuple[str, int]]

_WEIGHTS = {"setup": c.EPI_COST_SETUP, "per_flow": c.EPI_COST_PER_FLOW,
            "per_mib": c.EPI_COST_PER_MIB,
            "complexity": c.EPI_COST_COMPLEXITY}
_FACTS = {"application": c.EPI_QUERY_APPLICATION,
          "purpose": c.EPI_QUERY_PURPOSE, "dataset": c.EPI_QUERY_DATASET,
          "user": c.EPI_QUERY_USER, "consent": c.EPI_QUERY_CONSENT,
          "authenticated": c.EPI_QUERY_AUTHENTICATED}


@dataclass(frozen=True)
class Query:
    """One flow, from one end to another.

        Query("umc", "antonius", 443, purpose="research")
        Query(Address("10.1.0.9"), Address("ehr.antonius.example", 443))

    A str is the name of a node of the model; an Address, or a pair of host and
    port, is looked up there. `port` is the flow's: for a node None means any,
    for an address it replaces the address's own.

    `authenticated` is by what the client showed who it is: "none", which is
    also what counts if nothing is said, or some of "password", "certificate",
    "key" and "address" with commas between.

    `time` is when the flow happens: a datetime with a time zone, or seconds
    since 1970 UTC; without it no rule with a time window matches. `weights`
    says how much the costs "setup", "per_flow", "per_mib" and "complexity" of
    functions count, 0 to 1e12, each 1 if it is not said; `running` how many
    other flows use a function already.

    Source: include/epi/area.h, doc/model.md.
    """

    from_: End
    to: End
    port: Optional[int] = None
    application: Optional[str] = None
    purpose: Optional[str] = None
    dataset: Optional[str] = None
    user: Optional[str] = None
    consent: Optional[str] = None
    authenticated: Optional[str] = None
    time: Union[None, int, datetime.datetime] = None
    weights: Mapping[str, float] = field(default_factory=dict)
    running: Mapping[str, int] = field(default_factory=dict)

    def _made(self) -> CQuery:
        """The query as the C API has it."""
        query = _with_facts(self)
        handle = query._handle
        if isinstance(self.from_, str):
            check(c.epi_query_set_from_node(handle, self.from_))
        else:
            check(c.epi_query_set_from(handle, Address.of(self.from_)._c))
        if isinstance(self.to, str):
            port = -1 if self.port is None else self.port
            check(c.epi_query_set_to_node(handle, self.to, port))
        else:
            to = Address.of(self.to)
            if self.port is not None:
                to = Address(to.host, self.port)
            check(c.epi_query_set_to(handle, to._c))
        return query


@dataclass(frozen=True)
class Facts:
    """What is known of flows beside their ends; as in Query."""

    purpose: Optional[str] = None
    dataset: Optional[str] = None
    user: Optional[str] = None
    consent: Optional[str] = None
    authenticated: Optional[str] = None
    time: Union[None, int, datetime.datetime] = None
    weights: Mapping[str, float] = field(default_factory=dict)
    running: Mapping[str, int] = field(default_factory=dict)

    def _made(self) -> CQuery:
        return _with_facts(self)


class CQuery(Handle):
    """epi_query; made for one call, so never shared between threads."""

    __slots__ = ()
    _free = c.epi_query_free


def seconds_of(time: Union[int, datetime.datetime]) -> int:
    """Seconds since 1970 UTC."""
    if not isinstance(time, datetime.datetime):
        return time
    if time.tzinfo is None:
        raise ValueError("a datetime without a time zone could be any time")
    return int(time.timestamp())


def _with_facts(facts: Union[Query, Facts]) -> CQuery:
    query = CQuery(made(c.epi_query_new))
    handle = query._handle
    for name, key in _FACTS.items():
        value = getattr(facts, name, None)
        if value is not None:
            check(c.epi_query_set(handle, key, value))
    if facts.time is not None:
        c.epi_query_set_time(handle, seconds_of(facts.time))
    for cost, weight in facts.weights.items():
        if cost not in _WEIGHTS:
            raise ValueError(f"no cost {cost!r}; there are"
                             f" {', '.join(_WEIGHTS)}")
        check(c.epi_query_set_weight(handle, _WEIGHTS[cost], weight))
    for function, flows in facts.running.items():
        check(c.epi_query_set_running(handle, function, flows))
    return query
