"""paths.py: outgoing paths, as brane-prx has them.

    POST   /outgoing/new      {"address": URL, "tls": null} or
                              {"address": URL, "tls": {"location": NAME,
                               "use_client_auth": true}}
                              200 and the path's port as text; 400 for a bad
                              request; 507 when all ports are in use
    GET    /outgoing          a JSON list of the paths
    DELETE /outgoing/PORT     204; 404 if there is no such path

A connection to a path's port goes to the path's address, through the proxy that
is configured. Any number may be open at once."""
from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import pathlib
import ssl
from dataclasses import dataclass
from typing import Any, Optional, Union
from urllib.parse import urlsplit

from ..address import Address
from ..client import connect
from ..decision import Verdict
from ..engine import Engine
from ..errors import Busy, Denied, Error, InvalidArgument, LimitReached
from ..model import Model
from ..query import Query
from .config import ProxyConfig

log = logging.getLogger("epi.brane")

_BODY_MAX = 65536
_PIECE = 65536
_PORTS = {"http": 80, "https": 443, "": None}


class RangeUsedUp(LimitReached):
    """All ports of the range are in use."""


@dataclass(frozen=True)
class PathRequest:
    """What a service asks for."""

    address: Address
    location: Optional[str]
    use_client_auth: bool

    @classmethod
    def parse(cls, body: bytes) -> PathRequest:
        """Read the body of a request. Raises InvalidArgument."""
        try:
            said = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise InvalidArgument(f"no JSON: {error}") from None
        if not isinstance(said, dict) or not isinstance(
                said.get("address"), str):
            raise InvalidArgument("address is missing")
        tls = said.get("tls")
        if tls is None:
            return cls(_address(said["address"]), None, False)
        if not isinstance(tls, dict):
            raise InvalidArgument("tls is an object or null")
        location = tls.get("location")
        auth = tls.get("use_client_auth", False)
        if (not isinstance(location, str) or not isinstance(auth, bool)
                or not location or "/" in location or "\0" in location
                or location.startswith(".")):
            raise InvalidArgument("tls has a location, and use_client_auth")
        return cls(_address(said["address"]), location, auth)


def _address(url: str) -> Address:
    scheme, found, rest = url.partition("://")
    if not found:
        scheme, rest = "", url
    if scheme not in _PORTS:
        raise InvalidArgument(f"address is http:// or https://, not {scheme}://")
    parts = urlsplit(f"//{rest}")
    return Address.parse(parts.netloc.rpartition("@")[2], _PORTS[scheme])


