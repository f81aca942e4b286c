"""python -m epi.brane: serve brane-prx's API."""
from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from ..errors import Error
from ..model import Model
from . import PathServer, ProxyConfig


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m epi.brane",
        description="Serve the API by which Brane's services ask for outgoing"
                    " paths, as brane-prx does.",
        epilog="Exit codes: 0 fine, 2 usage or bad input.")
    parser.add_argument("--config", metavar="FILE", help="brane-prx's proxy.yml")
    parser.add_argument("--api", metavar="HOST:PORT", default="0.0.0.0:50055",
                        help="where the API listens [0.0.0.0:50055]")
    parser.add_argument("--host", default="0.0.0.0",
                        help="where paths listen [0.0.0.0]")
    parser.add_argument("--model", metavar="FILE",
                        help="judge the flows of paths by this document")
    parser.add_argument("--certs", metavar="DIR",
                        help="LOCATION/ca.pem and LOCATION/client-id.pem")
    return parser


async def _serve(options: argparse.Namespace) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    config = (ProxyConfig.load(options.config) if options.config
              else ProxyConfig())
    model = Model.load(options.model) if options.model else None
    async with PathServer(config, api=options.api, host=options.host,
                          model=model, certs=options.certs) as server:
        print(f"epi.brane: listening on http://{server.address}",
              file=sys.stderr, flush=True)
        await over.wait()


def main() -> int:
    """Run the program until a signal ends it; its exit code."""
    options = _parser().parse_args()
    try:
        asyncio.run(_serve(options))
        return 0
    except (Error, OSError) as error:
        print(f"epi.brane: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
