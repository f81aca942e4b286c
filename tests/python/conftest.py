"""conftest.py: what the tests of the Python package share.

They test the package in bindings/python with the library of $EPI_BUILD, by
default `build`."""
import os
import pathlib
import socket
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / os.environ.get("EPI_BUILD", "build")
os.environ.setdefault("EPI_LIBRARY", str(BUILD / "libepi.so"))
sys.path[:0] = [str(ROOT / "bindings" / "python"), str(ROOT / "tests")]

import hypothesis.configuration  # noqa: E402
import pytest  # noqa: E402

import epi  # noqa: E402

# What it stores would lie in the tree.
_storage = tempfile.TemporaryDirectory(prefix="epi-hypothesis-")
hypothesis.configuration.set_hypothesis_home_dir(_storage.name)
hypothesis.settings.register_profile(
    "tests", deadline=None, database=None, derandomize=True, max_examples=60)
hypothesis.settings.load_profile("tests")

HOSPITALS = ROOT / "examples" / "hospitals.json"


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "weighed: memory is measured, which sanitizers keep")


@pytest.fixture
def hospitals():
    return epi.Model.load(HOSPITALS)


class Echo:
    """A server that sends back what it gets, and keeps it in `got`."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = self.socket.getsockname()
        self.got = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(peer,),
                             daemon=True).start()

    def _answer(self, peer):
        with peer:
            try:
                while data := peer.recv(65536):
                    self.got += data
                    peer.sendall(data)
            except OSError:
                pass

    def close(self):
        self.socket.close()


@pytest.fixture
def echo():
    server = Echo()
    yield server
    server.close()


def read_exactly(sock, count):
    data = b""
    while len(data) < count:
        piece = sock.recv(count - len(data))
        assert piece, f"only {data!r}"
        data += piece
    return data


def until(condition, what):
    """Wait for a condition; its value, which is true."""
    end = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.005)
    return value


def run_python(code, *arguments, **environment):
    """Run a program in an interpreter of its own; what it printed."""
    import subprocess
    ran = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", code, *arguments],
        capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT / "bindings" / "python"),
             **environment})
    assert ran.returncode == 0, (ran.returncode, ran.stdout, ran.stderr)
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran.stdout
