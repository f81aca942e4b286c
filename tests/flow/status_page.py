#!/usr/bin/env python3
"""status_page.py: the page of --status, as a browser shows it."""
import base64
import hashlib
import http.server
import json
import pathlib
import re
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, html_page, servers, socks_client as wire, watched

SCRIPT = "</script><script>document.title='owned'</script>"
IMAGE = "<img src=x onerror=\"document.title='owned'\">"
NODE = "<svg onload=document.title='owned'>"
MODEL = {
    "epi": 1,
    "nodes": {"here": {"addresses": ["127.0.0.1/32"],
                       "attributes": ["inspection", IMAGE]},
              NODE: {"addresses": ["127.0.0.2/32"]},
              "\u202eevil & <b>": {"addresses": ["127.0.0.3/32"],
                                   "attributes": [IMAGE]}},
    "functions": {"look": {"provides": ["inspection"], "filter": "count"}},
    "policy": {"rules": [
        {"id": IMAGE, "effect": "deny", "to": [NODE],
         "reason": "nothing goes there " + SCRIPT},
        {"id": "all", "effect": "allow"}]},
}


def loaded():
    """A proxy with a direct flow, a bridged one, and a refused one."""
    echo, other = servers.Echo(), servers.Echo(host="127.0.0.3")
    proxy = watched.proxy("--workers", "2", "--model",
                          flow.file(MODEL, "model.json"))
    for host, port in ((flow.LOCAL, echo.port), ("127.0.0.3", other.port)):
        sock, code = wire.socks5(proxy.port, host, port)
        flow.at_end(sock.close)
        assert code == 0
        sock.sendall(b"z" * 2048)
        wire.read(sock, 2048)
    sock, code = wire.socks5(proxy.port, "127.0.0.2", 80)
    sock.close()
    assert code == 2
    flow.until(lambda: counted(read(proxy, "/status.json")), "all is counted")
    return proxy


def counted(status):
    """1 if two flows carry what was sent, and the refused one is gone."""
    return (status["open"] == 2 and len(status["refusals"]) == 1 and
            status["bytes"] == {"out": 4096, "back": 4096})


def read(proxy, path):
    status, headers, body = watched.get(proxy.status, path)
    assert status == 200 and headers["Content-Type"] == "application/json"
    return json.loads(body)


def shown(port, path="/", budget=3500):
    """The elements of the page after some (virtual) seconds."""
    text = html_page.browse(
        f"http://127.0.0.1:{port}{path}", "--dump-dom",
        f"--virtual-time-budget={budget}")
    return html_page.Page(text)


@flow.test
def is_one_page_under_a_strict_policy():
    proxy = watched.proxy()
    status, headers, body = watched.get(proxy.status, "/")
    assert status == 200 and headers["Content-Type"].startswith("text/html")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy, policy
    for tag in ("style", "script"):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", body, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest())
        assert f"{tag}-src 'sha256-{digest.decode()}'" in policy, tag
    parsed = html_page.Page(body)
    assert not [e for e in parsed.elements if e.get("src")]
    assert [e["href"] for e in parsed.elements if "href" in e] == [
        "data:,", "#flows"]
    assert headers["X-Frame-Options"] == "DENY"
    assert watched.get(proxy.status, "/", Host="evil.example")[0] == 403


@flow.test
def its_json_is_what_there_is():
    proxy = loaded()
    status = read(proxy, "/status.json")
    assert status["ready"] is True and status["draining"] is False
    assert (status["allowed"], status["refused"], status["failed"]) == (2, 1, 0)
    assert sum(status["workers"]) == 2 and len(status["workers"]) == 2
    assert status["decisions"]["direct"] == 1
    assert status["decisions"]["bridged"] == 1
    assert status["decisions"]["denied"] == 1
    assert status["rules"] == [
        {"rule": "all", "allowed": 2, "refused": 0},
        {"rule": IMAGE, "allowed": 0, "refused": 1}], status["rules"]
    refusal, = status["refusals"]
    assert refusal["what"] == "refused"
    assert refusal["reply"] == 2 and refusal["dest"] == "127.0.0.2:80"
    assert SCRIPT in refusal["why"] and refusal["flow"] == 3, refusal
    flows = read(proxy, "/flows.json")
    assert [f["flow"] for f in flows["flows"]] == [1, 2]
    assert flows["matched"] == 2 and flows["next"] is None
    assert read(proxy, "/flows.json?from=2")["matched"] == 1
    for wrong in ("x", "-1", "", "9" * 30, "1%202"):
        assert watched.get(proxy.status, f"/flows.json?from={wrong}")[0] == 400
    areas = read(proxy, "/areas.json")["areas"]
    assert sorted(n for a in areas for n in a["nodes"]) == sorted(
        MODEL["nodes"]), areas


