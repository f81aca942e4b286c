"""model.py: the area logic model: which data movements are safe."""
from __future__ import annotations

import ctypes
import enum
import json
import os
from dataclasses import dataclass
from typing import (
    Any,
    Callable,
    Iterable,
    Mapping,
    Optional,
    Sequence,
    Union,
)

from . import _abi as c
from . import picture, review
from ._foreign import maybe_text_of, text_of
from ._handle import Handle, Report, check, made_last, needed, texts, written
from .address import Address, AddressLike
from .decision import CDecision, Decision, decision_at
from .errors import NotFound
from .provision import Provision, provision_of
from .query import Facts, Query

Document = Union[Mapping[str, Any], str, bytes]


class Pairs(enum.IntEnum):
    """Which ordered pairs of distinct nodes Model.pairs() counts."""

    SUPPORTED = c.EPI_PAIRS_SUPPORTED
    UNSUPPORTED = c.EPI_PAIRS_UNSUPPORTED
    UNBRIDGEABLE = c.EPI_PAIRS_UNBRIDGEABLE


@dataclass(frozen=True)
class Node:
    """A node. `domain` is "" if it has none, `host` the first of its addresses
    that is no range, `area` the index of its area."""

    name: str
    domain: str
    host: Optional[Address]
    area: int


@dataclass(frozen=True)
class Area:
    """All nodes with the same attributes. `above` has the indices of the areas
    to which data may move in one step."""

    attributes: tuple[str, ...]
    nodes: tuple[str, ...]
    above: tuple[int, ...]


@dataclass(frozen=True)
class Flow:
    """A flow of an application; `port` is None for any."""

    from_: str
    to: str
    port: Optional[int]

    def query(self, application: Optional[str] = None) -> Query:
        """The question whether this flow may exist."""
        return Query(self.from_, self.to, self.port, application=application)


@dataclass(frozen=True)
class Application:
    """An application, its flows, and the indices of its nodes' areas."""

    name: str
    areas: tuple[int, ...]
    flows: tuple[Flow, ...]


@dataclass(frozen=True)
class ProxyPort:
    """A port of a proxy, where it listens for one node and leads to one
    destination."""

    listen: Address
    from_: str
    to: Address


@dataclass(frozen=True)
class Proxy:
    """A proxy of the model; `endpoint` is None if it names none."""

    name: str
    endpoint: Optional[str]
    ports: tuple[ProxyPort, ...] = ()


@dataclass(frozen=True)
class Function:
    """A bridging function of the model: `filter` is how it runs in process,
    None if it runs at `endpoints`, URLs; `proves` says whether it must then show
    that it saw a flow (doc/chains.md); `image` and `options` what an orchestrator
    starts; `instances` and `capacity` (flows of one) are 0 without a limit."""

    name: str
    filter: Optional[str]
    endpoints: tuple[str, ...]
    fails_open: bool
    proves: bool
    image: Optional[str]
    options: Mapping[str, str]
    instances: int
    capacity: int


