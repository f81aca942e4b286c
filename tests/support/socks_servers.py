"""socks_servers.py: SOCKS 5 servers of others, for epi-proxy to go through.

    hop = socks_servers.danted(login=("ada", "secret"))
    proxy = flow.proxy("--chain", hop.url())

Each starts on a free port of 127.0.0.1 and ends with the test."""
from support import flow, sshd


class Hop:
    def __init__(self, port, login=None):
        self.port, self.login = port, login

    def url(self):
        """What --chain takes; the login is in a file."""
        credentials = ""
        if self.login:
            path = flow.file(":".join(self.login) + "\n", "credentials")
            credentials = f"?credentials={path}"
        return f"socks5://{flow.LOCAL}:{self.port}{credentials}"


def microsocks(login=None):
    command, port = flow.need("microsocks"), flow.free_port()
    user = ["-u", login[0], "-P", login[1]] if login else []
    flow.start(command, "-i", flow.LOCAL, "-p", port, *user, port=port)
    return Hop(port, login)


def _account(user, password):
    """Words that run a program where one more account exists: danted asks
    the system's, and this one is in no file that outlives the program."""
    openssl = flow.need("openssl", "unshare", "mount")[0]
    hashed = flow.run(openssl, "passwd", "-6", "-stdin",
                      stdin=password).stdout.strip()
    place = flow.folder()
    for name, line in (
            ("passwd", f"{user}:x:64999:64999::/nonexistent:/bin/false"),
            ("shadow", f"{user}:{hashed}:19000:0:99999:7:::")):
        with open(f"/etc/{name}") as system:
            place.joinpath(name).touch(0o600)
            place.joinpath(name).write_text(system.read() + line + "\n")
    place.joinpath("passwd").chmod(0o644)
    place.chmod(0o755)
    return ["unshare", "--mount", "sh", "-c",
            f"mount --bind {place}/passwd /etc/passwd &&"
            f" mount --bind {place}/shadow /etc/shadow && exec \"$@\"", "sh"]


def danted(login=None):
    flow.need_root()
    command, port = flow.need("danted"), flow.free_port()
    config = flow.file(f"""
logoutput: stderr
internal: {flow.LOCAL} port = {port}
external: {flow.LOCAL}
clientmethod: none
socksmethod: {'username' if login else 'none'}
user.privileged: root
user.unprivileged: nobody
client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0
  command: bind connect udpassociate }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0
  command: bindreply udpreply }}
""", "danted.conf")
    flow.start(*(_account(*login) if login else ()), command, "-f", config,
               "-p", config.parent / "danted.pid", port=port)
    return Hop(port, login)


def ssh():
    """`ssh -D` to a server of our own."""
    client, port, server = flow.need("ssh"), flow.free_port(), flow.free_port()
    options = sshd.start(flow.LOCAL, server)
    flow.start(client, *options, "-N", "-D", f"{flow.LOCAL}:{port}", "-p",
               server, flow.LOCAL, port=port)
    return Hop(port)
