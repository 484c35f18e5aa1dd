"""`Codebook`: how vectors of a class become short codes and come back; `ClassCodes`: the codes of one class.

A vector less its class mean is turned into coordinates of falling variance and each coordinate is rounded to a lattice: a
product quantiser whose parts have one dimension. The saving is in the entropy code: each sample names the sample of its class
that it resembles, and codes are cheap where they agree with it. What the lattice lost is completed by a small linear decoder,
learned while the vectors were at hand (the pattern completion of SPMC).

Part of the memory of SPMC (2025, https://arxiv.org/abs/2504.14727); the code itself is this project's own.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Floats
from .model import CORRELATION_LEVELS, LARGEST, bits, bounds, nearest_deviation, rounded, shares
from .range_coding import Decoder, Integers, encode

COORDINATE_GROUPS = 12
"""Groups of coordinates, by variance, each with its own decoder weights: what a code has lost depends on its variance."""
STREAMS = 4
"""Streams written side by side, so that numpy encodes several symbols at once; a vector's length is a multiple of it."""
BASIS_STEP = 0.05
"""Rounding of the directions; they are made orthogonal again afterwards."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassCodes:
    """The codes of one class, in the order in which they are written: a sample after the one it resembles."""

    mean: Integers
    """Rounded class mean `(d,)`, in units of `mean_step`."""
    codes: Integers
    """Codes `(n, d)`."""
    parents: Integers
    """The earlier sample that each one resembles `(n,)`; the first one's is 0 and means nothing."""
    levels: Integers
    """By how many of `CORRELATION_LEVELS` parts it does `(n,)`; 0 for the first."""

    def quarters(self) -> Integers:
        """Where the model expects each code, in parts of `CORRELATION_LEVELS`."""
        return np.asarray(self.levels[:, None] * self.codes[self.parents])


