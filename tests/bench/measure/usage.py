"""usage.py: what all processes of one program use together.

A control group counts it, processes that have ended included; version 1 and
version 2 will do. Where there is neither, the processes' session is looked
through in /proc, which misses what has ended and the kernel's memory."""
import contextlib
import itertools
import os
import pathlib

ROOT = pathlib.Path("/sys/fs/cgroup")
PREFIX = "epi-bench-"
# Where the kernel counts; all of the first line that exists in whole.
PLACES = ((ROOT / "cpuacct", ROOT / "memory"), (ROOT,))

_number = itertools.count(1)
_ticks = os.sysconf("SC_CLK_TCK")


def _made(places, name):
    """New groups in these places; none if one of them cannot be."""
    made = []
    try:
        for place in places:
            if place == ROOT and not place.joinpath(
                    "cgroup.subtree_control").exists():
                raise OSError("no control groups of version 2")
            folder = place / name
            folder.mkdir()
            made.append(folder)
            if not folder.joinpath("cgroup.procs").exists():
                raise OSError("not a control group")
    except OSError:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        return []
    return made


def _enable():
    """Let groups of version 2 count both."""
    control = ROOT / "cgroup.subtree_control"
    if control.exists():
        with contextlib.suppress(OSError):
            control.write_text("+cpu +memory")


class Usage:
    """Made before the program, which a shell becomes after joins()."""

    def __init__(self):
        name = f"{PREFIX}{os.getpid()}-{next(_number)}"
        self.session = None
        self.folders = []
        for places in PLACES:
            if places == (ROOT,):
                _enable()
            self.folders = _made(places, name)
            if self.folders:
                break

    def joins(self):
        """Lines of a shell that make it, and what it becomes, count here."""
        return "".join(f"echo $$ >{folder}/cgroup.procs\n"
                       for folder in self.folders)

    def _value(self, name):
        for folder in self.folders:
            path = folder / name
            if path.exists():
                return path.read_text()
        return None

    def pids(self):
        if self.folders:
            return [int(pid) for pid in self._value("cgroup.procs").split()]
        return [pid for pid, fields in _processes()
                if int(fields[3]) == self.session]

    def cpu(self):
        """Seconds of processor time so far."""
        nanoseconds = self._value("cpuacct.usage")
        if nanoseconds:
            return int(nanoseconds) / 1e9
        counts = self._value("cpu.stat")
        if counts:
            return int(counts.split()[1]) / 1e6
        return sum(int(fields[11]) + int(fields[12])
                   for _, fields in _processes()
                   if int(fields[3]) == self.session) / _ticks

    def pss(self):
        """Bytes of the processes' own memory, shared parts divided."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
                total += 1024 * sum(int(line.split()[1])
                                    for line in text.splitlines()
                                    if line.startswith("Pss:"))
        return total

    def whole(self):
        """Bytes with the kernel's memory for it; None if nobody counts."""
        tcp = self._value("memory.kmem.tcp.usage_in_bytes")
        used = (self._value("memory.usage_in_bytes") or
                self._value("memory.current"))
        return int(used) + int(tcp or 0) if used else None

    def remove(self):
        for folder in self.folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _processes():
    """Each process's id, and the fields of its stat from the state on."""
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            yield int(path.parent.name), path.read_text().rpartition(")")[2] \
                .split()
