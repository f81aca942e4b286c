"""review.py: what people and their tools ask about a model before they trust
it (doc/review.md)."""
from __future__ import annotations

import ctypes
import json
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, Mapping, Optional

from . import _abi as c
from ._handle import Report, check, taken


@dataclass(frozen=True)
class Change:
    """A flow that a new model treats otherwise than the old one.

    `change` is "opens", "closes" or "changes"; `pairs` how many pairs of nodes
    change alike; `because` why, for a person; `was` and `is_` the decisions as
    in Decision.to_dict(), None where a model lacks a node of the flow; `flow`
    the index in the list that was asked about, if there was one."""

    change: str
    from_: str
    to: str
    port: Optional[int]
    application: str
    pairs: int
    because: str
    was: Optional[Mapping[str, Any]]
    is_: Optional[Mapping[str, Any]]
    flow: Optional[int]


@dataclass(frozen=True)
class Diff:
    """What a new model changes. `was` and `is_` are the hashes of the models,
    `was` None if there was none; `complete` is False if some flows were left
    out (EPI_DIFF_NODES, EPI_DIFF_FLOWS)."""

    was: Optional[str]
    is_: str
    changes: tuple[Change, ...]
    compared: int
    complete: bool
    text: str
    _json: str = field(repr=False)

    def to_json(self) -> str:
        """The same as JSON (doc/review.md)."""
        return self._json

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return bool(self.changes)

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def __str__(self) -> str:
        """For people; "" for models that decide alike."""
        return self.text


@dataclass(frozen=True)
class Failure:
    """An expectation that does not hold; `expect` is its index."""

    expect: int
    from_: str
    to: str
    failure: str
    because: Optional[str]


@dataclass(frozen=True)
class Expected:
    """What became of a team's expectations."""

    expected: int
    failures: tuple[Failure, ...]
    text: str
    _json: str = field(repr=False)

    def to_json(self) -> str:
        """The same as JSON (doc/review.md)."""
        return self._json

    def __bool__(self) -> bool:
        """Whether all of them hold."""
        return not self.failures

    def __str__(self) -> str:
        """A line for each that does not hold."""
        return self.text


@dataclass(frozen=True)
class Finding:
    """What looks like a mistake: its kind (doc/review.md), the path to it in
    the document, and what it is."""

    kind: str
    path: str
    finding: str


def _answers(ask: Callable[[int, Any], Any]) -> tuple[str, str]:
    """An answer as text and as JSON."""
    found = []
    for form in (c.EPI_FORM_TEXT, c.EPI_FORM_JSON):
        out = ctypes.c_void_p()
        check(ask(form, ctypes.byref(out)))
        found.append(taken(out))
    return found[0], found[1]


def diff_of(compare: Callable[..., int], *arguments: Any) -> Diff:
    text, said = _answers(lambda form, out: compare(*arguments, form, out))
    found = json.loads(said)
    return Diff(
        was=found.get("was"), is_=found["is"],
        changes=tuple(
            Change(change=one["change"], from_=one["from"], to=one["to"],
                   port=one["port"], application=one["application"],
                   pairs=one["pairs"], because=one["because"], was=one["was"],
                   is_=one["is"], flow=one.get("flow"))
            for one in found["changes"]),
        compared=found["compared"], complete=found["complete"], text=text,
        _json=said)


def expected_of(model: int, data: bytes) -> Expected:
    problems = Report()

    def ask(form: int, out: Any) -> int:
        result = c.epi_model_assert(model, problems._handle, data, len(data),
                                    form, out)
        return check(result, tuple(problems))

    text, said = _answers(ask)
    found = json.loads(said)
    return Expected(
        expected=found["expected"],
        failures=tuple(
            Failure(expect=one["expect"], from_=one["from"], to=one["to"],
                    failure=one["failure"], because=one.get("because"))
            for one in found["failures"]),
        text=text, _json=said)


def findings_of(model: int) -> tuple[Finding, ...]:
    _, said = _answers(lambda form, out: c.epi_model_lint(model, form, out))
    return tuple(Finding(one["kind"], one["path"], one["finding"])
                 for one in json.loads(said))
