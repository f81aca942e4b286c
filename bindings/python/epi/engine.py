"""engine.py: the proxy and the redirector, in threads of their own."""
from __future__ import annotations

import asyncio
import atexit
import ctypes
import enum
import inspect
import json
import logging
import os
import threading
import weakref
from dataclasses import dataclass
from typing import (
    Any,
    Callable,
    Iterable,
    Mapping,
    Optional,
    Tuple,
    TypeVar,
    Union,
)

from . import _abi as c
from . import limits
from . import pipe as pipes
from ._foreign import data_of
from ._handle import Handle, check, made, needed, taken
from .address import Address, AddressLike
from .audit import OnAuditError
from .control import (
    FlowList,
    Match,
    ModelPlan,
    explanation_of,
    flows_of,
    plan_of,
)
from .errors import InvalidArgument, InvalidState
from .filter import Filter, NativeFilter, native_of
from .model import Model
from .pipe import PASS, FlowInfo, Pass, Pipe

log = logging.getLogger("epi.engine")

T = TypeVar("T")


class Parameter(enum.IntEnum):
    """Parameters of an engine; include/epi/engine.h has units and defaults."""

    WORKERS = c.EPI_ENGINE_WORKERS
    LIMIT = c.EPI_ENGINE_LIMIT
    HANDSHAKE_MS = c.EPI_ENGINE_HANDSHAKE_MS
    CONNECT_MS = c.EPI_ENGINE_CONNECT_MS
    IDLE_MS = c.EPI_ENGINE_IDLE_MS
    HALF_CLOSED_MS = c.EPI_ENGINE_HALF_CLOSED_MS
    BUFFER = c.EPI_ENGINE_BUFFER
    MARK = c.EPI_ENGINE_MARK
    SESSIONS = c.EPI_ENGINE_SESSIONS
    SESSIONS_PER_OWNER = c.EPI_ENGINE_SESSIONS_PER_OWNER
    SESSION_IDLE_MS = c.EPI_ENGINE_SESSION_IDLE_MS
    TOKENS = c.EPI_ENGINE_TOKENS
    HAPPY_EYEBALLS = c.EPI_ENGINE_HAPPY_EYEBALLS
    UDP_IDLE_MS = c.EPI_ENGINE_UDP_IDLE_MS
    ASSOCIATIONS = c.EPI_ENGINE_ASSOCIATIONS
    CLIENT_ASSOCIATIONS = c.EPI_ENGINE_CLIENT_ASSOCIATIONS
    BIND_MS = c.EPI_ENGINE_BIND_MS
    CLIENT_BINDS = c.EPI_ENGINE_CLIENT_BINDS
    BIND_PORT_MIN = c.EPI_ENGINE_BIND_PORT_MIN
    BIND_PORT_MAX = c.EPI_ENGINE_BIND_PORT_MAX
    WARM = c.EPI_ENGINE_WARM
    WARM_IDLE_MS = c.EPI_ENGINE_WARM_IDLE_MS
    TUBE = c.EPI_ENGINE_TUBE
    PROVISION_MS = c.EPI_ENGINE_PROVISION_MS
    PROVISION_FLOWS = c.EPI_ENGINE_PROVISION_FLOWS
    INSTANCE_IDLE_MS = c.EPI_ENGINE_INSTANCE_IDLE_MS
    HEALTH_MS = c.EPI_ENGINE_HEALTH_MS
    FAST_OPEN = c.EPI_ENGINE_FAST_OPEN
    NAMES = c.EPI_ENGINE_NAMES
    CLIENT_CONNECTIONS = c.EPI_ENGINE_CLIENT_CONNECTIONS
    CLIENT_FLOWS = c.EPI_ENGINE_CLIENT_FLOWS
    USER_FLOWS = c.EPI_ENGINE_USER_FLOWS
    FLOW_BYTES_OUT = c.EPI_ENGINE_FLOW_BYTES_OUT
    FLOW_BYTES_BACK = c.EPI_ENGINE_FLOW_BYTES_BACK
    FLOW_RATE_OUT = c.EPI_ENGINE_FLOW_RATE_OUT
    FLOW_RATE_BACK = c.EPI_ENGINE_FLOW_RATE_BACK
    LOG_LEVEL = c.EPI_ENGINE_LOG_LEVEL
    AUDIT_HEAD_MS = c.EPI_ENGINE_AUDIT_HEAD_MS
    LOG_LINES = c.EPI_ENGINE_LOG_LINES
    LOGIN_FAILURES = c.EPI_ENGINE_LOGIN_FAILURES
    LOGIN_WINDOW_MS = c.EPI_ENGINE_LOGIN_WINDOW_MS
    LOGIN_PAUSE_MS = c.EPI_ENGINE_LOGIN_PAUSE_MS
    LOGIN_THREADS = c.EPI_ENGINE_LOGIN_THREADS
    MEMORY = c.EPI_ENGINE_MEMORY


