"""libepi: decide which data movements between hospitals and research centres
are safe, and carry the allowed ones through exactly what they need.

    import epi

    model = epi.Model.load("hospitals.json")
    decision = model.decide(epi.Query("umc", "antonius", 443))
    print(decision.verdict, decision.plan.hops)

    with epi.Engine(model=model, listen="socks://127.0.0.1:1080") as engine:
        ...

What libepi calls things is in doc/glossary.md; this package uses the same words.
Errors are exceptions of class `Error` (epi.errors); durations that end in `_ms`
are milliseconds. An object may be used by several threads, but for a session,
a request and the like, whose calls belong together, by one at a time.
"""
from __future__ import annotations

from . import errors, limits
from ._abi import EPI_VERSION_STRING as __version__
from .address import Address
from .admin import Admin
from .audit import AuditCheck, Audited, OnAuditError, check_audit
from .builder import Builder
from .client import connect, open_connection
from .control import FlowList, Match, ModelPlan, PlannedPort
from .datagram import Datagram, DatagramType, UdpError
from .decision import (
    Decision,
    Hop,
    Plan,
    PlannedFunction,
    ReasonerVersion,
    Verdict,
)
from .engine import (
    Bounds,
    Counts,
    Engine,
    Instance,
    LogLevel,
    MetricsFormat,
    Parameter,
    ServiceState,
    endpoint_wait,
    function_key,
    service_pass_on,
    service_tell,
)
from .errors import Denied, Error, LibraryNotFound, ModelError
from .estimate import (
    Advantage,
    For,
    Method,
    busy_ms,
    choose_method,
    estimate_ms,
    is_good_place,
)
from .filter import Bound, Filter, NativeFilter
from .library import (
    TlsFeature,
    read_secret,
    tls_has,
    tls_library,
    use_allocator,
    version,
    wipe,
)
from .message import (
    AuthReply,
    Command,
    Leg,
    Meta,
    Parity,
    Reply,
    ReplyCode,
    Request,
    SessionState,
    SessionUse,
    Stack,
    StackValue,
    TokenState,
    Version,
    reply_text,
)
from .model import (
    Application,
    Area,
    Flow,
    Function,
    Model,
    Node,
    Pairs,
    Proxy,
    ProxyPort,
    reasoner_rule,
)
from .pipe import PASS, Direction, FlowInfo, Pipe
from .provision import Need, Provision, ProvisionChange
from .query import Facts, Query
from .redirect import MARK, Backend, Redirect
from .review import Change, Diff, Expected, Failure, Finding
from .sandbox import Sandbox, SandboxAccess, SandboxKeep, SandboxPart
from .session import Accept, Next, Session, SessionTable
from .users import users_remove, users_set

__all__ = [
    "Accept", "Address", "Admin", "Advantage", "Application", "Area", "AuditCheck",
    "Audited", "AuthReply", "Backend", "Bound", "Bounds", "Builder", "Change",
    "Command", "Counts", "Datagram", "DatagramType", "Decision", "Denied",
    "Diff", "Direction", "Engine", "Error", "Expected", "Facts", "Failure",
    "Filter", "Finding", "Flow", "FlowInfo", "FlowList", "For", "Function", "Hop",
    "Instance", "Leg", "LibraryNotFound", "LogLevel", "MARK", "Match", "Meta", "Method",
    "MetricsFormat",
    "Model", "ModelError", "ModelPlan", "NativeFilter", "Need", "Next", "Node",
    "OnAuditError", "PASS", "Pairs", "Parameter", "Parity", "Pipe", "Plan",
    "PlannedFunction", "PlannedPort", "Provision", "ProvisionChange", "Proxy", "ProxyPort",
    "Query", "ReasonerVersion", "Redirect", "Reply", "ReplyCode", "Request",
    "Sandbox", "SandboxAccess", "SandboxKeep", "SandboxPart",
    "ServiceState", "Session", "SessionState", "SessionTable", "SessionUse",
    "Stack", "StackValue", "TlsFeature", "TokenState", "UdpError", "Verdict",
    "Version", "__version__", "busy_ms", "check_audit", "choose_method",
    "connect", "endpoint_wait", "errors", "estimate_ms", "function_key",
    "is_good_place", "limits", "open_connection", "read_secret",
    "reasoner_rule", "reply_text", "service_pass_on", "service_tell", "tls_has", "tls_library",
    "use_allocator", "users_remove", "users_set", "version", "wipe",
]
