#!/usr/bin/env python3
"""deployments.py: what socksx and the EPI proof of concept deploy, with each
role an epi-proxy: the chains of doc/chains.md, by socksx's options."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.bridging import Wire, metadata, reply

SECRET = b"the record of patient 4711, not for anybody on the way\n" * 20
PORT = 12345  # the one that the whitelist has
APPLICATION = metadata({1: "train", 2: "umc", 3: "job-7"})


def role(*options):
    """A proxy or a function, started as socksx's containers are, and the wire
    in front of it: its URL is the link that others know it by."""
    port = flow.free_port()
    program = flow.Program([flow.program_path("epi-proxy"), "-h", flow.LOCAL,
                            "-p", port, *options])
    flow.until(lambda: "listening on" in program.text or
               program.process.poll() is not None, "it listens")
    assert program.process.poll() is None, program.text
    program.wire = Wire()
    program.wire.to = (flow.LOCAL, port)
    program.url = f"socks6://{flow.LOCAL}:{program.wire.port}"
    return program


def chain(*roles):
    return [word for each in roles for word in ("-c", each.url)]


def ask(proxy, port, host=flow.LOCAL):
    sock = wire.connect(proxy.wire.port)
    sock.sendall(wire.request6(host, port, APPLICATION) + SECRET)
    assert wire.auth_reply6(sock)[0] == 0
    return sock, *reply(sock)


def crossed(program):
    return program.wire.crossed["out"]


@flow.test(timeout=60)
def socksx_docker_compose_extensive():
    echo = servers.Echo()
    key = flow.file("a key that encrypt and decrypt share", "key")
    counter = role("--filter", "count")
    encrypt = role("--filter", f"seal:key={key}")
    decrypt = role("--filter", f"open:key={key}")
    last_counter = role("--filter", "count")
    second = role(*chain(decrypt, last_counter))
    first = role(*chain(counter, encrypt, second))
    sock, code, said = ask(first, echo.port)
    assert code == 0, (code, said)
    assert wire.read(sock, len(SECRET)) == SECRET
    sock.close()
    # In the clear before encrypt and behind decrypt, and nowhere between.
    for plain in (counter, encrypt, last_counter):
        assert SECRET in crossed(plain), "not in the clear"
    for sealed in (second, decrypt):
        assert SECRET[:20] not in crossed(sealed), "not sealed"
    for each in (counter, encrypt, second, decrypt, last_counter):
        assert each.wire.connections == 1
        assert b"job-7" in crossed(each), "without the metadata"
    # The second proxy's functions were put behind it in the one chain.
    for link in (counter.url, second.url, last_counter.url):
        assert link.encode() in crossed(decrypt), link
    for each in (counter, last_counter):
        each.wait_line(rf"{len(SECRET)} bytes out, {len(SECRET)} back; .*count")


@flow.test(timeout=60)
def a_reply_goes_back_through_all_of_it():
    server = servers.AfterEnd(100000)
    key = flow.file("a key that encrypt and decrypt share", "key")
    decrypt = role("--filter", f"open:key={key}")
    encrypt = role("--filter", f"seal:key={key}")
    first = role(*chain(encrypt, decrypt))
    sock, code, said = ask(first, server.port)
    assert code == 0, (code, said)
    sock.shutdown(1)
    assert len(wire.read_all(sock)) == 100000
    assert server.got == SECRET


@flow.test(timeout=60)
def epif_poc_socks_chaining():
    echo = servers.Echo(port=PORT)
    other = servers.Echo()
    key = flow.file("a key that encrypt and decrypt share", "key")
    encrypt = role("--filter", f"seal:key={key}")
    whitelist = role("--filter", f"gate:port={PORT}")
    decrypt = role("--filter", f"open:key={key}")
    proxy = role(*chain(encrypt, whitelist, decrypt))
    sock, code, said = ask(proxy, PORT)
    assert code == 0, (code, said)
    assert wire.read(sock, len(SECRET)) == SECRET
    assert SECRET[:20] not in crossed(whitelist)
    assert SECRET[:20] not in crossed(decrypt)
    _, code, said = ask(proxy, other.port)
    assert code == 2, (code, said)
    assert other.connections == 0 and decrypt.wire.connections == 1
    whitelist.wait_line("refused")
    assert echo.connections == 1


flow.main()
