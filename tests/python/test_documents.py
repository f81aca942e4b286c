"""test_documents.py: the Python in the documentation runs as printed, and its
links lead somewhere."""
import re

import pytest

from conftest import ROOT, run_python

FILES = [ROOT / "bindings" / "python" / "README.md", ROOT / "doc" / "python.md"]
ALL = [*FILES, ROOT / "bindings" / "python" / "examples" / "brane" / "README.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_python_in_documents_runs(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    blocks = BLOCK.findall(path.read_text())
    assert blocks
    for code in blocks:
        run_python(code)


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.parent.name)
def test_links_lead_somewhere(path):
    for target in LINK.findall(path.read_text()):
        assert (path.parent / target).exists(), target
