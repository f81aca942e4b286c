#!/usr/bin/env python3
"""dot.py: the graph of epi-check --dot."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow

MODEL = {
    "epi": 1,
    "nodes": {"a": {"domain": "d", "attributes": ["enc", "fw"]},
              "b": {"domain": "e", "attributes": ["fw"]},
              "c": {"domain": "e"}},
    "proxies": {"pd": {"domain": "d"}, "pe": {"domain": "e"}},
    "functions": {"seal": {"provides": ["enc"], "filter": "seal",
                           "pair": "open"},
                  "open": {"filter": "open"}},
    "applications": {"app": {"flows": [
        {"from": "a", "to": "b", "ports": [443, 80]},
        {"from": "b", "to": "a"},
        {"from": "a", "to": "c", "ports": [22]}]}},
    "policy": {"default": "allow"},
}
HOSTILE = ['"', "\\", '\\"];evil->x[label="', "<b>&lt;\\N\\G</b>", "\\n",
           "'; //", "}", "\u202eevil", "&amp;quot;"]


def graph(model):
    got = flow.run(flow.program_path("epi-check"),
                   flow.file(model, "model.json"), "--dot")
    assert got.returncode == 0 and not got.stderr, got
    return got.stdout


def drawn(text):
    """The graph as graphviz lays it out: its objects and its edges."""
    got = flow.run(flow.need("dot"), "-Tjson", stdin=text)
    assert got.returncode == 0 and not got.stderr, got.stderr
    return json.loads(got.stdout)


@flow.test
def shows_areas_steps_and_flows():
    lines = graph(MODEL).splitlines()
    for line in (
            '    label="enc, fw";', '    label="no protection";',
            '    n0 [label="a"];',
            "  n1 -> n0 [ltail=cluster_1, lhead=cluster_0, color=gray50,"
            " penwidth=2];",
            "  n2 -> n1 [ltail=cluster_2, lhead=cluster_1, color=gray50,"
            " penwidth=2];",
            "  n0 -> n1 [color=blue, fontcolor=blue, style=dashed,"
            ' constraint=false, label="app:443, 80\\npd: seal\\npe: open"];',
            "  n1 -> n0 [color=darkgreen, constraint=false,"
            ' label="app"];',
            "  n0 -> n2 [color=red, fontcolor=red, arrowhead=tee,"
            ' constraint=false, label="app:22\\nunbridgeable: nothing may'
            ' bridge fw"];'):
        assert line in lines, f"{line}\nis not in\n" + "\n".join(lines)
    assert len([line for line in lines if "->" in line]) == 5, lines


@flow.test
def graphviz_draws_it():
    got = drawn(graph(MODEL))
    assert len(got["edges"]) == 5, got["edges"]
    names = {o["name"] for o in got["objects"]}
    assert names == {"cluster_0", "cluster_1", "cluster_2", "n0", "n1", "n2"}


@flow.test
def names_stay_names():
    nodes = [name for name in HOSTILE if "/" not in name]
    got = drawn(graph({
        "epi": 1,
        "nodes": {name: {"attributes": [HOSTILE[i]]}
                  for i, name in enumerate(nodes)},
        "functions": {name: {"provides": [name], "filter": "x"}
                      for name in HOSTILE},
        "applications": {name: {"nodes": nodes[:3]} for name in HOSTILE},
        "policy": {"default": "allow", "rules": [
            {"id": "r", "effect": "deny", "application": [HOSTILE[0]],
             "reason": HOSTILE[2]}]}}))
    assert len(got["edges"]) == 6 * len(HOSTILE), len(got["edges"])
    plain = [o for o in got["objects"] if o["name"].startswith("n")]
    assert len(plain) == len(nodes), plain


@flow.test
def an_empty_model_is_an_empty_graph():
    assert "edges" not in drawn(graph({"epi": 1, "nodes": {}}))


flow.main()
