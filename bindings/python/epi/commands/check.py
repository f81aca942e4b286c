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
from typing import Any, Callable, Optional, Sequence, TypeVar

from ..address import Address
from ..decision import ReasonerVersion
from ..errors import Error, InvalidArgument, ModelError
from ..estimate import For
from ..model import Model, reasoner_rule
from ..query import End, Facts, Query
from . import audits, dot, estimates, html, needs, overview, ports

FINE, ANSWER_IS_NO, BAD_INPUT = 0, 1, 2

T = TypeVar("T")

_FORMS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_BASE_PORT = 20000
_FACTS = ("purpose", "dataset", "user", "consent", "authenticated")


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
                        help="list what must run")
    parser.add_argument("--ports", action="store_true",
                        help="the listeners of a reverse proxy for the flows of"
                             " an application")
    parser.add_argument("--base-port", metavar="PORT",
                        help="number them from here on; 20000 if not given")
    parser.add_argument("--estimate", metavar="NEED",
                        choices=("latency", "rate", "both"),
                        help="how long flows take until the first response, and"
                             " which method serves latency, rate or both")
    parser.add_argument("--rtt-client", metavar="MS",
                        help="round trip to the first proxy; 0 if not given")
    parser.add_argument("--rtt-server", metavar="MS",
                        help="round trip from the last one; 0 if not given")
    parser.add_argument("--dot", action="store_true",
                        help="print a graph for graphviz")
    parser.add_argument("--html", metavar="FILE",
                        help="write a page that people can read; - for standard"
                             " output")
    parser.add_argument("--audit", action="store_true",
                        help="FILEs instead of a MODEL: has anybody changed"
                             " these audit logs? The oldest first")
    parser.add_argument("--audit-key", metavar="KEYFILE",
                        help="the key of the proxy's --audit-key")
    parser.add_argument("more", metavar="FILE", nargs="*",
                        help="with --audit, what follows the first")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _check_values(options: argparse.Namespace) -> None:
    """An option without its value, as of a variable that is not set, must not
    count as left out: that would answer another question."""
    for name, value in vars(options).items():
        if value == "" and name not in ("model", "application", *_FACTS):
            name = {"expected": "assert"}.get(name, name)
            raise InvalidArgument(f"--{name.replace('_', '-')} is empty")


def _check_audit_fits(options: argparse.Namespace) -> None:
    if options.audit and not options.audit_key:
        raise InvalidArgument("--audit needs --audit-key")
    if not options.audit and (options.audit_key or options.more):
        raise InvalidArgument(
            "--audit-key needs --audit" if options.audit_key
            else f"one MODEL, and not {options.more[0]} too")


def _check_fit(options: argparse.Namespace) -> None:
    """Options that make no sense together."""
    facts = options.at or options.application or any(
        getattr(options, name) for name in _FACTS)
    questions = [options.flow and not options.estimate, options.estimate,
                 options.ports, options.provision, options.dot,
                 options.html, options.expected, options.lint,
                 options.diff and not options.provision]
    forms = [options.explain, options.as_rule, options.as_verdict]
    for name in ("explain", "verdict", "as_verdict"):
        if getattr(options, name) and not options.flow:
            raise InvalidArgument(f"--{name.replace('_', '-')} needs --flow")
    if options.as_rule and not options.verdict:
        raise InvalidArgument("--as-rule needs --verdict")
    if sum(map(bool, forms)) > 1:
        raise InvalidArgument("--explain, --as-rule and --as-verdict exclude"
                              " each other")
    if facts and not (options.flow or options.provision or options.ports):
        raise InvalidArgument("facts about a flow need --flow")
    if options.estimate and (options.explain or options.verdict
                             or options.as_verdict):
        raise InvalidArgument("--estimate tells times, and nothing else")
    if (options.rtt_client or options.rtt_server) and not options.estimate:
        raise InvalidArgument("--rtt-client and --rtt-server need --estimate")
    if options.base_port and not options.ports:
        raise InvalidArgument("--base-port needs --ports")
    if sum(map(bool, questions)) > 1:
        raise InvalidArgument("only one question is answered at a time")


def _port(text: str) -> int:
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII) or not (
            1 <= int(text) <= 65535):
        raise InvalidArgument("a port is a number from 1 to 65535")
    return int(text)


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


