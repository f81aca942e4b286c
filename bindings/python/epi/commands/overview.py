"""overview.py: what a model and a decision say, for people, as epi-check prints
it."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Optional, Sequence

from ..address import Address
from ..decision import Decision, Verdict
from ..model import Application, Model, Pairs
from ..query import Query

_AREAS_SHOWN = 32  # more make too long a table of pairs
_GAP_SHOWN = 16


def _shown(label: str, names: Sequence[str]) -> str:
    return f"    {label:9}{', '.join(names) or 'nothing'}"


def _named(node: str, end: object) -> str:
    """An end of a flow; of one that is unknown, what was asked for."""
    if node != "unknown" or not isinstance(end, Address):
        return node
    host = f"[{end.host}]" if ":" in end.host else end.host
    return f"{node} ({host})"


def decision_lines(decision: Decision, query: Query) -> list[str]:
    """A decision, for people."""
    lines = [f"  {_named(decision.from_, query.from_)} ->"
             f" {_named(decision.to, query.to)}"
             + (f", port {query.port}" if query.port else ""),
             f"    {'allowed' if decision else 'refused':9}{decision.verdict}:"
             f" {decision.reason}"]
    if decision.application:
        lines.append(f"    {'part of':9}{decision.application}")
    rule = decision.rule
    if decision.requires:
        rule += f"; also required by {', '.join(decision.requires)}"
    lines += [f"    {'rule':9}{rule}", _shown("needs", decision.need),
              _shown("has", decision.have), _shown("missing", decision.missing)]
    for index, hop in enumerate(decision.plan.hops):
        names = ", then ".join(function.name for function in hop.functions)
        label = "then" if index else "through"
        lines.append(f"    {label:9}{hop.proxy or 'the proxy'}"
                     + (f": {names}" if names else ""))
    if str(decision.verdict) == "bridged":
        more = "" if decision.plan.optimal else " (a cheaper chain may exist)"
        lines.append(f"    {'costs':9}{decision.plan.cost_ms:g} ms for one flow"
                     f" of 1 MiB{more}")
    return lines


@dataclass
class _Sum:
    """What flows come to."""

    direct: int = 0
    bridged: int = 0
    refused: int = 0
    cost_ms: float = 0

    def add(self, decision: Decision) -> None:
        self.direct += decision.verdict == Verdict.DIRECT
        self.bridged += decision.verdict == Verdict.BRIDGED
        self.refused += not decision
        self.cost_ms += decision.plan.cost_ms

    def __str__(self) -> str:
        return (f"{self.direct:9} {self.bridged:11} {self.refused:12} "
                f" {self.cost_ms:g} ms")


def _areas(model: Model) -> Iterator[str]:
    yield ""
    yield "Areas: nodes that protect data alike"
    for index, area in enumerate(model.areas):
        yield f"  {index:3}  {', '.join(area.nodes)}"
        yield f"       with {', '.join(area.attributes) or 'no protection'}"


def _gap(model: Model, from_: str, to: str) -> str:
    names = model.gap(from_, to)
    shown = ("missing " if names else "nothing is in the gap as printed")
    shown += ", ".join(names[:_GAP_SHOWN])
    shown += ", ..." if len(names) > _GAP_SHOWN else ""
    return shown + ("" if model.gap_bridgeable(from_, to)
                    else ", which nothing may bridge")


def _pairs(model: Model, indices: Sequence[int]) -> Iterator[str]:
    """A line for each ordered pair of different areas."""
    nodes = {index: model.areas[index].nodes[0] for index in indices}
    for i in indices:
        for k in indices:
            if i != k:
                channel = model.channel(nodes[i], nodes[k])
                yield f"  {i:3} -> {k:<3}  " + (
                    "channel" if channel else _gap(model, nodes[i], nodes[k]))


def _channels(model: Model) -> Iterator[str]:
    count = len(model.areas)
    if count < 2:
        return
    yield ""
    yield "From area to area"
    if count > _AREAS_SHOWN:
        yield (f"  {count} areas are too many to show: --json lists channels"
               " and gaps")
    else:
        yield from _pairs(model, range(count))


def _own_channels(model: Model, application: Application) -> Iterator[str]:
    """The same between the areas of an application's nodes."""
    count = len(application.areas)
    yield ""
    yield f"From area to area in application {application.name}"
    if count < 2:
        yield f"  its nodes are in {'one area' if count else 'no area'}"
    elif count > _AREAS_SHOWN:
        yield f"  {count} areas are too many to show: --json lists the gaps"
    else:
        yield from _pairs(model, application.areas)


def _flows(model: Model, application: Application,
           sums: Sequence[_Sum]) -> Iterator[str]:
    yield ""
    yield f"Flows of application {application.name}"
    for flow in application.flows:
        query = flow.query(application.name)
        decision = model.decide(query)
        yield from decision_lines(decision, query)
        for one in sums:
            one.add(decision)


def _numbers(model: Model, name: Optional[str]) -> str:
    yes, no, never = (model.pairs(kind, name) for kind in Pairs)
    return (f"  {name or 'all nodes':20} {yes:9} {no:11} {never:12} "
            f" {model.unfeasibility_ratio(name):.3g}")


def lines(model: Model) -> Iterator[str]:
    """All that a model says, line by line."""
    applications, total = model.applications, _Sum()
    sums = [_Sum() for _ in applications]
    yield (f"The model is valid. Nodes: {len(model.nodes)}, areas:"
           f" {len(model.areas)}, applications: {len(applications)}")
    yield from _areas(model)
    yield from _channels(model)
    for application, own in zip(applications, sums):
        yield from _own_channels(model, application)
        yield from _flows(model, application, (own, total))
    yield ""
    yield "Pairs of nodes, by what they protect alone"
    yield (f"  {'':20} {'supported':>9} {'unsupported':>11}"
           f" {'unbridgeable':>12}  ratio")
    yield _numbers(model, None)
    for application in applications:
        yield _numbers(model, application.name)
    yield ""
    yield "Flows of applications"
    yield (f"  {'':20} {'direct':>9} {'bridged':>11} {'refused':>12}"
           "  cost at 1 MiB each")
    for application, own in zip(applications, sums):
        yield f"  {application.name:20} {own}"
    yield f"  {'all applications':20} {total}"
