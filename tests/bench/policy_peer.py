"""policy_peer.py: decides the flows of decide_speed with other policy engines
too, on the same 10,000 rules, and compares answers and times:

    python3 tests/bench/policy_peer.py build/tests/bench/decide_speed

Needs Go, which fetches Open Policy Agent and Casbin into a temporary folder.
See doc/speed-model.md."""
import collections
import csv
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 3
CASBIN_FLOWS = 20  # of each kind: it takes a tenth of a second for each
VERSIONS = {
    "github.com/open-policy-agent/opa": "v1.22.2",
    "github.com/casbin/casbin/v2": "v2.135.0",
}
PROGRAM = pathlib.Path(__file__).with_suffix(".go")

# The first rule that matches decides, rules of another effect than allow and
# deny are passed over, and "*" is a criterion left out.
CASBIN_MODEL = """[request_definition]
r = from, to, port, application, user
[policy_definition]
p = id, from, to, port, application, user, eft
[policy_effect]
e = priority(p.eft) || deny
[matchers]
m = (p.from == "*" || p.from in r.from) && (p.to == "*" || p.to in r.to) \
&& (p.port == "*" || p.port == r.port) \
&& (p.application == "*" || p.application == r.application) \
&& (p.user == "*" || p.user == r.user)
"""


class Facts:
    """What a rule can ask about a node, found before the clock starts."""

    def __init__(self, model):
        self.nodes = model["nodes"]
        self.areas = {}
        for name, node in self.nodes.items():
            area = frozenset(node.get("attributes", []))
            self.areas.setdefault(area, name)

    def area(self, name):
        return self.areas[frozenset(self.nodes[name].get("attributes", []))]

    def network(self, name):
        return self.nodes[name]["addresses"][0].rpartition(".")[0] + ".0/24"

    def fields(self, name):
        node = self.nodes[name]
        return {"node": name, "network": self.network(name),
                "area": self.area(name), "domain": node["domain"],
                "has": {one: True for one in node.get("attributes", [])}}

    def field(self, word):
        """The field that a word of `from` or `to` asks for, and its value."""
        kind, colon, name = word.partition(":")
        if not colon:
            return "network" if "/" in word else "node", word
        if kind == "has":
            return "has." + name, True
        return kind, self.area(name) if kind == "area" else name

    def words(self, name):
        """All words of `from` or `to` that the node matches."""
        node = self.nodes[name]
        return [name, self.network(name), "area:" + self.area(name),
                "domain:" + node["domain"],
                *("has:" + one for one in node.get("attributes", []))]


def only(rule, key):
    """A criterion's only value, or None: these rules have no longer lists."""
    values = rule.get(key, [None])
    assert len(values) == 1, rule
    return values[0]


def rego(rules, facts):
    """One partial rule for each, whose equalities the engine can index."""
    yield "package peer\n"
    for number, rule in enumerate(rules):
        terms = []
        for end in ("from", "to"):
            if end in rule:
                field, value = facts.field(only(rule, end))
                terms.append(f"input.{end}.{field} == {json.dumps(value)}")
        for key, name in (("ports", "port"), ("application", "application"),
                          ("user", "user")):
            if key in rule:
                terms.append(f"input.{name} == {json.dumps(only(rule, key))}")
        into = "requires" if rule["effect"] == "require" else "decides"
        yield f"{into} contains {number} if {{ {'; '.join(terms)} }}\n"
    yield f"first := min(decides | {{{len(rules)}}})\n"
    yield "answer := array.concat([first], [n | some n in requires; n < first])"


def casbin(rules, facts):
    for rule in rules:
        ends = []
        for end in ("from", "to"):
            word = only(rule, end) or "*"
            if word.startswith("area:"):
                word = "area:" + facts.field(word)[1]
            ends.append(word)
        yield ["p", rule["id"], *ends, only(rule, "ports") or "*",
               only(rule, "application") or "*", only(rule, "user") or "*",
               rule["effect"]]
    yield ["p", "default", "*", "*", "*", "*", "*", "allow"]


def write_policies(folder, model, flows):
    facts = Facts(model)
    rules = model["policy"]["rules"]
    (folder / "peer.rego").write_text("".join(rego(rules, facts)))
    (folder / "model.conf").write_text(CASBIN_MODEL)
    with open(folder / "policy.csv", "w", newline="") as file:
        csv.writer(file).writerows(casbin(rules, facts))
    inputs, requests = [], []
    for flow in flows:
        start, end, port, application = flow[1:5]
        one = {"from": facts.fields(start), "to": facts.fields(end),
               "port": int(port)}
        if application:
            one["application"] = application
        inputs.append(one)
        requests.append([facts.words(start), facts.words(end), port,
                         application, ""])
    (folder / "inputs.json").write_text(json.dumps(inputs))
    (folder / "requests.json").write_text(json.dumps(
        [requests[i] for i in casbin_flows(flows)]))


def casbin_flows(flows):
    """The numbers of the flows that Casbin is asked about."""
    taken = collections.Counter()
    for number, flow in enumerate(flows):
        taken[flow[0]] += 1
        if taken[flow[0]] <= CASBIN_FLOWS:
            yield number


def ask_libepi(bench, folder):
    out = subprocess.run([bench, folder / "model.json"], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    return [line.split("\t") for line in out.splitlines()]


def ask_peer(folder, engine):
    out = subprocess.run([folder / "policy_peer", engine, folder], check=True,
                         text=True, stdout=subprocess.PIPE).stdout
    return [line.split("\t") for line in out.splitlines()]


def build(folder):
    shutil.copy(PROGRAM, folder)
    versions = [f"{name}@{version}" for name, version in VERSIONS.items()]
    for command in (["mod", "init", "policy_peer"], ["get", *versions],
                    ["build", "-o", "policy_peer", PROGRAM.name]):
        subprocess.run(["go", *command], cwd=folder, check=True)


def answer_of(engine, text, names):
    """A peer's answer as decide_speed prints it: the rule, and requires."""
    if engine == "casbin":
        return text
    return " ".join(names[int(number)] for number in text.strip("[]").split())


def main(bench):
    times = collections.defaultdict(list)
    differing = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        build(folder)
        for number in range(ROUNDS):
            flows = ask_libepi(bench, folder)
            for flow in flows:
                times["libepi", flow[0]].append(int(flow[5]))
            if number == 0:
                model = json.loads((folder / "model.json").read_text())
                names = [rule["id"] for rule in model["policy"]["rules"]]
                names.append("default")
                write_policies(folder, model, flows)
                asked = {"opa": range(len(flows)),
                         "casbin": list(casbin_flows(flows))}
            for engine in asked:
                for _, flow, ns, text in ask_peer(folder, engine):
                    flow = flows[asked[engine][int(flow)]]
                    times[engine, flow[0]].append(int(ns))
                    expected = flow[6]
                    if engine == "casbin":  # it has no requires
                        expected = expected.split()[0]
                    if answer_of(engine, text, names) != expected:
                        differing[engine] += 1
    print(f"{'engine':8} {'flows':6} {'median us':>12} {'99% us':>12}")
    for (engine, kind), taken in sorted(times.items()):
        print(f"{engine:8} {kind:6} {statistics.median(taken) / 1e3:12.2f}"
              f" {statistics.quantiles(taken, n=100)[98] / 1e3:12.2f}")
    for engine, count in differing.items():
        print(f"{engine}: {count} answers differ")
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
