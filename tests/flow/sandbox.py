#!/usr/bin/env python3
"""sandbox.py: what epi-proxy gives up before its first connection, and that
all that it goes on to do works inside."""
import contextlib
import errno
import json
import os
import pathlib
import shutil
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import dns_server, flow, servers, socks_client as wire

BIND, RAW, ADMIN = 1 << 10, 1 << 13, 1 << 12
NOBODY = 65534
# A leak checker attaches to its process, which must let it.
MUST = ("--sandbox", "require,capabilities,files,calls"
        if flow.SANITIZED else "require")
INTRUDER = flow.BUILD / "tests" / "support" / "intruder.so"


def status(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in
            (line.partition(":") for line in lines)}


def capabilities(pid, key="CapPrm"):
    return int(status(pid)[key], 16)


def pid_of(proxy):
    """Of the program itself, behind what it was started by."""
    return proxy.process.pid


def child_of(pid):
    with contextlib.suppress(OSError):
        return [int(word) for word in pathlib.Path(
            f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def works(proxy, echo, host=flow.LOCAL):
    sock, code = wire.socks5(proxy.port, host, echo.port)
    assert code == 0, f"reply {code}"
    sock.sendall(b"hello")
    assert wire.read(sock, 5) == b"hello"
    sock.close()


def model(**parts):
    return {"epi": 1, "nodes": {"here": {"addresses": ["127.0.0.0/8"]}},
            "policy": {"default": "allow"}, **parts}


def line(proxy):
    return proxy.wait_line("sandbox: (.*)")[1]


@flow.test
def it_is_on_and_says_so():
    flow.need_root()
    path = flow.file(model(), "model.json")
    proxy = flow.proxy("--model", path, *MUST)
    said = line(proxy)
    assert "capabilities: " in said and "no new privileges" in said, said
    assert f"files: read {path.parent}" in said, said
    assert "refused, with them running programs" in said, said
    works(proxy, servers.Echo())
    for task in os.listdir(f"/proc/{pid_of(proxy)}/task"):
        found = status(f"{pid_of(proxy)}/task/{task}")
        assert found["NoNewPrivs"] == "1" and found["Seccomp"] == "2", found
        kept = int(found["CapPrm"], 16)
        assert not kept & ~(BIND | RAW | ADMIN), found
        assert kept & (RAW | ADMIN) != RAW | ADMIN, "one of them marks"
        assert found["CapEff"] == found["CapPrm"] == found["CapBnd"], found
        assert not int(found["CapInh"] + found["CapAmb"], 16), found
    owner = pathlib.Path(f"/proc/{pid_of(proxy)}/environ").stat().st_uid
    assert owner == 0


@flow.test
def it_can_be_off_or_in_parts():
    proxy = flow.proxy("--no-sandbox")
    assert "capabilities: off" in line(proxy) and not child_of(pid_of(proxy))
    assert status(pid_of(proxy))["Seccomp"] == "0"
    proxy = flow.proxy("--sandbox", "files")
    said = line(proxy)
    assert "calls: off" in said and "files: none" in said, said
    for options, why in (
            (("--sandbox", "fires"), "not 'fires'"),
            (("--sandbox", "files", "--no-sandbox"), "one of them"),
            (("--user", "no such"), "there is no user 'no such'")):
        ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                       "socks://127.0.0.1:0", *options)
        assert ran.returncode == 2 and why in ran.stderr, ran.stderr


@flow.test
def what_must_be_and_cannot_be_ends_it():
    command = flow.file("#!/bin/sh\n", "command")
    command.chmod(0o700)
    ran = flow.run(flow.program_path("epi-proxy"), "--listen",
                   "socks://127.0.0.1:0", "--provision-command", command,
                   "--sandbox", "require,files")
    assert ran.returncode == 2, ran
    assert "must have files: programs may be run" in ran.stderr, ran.stderr
    proxy = flow.proxy("--provision-command", command)
    assert "NO files: programs may be run" in line(proxy)


@flow.test
def another_user_has_what_is_needed_and_no_more():
    flow.need_root()
    folder = flow.folder()
    folder.chmod(0o711)
    path = folder / "model.json"
    path.write_text(json.dumps(model()))
    path.chmod(0o644)
    users = folder / "users"
    users.write_text("ann:secret\n")
    users.chmod(0o600)
    port = next(p for p in range(900, 1023) if not flow.answers(p))
    key = flow.file("an audit key that is long enough", "key")
    proxy = flow.proxy("--model", path, "--user", f"{NOBODY}:{NOBODY}",
                       "--audit", folder / "audit", "--audit-key", key,
                       listen=[f"socks://127.0.0.1:{port}",
                               f"socks://127.0.0.1:0?users={users}"])
    lost = line(proxy).partition("CANNOT BE OPENED AGAIN by this user: ")[2]
    assert set(lost.split(", ")) == {str(users), str(folder / "audit")}, lost
    found = status(pid_of(proxy))
    assert found["Uid"].split() == [str(NOBODY)] * 4, found
    assert found["Gid"].split() == [str(NOBODY)] * 4, found
    assert found["Groups"] in ("", str(NOBODY)), found
    assert int(found["CapPrm"], 16) & BIND
    works(proxy, servers.Echo())
    path.write_text(json.dumps(model(attributes=["x"])))
    proxy.wait_line("is in force")


@flow.test
def files_are_read_again_inside():
    """A model that is replaced, by rename and as a ConfigMap; SIGHUP."""
    folder = flow.folder()
    (folder / "..one").mkdir()
    (folder / "..one" / "model.json").write_text(json.dumps(model()))
    (folder / "..data").symlink_to("..one")
    (folder / "model.json").symlink_to("..data/model.json")
    proxy = flow.proxy("--model", folder / "model.json")
    echo = servers.Echo()
    works(proxy, echo)
    (folder / "..two").mkdir()
    (folder / "..two" / "model.json").write_text(
        json.dumps(model(attributes=["x"])))
    (folder / "..new").symlink_to("..two")
    (folder / "..new").rename(folder / "..data")
    proxy.wait_line("is in force")
    for number in 2, 3:
        proxy.signal(signal.SIGHUP)
        flow.until(lambda: proxy.text.count("is in force") == number, "again")
    works(proxy, echo)


@flow.test
def a_model_is_told_what_is_outside():
    folder, inside, outside = flow.folder(), flow.folder(), flow.folder()
    shutil.copy(INTRUDER, outside / "intruder.so")
    (inside / "intruder.so").symlink_to(outside / "intruder.so")
    path = folder / "model.json"
    path.write_text(json.dumps(model()))
    proxy = flow.proxy("--model", path, "--filter-path", inside, *MUST)
    for name, spec in (("flows", f"record:file={outside / 'flows'}"),
                       ("intruder.so", "intruder.so")):
        new = folder / "new"
        new.write_text(json.dumps(model(functions={
            "far": {"provides": ["x"], "filter": spec}})))
        new.rename(path)
        proxy.wait_line(
            rf"functions\.far\.filter: cannot .*{name}: it is outside of the"
            " sandbox, which has other folders")
    assert not (outside / "flows").exists()
    works(proxy, servers.Echo())


@flow.test
def audit_and_record_go_on_inside():
    folder, other = flow.folder(), flow.folder()
    key = flow.file("an audit key that is long enough", "key")
    proxy = flow.proxy("--audit", folder / "audit", "--audit-key", key,
                       "--filter", f"record:file={other / 'flows'}",
                       *MUST)
    assert f"write {other}, {folder}" in line(proxy)
    echo = servers.Echo()
    works(proxy, echo)
    (folder / "audit").rename(folder / "audit.1")
    works(proxy, echo)
    flow.until(lambda: (folder / "audit").exists() and
               (other / "flows").stat().st_size, "new files")


@flow.test
def every_thread_is_inside():
    flow.need_root()
    key = flow.file("an audit key that is long enough", "key")
    proxy = flow.proxy("--workers", "2", "--audit", flow.folder() / "audit",
                       "--audit-key", key, "--status", "127.0.0.1:0", *MUST,
                       "--admin", flow.folder() / "admin",
                       "--filter", f"record:file={flow.folder() / 'flows'}")
    works(proxy, servers.Echo())
    tasks = os.listdir(f"/proc/{pid_of(proxy)}/task")
    assert len(tasks) >= 7, tasks
    for task in tasks:
        found = status(f"{pid_of(proxy)}/task/{task}")
        assert found["Seccomp"] == "2", found
        assert not int(found["CapPrm"], 16) & ~(BIND | RAW | ADMIN), found


@flow.test
def names_are_resolved_inside():
    dns = dns_server.Server({"a.example": ["127.0.0.1"]})
    proxy = dns.proxy()
    works(proxy, servers.Echo(), "a.example")
    works(proxy, servers.Echo(), "localhost")


class Intruder:
    """A proxy whose filter does what it is told to."""

    def __init__(self, *options):
        self.folder = flow.folder()
        shutil.copy(INTRUDER, self.folder / "intruder.so")
        (self.folder / "beside").write_text("x")
        self.proxy = flow.proxy("--filter", self.folder / "intruder.so",
                                *options)
        self.echo = servers.Echo()

    def tries(self, what, about):
        """What comes of it: an errno, 0 if it is done."""
        sock, code = wire.socks5(self.proxy.port, flow.LOCAL, self.echo.port)
        assert code == 0
        sock.sendall(f"{what} {about}".encode())
        with sock:
            return int(sock.recv(99))


@flow.test
def a_filter_that_is_taken_over_reaches_nothing_else():
    flow.need_root()
    secret, target = flow.file("secret", "secret"), flow.folder() / "new"
    victim = flow.start("sleep", "60")
    inside, outside = Intruder(), Intruder("--no-sandbox")
    attempts = [("read", secret, errno.EACCES),
                ("read", "/etc/passwd", errno.EACCES),
                ("read", f"/proc/{victim.process.pid}/environ", errno.EACCES),
                ("write", target, errno.EACCES),
                ("write", inside.folder / "beside", errno.EACCES),
                ("run", "/no/such/program", errno.EPERM),
                ("socket", 17, errno.EAFNOSUPPORT),
                ("socket", 16, errno.EAFNOSUPPORT),
                ("enter", victim.process.pid, errno.EPERM)]
    if flow.SANITIZED:
        del attempts[2]  # a leak checker reads /proc, and attaches
    for what, about, error in attempts:
        assert inside.tries(what, about) == error, (what, about)
    assert inside.tries("read", inside.folder / "beside") == 0
    assert not target.exists()
    for what, about, _ in attempts[:4]:
        assert outside.tries(what, about) == 0, (what, about)


@flow.test
def programs_and_upgrades_have_a_way_of_their_own():
    flow.need_root()
    folder = flow.folder()
    folder.chmod(0o711)
    path = folder / "model.json"
    path.write_text(json.dumps(model()))
    path.chmod(0o644)
    port = next(p for p in range(900, 1023) if not flow.answers(p))
    proxy = flow.proxy("--model", path, "--user", f"{NOBODY}:{NOBODY}",
                       listen=[f"socks://127.0.0.1:{port}"])
    echo = servers.Echo()
    first = pid_of(proxy)
    pids = [first]
    for number in 1, 2:
        os.kill(pids[-1], signal.SIGUSR2)
        heir = int(flow.until(
            lambda: [text for text in proxy.lines
                     if "took over" in text][number - 1:],
            "it took over")[0].split("process ")[1].split()[0])
        flow.at_end(kill, heir)
        pids.append(heir)
        works(proxy, echo)
        found = status(heir)
        assert found["Uid"].split()[0] == str(NOBODY), found
        assert found["Seccomp_filters"] == "1", "they do not add up"
        assert int(found["CapPrm"], 16) & BIND, found
    proxy.expected = True


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@flow.test
def its_helper_shows_no_password():
    proxy = flow.proxy("--chain", "socks5://ada:tulip@127.0.0.1:9")
    helper, = child_of(pid_of(proxy))
    flow.until(lambda: status(helper)["Name"] == "epi-proxy-heir",
               "its helper has a name")
    for pid in pid_of(proxy), helper:
        flow.until(lambda pid=pid: b"tulip" not in pathlib.Path(
            f"/proc/{pid}/cmdline").read_bytes(), "it is wiped")


@flow.test
def nothing_is_left_when_it_ends_or_is_killed():
    for number in signal.SIGTERM, signal.SIGKILL:
        proxy = flow.proxy()
        helpers = child_of(pid_of(proxy))
        assert len(helpers) == 1, helpers
        flow.until(lambda: status(helpers[0])["Name"] == "epi-proxy-heir",
                   "its helper has a name")
        flow.until(lambda: sorted(os.listdir(f"/proc/{helpers[0]}/fd")) ==
                   ["0", "1", "2", "3"], "it has one descriptor more")
        proxy.signal(number)
        proxy.wait()
        flow.until(lambda: not os.path.exists(f"/proc/{helpers[0]}"),
                   "its helper is gone")


flow.main()
