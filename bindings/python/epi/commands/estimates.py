"""estimates.py: how long flows take until the first response is there, and
which method serves a need, as epi-check --estimate prints it."""
from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Iterable, Iterator, Optional, Tuple

from ..decision import Decision
from ..errors import InvalidArgument
from ..estimate import Advantage, For, Method, choose_method, estimate_ms

# What the choice is from. TCP Fast Open takes a server that has it.
_CHOICE = (Method.REVERSE, Method.SOCKS5, Method.SOCKS6, Method.SOCKS6_EARLY,
           Method.SOCKS6_WARM)

Decided = Tuple[Decision, Optional[int]]  # and the flow's port


def milliseconds(text: Optional[str], option: str) -> float:
    """What an option says; 0 if it is not given."""
    try:
        found = 0.0 if text is None else float(text)
    except ValueError:
        found = -1
    if not math.isfinite(found) or found < 0:
        raise InvalidArgument(f"{option} needs a number of milliseconds")
    return found


@dataclass
class _Estimate:
    """One flow's; the direct way is taken to be as long as that through the
    proxies."""

    decision: Decision
    port: Optional[int]
    need: For
    cp_ms: float
    ps_ms: float

    def of(self, method: Method) -> float:
        return estimate_ms(method, rtt_cp_ms=self.cp_ms, rtt_ps_ms=self.ps_ms,
                           rtt_cs_ms=self.cp_ms + self.ps_ms)

    @property
    def choice(self) -> Method:
        return choose_method(self.need, _CHOICE, rtt_cp_ms=self.cp_ms,
                             rtt_ps_ms=self.ps_ms)

    def json(self) -> str:
        def quoted(text: object) -> str:
            return json.dumps(text, ensure_ascii=False, separators=(",", ":"))

        times = ",".join(f"{quoted(one.label)}:{self.of(one):.15g}"
                         for one in Method)
        return (
            f'{{"from":{quoted(self.decision.from_)},'
            f'"to":{quoted(self.decision.to)},"port":{quoted(self.port)},'
            f'"application":{quoted(self.decision.application)},"proxies":'
            f'{quoted([hop.proxy for hop in self.decision.plan.hops])},'
            f'"rtt_cp_ms":{self.cp_ms:.15g},"rtt_ps_ms":{self.ps_ms:.15g},'
            f'"estimates":{{{times}}},"choice":{quoted(self.choice.label)},'
            f'"advantages":{quoted(_reasons(self.choice))}}}')

    def lines(self) -> Iterator[str]:
        way = ", ".join(hop.proxy or "the proxy"
                        for hop in self.decision.plan.hops) or "one proxy"
        port = f", port {self.port}" if self.port else ""
        yield (f"{self.decision.from_} -> {self.decision.to}{port}: through"
               f" {way}, {self.cp_ms:g} ms to the last one, {self.ps_ms:g} ms"
               " from there")
        for one in Method:
            more = (", if that way is no shorter" if one == Method.DIRECT
                    else "")
            yield f"  {one.label:16}{self.of(one):g} ms{more}"
        yield (f"  for {self.need.name.lower()}: {self.choice.label}, which"
               " has")
        for reason in _reasons(self.choice):
            yield f"      {reason}"


def _reasons(method: Method) -> list[str]:
    return [one.text for one in Advantage if one in method.advantages]


def text(model: str, decided: Iterable[Decided], need: For, client_ms: float,
         server_ms: float, as_json: bool) -> str:
    """The estimates of flows, for people or as JSON; a flow that may not exist
    takes no time. model is its hash."""
    found = [_Estimate(decision, port, need,
                       client_ms + decision.plan.rtt_ms, server_ms)
             for decision, port in decided if decision]
    if as_json:
        flows = ",".join(one.json() for one in found)
        return (f'{{"model":"{model}","need":"{need.name.lower()}",'
                f'"flows":[{flows}]}}\n')
    return "\n".join("".join(f"{line}\n" for line in one.lines())
                     for one in found)
