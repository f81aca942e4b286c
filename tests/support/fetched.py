"""fetched.py: other people's programs from their registries, kept in the cache
folder of whoever runs the tests.

    program, why = fetched.socksx()    # a path, or None and why there is none

What is there already is not fetched again."""
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

SOCKSX = "0.1.1"
BUILD_TIMEOUT = 500  # s; a test that is the first to ask must allow it
NPM_TIMEOUT = 60


def _cache():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "libepi-tests"


def _run(*argv, timeout, **env):
    """0 and nothing, or what went wrong, in a line."""
    try:
        ran = subprocess.run([str(a) for a in argv], capture_output=True,
                             text=True, stdin=subprocess.DEVNULL,
                             timeout=timeout, env={**os.environ, **env})
    except subprocess.TimeoutExpired:
        return f"it takes over {timeout} s"
    *_, last = ran.stderr.strip().splitlines() or [f"{ran.returncode}"]
    return last if ran.returncode else ""


def _put(made, place):
    """Put what was made into its place, at once: others may look for it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f"{place.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(made, fresh, symlinks=True)
    try:
        fresh.rename(place)
    except OSError:  # somebody else was faster
        shutil.rmtree(fresh, ignore_errors=True)


@functools.cache
def socksx():
    """The paper's own software: its program's path."""
    place = _cache() / f"socksx-{SOCKSX}"
    program = place / "bin" / "socksx"
    if program.exists():
        return program, ""
    cargo = shutil.which("cargo")
    if not cargo:
        return None, "cargo is not installed"
    with tempfile.TemporaryDirectory(prefix="epi-socksx-") as work:
        # With the versions that its author locked: newer ones do not build.
        why = _run(cargo, "install", "socksx", "--version", SOCKSX, "--locked",
                   "--root", f"{work}/root", "--target-dir", f"{work}/target",
                   timeout=BUILD_TIMEOUT, CARGO_NET_RETRY="0")
        if why:
            return None, f"cargo cannot install socksx {SOCKSX} here: {why}"
        _put(f"{work}/root", place)
    return program, ""


@functools.cache
def npm_socks():
    """The package `socks` of npm: the folder with its modules."""
    place = _cache() / "npm-socks"
    if place.exists():
        return place / "node_modules", ""
    npm = shutil.which("npm")
    if not npm:
        return None, "npm is not installed"
    with tempfile.TemporaryDirectory(prefix="epi-npm-") as work:
        why = _run(npm, "install", "--no-audit", "--no-fund",
                   "--fetch-retries=0", "--prefix", work, "socks",
                   timeout=NPM_TIMEOUT)
        if why:
            return None, "npm cannot install socks from its registry here"
        _put(work, place)
    return place / "node_modules", ""


def fetch():
    """All of it, before tests run where no registry can be reached."""
    socksx()
    npm_socks()