class _EnginePath:
    """A path that libepi's engine carries, judged by the model."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def open(self) -> int:
        return self.engine.counts.open

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(None,
                                                         self.engine.close)


class _TlsPath:
    """A path that speaks TLS to its address."""

    def __init__(self, server: asyncio.AbstractServer,
                 flows: set[asyncio.Task[None]]) -> None:
        self.server, self.flows = server, flows

    @property
    def open(self) -> int:
        return len(self.flows)

    async def close(self) -> None:
        self.server.close()
        for flow in list(self.flows):
            flow.cancel()
        await asyncio.gather(*self.flows, return_exceptions=True)


_Path = Union[_EnginePath, _TlsPath]


class PathServer:
    """The API, and the paths that were asked for.

        async with PathServer(ProxyConfig.load("proxy.yml")) as server:
            await asyncio.Event().wait()

    `host` is where paths listen, `api` where the API does, "HOST:PORT". `model`
    judges the flows of paths; those with TLS may go on only if it allows them as
    they are, without functions, which TLS would blind. `certs` has a folder for
    each location with its `ca.pem`, and `client-id.pem` for client
    authentication.
    """

    def __init__(self, config: ProxyConfig = ProxyConfig(), *,
                 api: str = "127.0.0.1:0", host: str = "127.0.0.1",
                 model: Optional[Model] = None,
                 certs: Union[None, str, os.PathLike[str]] = None) -> None:
        self.config, self.host, self.model = config, host, model
        self.certs = None if certs is None else pathlib.Path(certs)
        self._api = Address.parse(api)
        self._paths: dict[int, tuple[PathRequest, _Path]] = {}
        self._incoming: list[Engine] = []

    async def __aenter__(self) -> PathServer:
        self._making = asyncio.Lock()
        loop = asyncio.get_running_loop()
        try:
            for port, dest in self.config.incoming.items():
                self._incoming.append(await loop.run_in_executor(
                    None, self._engine, port, dest, None))
            self._server = await asyncio.start_server(
                self._serve, self._api.host, self._api.port)
        except BaseException:
            await self._close_all()
            raise
        host, port = self._server.sockets[0].getsockname()[:2]
        self.address = Address(host, port)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        await self._close_all()

    async def _close_all(self) -> None:
        for _, path in self._paths.values():
            await path.close()
        self._paths.clear()
        for engine in self._incoming:
            await _EnginePath(engine).close()
        self._incoming.clear()

    # ---- paths ----

    def _engine(self, port: int, dest: Address,
                forward: Optional[str]) -> Engine:
        at = Address(self.host, port)
        engine = Engine(listen=f"tcp://{at}={dest}", workers=1,
                        via=[forward] if forward else [], model=self.model)
        engine.start()
        return engine

    async def open_path(self, request: PathRequest) -> int:
        """Make a path; its port. Raises RangeUsedUp if all are in use."""
        async with self._making:
            context = self._context(request)
            for port in self.config.outgoing:
                if port in self._paths:
                    continue
                try:
                    path = await self._made(port, request, context)
                except (Busy, OSError):
                    continue  # somebody else's
                self._paths[port] = request, path
                return port
        raise RangeUsedUp("all ports of the range are in use")

    async def _made(self, port: int, request: PathRequest,
                    context: Optional[ssl.SSLContext]) -> _Path:
        loop = asyncio.get_running_loop()
        if context is None:
            return _EnginePath(await loop.run_in_executor(
                None, self._engine, port, request.address,
                self.config.forward))
        tls, flows = context, set[asyncio.Task[None]]()

        async def carry(reader: asyncio.StreamReader,
                        writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            flows.add(task)
            try:
                await self._carry(reader, writer, request, tls)
            finally:
                flows.discard(task)
                writer.close()

        return _TlsPath(await asyncio.start_server(carry, self.host, port),
                        flows)

    def _context(self, request: PathRequest) -> Optional[ssl.SSLContext]:
        """Raises InvalidArgument for a location without certificates."""
        if request.location is None:
            return None
        if self.certs is None:
            raise InvalidArgument("there are no certificates here")
        folder = self.certs / request.location
        try:
            context = ssl.create_default_context(
                cafile=str(folder / "ca.pem"))
            if request.use_client_auth:
                context.load_cert_chain(str(folder / "client-id.pem"))
        except OSError as error:
            raise InvalidArgument(f"no certificates of {request.location}:"
                                  f" {error.strerror}") from None
        return context

    def _judge(self, peer: Any, request: PathRequest) -> None:
        """Raises Denied for a flow over TLS that the model does not allow as it
        is: functions would see nothing but what TLS makes of it."""
        if self.model is None:
            return
        decision = self.model.decide(Query(Address(*peer[:2]),
                                           request.address))
        if decision.verdict != Verdict.DIRECT:
            log.info("refused: %s to %s over TLS: %s: %s", peer[0],
                     request.address, decision.verdict, decision.reason)
            raise Denied(decision.reason)

    async def _carry(self, reader: asyncio.StreamReader,
                     writer: asyncio.StreamWriter, request: PathRequest,
                     context: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        via = [self.config.forward] if self.config.forward else []
        with contextlib.suppress(Error, OSError):
            self._judge(writer.get_extra_info("peername"), request)
            sock = await loop.run_in_executor(
                None, lambda: connect(request.address, via))
            to_reader, to_writer = await asyncio.open_connection(
                sock=sock, ssl=context, server_hostname=request.address.host)
            ways = [asyncio.ensure_future(_pump(reader, to_writer)),
                    asyncio.ensure_future(_pump(to_reader, writer))]
            try:
                # TLS has no half of a connection that is closed.
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
                to_writer.close()

    # ---- HTTP ----

    async def _serve(self, reader: asyncio.StreamReader,
                     writer: asyncio.StreamWriter) -> None:
        try:
            status, body = await asyncio.wait_for(self._answer(reader), 30)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError,
                ValueError) as error:
            status, body = "400 Bad Request", str(error)
        except Error as error:
            status, body = "500 Internal Server Error", str(error)
        except BaseException as error:
            writer.close()
            if isinstance(error, (asyncio.TimeoutError, OSError)):
                return
            raise
        kind = "application/json" if body.startswith("[") else "text/plain"
        data = body.encode()
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n"
                     f"Content-Length: {len(data)}\r\nConnection: close\r\n"
                     "\r\n".encode() + data)
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[str, str]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, target, *_ = [*first.split(" "), "", ""]
        fields = {name.strip().lower(): value.strip() for name, _, value in
                  (line.partition(":") for line in lines)}
        length = int(fields.get("content-length", "0"))
        if not 0 <= length <= _BODY_MAX:
            raise ValueError("the body is too long")
        return await self._do(method, target, await reader.readexactly(length))

    async def _do(self, method: str, target: str,
                  body: bytes) -> tuple[str, str]:
        if (method, target) == ("POST", "/outgoing/new"):
            try:
                port = await self.open_path(PathRequest.parse(body))
            except RangeUsedUp as error:
                return "507 Insufficient Storage", str(error)
            return "200 OK", str(port)
        if (method, target) == ("GET", "/outgoing"):
            return "200 OK", json.dumps([self._said(port) for port
                                         in sorted(self._paths)])
        _, _, word = target.rpartition("/")
        if method == "DELETE" and target == f"/outgoing/{word}":
            found: Any = (self._paths.pop(int(word), None)
                          if word.isdigit() else None)
            if found:
                await found[1].close()
                return "204 No Content", ""
        return "404 Not Found", "no such path"

    def _said(self, port: int) -> dict[str, Any]:
        request, path = self._paths[port]
        tls = None if request.location is None else {
            "location": request.location,
            "use_client_auth": request.use_client_auth}
        return {"port": port, "address": str(request.address), "tls": tls,
                "connections": path.open}


async def _pump(reader: asyncio.StreamReader,
                writer: asyncio.StreamWriter) -> None:
    while True:
        data = await reader.read(_PIECE)
        if not data:
            return
        writer.write(data)
        await writer.drain()
