"""socksx.py: the paper's own software as a peer, from its registry.

    hop = socksx.proxy()                          # speaks its SOCKS 6
    hop = socksx.proxy("-c", f"socks6://127.0.0.1:{port}")

It is built once, into the cache folder of whoever runs the tests. Without
cargo, or where cargo does not reach the registry, the test is skipped."""
import functools
import os
import pathlib

from support import flow

VERSION = "0.1.1"
BUILD_TIMEOUT = 500  # s; a test that asks for the program must allow it


def _cache():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "libepi-tests"


@functools.cache
def _built():
    """The program's path, or None and why there is none."""
    program = _cache() / f"socksx-{VERSION}" / "bin" / "socksx"
    if program.exists():
        return program, ""
    cargo = flow.need("cargo")
    place = flow.folder()
    # With the versions that its author locked: newer ones do not build.
    ran = flow.run(cargo, "install", "socksx", "--version", VERSION,
                   "--locked", "--root", place / "root", "--target-dir",
                   place / "target", timeout=BUILD_TIMEOUT,
                   env={**os.environ, "CARGO_NET_RETRY": "0"})
    if ran.returncode:
        *_, last = ran.stderr.strip().splitlines() or [""]
        return None, f"cargo cannot install socksx {VERSION} here: {last}"
    program.parent.mkdir(parents=True, exist_ok=True)
    fresh = program.with_name(f"socksx.{os.getpid()}")
    flow.run("cp", place / "root" / "bin" / "socksx", fresh)
    fresh.replace(program)  # at once: others may be looking for it
    return program, ""


def need():
    program, why = _built()
    if not program:
        flow.skip(why)
    return program


def need_dialect():
    """Skip the test if epi-proxy does not know the dialect."""
    program = flow.Program([flow.program_path("epi-proxy"), "--listen",
                            f"socks://{flow.LOCAL}:0?dialect=auto"])
    flow.until(lambda: "listening on" in program.text or
               program.process.poll() is not None, "epi-proxy starts or ends")
    program.stop()
    if "no setting 'dialect'" in program.text:
        flow.skip("epi-proxy does not know the dialect of socksx")


def proxy(*options, host=flow.LOCAL, namespace=None, port=None):
    """Start its proxy; the running program, with its port as `port`."""
    port = port or flow.free_port()
    program = flow.start(need(), "-h", host, "-p", port, *options,
                         namespace=namespace, cwd=flow.folder(),
                         port=None if namespace else port)
    program.port = port
    return program
