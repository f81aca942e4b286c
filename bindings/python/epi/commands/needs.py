"""needs.py: what must run for the flows of a model, as epi-check prints it."""
from __future__ import annotations

import json

from ..model import Model
from ..provision import Need, Provision, ProvisionChange

_SIGNS = {ProvisionChange.SAME: " ", ProvisionChange.ADDED: "+",
          ProvisionChange.REMOVED: "-", ProvisionChange.CHANGED: "!"}


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _needed(need: Need, limit: int) -> str:
    said = "no longer needed"
    if need.flows:
        said = (f"{_plural(need.instances, 'instance')},"
                f" {_plural(need.flows, 'flow')}")
        if need.instances_before not in (0, need.instances):
            said += f" (was {need.instances_before})"
    if limit and need.instances > limit:
        said += f", but there may be only {limit}"
    if need.image is not None:
        said += f", image {need.image}"
    if need.options:
        options = json.dumps(need.options, ensure_ascii=False,
                             separators=(",", ":"))
        said += f", options {options}"
    return said


def lines(model: Model, found: Provision, compared: bool) -> list[str]:
    """The lines that say what is needed, and how that differs."""
    limits = {one.name: one.instances for one in model.functions}
    under = None  # the proxy of the line before
    said = []
    for need in found:
        name = need.proxy or "the proxy"
        mark = f"{_SIGNS[need.change]} " if compared else ""
        if need.function is None:
            where, under = name, need.proxy
        elif under == need.proxy:
            where = f"  {need.function}"
        else:  # of a proxy that is needed still
            where, under = f"{name}, {need.function}", None
        limit = limits.get(need.function, 0) if need.function else 0
        said.append(f"{mark}{where}: {_needed(need, limit)}")
    return said or ["No flow needs anything."]
