#!/usr/bin/env python3
"""move.py check|plan|move: what the package does; Brane calls it.

Inputs are JSON in environment variables with upper-case names, the output is
YAML on standard output. It needs no privilege: the proxy does the work, and the
policy decides there.

    check, plan   MODEL (a path, or the document), FROM, TO, PORT, PURPOSE
    move          DATASET (a path), HOST, PORT, PROXY (a URL), PURPOSE
"""
import hashlib
import json
import os
import pathlib
import socket
import sys

import epi

PIECE = 1024 * 1024


def given(name, optional=False):
    """An input, or None."""
    text = os.environ.get(name.upper())
    if text is None and not optional:
        raise SystemExit(f"move.py: {name.upper()} is missing")
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        raise SystemExit(f"move.py: {name.upper()} is no JSON: a text has"
                         " quotes") from None


def model():
    said = given("model")
    return epi.Model(said) if isinstance(said, dict) else epi.Model.load(said)


def decision():
    return model().decide(epi.Query(given("from"), given("to"),
                                    given("port", optional=True),
                                    purpose=given("purpose", optional=True)))


def check():
    found = decision()
    return f"{found.verdict}: {found.reason}"


def plan():
    found = decision()
    if not found:
        raise SystemExit(f"refused, {found.verdict}: {found.reason}")
    return "; ".join(
        f"{hop.proxy}: {', '.join(f.name for f in hop.functions) or 'passes'}"
        for hop in found.plan.hops) or "directly"


def move():
    path = pathlib.Path(given("dataset"))
    metadata = {epi.Meta.DATASET: path.name}
    purpose = given("purpose", optional=True)
    if purpose:
        metadata[epi.Meta.PURPOSE] = purpose
    digest, sent = hashlib.sha256(), 0
    with path.open("rb") as file, epi.connect(
            (given("host"), given("port")), via=given("proxy"),
            metadata=metadata) as sock:
        while data := file.read(PIECE):
            sock.sendall(data)
            digest.update(data)
            sent += len(data)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(PIECE):  # until the other side has all of it
            pass
    return f"{sent} bytes, SHA-256 {digest.hexdigest()}"


def main():
    actions = {"check": check, "plan": plan, "move": move}
    if len(sys.argv) != 2 or sys.argv[1] not in actions:
        sys.exit(f"usage: move.py {'|'.join(actions)}")
    try:
        output = actions[sys.argv[1]]()
    except (epi.Error, OSError, TypeError) as error:
        sys.exit(f"move.py: {error}")
    # JSON is YAML, too.
    print(f"output: {json.dumps(output)}")


if __name__ == "__main__":
    main()
