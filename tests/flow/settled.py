#!/usr/bin/env python3
"""settled.py: a flow that relays keeps little, but what policy asks about it,
and its memory goes back when it ends."""
import contextlib
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers, socks_client as wire

KEY = "a chain key for two proxies, and nobody else"


def model(*rules):
    return {"epi": 1,
            "nodes": {"here": {"addresses": ["127.0.0.0/8"]}},
            "policy": {"default": "deny", "rules": [
                {"id": f"rule-{number}", "effect": "allow", **rule}
                for number, rule in enumerate(rules)]}}


def change(proxy, path, *rules):
    before = proxy.text.count("is in force")
    path.write_text(json.dumps(model(*rules)))
    flow.until(lambda: proxy.text.count("is in force") > before,
               "the new model is in force")


def is_alive(sock):
    sock.sendall(b"there?")
    return wire.read(sock, 6) == b"there?"


def goes_with_its_rule(proxy, path, sock, rule, other):
    """A flow that a rule allows, whatever else is allowed."""
    assert is_alive(sock)
    change(proxy, path, other, rule)
    assert is_alive(sock), "it was cut although its rule is still there"
    change(proxy, path, other)
    assert wire.closed(sock), "it lives on although its rule is gone"
    proxy.wait_line("cut by the new model: denied by rule default")


@flow.test
def who_logged_in_is_still_known():
    ada, bob = {"user": ["ada"]}, {"user": ["bob"]}
    path, users = flow.file(model(ada)), flow.file("ada:secret\n", "users")
    proxy = flow.proxy("--model", path,
                       listen=[f"socks://127.0.0.1:0?users={users}"])
    sock, code = wire.socks5(proxy.port, flow.LOCAL, servers.Echo().port,
                             login=("ada", "secret"))
    assert code == 0, f"reply {code}"
    goes_with_its_rule(proxy, path, sock, ada, bob)


@flow.test
def who_a_trusted_proxy_named_is_still_known():
    echo, key = servers.Echo(), flow.file(KEY, "key")
    ada, bob = {"user": ["ada"]}, {"user": ["bob"]}
    path, users = flow.file(model(ada)), flow.file("ada:secret\n", "users")
    proxy = flow.proxy("--model", path, "--chain-key", key)
    near = flow.proxy("--chain-key", key, "--chain",
                      f"socks6://127.0.0.1:{proxy.port}",
                      listen=[f"socks://127.0.0.1:0?users={users}"])
    sock, code = wire.socks5(near.port, flow.LOCAL, echo.port,
                             login=("ada", "secret"))
    assert code == 0, f"reply {code}"
    goes_with_its_rule(proxy, path, sock, ada, bob)


@flow.test
def which_address_a_name_had_is_still_known():
    name = {"nodes": {"named": {"addresses": ["localhost"]},
                      "here": {"addresses": ["127.0.0.2/32"]}}}
    away = {"nodes": {"named": {"addresses": ["localhost"]},
                      "here": {"addresses": ["127.0.0.1/32", "::1/128"]}}}
    anybody = {"id": "all", "effect": "allow", "from": ["unknown"],
               "to": ["named"]}
    base = model() | {"private": "any",
                      "policy": {"default": "deny", "rules": [anybody]}}
    path = flow.file(base | name)
    proxy = flow.proxy("--model", path)
    sock, code = wire.socks5(proxy.port, "localhost", servers.Echo().port)
    assert code == 0, f"reply {code}"
    assert is_alive(sock)
    anybody["from"] = ["unknown", "here"]
    path.write_text(json.dumps(base | away))
    assert wire.closed(sock), "it lives on although the address is another's"
    proxy.wait_line("the name's address is another node's")


def resident_kib(program):
    text = pathlib.Path(f"/proc/{program.process.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0])


@flow.test(timeout=60)
def its_memory_goes_back():
    if flow.SANITIZED:
        flow.skip("the sanitizer's allocator keeps what is freed")
    count, proxy = 400, flow.proxy("--workers", "1")
    server = servers.Echo()

    def crowd(stack):
        for _ in range(count):
            sock, code = wire.socks5(proxy.port, flow.LOCAL, server.port)
            assert code == 0, f"reply {code}"
            stack.enter_context(sock)
    before = resident_kib(proxy)
    with contextlib.ExitStack() as stack:
        crowd(stack)
        held = resident_kib(proxy) - before
    assert held < 3 * count, f"{held} KiB for {count} flows"
    flow.until(lambda: resident_kib(proxy) - before < held / 2,
               f"{held} KiB go back")


flow.main()
