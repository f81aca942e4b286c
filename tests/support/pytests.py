#!/usr/bin/python3
"""pytests.py [NAME]: run the tests of the Python package, and print the lines
that verdict.py describes. NAME selects the tests that have it in their names."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import verdict


def _name(node):
    path, _, test = node.nodeid.partition(".py::")
    return f"python.{path.rpartition('/')[2]}.{test}"


class Verdicts:
    """What each test came to, as a line; only of those that are asked for."""

    def __init__(self, part):
        self.part = part

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config):
        # These lines are all that is printed. Without the plugin as a whole,
        # its options are missing, and with them what asserts say.
        manager = config.pluginmanager
        manager.unregister(manager.getplugin("terminalreporter"))

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if self.part in _name(item)]

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


def main():
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    status = pytest.main(["-p", "no:cacheprovider", "--tb=short",
                          str(verdict.ROOT / "tests" / "python")],
                         plugins=[Verdicts(part)])
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        status = 0
    sys.exit(int(status))


main()
