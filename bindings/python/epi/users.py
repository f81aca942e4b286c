"""users.py: the users file of a listener: who may log in."""
from __future__ import annotations

import os
from typing import Union

from . import _abi as c
from ._handle import check

Path = Union[str, "os.PathLike[str]"]


def users_set(path: Path, user: str, password: str) -> None:
    """Put a user into a users file, which is made if it is not there, or give
    one that it has another password, as a hash. All other lines stay as they
    are, and whoever reads the file sees the old or the new one. It keeps its
    mode and owner; a new one is its owner's alone.

    Takes 50 to 100 ms, as the hash does. Source: include/epi/users.h."""
    check(c.epi_users_set(os.fspath(path), user, password))


def users_remove(path: Path, user: str) -> None:
    """Take a user out of a users file. Source: include/epi/users.h."""
    check(c.epi_users_remove(os.fspath(path), user))