@dataclass(frozen=True, kw_only=True, eq=False)
class Codebook:
    """One version of the code. It never changes: cues of a later version stand beside those of an earlier one."""

    directions: Integers
    """The leading directions `(d, k)` in units of `BASIS_STEP`."""
    step: float
    """Width of the lattice."""
    deviations: NDArray[np.uint8]
    """Number of each coordinate's deviation, by level `(CORRELATION_LEVELS + 1, d)`."""
    weights: NDArray[np.float16]
    """Of the completion decoder `(COORDINATE_GROUPS, 4)`: code, expected code, mean code of its children, mean code of the class."""

    @cached_property
    def basis(self) -> Floats:
        """All directions `(d, d)`, orthonormal: the leading ones and any that complete them."""
        d = len(self.directions)
        # The rounded directions are orthonormal only about; QR makes them so, and the same from the same whole numbers.
        if not self.directions.shape[1]:
            return np.eye(d)
        return np.asarray(np.linalg.qr(BASIS_STEP * self.directions, mode="complete")[0])

    def coordinates(self, vectors: Floats, mean: Integers) -> Floats:
        """Coordinates `(n, d)` of vectors of a class, in units of the lattice."""
        return np.asarray((vectors - mean_step(len(mean)) * mean) @ self.basis / self.step)

    def vectors(self, one: ClassCodes) -> Floats:
        """The vectors `(n, d)` that the codes recall."""
        features = completion_features(one)
        completed = np.empty(one.codes.shape)
        for band, weights in zip(coordinate_groups(one.codes.shape[1]), self.weights.astype(np.float64), strict=True):
            completed[:, band] = np.einsum("fnd,f->nd", features[:, :, band], weights)
        return np.asarray(mean_step(len(one.mean)) * one.mean + self.step * completed @ self.basis.T)

    def to_bytes(self) -> bytes:
        """What it takes to keep; `from_bytes` is its inverse."""
        d, count = self.directions.shape
        deviation = nearest_deviation(np.array([max(float(self.directions.std()), 0.1) if count else 1.0]))
        # Deviations fall slowly along the coordinates: their differences are small and deflate well.
        slopes = zlib.compress(np.diff(self.deviations, axis=1, prepend=np.uint8(0)).tobytes(), 9)
        streams = encode(*shares(self.directions.reshape(STREAMS, -1), _nothing(STREAMS, d * count // STREAMS), deviation)) if count else []
        head = _HEAD.pack(d, count, self.step, int(deviation[0]), len(slopes))
        lengths = np.array([len(stream) for stream in streams], dtype="<u2").tobytes()
        return head + slopes + self.weights.astype("<f2").tobytes() + lengths + b"".join(streams)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Codebook:
        """The codebook that `to_bytes` packed."""
        d, count, step, deviation, length = _HEAD.unpack_from(packed)
        at = _HEAD.size + length
        slopes = np.frombuffer(zlib.decompress(packed[_HEAD.size : at]), dtype=np.uint8).reshape(CORRELATION_LEVELS + 1, d)
        weights = np.frombuffer(packed, dtype="<f2", count=4 * COORDINATE_GROUPS, offset=at).reshape(COORDINATE_GROUPS, 4)
        directions = np.zeros((STREAMS, d * count // STREAMS), dtype=np.int64)
        if count:
            decoder = Decoder(split(packed[at + 8 * COORDINATE_GROUPS :], STREAMS))
            ends = bounds(_nothing(STREAMS, 1)[:, 0], np.full(STREAMS, deviation, dtype=np.uint8))
            for column in range(directions.shape[1]):
                directions[:, column] = decoder.read(ends) - LARGEST
        deviations = np.cumsum(slopes, axis=1, dtype=np.uint8)
        return cls(directions=directions.reshape(d, count), step=step, deviations=deviations, weights=weights)


_HEAD = struct.Struct("<HHdBH")


def _nothing(rows: int, columns: int) -> Integers:
    return np.zeros((rows, columns), dtype=np.int64)


def split(packed: bytes, count: int) -> list[bytes]:
    """Streams that follow their lengths."""
    lengths = np.frombuffer(packed, dtype="<u2", count=count).astype(int)
    ends = 2 * count + np.cumsum(lengths)
    return [packed[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def mean_step(d: int) -> float:
    """Rounding of class means of unit vectors: a quarter of the root mean square of an entry, about."""
    return 0.235 / sqrt(d)


def coordinate_groups(d: int) -> list[Integers]:
    """The coordinates in groups of about one size."""
    return [np.asarray(part) for part in np.array_split(np.arange(d), COORDINATE_GROUPS)]


def completion_features(one: ClassCodes) -> Floats:
    """What the decoder reads of each code `(4, n, d)`: see `Codebook.weights`."""
    n = len(one.codes)
    children, count = np.zeros(one.codes.shape), np.zeros(n)
    # The first sample has no parent. `add.at` and not `+=`: several samples may share a parent.
    np.add.at(children, one.parents[1:], one.codes[1:].astype(np.float64))
    np.add.at(count, one.parents[1:], 1)
    mean = np.broadcast_to(one.codes.mean(0), one.codes.shape)
    return np.stack([one.codes.astype(np.float64), one.quarters() / CORRELATION_LEVELS, children / np.maximum(count, 1)[:, None], mean])


def order_by_parent(mean: Integers, codes: Integers, deviations: NDArray[np.uint8]) -> ClassCodes:
    """Codes in an order in which each one's parent, the nearest sample written before it, stands before it (Prim's tree)."""
    order, parents = _tree(codes.astype(np.float64))
    codes = codes[order]
    costs = [bits(codes, level * codes[parents], deviations[level]) for level in range(CORRELATION_LEVELS + 1)]
    levels = np.argmin(costs, axis=0)
    levels[0] = 0  # its parent is itself, which a reader does not have yet
    return ClassCodes(mean=mean, codes=codes, parents=parents, levels=levels)


def _tree(rows: Floats) -> tuple[Integers, Integers]:
    """Prim's minimum spanning tree from the shortest row on: the order of joining, and each row's parent as a place in that order."""
    # |x - y|^2 = |x|^2 + |y|^2 - 2 x y, so that one matrix product gives all distances.
    lengths = (rows * rows).sum(1)
    distances = lengths[:, None] + lengths - 2 * rows @ rows.T
    order, place = [int(lengths.argmin())], np.zeros(len(rows), dtype=np.int64)
    nearest, best = np.zeros(len(rows), dtype=np.int64), distances[order[0]].copy()
    best[order[0]] = np.inf  # a row that has joined is never chosen again
    parents = [0]
    for number in range(1, len(rows)):
        row = int(best.argmin())
        order.append(row)
        parents.append(int(nearest[row]))
        place[row] = number
        closer = distances[row] < best
        best[closer], nearest[closer] = distances[row][closer], number
        best[order] = np.inf
    return np.array(order, dtype=np.int64), np.array(parents, dtype=np.int64)


def leading_directions(covariance: Floats, count: int) -> Integers:
    """The directions of largest variance `(d, count)`, in units of `BASIS_STEP`."""
    # `eigh` needs exact symmetry, and sorts upwards.
    directions = np.linalg.eigh((covariance + covariance.T) / 2)[1][:, ::-1][:, :count]
    return np.clip(np.rint(directions / BASIS_STEP), -LARGEST, LARGEST).astype(np.int64)


def fit_codebook(covariance: Floats, groups: Sequence[tuple[Integers, Floats]], count: int, step: float) -> Codebook:
    """A codebook for vectors of classes, each given with its rounded mean, whose residuals have this covariance `(d, d)`.

    Deviations and levels are fitted in turns, as they depend on each other; then the decoder by least squares.
    """
    d = len(covariance)
    book = Codebook(
        directions=leading_directions(covariance, count),
        step=step,
        deviations=np.zeros((CORRELATION_LEVELS + 1, d), np.uint8),
        weights=np.zeros((COORDINATE_GROUPS, 4), np.float16),
    )
    coordinates = [book.coordinates(vectors, mean) for mean, vectors in groups]
    spread = np.sqrt(np.mean(np.concatenate(coordinates) ** 2, axis=0))
    # A first guess: the more of its parent a code repeats, the less is left to tell.
    deviations = nearest_deviation(np.outer(1 - 0.15 * np.arange(CORRELATION_LEVELS + 1), spread))
    for _ in range(3):
        arrangements = [order_by_parent(mean, rounded(rows), deviations) for (mean, _), rows in zip(groups, coordinates, strict=True)]
        misses = np.concatenate([one.codes - one.quarters() / CORRELATION_LEVELS for one in arrangements])
        levels = np.concatenate([one.levels for one in arrangements])
        # Four made-up samples at the guess keep the deviation of a level that hardly any code has from collapsing.
        squares = [(misses[levels == level] ** 2).sum(0) + 4 * spread**2 * (1 - 0.15 * level) for level in range(CORRELATION_LEVELS + 1)]
        deviations = nearest_deviation(np.sqrt(np.array([s / ((levels == n).sum() + 4) for n, s in enumerate(squares)])))
    inputs = np.concatenate([completion_features(one) for one in arrangements], axis=1)
    # Arranging has changed the order: the true coordinates follow their codes.
    truth = np.concatenate([_in_order(one, rows) for one, rows in zip(arrangements, coordinates, strict=True)])
    weights = [_least_squares(inputs[:, :, band], truth[:, band]) for band in coordinate_groups(d)]
    return replace(book, deviations=deviations, weights=np.array(weights, dtype=np.float16))


def _in_order(one: ClassCodes, coordinates: Floats) -> Floats:
    order, _ = _tree(rounded(coordinates).astype(np.float64))
    assert np.array_equal(rounded(coordinates)[order], one.codes)
    return coordinates[order]


def _least_squares(inputs: Floats, targets: Floats) -> Floats:
    rows = inputs.reshape(len(inputs), -1)
    # A small ridge: where all codes of a group are zero the normal equations are singular.
    return np.asarray(np.linalg.solve(rows @ rows.T + 1e-3 * np.eye(len(rows)), rows @ targets.ravel()))
