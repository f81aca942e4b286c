"""sweep.py: cleaning up whatever happens.

What a run starts ends with it, by flow.ending(). Where it is killed, nothing
of it runs any more; so another process waits for its end and removes what
carries its id: programs in its namespaces, the namespaces, control groups, files."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from measure import usage


def _spaces(pid):
    return [path.name for path in pathlib.Path("/run/netns").glob(
        f"epi-{pid}-*")]


def _groups(pid):
    return list(usage.ROOT.glob(f"**/{usage.PREFIX}{pid}-*"))


def _kill(pids):
    for pid in pids:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int(pid), signal.SIGKILL)


def sweep(pid):
    """Remove what a run with this process id left."""
    for name in _spaces(pid):
        inside = subprocess.run(["ip", "netns", "pids", name],
                                capture_output=True, text=True)
        _kill(inside.stdout.split())
    for group in _groups(pid):
        with contextlib.suppress(OSError):
            _kill((group / "cgroup.procs").read_text().split())
    for name in _spaces(pid):
        subprocess.run(["ip", "netns", "delete", name], capture_output=True)
    for _ in range(50):  # a group can go when the last of its processes has
        for group in _groups(pid):
            with contextlib.suppress(OSError):
                group.rmdir()
        if not _groups(pid):
            return
        time.sleep(0.1)


@contextlib.contextmanager
def guarded():
    """Sweep when this process ends, killed or not. Temporary files are in a
    folder of its own."""
    pid = os.getpid()
    folder = tempfile.mkdtemp(prefix=f"{usage.PREFIX}{pid}-")
    ours, theirs = os.pipe()  # read end of the guard, write end of this one
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(theirs)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        os.read(ours, 1)
        sweep(pid)
        shutil.rmtree(folder, True)
        os._exit(0)
    os.close(ours)
    tempfile.tempdir = folder
    try:
        yield
    finally:
        tempfile.tempdir = None
        os.close(theirs)
        os.waitpid(child, 0)