class Model(Handle):
    """A model: nodes, applications, functions, proxies and policy, in one
    snapshot that never changes (doc/model.md).

        model = Model({"epi": 1, "nodes": {"a": {}, "b": {}}})
        model = Model.load("hospitals.json")
        model.decide(Query("umc", "antonius", 443)).verdict

    The document is a mapping, or JSON as str or bytes, of at most 64 MiB.
    Raises ModelError with all of its problems, LimitReached or OutOfMemory.
    Threads: any. Models are equal if their canonical documents are.
    """

    __slots__ = ()
    _free = c.epi_model_free

    def __init__(self, document: Document) -> None:
        data = json_of(document)
        problems = Report()
        out = ctypes.c_void_p()
        result = c.epi_model_read(ctypes.byref(out), problems._handle, data,
                                  len(data))
        self._begin(result, problems, out)

    def _begin(self, result: int, problems: Report,
               out: ctypes.c_void_p) -> None:
        check(result, tuple(problems))
        assert out.value is not None
        super().__init__(out.value)

    @classmethod
    def load(cls, path: Union[str, os.PathLike[str]]) -> Model:
        """Read a document from a file; "-" is standard input.

        Raises also NotFound, PrivilegeMissing or SystemRefused."""
        problems = Report()
        out = ctypes.c_void_p()
        model = cls.__new__(cls)
        result = c.epi_model_read_file(ctypes.byref(out), problems._handle,
                                       path)
        model._begin(result, problems, out)
        return model

    @classmethod
    def _finished(cls, builder: int) -> Model:
        problems = Report()
        out = ctypes.c_void_p()
        model = cls.__new__(cls)
        result = c.epi_builder_finish(builder, problems._handle,
                                      ctypes.byref(out))
        model._begin(result, problems, out)
        return model

    @classmethod
    def _held(cls, pointer: int) -> Model:
        """A model that was referenced for this."""
        model = cls.__new__(cls)
        Handle.__init__(model, pointer)
        return model

    @classmethod
    def _of(cls, pointer: int) -> Model:
        """Hold a model that something else holds, too."""
        model = cls.__new__(cls)
        Handle.__init__(model, c.epi_model_ref(pointer))
        return model

    # ---- what it says ----

    @property
    def hash(self) -> str:
        """The SHA-256 of the canonical document, in hexadecimal digits."""
        return text_of(c.epi_model_hash(self._handle))

    def to_json(self) -> str:
        """The canonical document."""
        return written(c.epi_model_write, self._handle)

    def to_dict(self) -> dict[str, Any]:
        """The canonical document as Python values."""
        found: dict[str, Any] = json.loads(self.to_json())
        return found

    def overview(self) -> dict[str, Any]:
        """Everything the model says, as `epi-check --json` prints it."""
        found: dict[str, Any] = json.loads(self._overview_json())
        return found

    def _overview_json(self) -> str:
        return written(c.epi_model_overview, self._handle)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes, in document order."""
        return tuple(self._node(i)
                     for i in range(c.epi_model_node_count(self._handle)))

    def _node(self, index: int) -> Node:
        host = Address("0.0.0.0")
        found = c.epi_model_node_host(self._handle, index,
                                      ctypes.byref(host._c))
        return Node(
            name=text_of(c.epi_model_node_name(self._handle, index)),
            domain=text_of(c.epi_model_node_domain(self._handle, index)),
            host=host if found == 0 else None,
            area=check(c.epi_model_area_of(self._handle, index)))

    def _index(self, node: str) -> int:
        found = c.epi_model_node_find(self._handle, node)
        if found < 0:
            raise NotFound(f"the model has no node {node!r}")
        return int(found)

    def node(self, name: str) -> Node:
        """A node by its name. Raises NotFound."""
        return self._node(self._index(name))

    def node_at(self, address: AddressLike) -> Optional[Node]:
        """The node of an address: the longest prefix, or of a host name the
        longest entry; None for one that is unknown."""
        found = c.epi_model_node_at(
            self._handle, ctypes.byref(Address.of(address)._c))
        return None if found < 0 else self._node(found)

    @property
    def areas(self) -> tuple[Area, ...]:
        """The areas; their places in the tuple are their indices."""
        return tuple(self._area(i)
                     for i in range(c.epi_model_area_count(self._handle)))

    def _area(self, area: int) -> Area:
        model = self._handle
        return Area(
            attributes=texts(
                c.epi_model_area_attribute_count(model, area),
                lambda i: c.epi_model_area_attribute(model, area, i)),
            nodes=tuple(
                text_of(c.epi_model_node_name(
                    model, c.epi_model_area_node(model, area, i)))
                for i in range(c.epi_model_area_node_count(model, area))),
            above=_indices(lambda out, size: c.epi_model_area_above(
                model, area, out, size)))

    def channel(self, from_: str, to: str) -> bool:
        """Whether data may move between two nodes as they are: the first one's
        attributes are a subset of the other's (Eq. 4 of the paper)."""
        return bool(check(c.epi_model_channel(
            self._handle, self._index(from_), self._index(to))))

    def gap(self, from_: str, to: str) -> tuple[str, ...]:
        """The attributes that the first node has and the other lacks; with
        `"gap": "as-printed"` the reverse (doc/gap.md)."""
        ends = self._index(from_), self._index(to)
        count = check(c.epi_model_gap(self._handle, *ends, None, 0))
        names = (ctypes.c_char_p * count)()
        check(c.epi_model_gap(self._handle, *ends, names, count))
        return tuple(text_of(name) for name in names)

    def gap_bridgeable(self, from_: str, to: str) -> bool:
        """Whether the model has functions that may bridge all of the gap."""
        return bool(check(c.epi_model_gap_bridgeable(
            self._handle, self._index(from_), self._index(to))))

    @property
    def applications(self) -> tuple[Application, ...]:
        """The applications, in document order."""
        return tuple(
            self._application(i)
            for i in range(c.epi_model_application_count(self._handle)))

    def _application(self, index: int) -> Application:
        model = self._handle
        return Application(
            name=text_of(c.epi_model_application_name(model, index)),
            areas=_indices(lambda out, size: c.epi_model_application_areas(
                model, index, out, size)),
            flows=tuple(
                self._flow(index, i) for i in
                range(c.epi_model_application_flow_count(model, index))))

    def _flow(self, application: int, index: int) -> Flow:
        from_, to, port = ctypes.c_size_t(), ctypes.c_size_t(), ctypes.c_int()
        check(c.epi_model_application_flow(
            self._handle, application, index, ctypes.byref(from_),
            ctypes.byref(to), ctypes.byref(port)))
        return Flow(
            text_of(c.epi_model_node_name(self._handle, from_.value)),
            text_of(c.epi_model_node_name(self._handle, to.value)),
            None if port.value < 0 else port.value)

    def _application_index(self, name: Optional[str]) -> int:
        if name is None:
            return -1
        found = c.epi_model_application_find(self._handle, name)
        if found < 0:
            raise NotFound(f"the model has no application {name!r}")
        return int(found)

    def pairs(self, kind: Pairs, application: Optional[str] = None) -> int:
        """Count ordered pairs of distinct nodes, by attributes alone, of an
        application or of all nodes."""
        return check(c.epi_model_pairs(
            self._handle, self._application_index(application), kind))

    def unfeasibility_ratio(self, application: Optional[str] = None) -> float:
        """Unbridgeable / unsupported pairs, 0 if none is unsupported."""
        ratio = float(c.epi_model_ratio(
            self._handle, self._application_index(application)))
        if ratio < 0:
            raise MemoryError
        return ratio

    @property
    def proxies(self) -> tuple[Proxy, ...]:
        """The proxies, in document order."""
        return tuple(self._proxy(i)
                     for i in range(c.epi_model_proxy_count(self._handle)))

    def _proxy(self, index: int) -> Proxy:
        model = self._handle
        name = text_of(c.epi_model_proxy_name(model, index))
        return Proxy(
            name=name,
            endpoint=maybe_text_of(c.epi_model_proxy_endpoint(model, name)),
            ports=tuple(
                self._proxy_port(index, i) for i in
                range(c.epi_model_proxy_port_count(model, index))))

    def _proxy_port(self, proxy: int, port: int) -> ProxyPort:
        listen, to = Address("0.0.0.0"), Address("0.0.0.0")
        where = self._handle, proxy, port
        check(c.epi_model_proxy_port_listen(*where, ctypes.byref(listen._c)))
        check(c.epi_model_proxy_port_to(*where, ctypes.byref(to._c)))
        from_ = check(c.epi_model_proxy_port_from(*where))
        return ProxyPort(
            listen, text_of(c.epi_model_node_name(self._handle, from_)), to)

    @property
    def functions(self) -> tuple[Function, ...]:
        """The bridging functions, in document order."""
        return tuple(
            self._function(i)
            for i in range(c.epi_model_function_count(self._handle)))

    def _function(self, index: int) -> Function:
        model = self._handle
        options = c.epi_model_function_options(model, index)
        return Function(
            name=text_of(c.epi_model_function_name(model, index)),
            filter=maybe_text_of(c.epi_model_function_filter(model, index)),
            endpoints=texts(
                c.epi_model_function_endpoint_count(model, index),
                lambda i: c.epi_model_function_endpoint(model, index, i)),
            fails_open=bool(c.epi_model_function_fails_open(model, index)),
            proves=bool(c.epi_model_function_proves(model, index)),
            image=maybe_text_of(c.epi_model_function_image(model, index)),
            options=json.loads(options) if options else {},
            instances=c.epi_model_function_instances(model, index),
            capacity=c.epi_model_function_capacity(model, index))

    # ---- questions ----

    def decide(self, query: Query) -> Decision:
        """Decide about one flow; whatever the verdict, this succeeds.

        Raises NotFound for a node or an application that is not in the model,
        and InvalidArgument for a query that cannot be asked."""
        made_query, out = needed(Query, query)._made(), CDecision()
        check(c.epi_model_decide(self._handle, made_query._handle,
                                 out._handle))
        return decision_at(out._handle, out)

    def explain(self, query: Query) -> str:
        """Tell why a flow may or may not exist, rule by rule, for a person."""
        return written(c.epi_model_explain, self._handle,
                       needed(Query, query)._made(), c.EPI_FORM_TEXT)

    def explain_dict(self, query: Query) -> dict[str, Any]:
        """The same as Python values (doc/review.md)."""
        found: dict[str, Any] = json.loads(
            written(c.epi_model_explain, self._handle,
                    needed(Query, query)._made(), c.EPI_FORM_JSON))
        return found

    def diff(self, old: Model) -> review.Diff:
        """Tell what this model changes against an older one: the flows that
        open, close, or go through another chain."""
        return review.diff_of(c.epi_model_diff, self._handle,
                              needed(Model, old)._handle)

    def diff_flows(self, old: Optional[Model],
                   flows: Sequence[Query]) -> review.Diff:
        """The same for a list of flows, as those that live; `flow` of a change
        is the index. Without an old model every flow was allowed before."""
        queries = [needed(Query, query)._made() for query in flows]
        pointers = (ctypes.c_void_p * max(len(queries), 1))(
            *(query._handle for query in queries))
        return review.diff_of(c.epi_model_diff_flows, self._handle,
                              None if old is None
                              else needed(Model, old)._handle, pointers,
                              len(queries))

    def check(self, expectations: Document) -> review.Expected:
        """Check what a team expects: a document of expectations, version 1
        (doc/review.md). Raises ModelError if that has errors."""
        data = json_of(expectations)
        return review.expected_of(self._handle, data)

    def lint(self) -> tuple[review.Finding, ...]:
        """Find what the model says in vain."""
        return review.findings_of(self._handle)

    def provision(self, before: Optional[Model] = None,
                  application: Optional[str] = None,
                  facts: Optional[Facts] = None) -> Provision:
        """List what must run for the flows that may exist, and how that
        differs from what another model needs (include/epi/provision.h).

        Raises NotFound if neither model has the application."""
        return provision_of(self._handle, None if before is None
                            else needed(Model, before)._handle,
                            application, facts)

    # ---- the policy reasoner ----

    def with_reply(self, reply: Document, query: Query,
                   id: Optional[str] = None) -> Model:
        """A model in which a reply of the EPI policy reasoner about one flow
        counts: a denial stands before all rules, an allow behind all.

        Raises ProtocolError if it is no such reply, ModelError if a rule has
        the id already, and as reasoner_rule()."""
        data = json_of(reply)
        model = Model.__new__(Model)
        Handle.__init__(model, made_last(
            c.epi_reasoner_apply, self._handle, data, len(data),
            needed(Query, query)._made(), id))
        return model

    # ---- pictures ----

    def _repr_svg_(self) -> str:
        return picture.svg(self)

    def _repr_html_(self) -> str:
        return picture.html(self)

    def __repr__(self) -> str:
        if getattr(self, "_pointer", None) is None:
            return "<Model, never made>"
        return (f"<Model {self.hash[:12]}:"
                f" {c.epi_model_node_count(self._handle)} nodes in"
                f" {c.epi_model_area_count(self._handle)} areas>")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model):
            return NotImplemented
        return self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    def __copy__(self) -> Model:
        return self

    def __deepcopy__(self, memo: object) -> Model:
        return self

    def __reduce__(self) -> Any:
        return Model, (self.to_json(),)


