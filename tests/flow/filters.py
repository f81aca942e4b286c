#!/usr/bin/env python3
"""filters.py: filters from shared objects, and what becomes of a flow whose
filter goes wrong."""
import contextlib
import pathlib
import re
import shutil
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import bridging, flow, servers, socks_client as wire

MASK = flow.BUILD / "examples" / "mask.so"
FAULTY, TOMORROW, NO_FILTER = (
    flow.BUILD / "tests" / "support" / f"{name}.so"
    for name in ("faulty", "faulty_2", "faulty_0"))
SECRET = b"the record of patient 4711"
DENIED, FAILED = 2, 1


class Capture(servers.Server):
    """Keeps what arrives, and answers with `answer` for each piece."""

    def __init__(self, answer=b"", **where):
        self.answer, self.got = answer, b""
        super().__init__(**where)

    def serve(self, sock):
        with contextlib.suppress(OSError):
            while data := sock.recv(65536):
                self.got += data
                sock.sendall(self.answer)


def done(data):
    """What the test's filter makes of data."""
    return bytes(byte ^ 0x80 for byte in data)


def through(*specs, server=None):
    """A proxy with filters, and a server behind it."""
    options = [o for spec in specs for o in ("--filter", spec)]
    server = server or servers.Echo()
    return flow.proxy("--workers", "1", *options), server


def ask(proxy, server, data=b""):
    """A SOCKS 6 request with initial data: socket, code, metadata."""
    sock = wire.connect(proxy.port)
    sock.sendall(wire.request6(server.host, server.port) + data)
    assert wire.auth_reply6(sock)[0] == 0
    return sock, *bridging.reply(sock)


def opened(proxy, server):
    sock, code, said = ask(proxy, server)
    assert code == 0, (code, said)
    return sock


def refused_to_start(*options):
    ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                   "socks://127.0.0.1:0", *options)
    assert ran.returncode == 2, ran
    return flow.complaint(ran)[0]


# ---- shared objects ----

@flow.test(timeout=90)
def a_shared_object_is_loaded_with_its_arguments():
    proxy, server = through(f"{MASK}:X", MASK)
    sock = opened(proxy, server)
    sock.sendall(b"born 1970, room 12")
    assert wire.read(sock, 18) == b"born XXXX, room XX"
    proxy.wait_line("through mask, mask")


@flow.test(timeout=90)
def what_cannot_be_loaded_is_refused_with_the_reason():
    folder = flow.folder()
    writable = folder / "open.so"
    shutil.copy(MASK, writable)
    writable.chmod(0o666)
    text = folder / "text.so"
    text.write_text("no code")
    for spec, why in (
            (TOMORROW, "was made for version 2 of the filter interface;"
                       " this is 1"),
            (NO_FILTER, "is no filter: it has no epi_filter_entry_1"),
            (text, "cannot load"),
            (folder, "is not a file"),
            (folder / "none.so", "No such file"),
            (writable, "everybody can change"),
            (f"{MASK}:XY", "bad argument")):
        line = refused_to_start("--filter", spec)
        assert why in line and str(spec).split(":")[0] in line, line


def model(server, **how):
    """A model in which flows to the server need a function, run so."""
    return flow.file({
        "epi": 1,
        "nodes": {"a": {"addresses": ["127.0.0.1"], "attributes": ["mask"]},
                  "b": {"addresses": [server.host]}},
        "functions": {"f": {"provides": ["mask"], **how}},
        "policy": {"default": "allow"}}, "model.json")


@flow.test(timeout=90)
def a_model_loads_code_only_from_the_folder_that_is_allowed():
    server = servers.Echo(host="127.0.0.2")
    folder = flow.folder()
    folder.chmod(0o755)
    shutil.copy(MASK, folder / "mask.so")
    for spec in ("./mask.so:X", "mask.so:X"):
        proxy = flow.proxy("--filter-path", folder,
                           "--model", model(server, filter=spec))
        sock = opened(proxy, server)
        sock.sendall(b"room 12")
        assert wire.read(sock, 7) == b"room XX"
    for spec in ("./mask.so:X", str(folder / "mask.so")):
        line = refused_to_start("--model", model(server, filter=spec))
        assert "functions.f.filter" in line, line
        assert "no folder of them is allowed to models" in line, line
    for spec in (f"../{folder.name}/mask.so", str(folder / "mask.so"), "./",
                 "./.."):
        line = refused_to_start("--filter-path", folder,
                                "--model", model(server, filter=spec))
        assert "functions.f.filter" in line, (spec, line)
    folder.chmod(0o777)
    line = refused_to_start("--filter-path", folder,
                            "--model", model(server, filter="mask.so"))
    assert "everybody can put files into" in line, line


# ---- both directions, and their ends ----

