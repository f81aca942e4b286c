"""socksx.py: the paper's own software as a peer, from its registry.

    hop = socksx.proxy()                          # speaks its SOCKS 6
    hop = socksx.proxy("-c", f"socks6://127.0.0.1:{port}")

It is built once, into the cache folder of whoever runs the tests. Without
cargo, or where cargo does not reach the registry, the test is skipped."""
from support import fetched, flow

BUILD_TIMEOUT = fetched.BUILD_TIMEOUT


def need():
    program, why = fetched.socksx()
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