class LogLevel(enum.IntEnum):
    """Levels of an engine's log lines; NOTE has flows that open, end, are
    refused."""

    ERROR = c.EPI_LOG_ERROR
    NOTE = c.EPI_LOG_NOTE
    DEBUG = c.EPI_LOG_DEBUG


class MetricsFormat(enum.IntEnum):
    """What Engine.metrics() writes."""

    PROMETHEUS = c.EPI_METRICS_PROMETHEUS
    OPEN = c.EPI_METRICS_OPEN


_LOGGED_AS = {c.EPI_LOG_ERROR: logging.ERROR, c.EPI_LOG_NOTE: logging.INFO,
              c.EPI_LOG_DEBUG: logging.DEBUG}


@dataclass(frozen=True)
class Counts:
    """Flows of an engine: open now; allowed, refused by policy, and failed
    otherwise, so far; and the bytes that flows hold now."""

    open: int
    allowed: int
    refused: int
    failed: int
    buffered: int = 0


@dataclass(frozen=True)
class Bounds:
    """A parameter's value and its bounds."""

    value: int
    lowest: int
    highest: int


@dataclass(frozen=True)
class Instance:
    """One instance of a function that runs at endpoints: where it is, whether
    it answered last, whether the model in force has it no more, and how many
    flows go through it."""

    function: str
    url: str
    answers: bool
    retired: bool
    flows: int


class _Delivery:
    """Brings what happens in a worker to a callback: in the event loop that
    the engine was entered in, else right here."""

    def __init__(self, callback: Callable[..., Any]) -> None:
        self.callback = callback
        self.loop: Optional[asyncio.AbstractEventLoop] = None

    def __call__(self, *arguments: Any) -> None:
        loop = self.loop
        if loop is None:
            try:
                self.callback(*arguments)
            except Exception:
                log.exception("a callback failed")
            return
        try:
            loop.call_soon_threadsafe(self._in_loop, *arguments)
        except RuntimeError:  # the loop is closed: nobody waits for this
            pass

    def _in_loop(self, *arguments: Any) -> None:
        returned = self.callback(*arguments)
        if inspect.isawaitable(returned):
            task = asyncio.ensure_future(returned)
            _tasks.add(task)
            task.add_done_callback(_tasks.discard)


_tasks: set[Any] = set()


class _Watch(Filter):
    """Tells of each flow that opens, and passes."""

    name = "watch"

    def __init__(self, deliver: _Delivery) -> None:
        self.deliver = deliver

    def open(self, pipe: Pipe) -> Optional[Pass]:
        self.deliver(pipe.flow)
        return PASS


