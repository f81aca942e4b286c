"""test_package.py: what users do with the package works: install it, with the
library of the system or one of its own, and check their types."""
import ast
import os
import subprocess
import sys
import zipfile

import pytest

from conftest import BUILD, ROOT

SOURCE = ROOT / "bindings" / "python"
MODEL = ROOT / "examples" / "hospitals.json"


def _run(*argv, **environment):
    env = {**os.environ, "PIP_NO_INDEX": "1", "PIP_NO_CACHE_DIR": "1",
           "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environment}
    for name in [name for name, value in env.items() if not value]:
        del env[name]
    ran = subprocess.run([str(a) for a in argv], capture_output=True,
                         text=True, env=env, timeout=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An interpreter of its own, with the package installed by pip."""
    folder = tmp_path_factory.mktemp("venv")
    _run(sys.executable, "-m", "venv", "--without-pip", folder)
    _run(sys.executable, "-m", "pip", "--python", folder / "bin" / "python",
         "install", SOURCE)
    return folder / "bin" / "python"


ASK = "import epi; print(epi.version(), epi.Model({'epi': 1, 'nodes': {}}))"


def test_pip_installs_it(python):
    assert "Model" in _run(python, "-c", ASK)
    where = _run(python, "-c", "import epi; print(epi.__file__)")
    assert str(SOURCE) not in where
    assert "Which data may move" in _run(python, "-m", "epi", "check", MODEL,
                                         "--html", "-")


def test_the_library_of_the_system_is_found(python):
    said = _run(python, "-c", ASK, EPI_LIBRARY="",
                LD_LIBRARY_PATH=str(BUILD))
    assert "Model" in said


def test_without_a_library_it_says_what_to_install(python):
    said = _run(python, "-c", "try:\n import epi\nexcept ImportError as e:"
                "\n print(e)", EPI_LIBRARY="/no/such/file")
    assert "meson install" in said and "/no/such/file" in said


def test_a_wheel_may_bring_the_library(tmp_path):
    _run(sys.executable, "-m", "pip", "wheel", "-w", tmp_path, SOURCE,
         EPI_BUNDLE=str(BUILD / "libepi.so"))
    (wheel,) = tmp_path.glob("*.whl")
    assert "linux" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        assert "epi/_lib/libepi.so.0" in archive.namelist()
        assert "epi/py.typed" in archive.namelist()
        archive.extractall(tmp_path / "unpacked")
    assert "Model" in _run(sys.executable, "-c", ASK, EPI_LIBRARY="",
                           PYTHONPATH=str(tmp_path / "unpacked"))


def test_a_library_for_a_wheel_has_a_whole_path(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-w", tmp_path, SOURCE],
        capture_output=True, text=True, timeout=600,
        env={**os.environ, "EPI_BUNDLE": "build/libepi.so"})
    assert ran.returncode and "does not begin with a /" in ran.stderr, ran
    brane = SOURCE / "examples" / "brane"
    for page in (SOURCE / "README.md", brane / "README.md",
                 brane / "container.yml"):
        said = page.read_text()
        assert said.count("EPI_BUNDLE=") == said.count("EPI_BUNDLE=$PWD/")


def test_a_source_distribution_builds_a_wheel(tmp_path):
    _run(sys.executable, "-c", "import build_backend as b, sys;"
         "b.build_sdist(sys.argv[1])", tmp_path, PYTHONPATH=str(SOURCE))
    (archive,) = tmp_path.glob("*.tar.gz")
    _run(sys.executable, "-m", "pip", "wheel", "-w", tmp_path, archive)
    assert list(tmp_path.glob("*-none-any.whl"))


def test_the_oldest_python_can_read_it():
    for path in SOURCE.rglob("*.py"):
        ast.parse(path.read_text(), feature_version=(3, 9))


USER = """
import epi
from epi.compat import socksx

class Upper(epi.Filter):
    def data(self, pipe: epi.Pipe, direction: epi.Direction,
             data: bytes) -> bytes:
        return data.upper()

async def main() -> None:
    model = epi.Model({"epi": 1, "nodes": {}})
    decision = model.decide(epi.Query("a", "b", 443))
    verdict: epi.Verdict = decision.verdict
    async with epi.Engine(model=model, filters=[Upper()], workers=2) as engine:
        engine.counts.open + 1
    reader, writer = await epi.open_connection(("a", 1), "socks6://b:1080")
    await socksx.socks6.Client("a:1").connect(socksx.socket.SocketAddress("a:2"))
    print(epi.choose_method(epi.For.RATE, list(epi.Method), rtt_cp_ms=1,
                            rtt_ps_ms=2))
    print(epi.__version__, epi.limits.PIPE, epi.errors.Denied, verdict)
"""


def test_types_are_strict(tmp_path):
    mypy = pytest.importorskip("mypy.api")
    user = tmp_path / "user.py"
    user.write_text(USER)
    said, _, status = mypy.run([
        "--strict", "--python-version", "3.9", "--cache-dir",
        str(tmp_path / "cache"), str(SOURCE / "epi"), str(user)])
    assert status == 0, said
