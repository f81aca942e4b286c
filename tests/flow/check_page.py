#!/usr/bin/env python3
"""check_page.py: the page of epi-check --html, as a browser shows it."""
import json
import pathlib
import re
import struct
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow
from support.html_page import Page, browse as browser

HOSPITALS = flow.EXAMPLES / "hospitals.json"
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')

# Names that would do harm as markup, as script, or as keys of an object.
HOSTILE = ["<img src=x onerror=\"document.title='owned'\">",
           "\"'><svg onload=document.title='owned'>", "__proto__",
           "constructor", "<!--<script>", "&lt;b&gt;", "\u202eevil",
           "${document.title='owned'}", "</title>"]
SCRIPT = "</script><script>document.title='owned'</script>"


def page(model, change=lambda text: text):
    """The page of a model, given as a path or a document; its path."""
    if not isinstance(model, pathlib.Path):
        model = flow.file(model, "model.json")
    path = flow.folder() / "page.html"
    got = flow.run(flow.program_path("epi-check"), model, "--html", path)
    assert got.returncode == 0 and not got.stdout and not got.stderr, got
    path.write_text(change(path.read_text()))
    return path


def browse(path, *options, fragment=""):
    """What the browser prints."""
    return browser(f"file://{path}{fragment}", *options)


def dom(path, fragment=""):
    return Page(browse(path, "--dump-dom", fragment=fragment))


def without_policy(text):
    changed, count = POLICY.subn("", text)
    assert count == 1, count
    return changed


def driven(script):
    """A change that lets a script act on the page when it is drawn."""
    return lambda text: without_policy(text).replace(
        "</body>", f"<script>{script}</script></body>")


def some_flows():
    return {
        "epi": 1,
        "nodes": {"a": {"attributes": ["enc", "fw"]},
                  "b": {"attributes": ["fw"]}, "c": {}},
        "functions": {"seal": {"provides": ["enc"], "filter": "seal"}},
        "applications": {
            "one": {"flows": [{"from": "a", "to": "b", "ports": [443]},
                              {"from": "b", "to": "a"},
                              {"from": "a", "to": "c", "ports": [80]}]},
            "two": {"flows": [{"from": "c", "to": "b", "ports": [22]}]}},
        "policy": {"default": "allow", "rules": [
            {"id": "no-two", "effect": "deny", "application": ["two"],
             "reason": "the study has ended"}]},
    }


@flow.test
def loads_nothing_and_says_so():
    text = page(HOSPITALS).read_text()
    policy = POLICY.search(text)[0]
    assert "default-src 'none'" in policy and "sha256-" in policy, policy
    assert "unsafe" not in policy, policy
    for word in ("http://", "https://", "@import", "url("):
        rest = text.replace("http://www.w3.org/2000/svg", "")
        assert word not in rest, word
    parsed = Page(text)
    assert not [e for e in parsed.elements if e.get("src")]
    assert [e["href"] for e in parsed.elements if "href" in e] == [
        "data:,", "#flows"]


@flow.test
def is_the_same_each_time_and_goes_to_standard_output():
    first = page(HOSPITALS).read_text()
    got = flow.run(flow.program_path("epi-check"), HOSPITALS, "--html", "-")
    assert got.returncode == 0 and got.stdout == first


@flow.test
def a_page_that_cannot_be_written_is_an_error():
    where = flow.folder() / "none" / "page.html"
    got = flow.run(flow.program_path("epi-check"), HOSPITALS, "--html", where)
    assert got.returncode == 2 and "none/page.html" in got.stderr, got


@flow.test(timeout=180)
def shows_areas_chains_and_refusals():
    shown = dom(page(some_flows()))
    assert shown.one("shown")["text"] == "4 flows"
    areas = [e["aria-label"] for e in shown.all("g", **{"class": "area"})]
    assert len(areas) == 3 and "with enc, fw: a" in areas[0], areas
    edges = [e["class"] for e in shown.all("g") if "data-from" in e]
    assert sorted(edges) == ["edge bridged", "edge channel", "edge channel",
                             "edge refused", "edge refused"], edges
    refused, bridged = shown.rows("refused"), shown.rows("bridged")
    assert len(refused) == 2 and len(bridged) == 1, (refused, bridged)
    assert "nothing may bridge fw" in refused[0], refused
    assert "the study has ended" in refused[1] and "no-two" in refused[1]
    assert "a → b" in bridged[0] and "the proxy: seal" in bridged[0], bridged
    cells = [e["aria-label"] for e in shown.all("button")
             if "aria-label" in e]
    assert "from a to b: bridged" in cells and len(cells) == 4, cells


@flow.test(timeout=300)
def can_be_filtered_by_everything():
    path = page(some_flows())
    for choice, count in (("from=node%3Aa", 2), ("to=area%3A1", 2),
                          ("from=node%3Aa&both=1", 3), ("verdict=refused", 2),
                          ("verdict=allowed", 2), ("verdict=denied", 1),
                          ("application=one", 3), ("text=STUDY", 1),
                          ("text=seal&verdict=direct", 0)):
        shown = dom(path, "#" + choice)
        rows = sum(len(shown.rows(k)) for k in ("direct", "bridged", "refused"))
        assert rows == count, f"{choice}: {rows}, not {count}"
        assert shown.one("shown")["text"] == f"{count} of 4 flows", choice


