#!/usr/bin/python3
"""pytests.py [NAME]: run the tests of the Python package with the library of
$EPI_BUILD, and print the lines that verdict.py describes. NAME selects the tests
that have it in their names.

With the sanitizers' build, only those tests are run that call the library
itself in many ways; the interpreter then has the sanitizer's run time, which
programs that they start would have too."""
import faulthandler
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import verdict


SANITIZED = os.environ.get("EPI_BUILD", "build").endswith("-asan")
PATIENCE_S = 1200  # with a test that may wait for ever
WITH_SANITIZERS = ("test_codecs", "test_connect", "test_control",
                   "test_engines", "test_lifetimes", "test_models")


def _name(node):
    path, _, test = node.nodeid.partition(".py::")
    mark = " (sanitizers)" if SANITIZED else ""
    return f"python.{path.rpartition('/')[2]}.{test}{mark}"


class Verdicts:
    """What each test came to, as a line; only of those that are asked for."""

    def __init__(self, part):
        self.part = part
        self.said = open(os.dup(2), "w")  # pytest takes 2 for its own

    def pytest_runtest_logstart(self, nodeid):
        faulthandler.dump_traceback_later(PATIENCE_S, exit=True,
                                          file=self.said)

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config):
        # These lines are all that is printed. Without the plugin as a whole,
        # its options are missing, and with them what asserts say.
        manager = config.pluginmanager
        manager.unregister(manager.getplugin("terminalreporter"))

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if self.part in _name(item) and not
                    (SANITIZED and item.get_closest_marker("weighed"))]

    def pytest_runtest_logreport(self, report):
        name = _name(report)
        if report.failed:
            verdict.not_ok(name, report.longreprtext)
        elif report.skipped:
            *_, why = report.longrepr
            verdict.skip(name, why)
        elif report.when == "call":
            verdict.ok(name)

    def pytest_collectreport(self, report):
        if report.failed:
            verdict.not_ok(_name(report), report.longreprtext)


def load_sanitizer():
    """Begin anew with the sanitizer in the interpreter. What Python itself
    leaves behind at its end is no leak of the library."""
    runtime = subprocess.run(
        ["clang", "-print-file-name=libclang_rt.asan-x86_64.so"],
        capture_output=True, text=True, check=True).stdout.strip()
    options = os.environ.get("ASAN_OPTIONS", "")
    os.execve(sys.executable, [sys.executable, *sys.argv], {
        **os.environ, "LD_PRELOAD": runtime, "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": f"{options}:detect_leaks=0"})


def main():
    if SANITIZED and "LD_PRELOAD" not in os.environ:
        load_sanitizer()
    tests = verdict.ROOT / "tests" / "python"
    paths = ([tests / f"{name}.py" for name in WITH_SANITIZERS] if SANITIZED
             else [tests])
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    # What a sanitizer says as it ends the process must not be held back.
    capture = ["--capture=sys"] if SANITIZED else []
    status = pytest.main(["-p", "no:cacheprovider", "--tb=short", *capture,
                          *map(str, paths)], plugins=[Verdicts(part)])
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        status = 0
    sys.exit(int(status))


main()
