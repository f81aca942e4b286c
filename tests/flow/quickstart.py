#!/usr/bin/env python3
"""quickstart.py: the demonstration shows what it promises, and cleans up."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow


def begin():
    flow.need_root()
    flow.need("ip", "nft", "nginx", "curl", "meson", "ninja")
    if flow.BUILD.resolve() != (flow.ROOT / "build").resolve():
        flow.skip("it runs the programs of build")
    if flow.run("unshare", "--net", "true").returncode:
        flow.skip("no network namespaces here")
    process = subprocess.Popen(
        [flow.EXAMPLES / "quickstart"], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True)
    flow.at_end(process.kill)
    return process


def left_by(process):
    """Namespaces, programs and files that still bear its number."""
    mark = rf"epi-qs-{process.pid}\b"
    spaces = flow.run("ip", "netns", "list").stdout
    programs = flow.run("pgrep", "-a", "-f", mark).stdout
    return [line for line in [*(spaces + programs).splitlines(),
                              *os.listdir("/tmp")] if re.search(mark, line)]


@flow.test(timeout=300)
def it_shows_the_main_job_and_leaves_nothing():
    process = begin()
    text, _ = process.communicate()
    assert process.returncode == 0, text
    for line in ("training data, as asked for by 10.2.0.2",
                 "training data, as asked for by fd00:2::2",
                 "bridged by rule train through count, seal",
                 "bridged by rule train through open",
                 "no rule, no namespace, no process is left"):
        assert line in text, f"{line!r} is not in\n{text}"
    # The second is a reset before curl saw itself connected.
    assert re.search("Connection reset by peer|Couldn't connect to server",
                     text), text
    # The first may be a connection that was kept ready for more.
    assert re.search(r"px-umc: flow \d+: 10\.1\.0\.5", text), text
    reason = "the patient registry is closed to other hospitals"
    assert reason in " ".join(text.split()), text
    assert not left_by(process), left_by(process)


def interrupted(number):
    """One that was interrupted in the middle; None if it was through by then:
    this process may have stood still."""
    process = begin()
    for line in process.stdout:
        if line.startswith("5."):
            break
    time.sleep(0.05)
    # A terminal's interrupt goes to the whole group.
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    text, _ = process.communicate()
    return None if process.returncode == 0 and "8. The end" in text else process


@flow.test(timeout=300)
def interrupted_it_leaves_nothing_either():
    for number in (signal.SIGTERM, signal.SIGINT):
        process = flow.until(lambda: interrupted(number), "it is interrupted",
                             60)
        assert process.returncode == 128 + number, process.returncode
        assert not left_by(process), left_by(process)


if __name__ == "__main__":
    flow.main()
