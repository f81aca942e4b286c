"""html.py: a model as one page that people can read, as epi-check --html writes
it. The page is examples/page, which the package has a copy of."""
from __future__ import annotations

import os
import re

from .. import library
from ..errors import NotSupported
from ..model import Model


def _quoted(path: str) -> str:
    """A file's name as a JSON string: what is no ASCII letter, digit or
    harmless mark is left out of it."""
    name = os.fsencode(path.rpartition("/")[2])
    return '"%s"' % re.sub(rb"[^0-9A-Za-z._ -]", b"?", name).decode()


def page(model: Model, path: str) -> str:
    """The page of the model that a file has. Raises NotSupported for a package
    that was built without it."""
    try:
        from .page.embed import halves
    except ImportError:
        raise NotSupported("--html: this package was built without the page:"
                           " build it in the source tree of libepi") from None
    before, after = halves()
    name = _quoted("model" if path == "-" else path)
    data = (f'{{"name":{name},"version":"{library.version()}",'
            f'"overview":{model._overview_json()},'
            f'"document":{model.to_json()}}}')
    # In JSON < occurs in strings only; no text of the document can end the
    # element that it is in.
    return before + data.replace("<", "\\u003c") + after
