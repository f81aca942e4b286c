#!/usr/bin/env python3
"""embed.py PAGE STYLE OUT SCRIPT...: make a C header of the page.

The page is one file that loads nothing: style and scripts go into it, and its
policy allows just these, by their hashes. Where the model goes, it is cut."""
import base64
import hashlib
import pathlib
import sys


def allowed(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def array(name, text):
    data = text.encode()
    lines = [", ".join(str(byte) for byte in data[at:at + 16])
             for at in range(0, len(data), 16)]
    return (f"static const unsigned char {name}[] = {{\n    "
            + ",\n    ".join(lines) + "};\n")


def main(page, style, out, *scripts):
    page, style = (pathlib.Path(p).read_text() for p in (page, style))
    script = "\n".join(pathlib.Path(p).read_text() for p in scripts)
    for mark, text in (("@STYLE@", style), ("@SCRIPT@", script)):
        if "</" in text:
            sys.exit(f"what replaces {mark} would end its element")
    policy = (f"default-src 'none'; img-src data:; base-uri 'none'; "
              f"form-action 'none'; style-src {allowed(style)}; "
              f"script-src {allowed(script)}")
    before, after = page.replace("@POLICY@", policy).split("@DATA@")
    before = before.replace("@STYLE@", style)
    after = after.replace("@SCRIPT@", script)
    pathlib.Path(out).write_text(
        f"/* {pathlib.Path(out).name}: made by embed.py */\n"
        + array("page_before", before) + array("page_after", after))


main(*sys.argv[1:])
