"""check.py: python -m epi check, which validates a model and answers questions
about it, as epi-check does."""
from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import pathlib
import re
import sys
from typing import Any, Optional, Sequence

from ..address import Address
from ..decision import Decision, ReasonerVersion
from ..errors import Error, InvalidArgument, ModelError
from ..model import Model, Pairs, reasoner_rule
from ..query import End, Facts, Query

FINE, ANSWER_IS_NO, BAD_INPUT = 0, 1, 2

_FORMS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_FACTS = ("purpose", "dataset", "user", "consent")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m epi check",
        description="Check a model document and show which data may move, and"
                    " through what.",
        epilog="Exit codes: 0 fine; 1 the flow is refused, something changes,"
               " an expectation does not hold, or something was found; 2 usage"
               " or bad input.")
    parser.add_argument("model", metavar="MODEL",
                        help="a file, or - for standard input")
    parser.add_argument("--flow", metavar="FROM:TO[:PORT]",
                        help="answer for one flow; nodes or addresses, IPv6 in"
                             " brackets")
    for name in ("application", *_FACTS):
        parser.add_argument(f"--{name}", metavar="TEXT")
    parser.add_argument("--at", metavar="TIME",
                        help="when, in UTC, as 2026-01-31T09:30, or seconds"
                             " since 1970")
    parser.add_argument("--explain", action="store_true",
                        help="tell why, rule by rule")
    parser.add_argument("--verdict", metavar="FILE",
                        help="count the policy reasoner's verdict about the"
                             " flow")
    parser.add_argument("--as-rule", action="store_true",
                        help="print the rule that it makes instead")
    parser.add_argument("--as-verdict", metavar="FORM",
                        choices=("deliberation", "violations"),
                        help="print the decision as the reasoner would")
    parser.add_argument("--diff", metavar="OLD",
                        help="what changes against the model OLD")
    parser.add_argument("--assert", metavar="FILE", dest="expected",
                        help="check the expectations in FILE")
    parser.add_argument("--lint", action="store_true",
                        help="what has no effect")
    parser.add_argument("--provision", action="store_true",
                        help="list what must run, as JSON")
    parser.add_argument("--html", metavar="FILE",
                        help="write a picture; - for standard output")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _moment(text: Optional[str]) -> Optional[int]:
    if text is None:
        return None
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    for form in _FORMS:
        try:
            found = datetime.datetime.strptime(text.rstrip("Z"), form)
        except ValueError:
            continue
        return int(found.replace(tzinfo=datetime.timezone.utc).timestamp())
    raise InvalidArgument("--at must be a time as 2026-01-31T09:30, in UTC")


def _end(model: Model, text: str, port: Optional[int]) -> End:
    """A node, or else an address; a word without a dot is the name of a
    node."""
    if any(node.name == text for node in model.nodes):
        return text
    try:
        address = Address.parse(text, 0)
    except InvalidArgument:
        return text
    if address.ip is None and "." not in text and not model.node_at(address):
        return text
    return Address(address.host, port or 0)


def _query(model: Model, options: argparse.Namespace) -> Query:
    parts = re.findall(r"(?:\[[^\]]*\]|[^:\[])+", options.flow)
    if len(parts) not in (2, 3) or ":".join(parts) != options.flow:
        raise InvalidArgument("--flow must be FROM:TO or FROM:TO:PORT, IPv6"
                              " addresses in brackets")
    port = None
    if len(parts) == 3:
        if not parts[2].isdigit() or not 1 <= int(parts[2]) <= 65535:
            raise InvalidArgument("a port is a number from 1 to 65535")
        port = int(parts[2])
    return Query(_end(model, parts[0], None), _end(model, parts[1], port),
                 port, application=options.application,
                 time=_moment(options.at),
                 **{name: getattr(options, name) for name in _FACTS})


def _read(path: str) -> bytes:
    return (sys.stdin.buffer.read() if path == "-"
            else pathlib.Path(path).read_bytes())


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


def _answer_flow(model: Model, options: argparse.Namespace) -> int:
    query = _query(model, options)
    if options.verdict:
        reply = _read(options.verdict)
        if options.as_rule:
            print(json.dumps(reasoner_rule(reply, query), ensure_ascii=False,
                             separators=(",", ":")))
            return FINE
        model = model.with_reply(reply, query)
    decision = model.decide(query)
    if options.as_verdict:
        print(decision.reasoner_reply(
            ReasonerVersion[options.as_verdict.upper()]))
    elif options.explain and options.json:
        print(json.dumps(model.explain_dict(query), ensure_ascii=False,
                         separators=(",", ":")))
    elif options.explain:
        print(model.explain(query), end="")
    elif options.json:
        print(decision.to_json())
    else:
        print("\n".join(decision_lines(decision, query)))
    return FINE if decision else ANSWER_IS_NO


def _overview(model: Model) -> list[str]:
    lines = [f"The model is valid. Nodes: {len(model.nodes)}, areas:"
             f" {len(model.areas)}, applications: {len(model.applications)}",
             "", "Areas: nodes that protect data alike"]
    for index, area in enumerate(model.areas):
        lines += [f"    {index}  {', '.join(area.nodes)}",
                  f"       with {', '.join(area.attributes) or 'nothing'}"]
    for application in model.applications:
        lines += ["", f"Flows of application {application.name}"]
        for flow in application.flows:
            query = flow.query(application.name)
            lines += decision_lines(model.decide(query), query)
    lines += ["", "Pairs of nodes, by what they protect alone"]
    lines += [f"    {kind.name.lower():13}{model.pairs(kind)}"
              for kind in Pairs]
    return [*lines, f"    {'ratio':13}{model.unfeasibility_ratio():g}"]


def _answer(model: Model, options: argparse.Namespace) -> int:
    if options.flow:
        return _answer_flow(model, options)
    if options.provision:
        facts = Facts(time=_moment(options.at),
                      **{name: getattr(options, name) for name in _FACTS})
        before = Model.load(options.diff) if options.diff else None
        print(model.provision(before, options.application, facts).to_json())
        return FINE
    found: Any
    if options.diff:
        found = model.diff(Model.load(options.diff))
        print(found.to_json() if options.json else found.text,
              end="\n" if options.json else "")
        return ANSWER_IS_NO if found else FINE
    if options.expected:
        found = model.check(_read(options.expected))
        print(found.to_json() if options.json else found.text,
              end="\n" if options.json else "")
        return FINE if found else ANSWER_IS_NO
    if options.lint:
        found = model.lint()
        if options.json:
            print(json.dumps([dataclasses.asdict(one) for one in found],
                             ensure_ascii=False, separators=(",", ":")))
        else:
            for one in found:
                print(f"{one.path}: {one.finding}")
        return ANSWER_IS_NO if found else FINE
    if options.html:
        page = f"<!DOCTYPE html><meta charset=\"utf-8\">{model._repr_html_()}\n"
        if options.html == "-":
            print(page, end="")
        else:
            pathlib.Path(options.html).write_text(page)
        return FINE
    print(model._overview_json() if options.json
          else "\n".join(_overview(model)))
    return FINE


def main(arguments: Sequence[str]) -> int:
    """Run the program; its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _answer(Model.load(options.model), options)
    except ModelError as error:
        for line in error.problems or [str(error)]:
            print(f"epi check: {line}", file=sys.stderr)
    except (Error, OSError) as error:
        print(f"epi check: {error}", file=sys.stderr)
    return BAD_INPUT
