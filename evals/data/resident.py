"""How much an object holds in memory: `resident_bytes`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np


def resident_bytes(thing: object) -> int:
    """Bytes of all arrays, tensors, texts and byte strings that an object reaches, each counted once.

    Followed are attributes, containers and what functions hold; an array that is a view counts as what it is a view of. Encoders
    are left out: one serves all.
    """
    return sum(_sizes(thing, set()))


def _sizes(thing: Any, seen: set[int]) -> Iterator[int]:
    if id(thing) in seen or thing is None or isinstance(thing, (int, float, bool, type)):
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        whole = thing
        while isinstance(whole.base, np.ndarray):
            whole = whole.base
        if whole is thing or id(whole) not in seen:
            seen.add(id(whole))
            yield whole.nbytes
    elif isinstance(thing, (str, bytes)):
        yield len(thing.encode() if isinstance(thing, str) else thing)
    elif hasattr(thing, "encode"):
        return
    elif hasattr(thing, "element_size"):  # a tensor
        yield thing.element_size() * thing.nelement()
    else:
        for part in _parts(thing):
            yield from _sizes(part, seen)


def _parts(thing: Any) -> Iterator[Any]:
    if isinstance(thing, Mapping):
        yield from thing.values()
    elif isinstance(thing, (list, tuple, set, frozenset)):
        yield from thing
    elif isinstance(thing, partial):
        yield from (*thing.args, *thing.keywords.values())
    elif getattr(thing, "__closure__", None):
        yield from (cell.cell_contents for cell in thing.__closure__)
    elif hasattr(thing, "parameters") and hasattr(thing, "buffers"):  # a torch module
        yield from (*thing.parameters(), *thing.buffers())
    else:
        yield from getattr(thing, "__dict__", {}).values()
