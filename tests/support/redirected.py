"""redirected.py: what tests of epi-redirector need: a node, and a network
behind it with a proxy and with whatever the node wants to reach.

    site = redirected.Site()
    origin = site.origin()
    proxy = site.proxy()
    redirector = site.redirector()
    assert site.curl(origin.url()).stdout == "hello"

The node could reach everything directly: what goes through the proxy does so
because it was redirected. A server sees the difference in who connects."""
from support import flow, netns, servers
from support import socks_client as wire

BACKENDS = {"nftables": (), "iptables": ("--iptables",)}
PROXY_PORT = 1080
LISTEN_PORT = 42000


class Site:
    def __init__(self):
        flow.need("nft")
        self.node, self.far = netns.pair()
        self.url = f"socks6://{self.far.address}:{PROXY_PORT}"

    def proxy(self, *options, space=None):
        """An epi-proxy in the far namespace, or in another."""
        space = space or self.far
        return flow.proxy(*options, namespace=space.name,
                          listen=[f"socks://{space.address}:{PROXY_PORT}"])

    def command(self, *options, url=None):
        return [flow.program_path("epi-redirector"), "--proxy",
                url or self.url, *options]

    def redirector(self, *options, url=None):
        """A redirector that is at work."""
        program = self.node.start(*self.command(*options, url=url),
                                  ready=" goes to |libnftables-dev")
        if "libnftables-dev" in program.text:
            program.wait()
            flow.skip("epi-redirector was built without libnftables")
        return program

    def ask(self, *words):
        """A redirector's command, as `status`, run to its end."""
        return self.node.run(flow.program_path("epi-redirector"), *words)

    def server(self, kind, *arguments, host=None, port=0):
        """A server of servers.py, or of a test, in the far namespace."""
        with self.far.inside():
            return kind(*arguments, host=host or self.far.address, port=port)

    def origin(self, host=None):
        return self.server(servers.Origin, host=host)

    def connect(self, server):
        """A connection from the node to a server."""
        with self.node.inside():
            return wire.connect(server.port, server.host)

    def curl(self, *options, prefix=()):
        """curl on the node, which knows of no proxy."""
        return self.node.run(*prefix, flow.need("curl"), "-sS", "-g",
                             "--noproxy", "*", "-m", "15", *options)

    def goes_direct(self, server, **more):
        """1 if the origin sees the node, 0 if it sees the proxy."""
        got = self.curl(server.url("/peer"), **more)
        assert got.returncode == 0, got
        seen = {self.node.address: 1, self.node.address6: 1,
                self.far.address: 0, self.far.address6: 0}
        assert got.stdout in seen, got
        return seen[got.stdout]

    def rules(self):
        """What rules of a redirector are in force, of either backend."""
        words = [line for line in self.node.run(
                     flow.need("nft"), "list", "ruleset").stdout.splitlines()
                 if "epi_redirect" in line or "EPI_REDIRECT" in line]
        return "\n".join(words)
