"""Names with a version, such as `database-v1`: the short name, and the newest version that it stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable

_VERSION = re.compile(r"-v([0-9]{1,9})\Z")


def short_name(name: str) -> str:
    """A name without its version.

    >>> short_name("database-v1"), short_name("lab-db-v1"), short_name("chat")
    ('database', 'lab-db', 'chat')
    """
    return _VERSION.sub("", name)


def newest(name: str, known: Iterable[str]) -> str:
    """What a name means among the known ones: itself, or its newest version where it names none; else it comes back as it is.

    >>> newest("maze", ["maze-v2", "maze-v10"]), newest("maze-v2", ["maze-v2", "maze-v10"]), newest("chess", ["maze-v2"])
    ('maze-v10', 'maze-v2', 'chess')
    """
    names = list(known)
    if name in names:
        return name
    versions = [one for one in names if one != name and short_name(one) == name]
    return max(versions, key=version) if versions else name


def version(name: str) -> int:
    """The number of a name's version, 0 where it has none."""
    match = _VERSION.search(name)
    return int(match[1]) if match else 0
