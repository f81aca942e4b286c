"""audits.py: python -m epi check --audit: has anybody changed a log?"""
from __future__ import annotations

import argparse
import json
import sys

from ..audit import Audited, check_audit
from ..library import read_secret, wipe


def _print(found: Audited, as_json: bool) -> None:
    """What is known up to the break, too."""
    if as_json:
        print(json.dumps({
            "whole": bool(found), "lines": found.lines, "first": found.first,
            "last": found.last, "from": found.first_time,
            "to": found.last_time, "mac": found.mac,
        }, separators=(",", ":"), ensure_ascii=False))
        return
    line = (f"{'unchanged' if found else 'before the break'}: {found.lines}"
            f" line{'' if found.lines == 1 else 's'}")
    if found.lines:
        line += (f", numbers {found.first} to {found.last}, {found.first_time}"
                 f" to {found.last_time}\nlast MAC: {found.mac}")
    print(line)


def answer(options: argparse.Namespace) -> int:
    """0 if the logs are whole, 1 if not. Raises Error or OSError."""
    key = read_secret(options.audit_key)
    try:
        found = check_audit([options.model, *options.more], key)
    finally:
        wipe(key)
    if not found:
        print(f"epi check: {found.broken}", file=sys.stderr)
    _print(found, options.json)
    return 0 if found else 1