class Engine(Handle):
    """A proxy or a redirector: sockets, decisions, chains, relay. It runs in
    threads of its own; in Python, several things at once:

        with Engine(model=model, listen=["socks://127.0.0.1:0"]) as engine:
            print(engine.addresses)

        async with Engine(model=model, listen=[...]) as engine:
            ...

    - `model` judges the flows; without one, all are allowed.
    - `listen` has URLs as for listen(), `via` those of further proxies as for
      add_hop(), `filters` what every flow goes through: Filter objects,
      NativeFilter objects, or a built-in one as `NAME[:ARGS]`.
    - `name` is which of the model's proxies this is, `chain_key` the key that
      proxies share, `function` the name and the key of the function that this
      is (set_function()), `filter_path` where models may take shared objects from,
      `metadata` what goes along with every flow, `dns` a server for clients
      that ask the proxy for names.
    - `on_log(level, line)` gets log lines, `on_flow(flow)` a FlowInfo for each
      flow that opens, with its decision. They are called in the event loop
      that the engine was entered in by `async with` (and may be coroutine
      functions then), else in the engine's workers, where they must not block
      and cannot call the engine.
    - Further keywords are parameters, as `workers=2` or `idle_ms=60_000`.

    An engine starts only once. At the end of the interpreter all engines are
    stopped. Threads: any; calls wait for each other. After a fork, the child
    has no engine. Source: include/epi/engine.h.
    """

    __slots__ = ("_lock", "_answers", "_reading", "_number", "_deliveries",
                 "_on_log", "_on_start_instance", "_on_stop_instance", "_on_reload", "_state",
                 "_addresses")
    _free = c.epi_engine_free

    def __init__(self, *, model: Optional[Model] = None,
                 listen: Iterable[str] = (), via: Iterable[str] = (),
                 filters: Iterable[Union[Filter, NativeFilter, str]] = (),
                 name: Optional[str] = None,
                 chain_key: Optional[bytes] = None,
                 function: Optional[Tuple[str, bytes]] = None,
                 filter_path: Union[None, str, os.PathLike[str]] = None,
                 metadata: Optional[Mapping[int, str]] = None,
                 dns: Optional[AddressLike] = None,
                 on_log: Optional[Callable[[LogLevel, str], Any]] = None,
                 on_flow: Optional[Callable[[FlowInfo], Any]] = None,
                 **parameters: int) -> None:
        super().__init__(made(c.epi_engine_new))
        self._lock = threading.Lock()
        self._answers = threading.Lock()  # about instances, at any time
        self._reading = threading.Lock()
        self._number = next(pipes.numbers)
        self._deliveries: list[_Delivery] = []
        self._on_log: Optional[_Delivery] = None
        self._on_reload: Optional[_Delivery] = None
        self._on_start_instance: Optional[_Delivery] = None
        self._on_stop_instance: Optional[_Delivery] = None
        self._state = "new"
        self._addresses: list[Address] = []
        _engines[self._number] = self
        c.epi_engine_on_log(self._handle, _ON_LOG, self._number)
        for key, value in parameters.items():
            self.set(_parameter(key), value)
        if on_log is not None:
            self.on_log(on_log)
        if on_flow is not None:
            self.on_flow(on_flow)
        for url in _several(listen):
            self.listen(url)
        for url in _several(via):
            self.add_hop(url)
        for filter in _several(filters):
            self.add_filter(filter)
        if name is not None:
            self.set_name(name)
        if chain_key is not None:
            self.set_chain_key(chain_key)
        if function is not None:
            self.set_function(*function)
        if filter_path is not None:
            self.set_filter_path(filter_path)
        for number, text in (metadata or {}).items():
            self.set_metadata(number, text)
        if dns is not None:
            self.set_dns(dns)
        if model is not None:
            self.set_model(model)

    def _call(self, function: Callable[..., int], *arguments: Any) -> int:
        """Call the C API, one call at a time, and not from a callback, which
        the call could wait for."""
        if pipes.inside.depth:
            raise InvalidState("an engine cannot be called from a callback")
        with self._lock:
            return check(function(self._handle, *arguments))

    # ---- set-up ----

    def set(self, parameter: Parameter, value: int) -> None:
        """Set a parameter, also while it runs, but for MARK; and WORKERS
        before listening, or once it runs. Limits count for whoever comes next.
        Raises InvalidArgument out of its bounds, InvalidState too late, and
        SystemRefused or LimitReached for a worker more."""
        self._call(c.epi_engine_set, parameter, value)

    def bounds(self, parameter: Parameter) -> Bounds:
        """A parameter's value and its bounds."""
        found = [ctypes.c_int64() for _ in range(3)]
        self._call(c.epi_engine_bounds, parameter,
                   *(ctypes.byref(one) for one in found))
        return Bounds(*(one.value for one in found))

    def listen(self, url: str) -> Address:
        """Listen on an address, also while it runs: `socks://HOST:PORT`,
        `tcp://HOST:PORT=DEST:PORT`, these with `+tls`, `redirect://HOST:PORT`,
        with settings as a query (include/epi/engine.h). Returns the address,
        with the port that it got for port 0.

        Raises InvalidArgument, NotSupported, Busy, PrivilegeMissing,
        SystemRefused, NotFound (no such file), LimitReached, InvalidState (it
        drains, or was stopped)."""
        self._change(c.epi_engine_listen, url)
        return self._addresses[-1]

    def unlisten(self, url: str) -> None:
        """Listen no more with a listener, by its URL as it was given or
        `SCHEME://HOST:PORT`, with the port that it got. Its flows go on, but
        datagrams come no more by its UDP ports. The last one cannot go while
        the engine runs.

        Raises NotFound (no such listener), InvalidState."""
        self._change(c.epi_engine_unlisten, url)

    def relisten(self, url: str, by: str) -> None:
        """Have another URL take a listener's place while the engine runs, with
        the same sockets if the address is the same: other settings, or its
        files read anew.

        Raises NotFound (no such listener), InvalidState (it does not run), or
        as listen(); nothing changes then."""
        self._change(c.epi_engine_relisten, url, by)

    def reload_users(self) -> int:
        """Read the users files of the listeners again that have changed; call
        it now and then. A bad file changes nothing, and the log says why, once;
        one that could not be read for want of memory or descriptors is tried
        again each time.
        Returns how many were read again.

        Raises the error of a bad one."""
        return self._call(c.epi_engine_reload_users)

    def _change(self, change: Callable[..., int], *urls: str) -> None:
        """Change what it listens with."""
        def call(engine: int) -> int:
            result = change(engine, *urls)
            if result == 0:
                self._addresses = _addresses_of(engine)
            return result

        self._call(call)

    @property
    def urls(self) -> tuple[str, ...]:
        """What listen() was given, in the order of `addresses`."""
        found: list[str] = []

        def read(engine: int) -> int:
            out = ctypes.c_void_p()
            while c.epi_engine_listener_url(engine, len(found),
                                            ctypes.byref(out)) == 0:
                found.append(taken(out))
            return 0

        self._call(read)
        return tuple(found)

    def adopt_socket(self, fd: int) -> None:
        """Have `listen` use a socket that another program has made, if it is at
        the same address: a descriptor, which stays the caller's.

        Raises InvalidArgument (no such socket), LimitReached, InvalidState (it
        was started)."""
        self._call(c.epi_engine_adopt_socket, fd)

    def sockets(self) -> list[int]:
        """The sockets that it listens with, for another program to adopt:
        descriptors, which stay the engine's."""
        found: list[int] = []

        def read(engine: int) -> int:
            fd: int = c.epi_engine_socket(engine, 0)
            while fd >= 0:
                found.append(fd)
                fd = c.epi_engine_socket(engine, len(found))
            return 0

        self._call(read)
        return found

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where it listens, in order."""
        return tuple(self._addresses)

    def add_hop(self, url: str) -> None:
        """Send every flow through a further proxy, before the start:
        `socks5://HOST:PORT` or `socks6://HOST:PORT`, or these with `+tls`,
        with `credentials=FILE` and, of socks6, `draft=11`, `draft=12` or
        `dialect=socksx` as a query, or USER:PASS@ before the host; up to 16,
        passed in order. doc/tls.md has the settings of TLS.

        Raises InvalidArgument, NotFound, PrivilegeMissing
        or SystemRefused (the file), LimitReached, InvalidState."""
        self._call(c.epi_engine_add_hop, url)

    def set_tls(self, name: str, value: Optional[str]) -> None:
        """Set what hops over TLS use where their URLs say nothing, before the
        start: `ca`, `cert`, `key`, `crl`, `staple` or `tls` (doc/tls.md); None
        takes it back. Files are read when a hop is added, or used first: set
        it before you add hops, and listeners with =tls://, for these keep to
        what was set then. Raises InvalidArgument, InvalidState."""
        self._call(c.epi_engine_set_tls, name, value)

    def reload_tls(self, all: bool = False) -> int:
        """Read files of certificates, keys, authorities and revocation lists
        anew, those that changed or all of them; what they hold counts for
        connections from then on. Returns how many listeners and hops changed.

        Raises an error for files that are bad, and then they go on as they
        were."""
        return self._call(c.epi_engine_reload_tls, int(all))

    def add_filter(self, filter: Union[Filter, NativeFilter, str]) -> None:
        """Send every flow through a filter, before the start; up to 16, in
        order. The engine keeps it alive.

        Raises LimitReached, InvalidState, and for the name of a built-in one
        as NativeFilter.builtin()."""
        native = native_of(filter)
        self._call(c.epi_engine_add_filter, native._handle)

    def set_name(self, name: Optional[str]) -> None:
        """Say which of the model's proxies this is, before the start. Without
        this, or with None, it is the one whose endpoint is a listener's
        address; else it only judges. Raises InvalidState."""
        self._call(c.epi_engine_set_name, name)

    def set_chain_key(self, key: bytes) -> None:
        """Set the key by which proxies believe each other's word on a flow's
        source and plan, 16 to 1,024 bytes, before the start and before the
        model. It is copied, and wiped at the end; wipe() your own.

        Raises InvalidArgument, InvalidState (too late, or this is a function),
        CryptoError."""
        key = data_of(key)
        self._call(c.epi_engine_set_chain_key, key, len(key))

    def set_audit(self, path: Union[str, os.PathLike[str]], key: bytes,
                  on_error: OnAuditError = OnAuditError.REFUSE) -> None:
        """Append a chained line to a file for each decision and each end of a
        flow, before the start (doc/audit.md). The key has 16 to 1,024 bytes.
        Raises ProtocolError if the file is there and its chain is broken."""
        key = data_of(key)
        self._call(c.epi_engine_set_audit, os.fspath(path), key, len(key),
                   on_error)

    def audit_head(self) -> None:
        """Write a line to the audit log that says how far it goes, now; a file
        that was renamed or removed is left for a new one with it. At any time,
        from any thread. Raises InvalidState (there is no audit log),
        LimitReached (too many lines wait for the disk)."""
        self._call(c.epi_engine_audit_head)

    def move_audit(self, path: Union[str, os.PathLike[str]]) -> None:
        """Rename the audit log's file to a path in the same folder, where
        nothing may be, and go on with it there: another process can then begin
        a log of its own at the path that is left. At any time, from any thread.
        Raises InvalidState (there is no audit log), Busy (something is at the
        path), PermissionDenied, SystemFailure; the file is where it was
        then."""
        self._call(c.epi_engine_move_audit, os.fspath(path))

    def set_function(self, name: str, key: bytes) -> None:
        """Say which function of the proxies' models this engine is, before the
        start; key is that of function_key(). It then takes the requests alone
        that a proxy with the chain key meant for it, and shows the next proxy
        that the flow passed. Raises InvalidState if it has a chain key or a
        model."""
        key = data_of(key)
        if len(key) != c.EPI_FUNCTION_KEY:
            raise InvalidArgument(f"the key of a function has"
                                  f" {c.EPI_FUNCTION_KEY} bytes")
        self._call(c.epi_engine_set_function, name, key)

    def set_filter_path(self,
                        folder: Union[None, str, os.PathLike[str]]) -> None:
        """Let models name shared objects in one folder, by their file names,
        before the start and before the model; None takes it back. Without this
        no model can have code loaded.

        Raises NotFound (no such folder), PrivilegeMissing (everybody can put
        files there), InvalidState."""
        self._call(c.epi_engine_set_filter_path, folder)

    def set_metadata(self, key: int, value: Optional[str]) -> None:
        """Send metadata (Meta) along with every flow, before the start; None
        takes it back. Raises InvalidArgument, LimitReached, InvalidState."""
        self._call(c.epi_engine_set_metadata, key, value)

    def set_dns(self, server: Optional[AddressLike]) -> None:
        """Serve DNS to clients that connect to 0.0.0.0 or [::], port 53
        (draft-11, "DNS provided by SOCKS"), by connecting them to this server,
        which is judged as any destination; before the start. None, the default:
        they are refused. Raises InvalidArgument (no host, or no port),
        InvalidState."""
        self._call(c.epi_engine_set_dns,
                   None if server is None else Address.of(server)._c)

    def on_log(self, callback: Callable[[LogLevel, str], Any]) -> None:
        """Call back with log lines, before the start. Without this they go to
        the logger "epi.engine". They have no line end, hold no payload and no
        secret, and bytes from peers are made printable. Raises InvalidState."""
        self._before_start()
        self._on_log = _Delivery(callback)
        self._deliveries.append(self._on_log)

    def on_flow(self, callback: Callable[[FlowInfo], Any]) -> None:
        """Call back with each flow that opens, before the start."""
        deliver = _Delivery(callback)
        self.add_filter(_Watch(deliver))
        self._deliveries.append(deliver)

    # ---- instances that are started when flows need them ----

    def on_start_instance(
            self, callback: Callable[[int, str, str, Mapping[str, str]], Any]
    ) -> None:
        """Call back, before the start, when an instance of a function is
        needed: with its number, the function, its image and options. Say
        instance_ready() or instance_failed() then, or later.

        The callback is called as on_log is, but in a thread of its own, where
        it may take its time. Source: include/epi/instance.h."""
        self._call(c.epi_engine_on_start_instance, _ON_START_INSTANCE,
                   self._number)
        self._on_start_instance = _Delivery(callback)
        self._deliveries.append(self._on_start_instance)

    def on_stop_instance(self, callback: Callable[[int, str, str], Any]
                         ) -> None:
        """Call back, before the start, when an instance is to be stopped: with
        its number, the function, and its URL, "" if it was not ready."""
        self._call(c.epi_engine_on_stop_instance, _ON_STOP_INSTANCE,
                   self._number)
        self._on_stop_instance = _Delivery(callback)
        self._deliveries.append(self._on_stop_instance)

    def instance_ready(self, instance: int, url: str) -> None:
        """Say that an instance takes connections at a URL. From any thread,
        also in a callback. Raises InvalidArgument, NotSupported (the URL),
        NotFound (nobody waits for it any more), OutOfMemory (it has failed,
        and is stopped)."""
        with self._answers:
            check(c.epi_engine_instance_ready(self._handle, instance, url))

    def instance_failed(self, instance: int, reason: str) -> None:
        """Say that an instance cannot be started, or is gone. From any thread,
        also in a callback. Raises InvalidArgument (no reason), NotFound."""
        with self._answers:
            check(c.epi_engine_instance_failed(self._handle, instance, reason))

    def set_provision_command(
            self, path: Union[None, str, os.PathLike[str]]) -> None:
        """Have instances started and stopped by a program, before the start
        (doc/instances.md); None: not any more. Raises NotFound,
        PrivilegeMissing (it may not be run, or everybody can change it)."""
        self._call(c.epi_engine_set_provision_command,
                   None if path is None else os.fspath(path))

    def _before_start(self) -> None:
        if self._state != "new":
            raise InvalidState("the engine was started")

    # ---- its life ----

    def set_model(self, model: Optional[Model]) -> None:
        """Judge flows by a model, None: by none. While the engine runs, new
        flows are judged by the new model at once; flows that it does not allow
        any more, or only through another chain, are cut; and ports that it
        gives this proxy open and close.

        Raises Denied if the model names a shared object that it may not have;
        Busy, PrivilegeMissing or SystemRefused if a port cannot be listened at;
        InvalidArgument if one leads to this proxy; InvalidState if this engine
        is a function; and as NativeFilter for filters that cannot be made. The
        old model then stays."""
        self._call(c.epi_engine_set_model,
                   None if model is None else needed(Model, model)._handle)

    def start(self) -> None:
        """Listen at the ports that the model gives this proxy, and start the
        workers. Raises InvalidState (it was started, or listens nowhere),
        InvalidArgument (the name is none of the model's proxies, or a hop or
        destination is a listener of its own), Busy, PrivilegeMissing or
        SystemRefused; nothing runs then."""
        if _over:
            raise InvalidState("the interpreter is about to end")
        self._call(c.epi_engine_start)
        self._state = "running"

    def drain(self, ms: int) -> None:
        """Close the listeners, and let flows finish for at most ms
        milliseconds, up to 2,147,483,647; those that are left then are cut, and
        `has_drained` says when. Does not wait. Calling it again gives them
        another time from then on, 0 cuts them at once.

        Raises InvalidArgument, InvalidState (it does not run)."""
        self._call(c.epi_engine_drain, ms)

    @property
    def has_drained(self) -> bool:
        """Whether an engine that drains has ended all of its flows; also in
        callbacks."""
        return self._read(lambda: bool(c.epi_engine_has_drained(self._handle)))

    def stop(self) -> None:
        """Close the listeners, cut all flows, end the workers, and wait for
        that. The engine is then of no more use but for its counts."""
        self._call(_stop)
        self._state = "stopped"

    def close(self) -> None:
        """Stop, and free what the engine has. Calling it again is fine."""
        if pipes.inside.depth:
            raise InvalidState("an engine cannot be closed from a callback")
        with self._lock:
            if self._pointer is not None:
                c.epi_engine_stop(self._pointer)  # callbacks may yet answer
            with self._answers, self._reading:
                pointer, self._pointer = self._pointer, None
            self._state = "closed"
            if pointer is not None:
                type(self)._free(pointer)

    @property
    def counts(self) -> Counts:
        """How many flows there are and were; also in callbacks."""
        return self._read(self._counted)

    def _read(self, function: Callable[[], T]) -> T:
        """What a function reads, while nobody frees the engine. It may not
        wait: a callback may ask, while _call() is at work."""
        with self._reading:
            return function()

    def _counted(self) -> Counts:
        return Counts(*(check(c.epi_engine_count(self._handle, what))
                        for what in (c.EPI_COUNT_OPEN, c.EPI_COUNT_ALLOWED,
                                     c.EPI_COUNT_REFUSED, c.EPI_COUNT_FAILED,
                                     c.EPI_COUNT_BUFFERED)))

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The instances of functions that run at endpoints."""
        out = ctypes.c_void_p()
        self._call(c.epi_engine_instances, ctypes.byref(out))
        return tuple(
            Instance(one["function"], one["url"], one["answers"],
                     one["retired"], one["flows"])
            for one in json.loads(taken(out)))

    def metrics(self, format: MetricsFormat = MetricsFormat.PROMETHEUS) -> str:
        """What the engine counts, as text: the text format 0.0.4 of
        Prometheus, or OpenMetrics 1.0. doc/sight.md names each metric."""
        out = ctypes.c_void_p()
        self._call(c.epi_engine_metrics, format, ctypes.byref(out))
        return taken(out)

    def serve_status(self, url: Optional[str]) -> Optional[Address]:
        """Serve metrics, health and a page for people by HTTP at HOST:PORT, in
        a thread of its own, until it is stopped or told None; the address.
        There is no login: the address must be a loopback one, or have
        `?anyone=yes` behind it. At `unix:PATH` it is a socket that this user
        alone can connect to, and the result is None.

        Raises InvalidArgument, PrivilegeMissing, Busy, InvalidState (it is
        served already), NotSupported (libepi was built without)."""
        self._call(c.epi_engine_serve_status, url)
        if url is None or url.startswith("unix:"):
            return None
        address = Address("0.0.0.0")
        self._call(c.epi_engine_status_addr, ctypes.byref(address._c))
        return address

    # ---- admins ----

    def serve_admin(self, path: Union[None, str, os.PathLike[str]]) -> None:
        """Serve admins at a Unix socket, from now on until stop(); None: not
        any more. This user and root alone may connect, and may do with the
        engine whatever its program may: Admin asks there, and epi-proxy ctl.

        Raises Busy (somebody listens there, or it is no socket),
        InvalidArgument (the path is too long), NotFound (no such folder),
        PrivilegeMissing, InvalidState (it serves already, or was stopped),
        SystemRefused."""
        self._call(c.epi_engine_serve_admin,
                   None if path is None else os.fspath(path))

    def on_reload(self, callback: Callable[[], Any]) -> None:
        """Call back when an admin wants the program to read its files again,
        before serve_admin(). The callback is called as on_log is."""
        self._on_reload = _Delivery(callback)
        self._deliveries.append(self._on_reload)
        self._call(_on_reload, self._number)

    # ---- its flows ----

    def flows(self, match: Optional[Match] = None, *, start: int = 0,
              most: int = limits.CONTROL_FLOWS) -> FlowList:
        """List flows that are open, by their numbers: those that match, None
        for all, from the number `start` on, at most `most`. Waits for
        limits.CONTROL_MS milliseconds at most.

        Raises InvalidArgument (the match, or `most` is not 1 to
        limits.CONTROL_FLOWS)."""
        return flows_of(self._call, match, start, most)

    def explain(self, flow: int) -> Mapping[str, Any]:
        """Explain one flow: `flow`, as in the list; `decision`, `route`, and
        `now`, what the model says today, rule by rule (doc/admin.md).

        Raises NotFound (no such flow), TimedOut (a worker did not answer)."""
        return explanation_of(self._call, flow)

    def kill(self, match: Match, reason: str) -> int:
        """Kill the flows that match: they end at once, and a client that waits
        for a reply still gets one. Log and audit log have the reason, 1 to
        limits.REASON bytes. Returns how many were killed.

        Raises InvalidArgument, TimedOut: a worker did not answer in time, and
        kills those that it has once it comes to it."""
        return self._call(c.epi_engine_kill, needed(Match, match)._made(),
                          reason)

    @property
    def model(self) -> Optional[Model]:
        """The model that the engine judges by, None for none."""
        with self._lock:
            pointer = c.epi_engine_model(self._handle)
        return None if pointer is None else Model._held(pointer)

    def plan(self, model: Model, *,
             most: int = limits.CONTROL_FLOWS) -> ModelPlan:
        """Say what a model would change if set_model() were called, and change
        nothing: the flows that it would cut, `most` of them at most, and ports
        of this proxy. model.diff(engine.model) tells the rest.

        Raises InvalidArgument, InvalidState (this engine is a function), and
        as set_model() for filters that cannot be made."""
        return plan_of(self._call, needed(Model, model), most)

    def __enter__(self) -> Engine:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    async def __aenter__(self) -> Engine:
        loop = asyncio.get_running_loop()
        for deliver in self._deliveries:
            deliver.loop = loop
        await loop.run_in_executor(None, self.start)
        return self

    async def __aexit__(self, *exc: object) -> None:
        # Not in the loop: a worker may be about to call it.
        await asyncio.get_running_loop().run_in_executor(None, self.close)

    def __del__(self) -> None:
        pointer = getattr(self, "_pointer", None)
        if pointer is None:
            return
        self._pointer = None
        if pipes.inside.depth:
            # This is one of the engine's own workers, maybe: stopping would
            # wait for itself.
            threading.Thread(target=type(self)._free, args=(pointer,),
                             daemon=True).start()
        else:
            type(self)._free(pointer)

    def __repr__(self) -> str:
        where = ", ".join(str(address) for address
                          in getattr(self, "_addresses", ()))
        state = getattr(self, "_state", "never made")
        return f"<Engine {state}{' at ' if where else ''}{where}>"