@flow.test(timeout=90)
def a_filter_may_greet_and_answer_by_itself():
    server = Capture()
    proxy, _ = through(f"{FAULTY}:greet", server=server)
    sock = opened(proxy, server)
    assert wire.read(sock, 6) == b"hello\n"
    sock.sendall(b"ping")
    assert wire.read(sock, 4) == b"ping"
    assert server.got == b""


@flow.test(timeout=90)
def a_filter_may_write_when_its_time_comes():
    proxy, server = through(f"{FAULTY}:late")
    sock = opened(proxy, server)
    assert wire.read(sock, 5) == b"late\n"
    sock.sendall(b"ping")
    assert wire.read(sock, 4) == b"ping"


@flow.test(timeout=90)
def after_its_filters_passed_a_flow_loses_nothing():
    size = 8_000_000
    server = servers.AfterEnd(size)
    proxy, _ = through(f"{FAULTY}:pass", f"{FAULTY}:pass", server=server)
    sock = opened(proxy, server)
    sent = servers.body(3_000_000)
    sender = threading.Thread(target=lambda: (
        sock.sendall(sent), sock.shutdown(socket.SHUT_WR)))
    sender.start()
    assert wire.read_all(sock) == servers.body(size)
    sender.join()
    assert server.got == sent


@flow.test(timeout=90)
def directions_end_one_by_one_through_filters():
    server = servers.AfterEnd(100_000)
    proxy, _ = through(f"{FAULTY}:none", f"{FAULTY}:none", server=server)
    sock = opened(proxy, server)
    sock.sendall(b"question")
    sock.shutdown(socket.SHUT_WR)
    assert wire.read_all(sock) == servers.body(100_000)
    assert server.got == b"question"
    proxy.wait_line("both sides are done")


@flow.test(timeout=90)
def a_client_that_does_not_read_holds_its_flow_back_alone():
    proxy, server = through(f"{FAULTY}:none")
    slow, quick = opened(proxy, server), opened(proxy, server)
    slow.settimeout(1)
    sent = 0
    with contextlib.suppress(TimeoutError):
        while sent < 200_000_000:
            sent += slow.send(bytes(1_000_000))
    assert sent < 200_000_000, "nothing held the sender back"
    quick.sendall(b"ping")
    assert wire.read(quick, 4) == done(done(b"ping"))


@flow.test(timeout=90)
def what_a_filter_makes_by_itself_is_bounded():
    proxy, server = through(f"{FAULTY}:drip")
    sock = opened(proxy, server)
    time.sleep(1)
    status = pathlib.Path(f"/proc/{proxy.process.pid}/status").read_text()
    swollen = int(re.search(r"VmRSS:\s+(\d+)", status)[1])
    assert flow.SANITIZED or swollen < 40_000, f"{swollen} KiB"
    assert wire.read(sock, 50_000_000) == bytes(50_000_000)


@flow.test(timeout=90)
def a_filter_knows_its_flow_and_sends_metadata_along():
    server = servers.Echo()
    second = flow.proxy("--filter", f"{FAULTY}:tell")
    first = flow.proxy("--filter", f"{FAULTY}:tell", "--chain",
                       f"socks6://127.0.0.1:{second.port}")
    sock = opened(first, server)
    sock.close()
    first.wait_line(f"user , dest {server.port}, metadata none")
    second.wait_line(f"user , dest {server.port}, metadata train")


# ---- faults ----

def cut(fault, why, data=SECRET):
    """A flow whose filter goes wrong ends with the reason in the log, its
    destination has not a byte of it, and another flow goes on."""
    server = Capture(answer=SECRET)
    proxy = flow.proxy("--workers", "1", "--filter", f"{FAULTY}:{fault}",
                       listen=["socks://127.0.0.1:0"])
    idle = opened(proxy, server)
    sock = opened(proxy, server)
    sock.sendall(data)
    assert SECRET not in wire.read_all(sock)
    proxy.wait_line(f"ended after .* filter faulty.*{why}")
    assert not any(byte in server.got for byte in set(data) - {0}), server.got
    idle.settimeout(0.2)
    with contextlib.suppress(TimeoutError):
        assert idle.recv(1), "a flow that did nothing was cut"
    return proxy


@flow.test(timeout=90)
def a_filter_that_fails_lets_nothing_through():
    cut("crash", "the peer broke the protocol")


@flow.test(timeout=90)
def a_filter_that_stalls_is_found_out():
    cut("stall", "held data back for over 500 ms")


@flow.test(timeout=90)
def a_filter_that_floods_is_stopped():
    cut("flood", "over 4194304 bytes were made of one piece")


@flow.test(timeout=90)
def a_filter_that_needs_too_much_memory_is_stopped():
    server = Capture()
    proxy, _ = through(f"{FAULTY}:hoard", server=server)
    sock = opened(proxy, server)

    def is_cut():  # pieces that come together count as one
        with contextlib.suppress(OSError):
            sock.sendall(SECRET)
        return "filter faulty: holds over 20000 bytes of the flow" in proxy.text
    flow.until(is_cut, "the flow is cut")
    wire.read_all(sock)
    assert server.got == b""