@flow.test
def what_a_new_model_cuts_is_among_the_refused():
    proxy = watched.proxy("--model", (path := flow.file(MODEL, "model.json")))
    echo = servers.Echo()
    sock, code = wire.socks5(proxy.port, flow.LOCAL, echo.port)
    flow.at_end(sock.close)
    assert code == 0
    path.write_text(json.dumps({**MODEL, "policy": {"rules": [
        {"id": "stop", "effect": "deny", "reason": "the study has ended"}]}}))
    refusal = flow.until(lambda: read(proxy, "/status.json")["refusals"],
                         "it is cut")[0]
    assert refusal["what"] == "cut" and refusal["flow"] == 1, refusal
    assert "the study has ended" in refusal["why"], refusal
    found = flow.until(lambda: (found := proxy.metrics())[
        "epi_revoke_flows",] and found, "it is measured")
    assert found["epi_revoked_flows_total",] == found["epi_revoke_flows",] == 1
    assert 0 <= found["epi_revoke_seconds",] < 10


@flow.test
def what_failed_is_among_the_refused():
    proxy = watched.proxy()
    with wire.connect(proxy.port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        wire.closed(sock)
    failed = flow.until(lambda: read(proxy, "/status.json")["refusals"],
                        "it failed")[0]
    assert failed["what"] == "failed" and failed["dest"] is None, failed


@flow.test(timeout=90)
def shows_flows_and_refusals_as_text_only():
    page = shown(loaded().status)
    assert page.one("state")["text"] == "ready"
    rows = [e["text"] for e in page.all("tr")][1:]
    assert len(rows) == 2, rows
    assert "direct" in rows[0] and "2.0 KiB" in rows[0], rows
    assert "bridged" in rows[1] and "count" in rows[1], rows
    assert "\u202eevil & <b>" in rows[1], rows
    refused = page.one("refusals")["text"]
    assert "127.0.0.2:80" in refused and SCRIPT in refused, refused
    assert IMAGE in page.one("rules")["text"]
    areas = page.one("areas")["text"]
    assert NODE in areas and IMAGE in areas, areas
    assert "/s now" in page.one("tiles")["text"], "it asked only once"
    assert page.all("title")[0]["text"] == "libepi status"
    assert len(page.all("script")) == 1 and not page.all("img")
    assert not [k for e in page.elements for k in e if k.startswith("on")]


PHONE = """<!DOCTYPE html><body><iframe src="/" width="360" height="740">
</iframe><script>setTimeout(() => {
  const shown = document.querySelector('iframe').contentDocument;
  document.body.dataset.wide = shown.documentElement.scrollWidth;
  document.body.dataset.rows = shown.querySelectorAll('tbody tr').length;
}, 2500);</script></body>"""


class Driven:
    """Serves the page without its policy and with a script behind it, and what
    it asks for from the proxy."""

    def __init__(self, proxy, script):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                try:
                    status, headers, body = watched.get(proxy.status,
                                                        self.path)
                except OSError:
                    status, headers, body = 502, {"Content-Type": "x/y"}, ""
                if self.path == "/phone":
                    status, body = 200, PHONE
                    headers = {"Content-Type": "text/html"}
                if self.path == "/":
                    body = body.replace("</body>",
                                        f"<script>{script}</script></body>")
                self.send_response(status)
                self.send_header("Content-Type", headers["Content-Type"])
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                """Say nothing: standard output is the test's."""

        server = http.server.ThreadingHTTPServer((flow.LOCAL, 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,),
                         daemon=True).start()
        flow.at_end(server.server_close)
        flow.at_end(server.shutdown)
        self.port = server.server_address[1]


@flow.test(timeout=90)
def fits_a_phone():
    body = shown(Driven(loaded(), "").port, "/phone", 5000).all("body")[0]
    assert body["data-rows"] == "2", body
    assert int(body["data-wide"]) <= 360, body


@flow.test(timeout=90)
def can_be_searched_and_stopped():
    press = """
      setTimeout(() => {
        const data = document.body.dataset;
        data.rows = document.querySelectorAll('tbody tr').length;
        document.getElementById('filter').value = 'EVIL';
        document.getElementById('filter').dispatchEvent(new Event('input'));
        setTimeout(() => {
          data.filtered = document.querySelectorAll('tbody tr').length;
          document.getElementById('pause').click();
          data.paused = document.getElementById('pause').textContent;
        }, 1500);
      }, 2000);
    """
    body = shown(Driven(loaded(), press).port, budget=6000).all("body")[0]
    assert body["data-rows"] == "2" and body["data-filtered"] == "1", body
    assert body["data-paused"] == "Go on", body


@flow.test(timeout=90)
def says_that_the_proxy_does_not_answer():
    proxy = loaded()
    driven = Driven(proxy, "setTimeout(() => fetch('/stop'), 1500);")
    asked = watched.get

    def get(port, path, *more, **headers):
        if path == "/stop":
            proxy.stop()
        return asked(port, path, *more, **headers)

    watched.get = get
    flow.at_end(setattr, watched, "get", asked)
    page = shown(driven.port, budget=6000)
    assert page.one("state")["text"] == "no answer", page.one("state")
    assert "does not answer" in page.one("problem")["text"]
    assert len(page.all("tr")) == 3, "what was known stays"


flow.main()
