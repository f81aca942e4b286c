#!/usr/bin/env python3
"""embed_status.py OUT: make a C header of the status page, and of the policy
under which browsers show it.

The page is one file that loads nothing but the JSON beside it: style and script
go into it, and the policy allows just these, by their hashes."""
from __future__ import annotations

import base64
import hashlib
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent


def allowed(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def main(out: str) -> None:
    page, style, script = (
        (HERE / f"status.{kind}").read_text(encoding="utf-8")
        for kind in ("html", "css", "js"))
    for text in (style, script):
        if "</" in text:
            sys.exit("what is put into the page would end its element")
    policy = (f"default-src 'none'; connect-src 'self'; img-src data:; "
              f"style-src {allowed(style)}; script-src {allowed(script)}; "
              f"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    data = page.replace("@STYLE@", style).replace("@SCRIPT@", script).encode()
    lines = [", ".join(str(byte) for byte in data[at:at + 16])
             for at in range(0, len(data), 16)]
    pathlib.Path(out).write_text(
        f"/* {pathlib.Path(out).name}: made by embed_status.py */\n"
        f"static const char status_policy[] = \"{policy}\";\n"
        "static const unsigned char status_page[] = {\n    "
        + ",\n    ".join(lines) + "};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