@flow.test(timeout=180)
def the_keyboard_does_all():
    press = """
      const key = (where, key) => where.dispatchEvent(
          new KeyboardEvent('keydown', {key, bubbles: true}));
      const cells = document.querySelectorAll('#matrix button');
      cells[0].focus();
      key(document.activeElement, 'ArrowRight');
      document.body.dataset.moved = document.activeElement.ariaLabel;
      document.activeElement.click();
      document.body.dataset.pair = byId('shown').textContent;
      byId('filter').querySelector('button').click();
      document.body.dataset.reset = byId('shown').textContent;
      const area = document.querySelector('.area');
      area.focus();
      key(area, 'Enter');
      document.body.dataset.area = byId('shown').textContent;
    """
    body = dom(page(some_flows(), driven(press))).all("body")[0]
    assert body["data-moved"] == "from a to c: unbridgeable", body
    assert body["data-pair"] == "1 of 4 flows", body["data-pair"]
    assert body["data-reset"] == "4 flows", body["data-reset"]
    assert body["data-area"] == "3 of 4 flows", body["data-area"]


def hostile():
    names = HOSTILE[:5] + HOSTILE[6:8]
    plain = [*HOSTILE, SCRIPT]
    return {
        "epi": 1,
        "nodes": {name: {"domain": plain[i], "attributes": plain[:i]}
                  for i, name in enumerate(names)},
        "functions": {SCRIPT: {"provides": plain, "filter": SCRIPT,
                               "cost": {"setup_ms": 1}}},
        "applications": {name: {"purpose": SCRIPT, "dataset": name,
                                "nodes": names}
                         for name in ["__proto__", SCRIPT, HOSTILE[0]]},
        "policy": {"default": "allow", "rules": [
            {"id": SCRIPT, "effect": "deny", "application": [HOSTILE[0]],
             "reason": SCRIPT + HOSTILE[0]}]},
    }


@flow.test(timeout=180)
def hostile_names_are_text_only():
    for change in (without_policy, lambda text: text):
        path = page(hostile(), change)
        assert SCRIPT not in path.read_text()
        shown = dom(path)
        assert len(shown.all("script")) == 2, len(shown.all("script"))
        assert not shown.all("img") and not shown.all("iframe")
        assert not [k for e in shown.elements for k in e
                    if k.startswith("on") or k == "srcdoc"]
        assert "owned" not in shown.all("title")[0]["text"]
        data = json.loads(shown.one("model")["text"])
        assert list(data["document"]["nodes"]) == list(hostile()["nodes"])
        rows = "\n".join(shown.rows("refused") + shown.rows("bridged"))
        for name in (SCRIPT, HOSTILE[0], "__proto__"):
            assert name in rows, name
        assert len(shown.rows("refused")) == 42, len(shown.rows("refused"))


@flow.test
def the_name_of_the_file_is_text_only():
    model = flow.folder() / '<img src=x onerror=alert(1)>&"\'\n.json'
    model.write_text(json.dumps(some_flows()))
    assert '"name":"?img src?x onerror?alert?1??????.json"' in page(
        model).read_text()


def first_pixel(path):
    """Red, green and blue of a PNG's first pixel, which no filter changes."""
    data, at, packed = path.read_bytes(), 8, b""
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        packed += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    return tuple(zlib.decompress(packed)[1:4])


@flow.test(timeout=180)
def is_light_or_dark_as_the_reader_likes():
    path, shot = page(HOSPITALS), flow.folder() / "page.png"
    seen = []
    for scheme in (1, 0):
        browse(path, f"--screenshot={shot}", "--window-size=900,700",
               f"--blink-settings=preferredColorScheme={scheme}")
        seen.append(sum(first_pixel(shot)))
    assert seen[0] > 600 and seen[1] < 150, seen


@flow.test(timeout=180)
def a_model_without_flows_has_a_page():
    shown = dom(page({"epi": 1, "nodes": {}}))
    assert "no applications" in shown.one("applications")["text"]
    shown = dom(page({"epi": 1, "nodes": {"a": {}, "b": {}}}))
    assert len(shown.all("g", **{"class": "area"})) == 1


@flow.test(timeout=180)
def a_large_model_asks_to_choose():
    nodes = {f"n{i}": {"attributes": [f"a{i % 7}"]} for i in range(100)}
    shown = dom(page({"epi": 1, "nodes": nodes,
                      "applications": {"all": {"nodes": list(nodes)}}}))
    assert "at most 80 nodes" in shown.one("matrix")["text"]
    assert len(shown.rows("refused")) == 500
    assert "Show the other 9400" in shown.one("list")["text"]


flow.main()
