"""config.py: brane-prx's proxy.yml.

    outgoing_range: {start: 4200, end: 4299}
    incoming:
      5000: internal-host:80
    forward:
      address: proxy:1080
      protocol: socks6
"""
from __future__ import annotations

import json
import os
import pathlib
import re
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Union

from ..address import Address
from ..errors import InvalidArgument

_KEYS = {"outgoing_range", "incoming", "forward"}
_LINE = re.compile(r"""( *)("[^"]*"|'[^']*'|[^\s:#'"{}\[\]][^:#]*?)\s*:(?:\s+(.*?))?\s*""")


@dataclass(frozen=True)
class ProxyConfig:
    """What proxy.yml says: the ports for outgoing paths, where connections to
    further ports are forwarded to, and the proxy, a URL, that all outgoing
    paths go through."""

    outgoing: range = range(4200, 4300)
    incoming: Mapping[int, Address] = field(default_factory=dict)
    forward: Optional[str] = None

    @classmethod
    def load(cls, path: Union[str, os.PathLike[str]]) -> ProxyConfig:
        """Read a file. Raises InvalidArgument, OSError."""
        return cls.parse(pathlib.Path(path).read_text())

    @classmethod
    def parse(cls, text: str) -> ProxyConfig:
        """Read a document. Raises InvalidArgument, with the line or the key."""
        said = _mapping_of(text)
        unknown = set(said) - _KEYS
        if unknown:
            raise InvalidArgument(f"proxy.yml: unknown key"
                                  f" {sorted(unknown)[0]!r}")
        incoming = said.get("incoming") or {}
        if not isinstance(incoming, Mapping):
            raise InvalidArgument("proxy.yml: incoming has PORT: HOST:PORT")
        return cls(outgoing=_range(said.get("outgoing_range")),
                   incoming={_port(port): Address.parse(str(to))
                             for port, to in incoming.items()},
                   forward=_forward(said.get("forward")))


def _port(text: object) -> int:
    if not re.fullmatch(r"\d{1,5}", str(text)) or not 0 < int(str(text)) < 2**16:
        raise InvalidArgument(f"proxy.yml: {text!r} is no port")
    return int(str(text))


def _range(said: Any) -> range:
    if said is None:
        return ProxyConfig.outgoing
    if not isinstance(said, Mapping) or set(said) != {"start", "end"}:
        raise InvalidArgument("proxy.yml: outgoing_range has start and end")
    ports = range(_port(said["start"]), _port(said["end"]) + 1)
    if not ports:
        raise InvalidArgument("proxy.yml: outgoing_range has no port")
    return ports


def _forward(said: Any) -> Optional[str]:
    """The proxy's URL. Brane's speak socksx's dialect; `dialect: draft` is for
    one that does not."""
    if said is None:
        return None
    if not isinstance(said, Mapping) or not {"address", "protocol"} <= set(said):
        raise InvalidArgument("proxy.yml: forward has address and protocol")
    protocol = str(said["protocol"]).lower()
    if protocol not in ("socks5", "socks6"):
        raise InvalidArgument("proxy.yml: forward.protocol is socks5 or socks6")
    address = Address.parse(str(said["address"]).rpartition("://")[2])
    dialect = said.get("dialect", "socksx")
    if dialect not in ("socksx", "draft"):
        raise InvalidArgument("proxy.yml: forward.dialect is socksx or draft")
    more = "?dialect=socksx" if (protocol, dialect) == ("socks6",
                                                        "socksx") else ""
    return f"{protocol}://{address}{more}"


# ---- as much YAML as such a file has ----


def _mapping_of(text: str) -> Mapping[str, Any]:
    """Mappings by indentation or in braces, and plain values; JSON too."""
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except ValueError as error:
            raise InvalidArgument(f"proxy.yml: {error}") from None
        return dict(found)
    top: dict[str, Any] = {}
    open_at: list[tuple[int, dict[str, Any]]] = [(-1, top)]
    begun: Optional[tuple[dict[str, Any], str]] = None  # a key without a value
    for number, line in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", line).rstrip()
        if not line or line == "---":
            continue
        found = _LINE.fullmatch(line)
        if not found:
            raise InvalidArgument(f"proxy.yml:{number}: a line is KEY: VALUE")
        depth, key, value = len(found[1]), found[2].strip("\"'"), found[3]
        if begun and depth > open_at[-1][0]:
            inner: dict[str, Any] = {}
            begun[0][begun[1]] = inner
            open_at.append((depth, inner))
        elif len(open_at) == 1:
            open_at.append((depth, top))
        while depth < open_at[-1][0]:
            open_at.pop()
        at, into = open_at[-1]
        if depth != at or key in into:
            raise InvalidArgument(f"proxy.yml:{number}: {key!r} does not belong"
                                  " there")
        into[key] = _value(number, value)
        begun = (into, key) if value is None else None
    return top


def _value(number: int, text: Optional[str]) -> Any:
    if text is None or text in ("null", "~"):
        return None
    if text.startswith("{"):
        if not text.endswith("}"):
            raise InvalidArgument(f"proxy.yml:{number}: no }} in the line")
        pairs = [pair.partition(":") for pair in text[1:-1].split(",")
                 if pair.strip()]
        return {key.strip().strip("\"'"): _value(number, value.strip())
                for key, _, value in pairs}
    if text[0] in "[|>&*!%@`":
        raise InvalidArgument(f"proxy.yml:{number}: {text!r} is no plain value")
    return text.strip("\"'")
