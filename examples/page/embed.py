#!/usr/bin/env python3
"""embed.py OUT: make a C header of the page, which is in two halves: the model
goes in between.

The page is one file that loads nothing: style and scripts go into it, and its
policy allows just these, by their hashes."""
from __future__ import annotations

import base64
import hashlib
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SCRIPTS = ("page_start.js", "page_layout.js", "page_graph.js",
           "page_filter.js", "page_flows.js", "page_end.js")


def allowed(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def halves() -> tuple[str, str]:
    """The page before the model's data, and behind them."""
    page, style, *scripts = (
        (HERE / name).read_text(encoding="utf-8")
        for name in ("page.html", "page.css", *SCRIPTS))
    script = "\n".join(scripts)
    for mark, text in (("@STYLE@", style), ("@SCRIPT@", script)):
        if "</" in text:
            sys.exit(f"what replaces {mark} would end its element")
    policy = (f"default-src 'none'; img-src data:; base-uri 'none'; "
              f"form-action 'none'; style-src {allowed(style)}; "
              f"script-src {allowed(script)}")
    before, after = page.replace("@POLICY@", policy).split("@DATA@")
    return before.replace("@STYLE@", style), after.replace("@SCRIPT@", script)


def array(name: str, text: str) -> str:
    data = text.encode()
    lines = [", ".join(str(byte) for byte in data[at:at + 16])
             for at in range(0, len(data), 16)]
    return (f"static const unsigned char {name}[] = {{\n    "
            + ",\n    ".join(lines) + "};\n")


def main(out: str) -> None:
    before, after = halves()
    pathlib.Path(out).write_text(
        f"/* {pathlib.Path(out).name}: made by embed.py */\n"
        + array("page_before", before) + array("page_after", after))


if __name__ == "__main__":
    main(*sys.argv[1:])
