"""ways.py: the ways from a node to a server that the paper compares, between
namespaces: a redirector on the node where the method needs one.

A way is taken for as long as `with way.taken():` lasts, since the rules of a
redirector are those of the whole namespace."""
import contextlib
import functools

from measure import peers
from measure.place import Place
from measure.subjects import REVERSE, SOCKS5, SOCKS6, epi_proxy
from support import flow

PORT = 80      # of the origin


@functools.cache
def supports(program, option):
    """1 if a program of this build has an option."""
    ran = flow.run(flow.program_path(program), "--help")
    return int(option in ran.stdout)


class Way:
    """Straight on, or through a port of the proxy's namespace."""

    ours = False

    def __init__(self, name, method, port=None, options=(), trips=None):
        self.name, self.method, self.port = name, method, port
        self.load_options = list(options)
        self.trips = trips or method  # what takes as many round trips

    @contextlib.contextmanager
    def taken(self, net):
        yield (["--via", f"{net.proxy_address}:{self.port}"] if self.port
               else []) + self.load_options


class Redirected(Way):
    """Through epi-redirector and a port of the proxy's namespace."""

    ours = True

    def __init__(self, name, method, port, *options, trips=None):
        super().__init__(name, method, port, trips=trips)
        self.options = options

    @contextlib.contextmanager
    def taken(self, net):
        scheme = "socks6" if self.method == SOCKS6 else "socks5"
        with flow.ending():
            Place(net.client).start(
                flow.program_path("epi-redirector"), "--proxy",
                f"{scheme}://{net.proxy_address}:{self.port}", "--port", PORT,
                *self.options, "--quiet", said=" goes to ")
            yield []


class Net:
    """A client, a proxy and a server, and how to reach the last two."""

    def __init__(self, client, proxy, server, proxy_address, server_address,
                 upstream=None):
        self.client, self.proxy, self.server = client, proxy, server
        self.proxy_address = proxy_address
        self.server_address = server_address      # what clients ask for
        self.upstream = upstream or server_address  # as the proxy reaches it

    def proxies(self):
        """A place for proxies whose host is what clients connect to."""
        place = Place(self.proxy)
        place.host = self.proxy_address
        return place


def reverse_peers(net, proxies):
    """nginx as the paper has it, by stream and by http; without it, nothing."""
    found = []
    for name, starts in (("nginx", peers.nginx_stream),
                         ("nginx http", peers.nginx_http)):
        with contextlib.suppress(flow.Skip):
            port, _ = starts(proxies, f"{net.upstream}:{PORT}")
            found.append(Way(name, REVERSE, port))
    return found


def cold(program):
    """Options by which a program keeps no connections warm."""
    return ["--warm", "0"] if supports(program, "--warm") else []


def ours(net, proxies):
    """libepi's ways, and what of it this build cannot do yet."""
    ports = [proxies.port() for _ in range(3)]
    epi_proxy(proxies, port=ports[2], host=proxies.host,
              listen=f"socks://{proxies.host}:{ports[2]}?tfo=256")
    epi_proxy(proxies, port=ports[0], host=proxies.host,
              listen=f"tcp://{proxies.host}:{ports[0]}={net.upstream}:{PORT}")
    epi_proxy(proxies, port=ports[1], host=proxies.host,
              listen=f"socks://{proxies.host}:{ports[1]}")
    reverse = Way("libepi reverse", REVERSE, ports[0])
    reverse.ours = True
    client = Way("SOCKS 6 in the client, TFO", SOCKS6, ports[2], [
        "--socks6", "--fast-open", "--ask-fast-open"], "warm, TFO")
    client.ours = True
    found = [reverse, client,
             Redirected("SOCKS 5", SOCKS5, ports[1], *cold("epi-redirector")),
             Redirected("SOCKS 6", SOCKS6, ports[1], *cold("epi-redirector"))]
    if supports("epi-redirector", "--warm"):
        found.append(Redirected("SOCKS 6, warm", SOCKS6, ports[1],
                                trips="warm"))
        found += [Redirected("SOCKS 6, warm, TFO", SOCKS6, ports[1], option,
                             trips="warm, TFO")
                  for option in ("--fast-open", "--tfo")
                  if supports("epi-redirector", option)]
    return found
