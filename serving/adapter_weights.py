"""Reading an adapter's weights without torch: shapes, and whether every number is finite and of a size that training could give."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

LARGEST_WEIGHT = 1_000.0
"""Largest magnitude of one entry of a LoRA factor. Trained ones stay near 1; thousands saturate every activation."""
LARGEST_HEADER = 10_000_000
"""Most bytes of a safetensors header."""
STRIDE = 1 << 22
"""Entries looked at at once."""

# Little-endian, as the format demands. bfloat16 is the upper half of a float32.
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


class Tensor(NamedTuple):
    """Where one tensor lies in a safetensors file."""

    dtype: str
    """Name of its element type, as in the header."""
    shape: tuple[int, ...]
    """Its shape."""
    start: int
    """First byte, from the beginning of the file."""
    end: int
    """Byte after the last one."""


def read_header(file: Path) -> dict[str, Tensor]:
    """Name and place of every tensor in a safetensors file. Raises `OSError`, or `ValueError` for a file of another format.

    Format: https://huggingface.co/docs/safetensors, eight bytes of header length, the header as JSON, then the data.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 0 < length <= min(LARGEST_HEADER, size - 8):
            raise ValueError("it has no safetensors header")
        try:
            header = json.loads(stream.read(length))
        except RecursionError:
            raise ValueError("its header is nested too deep") from None
    if not isinstance(header, dict):
        raise ValueError("its header is no table")
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            tensors[name] = _tensor(name, entry, 8 + length, size)
    return tensors


def first_bad_weight(file: Path, tensors: dict[str, Tensor]) -> str:
    """What is wrong with the first entry that is not finite or larger than `LARGEST_WEIGHT`; empty when all are in order."""
    for name, tensor in tensors.items():
        for values in _values(file, tensor):
            largest = float(abs(values).max()) if values.size else 0.0
            if not math.isfinite(largest):
                return f"{name} holds a weight that is not a finite number"
            if largest > LARGEST_WEIGHT:
                return f"{name} holds a weight of {largest:.3g}; training gives none above {LARGEST_WEIGHT:g}"
    return ""


def _tensor(name: str, entry: Any, offset: int, size: int) -> Tensor:
    try:
        dtype, shape, (start, end) = str(entry["dtype"]), tuple(int(side) for side in entry["shape"]), entry["data_offsets"]
        start, end = offset + int(start), offset + int(end)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"its header is damaged at {name[:100]!r}") from error
    if dtype not in _DTYPES:
        raise ValueError(f"{name[:100]!r} is of the type {dtype[:20]!r}; weights are {', '.join(_DTYPES)}")
    width = 8 if dtype == "F64" else 4 if dtype == "F32" else 2
    if min(shape, default=0) < 0 or not offset <= start <= end <= size or math.prod(shape) * width != end - start:
        raise ValueError(f"the data of {name[:100]!r} are cut off or of the wrong size")
    return Tensor(dtype, shape, start, end)


def _values(file: Path, tensor: Tensor) -> Iterator[NDArray[float32]]:
    import numpy as np

    kind = np.dtype(_DTYPES[tensor.dtype])
    with file.open("rb") as stream:
        stream.seek(tensor.start)
        left = (tensor.end - tensor.start) // kind.itemsize
        while left > 0:
            raw = np.frombuffer(stream.read(min(left, STRIDE) * kind.itemsize), dtype=kind)
            left -= STRIDE
            # What overflows float32 becomes infinite, which is refused as it should be.
            with np.errstate(over="ignore", invalid="ignore"):
                yield (raw.astype("<u4") << 16).view("<f4") if tensor.dtype == "BF16" else raw.astype("<f4")
