#!/usr/bin/env python3
"""install.py: what strangers do works: install from a tree without git, with
default options, and build a program with pkg-config."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import public
from support.verdict import ROOT, check, end, not_ok

PROGRAMS = ["epi-check", "epi-proxy", "epi-redirector"]


def run(*argv, **options):
    """The output of a command; RuntimeError with what it said if it fails."""
    ran = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, **options)
    if ran.returncode:
        said = (ran.stdout + ran.stderr).splitlines()[-30:]
        raise RuntimeError("\n".join([f"{argv[0]} failed:", *said]))
    return ran.stdout


def unwanted(folder, names):
    """What a copy of the tree leaves out: git's files, and builds."""
    top = pathlib.Path(folder) == ROOT
    return [name for name in names if name in (".git", "__pycache__")
            or top and name.startswith("build")]


def install(folder):
    """Install a copy of the tree into folder/prefix."""
    source, build, prefix = (folder / part
                             for part in ("source", "build", "prefix"))
    shutil.copytree(ROOT, source, symlinks=True, ignore=unwanted)
    run("meson", "setup", build, source, "--prefix", prefix,
        env={**os.environ, "CC": "gcc"})
    run("meson", "install", "-C", build)
    return prefix


def missing(prefix):
    library = list(prefix.rglob("libepi.so"))
    wanted = [prefix / "bin" / name for name in PROGRAMS]
    wanted += [prefix / "share" / "man" / "man1" / f"{name}.1"
               for name in PROGRAMS]
    wanted += [prefix / "include" / "epi" / path.name
               for path in public.headers()]
    problems = [f"{path.relative_to(prefix)} is missing" for path in wanted
                if not path.exists()]
    if not library:
        return [*problems, "libepi.so is missing"]
    for name in ("libepi.so.0", "pkgconfig/epi.pc"):
        if not (library[0].parent / name).exists():
            problems.append(f"{name} is missing")
    return problems


def link(prefix, folder):
    """Build examples/link.c as a stranger would, and ask it something."""
    libdir = next(prefix.rglob("libepi.so")).parent
    env = {**os.environ, "PKG_CONFIG_PATH": str(libdir / "pkgconfig"),
           "LD_LIBRARY_PATH": str(libdir)}
    shutil.copy(ROOT / "examples" / "link.c", folder)
    run("sh", "-c", "cc -o link link.c $(pkg-config --cflags --libs epi)",
        cwd=folder, env=env)
    said = run(folder / "link", ROOT / "examples" / "hospitals.json", "umc",
               "antonius", "443", env=env)
    return [] if said.startswith("bridged") else [f"it said: {said}"]


def starts(prefix):
    """Each installed program finds the library, and says its version."""
    version = run("meson", "introspect", "--projectinfo", ROOT / "meson.build")
    wanted = version.split('"version": "')[1].split('"')[0]
    return [f"{name} --version does not say {wanted}" for name in PROGRAMS
            if wanted not in run(prefix / "bin" / name, "--version")]


def main():
    with tempfile.TemporaryDirectory(prefix="epi-install-") as name:
        folder = pathlib.Path(name)
        try:
            prefix = install(folder)
        except RuntimeError as error:
            not_ok("install.default_options_without_git", error)
            end()
        check("install.default_options_without_git", missing(prefix))
        for name, step in (("programs_start", lambda: starts(prefix)),
                           ("example_links", lambda: link(prefix, folder))):
            try:
                check("install." + name, step())
            except (RuntimeError, OSError, StopIteration) as error:
                not_ok("install." + name, error or "nothing is installed")
    end()


main()