def reasoner_rule(reply: Document, query: Query,
                  id: Optional[str] = None) -> dict[str, Any]:
    """Turn a reply of the EPI policy reasoner about one flow into a rule for
    `policy.rules` of a model document.

    reply is of either version, at most 1 MiB; the query is the flow that the
    reasoner was asked about; with id None the rule is named by the reply's
    verdict_reference. Raises ProtocolError if it is no such reply,
    InvalidArgument if an end of the query is a host name, or there is no id."""
    data = json_of(reply)
    rule: dict[str, Any] = json.loads(
        written(c.epi_reasoner_rule, data, len(data),
                needed(Query, query)._made(), id))
    return rule


def json_of(document: Document) -> bytes:
    """A document as JSON."""
    if isinstance(document, str):
        return document.encode()
    if isinstance(document, (bytes, bytearray, memoryview)):
        return bytes(document)
    if isinstance(document, Mapping):
        return json.dumps(document, default=_plain).encode()
    raise TypeError(f"a mapping, str or bytes is needed, not"
                    f" {type(document).__name__}")


def _plain(value: object) -> Any:
    """What json does not know by itself: other mappings, sets and the like."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON")


def _indices(read: Callable[[Any, int], Any]) -> tuple[int, ...]:
    count = check(read(None, 0))
    found = (ctypes.c_size_t * max(count, 1))()
    check(read(found, count))
    return tuple(found[:count])