def _addresses_of(engine: int) -> list[Address]:
    found: list[Address] = []
    while True:
        address = Address("0.0.0.0")
        if c.epi_engine_listener_addr(engine, len(found),
                                      ctypes.byref(address._c)):
            return found
        found.append(address)


def _on_reload(engine: int, number: int) -> int:
    c.epi_engine_on_reload(engine, _ON_RELOAD, number)
    return 0


def _stop(engine: int) -> int:
    c.epi_engine_stop(engine)
    return 0


def _parameter(key: str) -> Parameter:
    try:
        return Parameter[key.upper()]
    except KeyError:
        raise TypeError(f"Engine() got an unexpected keyword argument"
                        f" {key!r}") from None


def _several(values: Any) -> Iterable[Any]:
    """Values, or the one that was given in their place."""
    if isinstance(values, (str, Filter, NativeFilter)):
        return (values,)
    return tuple(values)


# ---- log lines, and the end ----

_engines: weakref.WeakValueDictionary[int, Engine] = (
    weakref.WeakValueDictionary())
_over = False


def _log_line(level: int, line: bytes, number: int) -> None:
    pipes.inside.depth += 1
    try:
        engine = _engines.get(number)
        deliver = engine._on_log if engine is not None else None
        text = line.decode(errors="replace")
        if deliver is not None:
            deliver(LogLevel(level), text)
        else:
            log.log(_LOGGED_AS.get(level, logging.INFO), "%s", text)
        del engine
    finally:
        pipes.inside.depth -= 1


