"""What Brane, the framework that plans EPI's workflows, wants of a proxy:

- `epi.brane.paths`: the API by which its services ask for outgoing paths, as
  brane-prx has it; `python -m epi.brane` serves it;
- `epi.brane.config`: brane-prx's `proxy.yml`;
- replies of the policy reasoner, in both versions, are Model.with_reply(),
  epi.reasoner_rule() and Decision.reasoner_reply().

A package for Brane is in bindings/python/examples/brane."""
from __future__ import annotations

from .config import ProxyConfig
from .paths import PathServer

__all__ = ["PathServer", "ProxyConfig"]
