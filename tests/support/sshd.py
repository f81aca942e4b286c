"""sshd.py: an OpenSSH server for flow tests, which ends with the test."""
import getpass
import os
import pathlib

from support import flow


def start(host, port, namespace=None):
    """Start a server with a key for whoever runs the test; the options with
    which ssh gets in."""
    server, keygen = flow.need("sshd", "ssh-keygen")
    place = flow.folder()
    for key in ("host", "user"):
        flow.run(keygen, "-q", "-t", "ed25519", "-N", "", "-f", place / key)
    flow.run("cp", place / "user.pub", place / "authorized")
    config = flow.file(f"""
ListenAddress {host}:{port}
HostKey {place}/host
AuthorizedKeysFile {place}/authorized
PidFile none
StrictModes no
PasswordAuthentication no
PermitRootLogin yes
UsePAM {'yes' if os.geteuid() == 0 else 'no'}
""", "sshd_config")
    if os.geteuid() == 0:  # it stays: servers of other tests need it as well
        pathlib.Path("/run/sshd").mkdir(0o755, exist_ok=True)
    flow.start(server, "-D", "-e", "-f", config, ready="Server listening",
               namespace=namespace)
    return ["-F", "none", "-i", place / "user", "-l", getpass.getuser(),
            "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
            "-o", f"UserKnownHostsFile={place}/known"]
