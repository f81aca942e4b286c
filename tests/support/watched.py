"""watched.py: what a proxy serves by HTTP, read strictly.

    proxy = watched.proxy(...)       # an epi-proxy with --status
    numbers = proxy.metrics()        # of /metrics, by name and labels
    numbers["epi_bytes_total", "direction=out"]
"""
import http.client
import math
import re

from support import flow

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
ABOUT = re.compile(rf"# (HELP|TYPE) ({NAME}) (.+)")
KINDS = {"counter", "gauge", "histogram", "info"}
UNESCAPED = {'\\"': '"', "\\\\": "\\", "\\n": "\n"}


class Wrong(AssertionError):
    """The text is not in the format."""


def _labels(text):
    return tuple(
        f"{name}=" + re.sub(r'\\["\\n]', lambda m: UNESCAPED[m[0]], value)
        for name, value in re.findall(LABEL, text or ""))


def _family_of(name, kinds, is_open):
    """The family that a sample's name belongs to."""
    for suffix, kind in (("", "gauge"), ("_total", "counter"),
                         ("_info", "info"), ("_bucket", "histogram"),
                         ("_sum", "histogram"), ("_count", "histogram")):
        family = name.removesuffix(suffix)
        if not is_open and kind in ("counter", "info"):
            family = name
        if name.endswith(suffix) and kinds.get(family) == kind:
            if kind == "counter" and not name.endswith("_total"):
                continue
            return family
    raise Wrong(f"{name} is of no family")


def _check_histograms(kinds, numbers):
    for family in (name for name, kind in kinds.items() if kind == "histogram"):
        buckets = [(float(key[1].removeprefix("le=")), value)
                   for key, value in numbers.items()
                   if key[0] == family + "_bucket"]
        bounds = [bound for bound, _ in buckets]
        counts = [count for _, count in buckets]
        if bounds != sorted(set(bounds)) or bounds[-1] != math.inf:
            raise Wrong(f"{family}: buckets {bounds}")
        if counts != sorted(counts) or counts[-1] != numbers[
                family + "_count",]:
            raise Wrong(f"{family}: {counts}")


def parse(text, is_open=False):
    """The numbers, by (name, "label=value", ...). Everything that the formats
    do not allow, or that is there twice, is an error."""
    kinds, helped, numbers, family = {}, set(), {}, None
    if not text.endswith("\n"):
        raise Wrong("the last line has no end")
    lines = text.split("\n")[:-1]
    if is_open and lines.pop() != "# EOF":
        raise Wrong("no end")
    for line in lines:
        about, sample = ABOUT.fullmatch(line), SAMPLE.fullmatch(line)
        if about and about[1] == "HELP" and about[2] not in helped:
            helped.add(about[2])
        elif about and about[1] == "TYPE" and about[2] not in kinds:
            if about[3] not in KINDS or (about[3] == "info" and not is_open):
                raise Wrong(line)
            family, kinds[about[2]] = about[2], about[3]
        elif sample:
            key = (sample[1], *_labels(sample[2]))
            if _family_of(sample[1], kinds, is_open) != family:
                raise Wrong(f"{line} stands in {family}")
            if key in numbers or len({k.split("=")[0] for k in key[1:]}) != len(
                    key) - 1:
                raise Wrong(f"twice: {line}")
            numbers[key] = float(sample[7])
        else:
            raise Wrong(line)
    if helped != set(kinds):
        raise Wrong(f"without help or type: {helped ^ set(kinds)}")
    _check_histograms(kinds, numbers)
    return numbers


def get(port, path, method="GET", host=flow.LOCAL, **headers):
    """Status, headers and body of an answer."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request(method, path, headers={
            name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def proxy(*options, status="127.0.0.1:0", **more):
    """An epi-proxy with --status; its `status` is the port of that."""
    program = flow.proxy("--status", status, *options, **more)
    line = program.wait_line(r"status at http://\S+:(\d+)/")
    program.status = int(line[1])
    program.metrics = lambda: metrics(program.status)
    return program


def metrics(port):
    status, headers, body = get(port, "/metrics")
    assert status == 200, (status, body)
    assert headers["Content-Type"] == (
        "text/plain; version=0.0.4; charset=utf-8"), headers
    return parse(body)
