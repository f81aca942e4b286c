"""pairs.py: many pairs of nodes, as models for libepi and as configurations for
nginx: what the paper's Table II compares."""
import json

from measure import peers
from support import flow

FUNCTIONS = ("gate", "scan")
CAPACITY = 100  # flows that an instance of a function carries


def address(number):
    """A server's address, one of the loopback device's."""
    return f"127.1.{number // 256}.{number % 256}"


def model(pairs):
    """The node that everything comes from may reach so many servers."""
    nodes = {f"server{number}": {"addresses": [address(number)]}
             for number in range(pairs)}
    nodes["client"] = {"addresses": ["127.0.0.1"]}
    return {"epi": 1, "nodes": nodes, "policy": {"default": "allow"}}


def chained_model(pairs):
    """Pairs whose flows all need the same two functions, which run in
    containers."""
    nodes, flows = {}, []
    for number in range(pairs):
        where = f"{number // 256}.{number % 256}"
        nodes[f"a{number}"] = {"domain": "left", "addresses": [f"10.1.{where}"],
                               "attributes": list(FUNCTIONS)}
        nodes[f"b{number}"] = {"domain": "right",
                               "addresses": [f"10.2.{where}"]}
        flows.append({"from": f"a{number}", "to": f"b{number}", "ports": [80]})
    return {
        "epi": 1, "nodes": nodes,
        "proxies": {"left": {"domain": "left",
                             "endpoint": "socks6://10.1.255.1:1080"},
                    "right": {"domain": "right",
                              "endpoint": "socks6://10.2.255.1:1080"}},
        "functions": {name: {"provides": [name], "capacity": CAPACITY,
                             "image": f"registry.example/{name}:1",
                             "endpoints": [f"socks6://{name}:1080"]}
                      for name in FUNCTIONS},
        "applications": {"pairs": {"nodes": list(nodes), "flows": flows}},
        "policy": {"default": "allow"}}


def instances(pairs):
    """Containers of functions that epi-check says must run."""
    ran = flow.run(flow.program_path("epi-check"),
                   flow.file(chained_model(pairs), "model.json"),
                   "--provision", "--json", timeout=60)
    if ran.returncode:
        raise RuntimeError(ran.stderr.strip())
    return sum(need["instances"] for need in json.loads(ran.stdout)["needs"]
               if need["function"])


class Nginx:
    """nginx with a port for each pair, to which more can be added."""

    def __init__(self, place, origin_port, pairs):
        self.place, self.origin_port = place, origin_port
        self.ports = [place.port() for _ in range(pairs)]
        self.folder = flow.folder()
        self._write()
        self.running = place.start(
            *peers.nginx_command(self.folder / "config"), port=self.ports[-1])

    def _write(self):
        servers = "\n".join(
            f"server {{ listen {self.place.host}:{port};"
            f" proxy_pass {address(number)}:{self.origin_port}; }}"
            for number, port in enumerate(self.ports))
        (self.folder / "config").write_text(peers.NGINX.format(
            folder=self.folder, load=f"load_module {peers.STREAM};",
            block=f"stream {{ {servers} }}"))

    def add(self):
        """Add a path, and tell nginx; the path's port."""
        self.ports.append(self.place.port())
        self._write()
        ran = flow.run(*self.place.inside(), *peers.nginx_command(
            self.folder / "config"), "-s", "reload")
        if ran.returncode:
            raise RuntimeError(ran.stderr.strip())
        return self.ports[-1]
