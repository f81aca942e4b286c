#!/usr/bin/env python3
"""socks_churn.py: associations and BINDs come and go in several workers, while
the model changes and, in the end, the proxy stops."""
import contextlib
import json
import pathlib
import random
import sys
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow
from support import socks_client as wire
from support.bound import Bound
from support.datagrams import Echo, Socks5, Socks6

SECONDS = 4


def document(allowed):
    return {
        "epi": 1,
        "nodes": {"here": {"addresses": ["127.0.0.1/32", "localhost"]},
                  "there": {"addresses": ["127.0.0.9/32"]}},
        "policy": {"default": "allow" if allowed else "deny",
                   "rules": [{"id": "bind", "effect": "allow",
                              "from": ["there"]}]},
    }


class Churn:
    """Clients in threads, each with the name of what it does."""

    def __init__(self, proxy, udp_port):
        self.proxy, self.udp_port, self.echo = proxy, udp_port, Echo()
        self.done, self.broken = {}, []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(what,),
                                         daemon=True)
                        for what in (self.socks5, self.by_udp, self.by_tcp,
                                     self.bind, self.leave) for _ in range(2)]
        for thread in self.threads:
            thread.start()

    def _run(self, what):
        while not self.over.is_set():
            try:
                what()
                self.done[what.__name__] = self.done.get(what.__name__, 0) + 1
            except (OSError, EOFError, AssertionError, IndexError):
                pass  # refused, dropped or cut: the model, or the end
            except Exception:
                self.broken.append(traceback.format_exc())
                raise

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(20)
        assert not self.broken, self.broken[0]

    @contextlib.contextmanager
    def client(self, kind, *way):
        client = kind(self.proxy.port, *way)
        try:
            assert client.code == 0, "refused"
            (client.sock or client.tcp).settimeout(0.3)
            yield client
        finally:
            client.close()

    def _ask(self, client):
        for host in (flow.LOCAL, "localhost"):
            client.send(host, self.echo.port, b"hello")
            client.receive()

    def socks5(self):
        with self.client(Socks5) as client:
            self._ask(client)

    def by_udp(self):
        with self.client(Socks6, self.udp_port) as client:
            self._ask(client)

    def by_tcp(self):
        with self.client(Socks6) as client:
            client.send("0.0.0.0", 0)
            client.confirm()
            self._ask(client)

    def bind(self):
        bound = Bound(random.choice((5, 6)), self.proxy.port)
        host = bound.connect()
        bound.sock.settimeout(0.3)
        assert bound.again()[0] == 0
        host.sendall(b"hello")
        assert wire.read(bound.sock, 5) == b"hello"
        host.close()
        bound.sock.close()

    def leave(self):
        """In the middle of everything."""
        with self.client(Socks6) as client:
            client.send("localhost", self.echo.port, b"x" * 1000)
        Bound(6, self.proxy.port).sock.close()


def change(path, allowed):
    new = path.with_suffix(".new")
    new.write_text(json.dumps(document(allowed)))
    new.rename(path)


@flow.test(timeout=60)
def nothing_breaks_while_models_change_and_at_the_end():
    path = flow.file(document(True), "model.json")
    proxy = flow.proxy("--workers", "4", "--model", path,
                       listen=["socks://127.0.0.1:0?udp=0"])
    port = int(proxy.wait_line(r"datagrams of .* to .*:(\d+)").group(1))
    churn = Churn(proxy, port)
    flow.until(lambda: len(churn.done) == 5, "one of each", 20)
    end = time.monotonic() + SECONDS
    allowed = True
    while time.monotonic() < end:
        allowed = not allowed
        change(path, allowed)
        time.sleep(0.1)
    change(path, True)
    before = dict(churn.done)
    flow.until(lambda: all(churn.done[what] > before[what] for what in before),
               "all of them still come and go", 20)
    code = proxy.stop(20)
    churn.end()
    assert code == 0, f"{code}, after {churn.done}"


if __name__ == "__main__":
    flow.main()