_ON_LOG = pipes.callback(c.epi_engine_on_log, _log_line)


def _reload(number: int) -> None:
    pipes.inside.depth += 1
    try:
        engine = _engines.get(number)
        if engine is not None and engine._on_reload is not None:
            engine._on_reload()
        del engine
    finally:
        pipes.inside.depth -= 1


_ON_RELOAD = pipes.callback(c.epi_engine_on_reload, _reload)


@atexit.register
def _close_all() -> None:
    """No worker may call Python once the interpreter has ended."""
    global _over
    _over = True
    for engine in list(_engines.values()):
        engine.close()


def _forget_all() -> None:
    """A child of fork() has none of the threads that the engines are."""
    for engine in list(_engines.values()):
        engine._pointer = None
        engine._lock, engine._answers = threading.Lock(), threading.Lock()
        engine._reading = threading.Lock()
        engine._state = "left behind by fork()"


os.register_at_fork(after_in_child=_forget_all)


def function_key(chain_key: bytes, name: str) -> bytearray:
    """The key of a function at an endpoint, made of the proxies' chain key, at
    least 16 bytes, and the function's name in their models. Who has it can show
    that this function saw a flow, and nothing else: wipe() it after use.

    Raises InvalidArgument."""
    chain_key = data_of(chain_key)
    out = bytearray(c.EPI_FUNCTION_KEY)
    check(c.epi_function_key((ctypes.c_char * len(out)).from_buffer(out),
                             chain_key, len(chain_key), name))
    return out