def _facts(options: argparse.Namespace) -> dict[str, Any]:
    return {"time": _moment(options.at),
            **{name: getattr(options, name) for name in _FACTS}}


def _query(model: Model, options: argparse.Namespace) -> Query:
    parts = re.findall(r"(?:\[[^\]]*\]|[^:\[])+", options.flow)
    if len(parts) not in (2, 3) or ":".join(parts) != options.flow:
        raise InvalidArgument("--flow must be FROM:TO or FROM:TO:PORT, IPv6"
                              " addresses in brackets")
    port = _port(parts[2]) if len(parts) == 3 else None
    return Query(_end(model, parts[0], None), _end(model, parts[1], port),
                 port, application=options.application, **_facts(options))


def _read(path: str) -> bytes:
    return (sys.stdin.buffer.read() if path == "-"
            else pathlib.Path(path).read_bytes())


def _of(path: str, read: Callable[[], T]) -> T:
    """What is read of a file; what is wrong there is told with its name."""
    try:
        return read()
    except ModelError as error:
        raise ModelError(error.detail,
                         [f"{path}: {line}" for line
                          in error.problems or [str(error)]]) from None


def _load(path: str) -> Model:
    return _of(path, lambda: Model.load(path))


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
        print("\n".join(overview.decision_lines(decision, query)))
    return FINE if decision else ANSWER_IS_NO


def _estimate(model: Model, options: argparse.Namespace) -> int:
    need = For[options.estimate.upper()]
    decided: list[estimates.Decided]
    if options.flow:
        query = _query(model, options)
        decision = model.decide(query)
        if not decision:
            print(f"epi check: --estimate: the flow is refused:"
                  f" {decision.reason}", file=sys.stderr)
            return ANSWER_IS_NO
        decided = [(decision, query.port)]
    else:
        decided = [(model.decide(flow.query(application.name)), flow.port)
                   for application in model.applications
                   for flow in application.flows]
    print(estimates.text(
        model.hash, decided, need,
        estimates.milliseconds(options.rtt_client, "--rtt-client"),
        estimates.milliseconds(options.rtt_server, "--rtt-server"),
        options.json), end="")
    return FINE


def _answer(model: Model, options: argparse.Namespace) -> int:
    if options.estimate:
        return _estimate(model, options)
    if options.flow:
        return _answer_flow(model, options)
    if options.provision:
        before = _load(options.diff) if options.diff else None
        listed = model.provision(before, options.application,
                                 Facts(**_facts(options)))
        print(listed.to_json() if options.json else "\n".join(
            needs.lines(model, listed, before is not None)))
        return FINE
    if options.ports:
        print("\n".join(ports.lines(
            model, options.application, _facts(options),
            _port(options.base_port) if options.base_port else _BASE_PORT,
            options.json)))
        return FINE
    if options.dot:
        print("\n".join(dot.lines(model)))
        return FINE
    found: Any
    if options.diff:
        found = model.diff(_load(options.diff))
        print(found.to_json() if options.json else found.text,
              end="\n" if options.json else "")
        return ANSWER_IS_NO if found else FINE
    if options.expected:
        expected = _read(options.expected)
        found = _of(options.expected, lambda: model.check(expected))
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
        page = html.page(model, options.model)
        if options.html == "-":
            print(page, end="")
        else:
            pathlib.Path(options.html).write_text(page, encoding="utf-8")
        return FINE
    print(model._overview_json() if options.json
          else "\n".join(overview.lines(model)))
    return FINE


def main(arguments: Sequence[str]) -> int:
    """Run the program; its exit code."""
    options = _parser().parse_args(arguments)
    try:
        _check_values(options)
        _check_audit_fits(options)
        if options.audit:
            return audits.answer(options)
        _check_fit(options)
        return _answer(_load(options.model), options)
    except ModelError as error:
        for line in error.problems or [str(error)]:
            print(f"epi check: {line}", file=sys.stderr)
    except OSError as error:
        print(f"epi check: {error.filename}: {error.strerror}"
              if error.filename else f"epi check: {error}", file=sys.stderr)
    except Error as error:
        print(f"epi check: {error}", file=sys.stderr)
    return BAD_INPUT
