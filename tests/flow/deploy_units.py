#!/usr/bin/env python3
"""deploy_units.py: what examples/deploy says is what systemd, Compose and
Kubernetes read, and epi-proxy takes the options that are in it."""
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow

DEPLOY = flow.EXAMPLES / "deploy"


def known_options():
    ran = flow.run(flow.program_path("epi-proxy"), "--help")
    return set(re.findall(r"--[a-z][a-z-]+", ran.stdout))


def documents(name):
    try:
        import yaml
    except ImportError:
        flow.skip("no module yaml")
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def take(arguments):
    options = [word for word in arguments if word.startswith("--")]
    assert options and set(options) <= known_options(), options


@flow.test
def systemd_takes_the_units():
    verify = flow.need("systemd-analyze")
    folder = flow.folder()
    text = (DEPLOY / "epi-proxy.service").read_text()
    command = re.search(r"^ExecStart=(.*(?:\\\n.*)*)", text, re.M)[1]
    take(command.replace("\\\n", " ").split())
    (folder / "epi-proxy.service").write_text(text.replace(
        "/usr/bin/epi-proxy", str(flow.program_path("epi-proxy"))))
    shutil.copy(DEPLOY / "epi-proxy.socket", folder)
    ran = flow.run(verify, "verify", "--man=no", folder / "epi-proxy.service",
                   folder / "epi-proxy.socket")
    # One build says where it was not booted by systemd; that is no fault.
    said = [line for line in ran.stderr.splitlines() if "epi-proxy" in line]
    assert ran.returncode == 0 and not said, ran.stderr


@flow.test
def the_socket_is_the_listener():
    listens = re.search(r"--listen socks://(\S+)",
                        (DEPLOY / "epi-proxy.service").read_text())[1]
    assert f"ListenStream={listens}\n" in (
        DEPLOY / "epi-proxy.socket").read_text()


@flow.test
def compose_gives_it_no_rights():
    service = documents("compose.yaml")[0]["services"]["epi-proxy"]
    assert service["cap_drop"] == ["ALL"] and service["read_only"]
    take(service["command"])


@flow.test
def kubernetes_gives_it_no_rights():
    (deployment,) = documents("kubernetes.yaml")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    rights = container["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert rights["readOnlyRootFilesystem"]
    assert rights["allowPrivilegeEscalation"] is False
    take(container["args"])


@flow.test
def what_they_start_starts_in_such_a_place():
    """As nobody, without a capability, with a required sandbox."""
    flow.need_root()
    folder = flow.folder()
    folder.chmod(0o711)
    model = folder / "model.json"
    model.write_text('{"epi": 1, "nodes": {}}')
    model.chmod(0o644)
    words = "require,capabilities,files,calls" if flow.SANITIZED else "require"
    proxy = flow.proxy("--model", model, "--sandbox", words, prefix=[
        "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
        "--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs"])
    said = proxy.wait_line("sandbox: (.*)")[1]
    assert "capabilities: none (own connections have no mark" in said, said


flow.main()