@flow.test(timeout=90)
def a_filter_that_pauses_for_ever_is_found_out():
    server = Capture()
    proxy, _ = through(f"{FAULTY}:pause", server=server)
    sock = opened(proxy, server)
    sock.sendall(SECRET)
    wire.read_all(sock)
    proxy.wait_line("filter faulty: held data back for over 500 ms")
    flow.until(lambda: server.got == done(SECRET), "what it wrote arrives")


@flow.test(timeout=90)
def a_refusal_on_data_cuts_with_its_reason():
    cut("refuse", "refuses the flow: a pattern was found")


@flow.test(timeout=90)
def a_refusal_on_opening_is_in_the_reply():
    server = Capture()
    proxy, _ = through(f"{FAULTY}:shut", server=server)
    _, code, said = ask(proxy, server, SECRET)
    why = "filter faulty refuses the flow: not at this hour"
    assert (code, said[bridging.REASON]) == (DENIED, why), (code, said)
    proxy.wait_line(why)
    assert server.got == b""


@flow.test(timeout=90)
def a_refusal_of_initial_data_is_in_the_reply():
    server = Capture()
    second = flow.proxy()
    proxy = flow.proxy("--filter", f"{FAULTY}:refuse", "--chain",
                       f"socks6://127.0.0.1:{second.port}")
    _, code, said = ask(proxy, server, SECRET)
    assert code == DENIED, (code, said)
    assert "a pattern was found" in said[bridging.REASON], said
    assert server.got == b""


# ---- failing open ----

@flow.test(timeout=90)
def only_what_may_fail_open_does_and_loudly():
    server = servers.Echo()
    proxy, _ = through(f"{FAULTY}:crash+", server=server)
    sock = opened(proxy, server)
    sock.sendall(SECRET)
    assert wire.read(sock, len(SECRET)) == SECRET
    proxy.wait_line("goes on WITHOUT filter faulty, which may fail open: "
                    "filter faulty: the peer broke the protocol")
    sock.close()
    proxy.wait_line("faulty was left out")


@flow.test(timeout=90)
def what_was_lost_cuts_though_the_filter_may_fail_open():
    server = Capture()
    proxy, _ = through(f"{FAULTY}:stall+", server=server)
    sock = opened(proxy, server)
    sock.sendall(SECRET)
    wire.read_all(sock)
    proxy.wait_line("ended after .* held data back")
    assert server.got == b""


@flow.test(timeout=90)
def a_refusal_counts_though_the_filter_may_fail_open():
    proxy, server = through(f"{FAULTY}:shut+")
    assert ask(proxy, server)[1] == DENIED


@flow.test(timeout=90)
def the_model_says_which_filters_fail_open():
    folder = flow.folder()
    folder.chmod(0o755)
    shutil.copy(FAULTY, folder)
    for fail, got in (("open", SECRET), ("closed", b""), (None, b"")):
        server = Capture(host="127.0.0.2")
        how = {"fail": fail} if fail else {}
        proxy = flow.proxy("--filter-path", folder, "--model",
                           model(server, filter="faulty.so:crash", **how))
        sock = opened(proxy, server)
        sock.sendall(SECRET)
        with contextlib.suppress(OSError):  # it may be cut by now
            sock.shutdown(socket.SHUT_WR)
        wire.read_all(sock)
        proxy.wait_line("filter faulty: the peer broke the protocol")
        assert server.got == got, (fail, server.got)


@flow.test(timeout=90)
def a_function_that_is_gone_is_left_out_only_if_it_may_be():
    gone = f"socks6://127.0.0.1:{flow.free_port()}"
    unknown = "socks6://no-such-function.invalid:1080"
    for link in (gone, unknown):
        server = servers.Echo(host="127.0.0.2")
        proxy = flow.proxy("--model",
                           model(server, endpoints=[link], fail="open"))
        sock = opened(proxy, server)
        sock.sendall(SECRET)
        assert wire.read(sock, len(SECRET)) == SECRET
        proxy.wait_line(f"goes on WITHOUT {link}, which may fail open: cannot")
        closed = Capture(host="127.0.0.2")
        proxy = flow.proxy("--model", model(closed, endpoints=[link]))
        _, code, _ = ask(proxy, closed, SECRET)
        assert code not in (0, DENIED), code
        assert closed.got == b""


@flow.test(timeout=90)
def what_may_fail_open_is_told_and_warned_of():
    server = servers.Echo(host="127.0.0.2")
    path = model(server, filter="count", fail="open")
    check = flow.program_path("epi-check")
    told = flow.run(check, path, "--flow", "a:b", "--explain").stdout
    assert "and is left out if it fails" in told, told
    warned = flow.run(check, path, "--lint").stdout
    assert "functions.f: it may fail open" in warned, warned


flow.main()
