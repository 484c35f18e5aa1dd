"""The codes of classes as blobs, and back.

Part of the memory of SPMC (2025, https://arxiv.org/abs/2504.14727); the code itself is this project's own.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np

from .codes import STREAMS, ClassCodes, Codebook, split
from .model import CORRELATION_LEVELS, LARGEST, bounds, shares
from .range_coding import TOTAL, Decoder, Integers, encode

MEAN_DEVIATION = np.uint8(36)
"""Number of the deviation of class means: about 3 units of their rounding."""
LEVELS = np.linspace(0, TOTAL, CORRELATION_LEVELS + 2).astype(np.int64)
HEAD = struct.Struct("<BHq")
"""A blob begins with the version of its codebook, its number of samples and its class number."""


def pack(classes: Sequence[tuple[int, ClassCodes]], version: int, book: Codebook) -> list[bytes]:
    """A blob for each class, all written side by side; `unpack` is its inverse.

    In time, a class is its mean and then its samples; a sample is its level, its parent and its codes. The codes go round the
    streams in turn.
    """
    longest = max(len(one.codes) for _, one in classes)
    d = len(book.directions)
    starts = np.zeros((len(classes), longest + 1, 1 + d // STREAMS, STREAMS), dtype=np.int64)
    sizes = np.full_like(starts, TOTAL)
    for place, (_, one) in enumerate(classes):
        n = len(one.codes)
        start, size = shares(one.mean, np.zeros(d, dtype=np.int64), np.full(d, MEAN_DEVIATION))
        starts[place, 0, 1:], sizes[place, 0, 1:] = start.reshape(-1, STREAMS), size.reshape(-1, STREAMS)
        start, size = shares(one.codes, one.quarters(), book.deviations[one.levels])
        starts[place, 1 : n + 1, 1:], sizes[place, 1 : n + 1, 1:] = start.reshape(n, -1, STREAMS), size.reshape(n, -1, STREAMS)
        starts[place, 1 : n + 1, 0, 0], sizes[place, 1 : n + 1, 0, 0] = LEVELS[one.levels], np.diff(LEVELS)[one.levels]
        earlier = np.maximum(np.arange(n), 1)
        starts[place, 1 : n + 1, 0, 1] = TOTAL * one.parents // earlier
        sizes[place, 1 : n + 1, 0, 1] = TOTAL * (one.parents + 1) // earlier - starts[place, 1 : n + 1, 0, 1]
    as_rows = [array.transpose(0, 3, 1, 2).reshape(len(classes) * STREAMS, -1) for array in (starts, sizes)]
    streams = encode(*as_rows)
    blobs = []
    for place, (label, one) in enumerate(classes):
        own = streams[place * STREAMS : (place + 1) * STREAMS]
        lengths = np.array([len(stream) for stream in own], dtype="<u2").tobytes()
        blobs.append(HEAD.pack(version, len(one.codes), label) + lengths + b"".join(own))
    return blobs


def with_version(blob: bytes, place: Mapping[int, int]) -> bytes:
    """The blob with the version of its codebook changed to its new place."""
    version, samples, label = HEAD.unpack_from(blob)
    return HEAD.pack(place[version], samples, label) + blob[HEAD.size :]


def unpack(blobs: Sequence[bytes], book: Codebook) -> list[ClassCodes]:
    """The codes in blobs of one version."""
    d, classes = len(book.directions), len(blobs)
    counts = np.array([HEAD.unpack_from(blob)[1] for blob in blobs])
    decoder = Decoder([stream for blob in blobs for stream in split(blob[HEAD.size :], STREAMS)])
    means = _read_codes(decoder, bounds(np.zeros((classes, d), dtype=np.int64), np.full((classes, d), MEAN_DEVIATION)))
    codes = np.zeros((classes, counts.max(), d), dtype=np.int64)
    parents, levels = np.zeros((2, classes, counts.max()), dtype=np.int64)
    rows = np.arange(classes)
    for number in range(counts.max()):
        going = number < counts
        ends = np.full((classes, STREAMS, max(number, CORRELATION_LEVELS + 1) + 1), TOTAL, dtype=np.int64)
        ends[:, :, 0] = 0
        ends[:, 0, : CORRELATION_LEVELS + 2] = np.where(going[:, None], LEVELS, ends[:, 0, : CORRELATION_LEVELS + 2])
        earlier = max(number, 1)
        ends[:, 1, : earlier + 1] = np.where(going[:, None], TOTAL * np.arange(earlier + 1) // earlier, ends[:, 1, : earlier + 1])
        read = decoder.read(ends.reshape(classes * STREAMS, -1)).reshape(classes, STREAMS)
        levels[:, number], parents[:, number] = read[:, 0], read[:, 1]
        quarters = read[:, :1] * codes[rows, read[:, 1]]
        inside = bounds(quarters, book.deviations[read[:, 0]])
        # A class that has no more samples reads nothing: one symbol takes the whole share.
        inside[~going, :, : LARGEST + 1], inside[~going, :, LARGEST + 1 :] = 0, TOTAL
        codes[:, number] = _read_codes(decoder, inside)
    parts = zip(means, codes, parents, levels, counts, strict=True)
    return [ClassCodes(mean=mean, codes=c[:n], parents=p[:n], levels=v[:n]) for mean, c, p, v, n in parts]


def _read_codes(decoder: Decoder, ends: Integers) -> Integers:
    """Codes `(classes, d)` by the bounds of each one's shares."""
    classes, d, width = ends.shape
    by_step = ends.reshape(classes, d // STREAMS, STREAMS, width)
    columns = [decoder.read(by_step[:, step].reshape(classes * STREAMS, width)) for step in range(d // STREAMS)]
    return np.stack([column.reshape(classes, STREAMS) for column in columns], axis=1).reshape(classes, d) - LARGEST
