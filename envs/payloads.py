"""Arrays of an observation by reference: a step names them, and whoever learns from pictures asks for them."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import NothingFound

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class ArrayReference:
    """An array by its content."""

    digest: str
    """SHA-256 of type, shape and values, in hexadecimal: the same array has the same reference."""
    shape: tuple[int, ...]
    """Sizes of its axes."""
    dtype: str
    """NumPy's name of its type."""


class ArrayPayloads:
    """Arrays by reference, within a bound of bytes; the one not asked for longest goes first."""

    def __init__(self, *, max_bytes: int = 16 * 1024**2) -> None:
        self._max_bytes = max_bytes
        self._arrays: OrderedDict[str, Array] = OrderedDict()
        self._bytes = 0

    @property
    def bytes_held(self) -> int:
        """Bytes of all arrays that are held."""
        return self._bytes

    def put(self, array: Array) -> ArrayReference:
        """Keep a copy. Raises `ValueError` for one that alone is over the bound, or that holds Python objects."""
        if array.dtype.hasobject or array.nbytes > self._max_bytes:
            what = "of Python objects" if array.dtype.hasobject else f"of {array.nbytes} bytes"
            raise ValueError(f"an array {what} cannot be kept; at most {self._max_bytes} bytes of numbers or texts can")
        kept = np.array(array, order="C", copy=True)
        kept.flags.writeable = False
        head = f"{kept.dtype.str} {kept.shape} ".encode()
        digest = hashlib.sha256(head + kept.tobytes()).hexdigest()
        if digest not in self._arrays:
            self._arrays[digest] = kept
            self._bytes += kept.nbytes
        self._arrays.move_to_end(digest)
        while self._bytes > self._max_bytes:
            self._bytes -= self._arrays.popitem(last=False)[1].nbytes
        return ArrayReference(digest=digest, shape=kept.shape, dtype=kept.dtype.name)

    def get(self, reference: ArrayReference) -> Array:
        """The array, which cannot be written to. Raises `NothingFound` where it is held no longer."""
        if reference.digest not in self._arrays:
            raise NothingFound(
                f"no array {reference.digest[:12]} is held (any longer); ask for it before {self._max_bytes} further bytes came"
            )
        self._arrays.move_to_end(reference.digest)
        return self._arrays[reference.digest]