class ServiceState(enum.IntEnum):
    """What a service manager is told."""

    READY = c.EPI_SERVICE_READY
    RELOADING = c.EPI_SERVICE_RELOADING
    STOPPING = c.EPI_SERVICE_STOPPING


def service_tell(state: ServiceState) -> bool:
    """Tell the service manager, if it asked to be told (NOTIFY_SOCKET, as
    systemd has it), how the service is. False: nobody asked.

    Raises SystemRefused if its socket is not there."""
    return bool(check(c.epi_service_tell(state)))


def service_pass_on(pid: int) -> bool:
    """Tell the service manager, if it asked to be told, that another process
    is the service from now on. False: nobody asked.

    Raises InvalidArgument, SystemRefused if its socket is not there."""
    return bool(check(c.epi_service_pass_on(pid)))


def endpoint_wait(url: str, timeout_ms: int) -> None:
    """Wait until something takes connections at a URL's HOST:PORT, for at most
    timeout_ms milliseconds.

    Raises TimedOut, ResolveError, InvalidArgument or SystemRefused."""
    if timeout_ms < 0:
        raise InvalidArgument("a time is 0 or more")
    check(c.epi_endpoint_wait(url, timeout_ms))


# ---- instances ----

def _start_instance(instance: int, function: bytes, image: bytes,
                    options: bytes, number: int) -> None:
    pipes.inside.depth += 1
    try:
        engine = _engines.get(number)
        if engine is not None and engine._on_start_instance is not None:
            engine._on_start_instance(instance, function.decode(),
                                      image.decode(), json.loads(options))
        del engine
    finally:
        pipes.inside.depth -= 1


def _stop_instance(instance: int, function: bytes, url: bytes,
                   number: int) -> None:
    pipes.inside.depth += 1
    try:
        engine = _engines.get(number)
        if engine is not None and engine._on_stop_instance is not None:
            engine._on_stop_instance(instance, function.decode(), url.decode())
        del engine
    finally:
        pipes.inside.depth -= 1


_ON_START_INSTANCE = pipes.callback(c.epi_engine_on_start_instance,
                                    _start_instance)
_ON_STOP_INSTANCE = pipes.callback(c.epi_engine_on_stop_instance,
                                   _stop_instance)
