"""ports.py: the redirection table of a reverse proxy, which tells flows apart
by the port that they come to, as epi-check --ports prints it: one port for each
flow of an application. A flow keeps its number when others are refused or
allowed."""
from __future__ import annotations

import dataclasses
import json
from typing import Any, Iterator, Mapping, Optional

from ..address import Address
from ..decision import Decision
from ..errors import InvalidArgument, NotFound
from ..model import Application, Flow, Model

_LAST_PORT = 65535

Row = Mapping[str, Any]


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _application(model: Model, name: Optional[str]) -> Application:
    """The application that is asked for, or the only one."""
    found = [one for one in model.applications if name in (None, one.name)]
    if name is not None and not found:
        raise NotFound(f"the model has no application {name!r}")
    if len(found) != 1:
        raise InvalidArgument("--ports: --application says of which one")
    return found[0]


def _host(endpoint: str) -> str:
    """The address in a proxy's URL; all addresses if that has a name, which
    cannot be listened on, or if the model does not say."""
    try:
        address = Address.parse(endpoint.partition("://")[2], 0)
    except InvalidArgument:
        return "0.0.0.0"
    return address.host if address.ip else "0.0.0.0"


def _reason(model: Model, flow: Flow, decision: Decision) -> Optional[str]:
    """Why a flow has no listener, or None."""
    if not decision:
        return decision.reason
    if flow.port is None:
        return "the application does not say which port"
    if model.proxies and not decision.plan.hops:
        return "it passes no proxy"
    if model.node(flow.to).host is None:
        return "the destination has no address of one host"
    return None


def _row(model: Model, flow: Flow, decision: Decision, listen: int) -> Row:
    row: dict[str, Any] = {"from": flow.from_, "to": flow.to,
                           "port": flow.port}
    reason = _reason(model, flow, decision)
    if reason is not None:
        return {**row, "reason": reason}
    hops, host = decision.plan.hops, model.node(flow.to).host
    assert host is not None and flow.port is not None
    dest = str(Address(host.host, flow.port))
    at = Address(_host(hops[0].endpoint if hops else ""), listen)
    row.update(proxy=hops[0].proxy if hops else "", listening=listen,
               destination=dest, listen=f"tcp://{at}={dest}")
    if row["proxy"]:
        row["entry"] = {"port": listen, "from": flow.from_,
                        "to": f"{flow.to}:{flow.port}"}
    return row


def _shown(row: Row) -> Iterator[str]:
    flow = f"{row['from']} -> {row['to']}"
    if "reason" in row:
        yield f"    -  {flow}, port {row['port'] or 'any'}: {row['reason']}"
        return
    proxy = row["proxy"] and f"{row['proxy']}: "
    yield f"{row['listening']:5}  {flow} at {row['destination']}"
    yield f"       {proxy}--listen {row['listen']}"
    if proxy:
        yield f"       {proxy}ports: {_compact(row['entry'])}"


def lines(model: Model, name: Optional[str], facts: Mapping[str, Any],
          base: int, as_json: bool) -> Iterator[str]:
    """The table, for people or as one line of JSON."""
    application = _application(model, name)
    if len(application.flows) > _LAST_PORT - base + 1:
        raise InvalidArgument("--ports: the application has more flows than"
                              " there are ports from --base-port on")
    rows = []
    for listen, flow in enumerate(application.flows, base):
        query = dataclasses.replace(flow.query(application.name), **facts)
        rows.append(_row(model, flow, model.decide(query), listen))
    if as_json:
        yield _compact({"model": model.hash, "application": application.name,
                        "ports": rows})
        return
    for row in rows:
        yield from _shown(row)
