"""dot.py: a model as a graph for graphviz, as epi-check --dot prints it. Areas
are clusters of their nodes; grey arrows between them are the steps that all
channels are made of; flows go from node to node."""
from __future__ import annotations

import itertools
from typing import Iterator, Tuple

from ..decision import Decision, Verdict
from ..model import Application, Area, Model

_HEAD = """digraph model {
  graph [rankdir=LR, compound=true, fontname="sans-serif", style=rounded, \
nodesep=0.4, ranksep=1.2];
  node [shape=box, style="rounded,filled", fillcolor=white, \
fontname="sans-serif"];
  edge [fontname="sans-serif", fontsize=10];"""

_LOOKS = {Verdict.DIRECT: "color=darkgreen",
          Verdict.BRIDGED: "color=blue, fontcolor=blue, style=dashed"}
_REFUSED = "color=red, fontcolor=red, arrowhead=tee"

Arrow = Tuple[str, str, Verdict, str]  # from, to, why that look, what it says


def _escaped(text: str) -> str:
    """Graphviz reads escapes and entities in labels."""
    return (text.replace("\\", "\\\\").replace('"', '\\"')
            .replace("&", "&amp;"))


def _says(decision: Decision) -> str:
    if decision.verdict == Verdict.BRIDGED:
        return "".join(
            f"\\n{_escaped(hop.proxy or 'the proxy')}: "
            + ", then ".join(_escaped(one.name) for one in hop.functions)
            for hop in decision.plan.hops if hop.functions)
    if decision.verdict == Verdict.DIRECT:
        return ""
    return f"\\n{decision.verdict}: {_escaped(decision.reason)}"


class _Graph:
    def __init__(self, model: Model) -> None:
        self.model, self.areas = model, model.areas
        self.ids = {node.name: f"n{index}"
                    for index, node in enumerate(model.nodes)}

    def area(self, index: int, area: Area) -> Iterator[str]:
        label = ", ".join(_escaped(word) for word in area.attributes)
        yield f"  subgraph cluster_{index} {{"
        yield f'    label="{label or "no protection"}";'
        for node in area.nodes:
            yield f'    {self.ids[node]} [label="{_escaped(node)}"];'
        yield "  }"

    def steps(self, index: int, area: Area) -> Iterator[str]:
        """Arrows between clusters hang on a node of each."""
        for above in area.above:
            yield (f"  {self.ids[area.nodes[0]]} ->"
                   f" {self.ids[self.areas[above].nodes[0]]}"
                   f" [ltail=cluster_{index}, lhead=cluster_{above},"
                   " color=gray50, penwidth=2];")

    def flows(self, application: Application) -> Iterator[str]:
        """One arrow for flows that differ in their port only."""
        found = []
        for flow in application.flows:
            decision = self.model.decide(flow.query(application.name))
            arrow: Arrow = (flow.from_, flow.to, decision.verdict,
                            _says(decision))
            found.append((arrow, flow.port))
        for arrow, alike in itertools.groupby(found, lambda one: one[0]):
            from_, to, verdict, says = arrow
            ports = ", ".join(str(port) for _, port in alike if port)
            yield (f"  {self.ids[from_]} -> {self.ids[to]}"
                   f" [{_LOOKS.get(verdict, _REFUSED)}, constraint=false,"
                   f' label="{_escaped(application.name)}'
                   f'{":" if ports else ""}{ports}{says}"];')


def lines(model: Model) -> Iterator[str]:
    """The graph, line by line."""
    graph = _Graph(model)
    yield _HEAD
    for part in (graph.area, graph.steps):
        for index, area in enumerate(graph.areas):
            yield from part(index, area)
    for application in model.applications:
        yield from graph.flows(application)
    yield "}"
