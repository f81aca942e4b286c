#!/usr/bin/env python3
"""model_file.py: the ways in which a model's file changes while a proxy runs."""
import json
import os
import pathlib
import shutil
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire


def text(rule, effect="allow", to="here"):
    return json.dumps({"epi": 1, "nodes": {"here": {"domain": "d", "addresses": [
        "127.0.0.0/8"]}}, "policy": {"rules": [
            {"id": rule, "effect": effect, "from": ["here"], "to": [to]}]}})


class Followed:
    """A proxy that follows a model's file."""

    def __init__(self, path, *options):
        self.echo = servers.Echo()
        self.proxy = flow.proxy("--model", path, *options)

    def is_in_force(self, rule):
        """Wait until flows are admitted by a rule."""
        def admitted():
            sock, code = wire.socks5(self.proxy.port, flow.LOCAL,
                                     self.echo.port)
            sock.close()
            return code == 0 and f"by rule {rule}" in self.proxy.text
        flow.until(admitted, f"rule {rule} is in force", 20)


def a_file(*options):
    path = flow.folder() / "model.json"
    path.write_text(text("first"))
    followed = Followed(path, *options)
    followed.is_in_force("first")
    return path, followed


@flow.test
def it_is_written_in_place():
    path, followed = a_file()
    path.write_text(text("second"))
    followed.is_in_force("second")


@flow.test
def another_file_takes_its_place():
    path, followed = a_file()
    for rule in ("second", "third"):
        new = path.with_name("new")
        new.write_text(text(rule))
        os.replace(new, path)
        followed.is_in_force(rule)


@flow.test
def it_is_removed_and_comes_back():
    """And nothing is said of that: it may be on its way."""
    path, followed = a_file()
    path.unlink()
    followed.is_in_force("first")
    path.write_text(text("second"))
    followed.is_in_force("second")
    assert "No such file" not in followed.proxy.text


@flow.test
def its_folder_goes_and_comes_back():
    """A sandbox knows the folder, whatever its name, and no other."""
    path, followed = a_file(*(() if flow.UNSEALED else ("--no-sandbox",)))
    shutil.move(path.parent, f"{path.parent}-away")
    flow.at_end(shutil.rmtree, f"{path.parent}-away", True)
    path.parent.mkdir()
    path.write_text(text("second"))
    followed.is_in_force("second")


@flow.test
def a_config_map_is_swapped():
    """As Kubernetes does it: the file is a link through `..data`, which is a
    link to a folder; a new folder comes, the link is renamed over, and the old
    folder goes."""
    volume = flow.folder()

    def swap(name, rule):
        old = os.path.realpath(volume / "..data")
        (volume / name).mkdir()
        (volume / name / "model.json").write_text(text(rule))
        (volume / "..data_tmp").symlink_to(name)
        os.replace(volume / "..data_tmp", volume / "..data")
        if old != str(volume / "..data"):
            shutil.rmtree(old)

    swap("..2026_1", "first")
    (volume / "model.json").symlink_to("..data/model.json")
    followed = Followed(volume / "model.json")
    followed.is_in_force("first")
    for number, rule in enumerate(("second", "third", "fourth"), 2):
        swap(f"..2026_{number}", rule)
        followed.is_in_force(rule)
    assert "No such file" not in followed.proxy.text


@flow.test
def what_a_link_leads_to_changes():
    real, link = flow.folder() / "real", flow.folder() / "link"
    real.write_text(text("first"))
    link.symlink_to(real)
    followed = Followed(link)
    followed.is_in_force("first")
    real.write_text(text("second"))
    followed.is_in_force("second")
    other = real.with_name("other")
    other.write_text(text("third"))
    link.unlink()
    link.symlink_to(other)
    followed.is_in_force("third")
    other.write_text(text("fourth"))
    followed.is_in_force("fourth")


@flow.test
def a_file_that_nobody_closes_counts_when_it_is_at_rest():
    """The kernel tells nothing of that, as of network file systems."""
    path, followed = a_file()
    with path.open("r+") as file:
        file.write(text("second") + " " * 10)
        file.truncate()
        file.flush()
        followed.is_in_force("second")


@flow.test
def hanging_up_reads_it_though_it_looks_the_same():
    path, followed = a_file()
    before = path.stat()
    followed.proxy.signal(signal.SIGHUP)
    followed.proxy.wait_line("the model in .* is in force")
    path.unlink()
    followed.proxy.signal(signal.SIGHUP)
    followed.proxy.wait_line("model.json: No such file")
    followed.is_in_force("first")
    path.write_text(text("third"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    followed.proxy.signal(signal.SIGHUP)
    followed.is_in_force("third")


@flow.test
def a_bad_document_changes_nothing_and_is_reported():
    path, followed = a_file()
    for bad, why in [("{", "model.json: "), ("", "model.json: "),
                     (text("second", to="nobody"), 'no node "nobody"'),
                     (text("second", effect="perhaps"), "effect")]:
        new = path.with_name("new")
        new.write_text(bad)
        os.replace(new, path)
        followed.proxy.wait_line(why)
        followed.is_in_force("first")
    assert "is in force" not in followed.proxy.text
    path.write_text(text("third"))
    followed.is_in_force("third")


@flow.test(timeout=60)
def a_pipe_that_nobody_writes_to_holds_nothing_up():
    path, followed = a_file()
    pipe = path.with_name("patterns")
    os.mkfifo(pipe, 0o600)
    new = path.with_name("new")
    new.write_text(json.dumps({**json.loads(text("second")), "functions": {
        "scan": {"provides": ["x"], "filter": f"inspect:patterns={pipe}"}}}))
    os.replace(new, path)
    followed.proxy.wait_line("is a pipe that nobody writes to", 30)
    followed.is_in_force("first")
    path.write_text(text("third"))
    followed.is_in_force("third")


flow.main()
