"""How likely a code is: a Gaussian around a share of the code it resembles, in whole numbers.

Part of the memory of SPMC (2025, https://arxiv.org/abs/2504.14727); the code itself is this project's own.
"""

from __future__ import annotations

from math import erf

import numpy as np
from numpy.typing import NDArray

from .range_coding import TOTAL, Integers

LARGEST = 15
"""Codes lie in -LARGEST...LARGEST."""
CORRELATION_LEVELS = 4
"""A code may resemble another by 0, 1/4, ... 4/4 of it."""
DEAD = 0.47
"""Rounding: `floor(|t| + DEAD)`. A little under one half, because the smaller code is the cheaper one."""

_SYMBOLS = 2 * LARGEST + 1
_FINE, _REACH = 32, 8
# The normal distribution function at steps of 1 / _FINE up to _REACH deviations, scaled to leave every symbol a share of its own.
_NORMAL = np.array(
    [round((TOTAL - _SYMBOLS) * (1 + erf(step / _FINE / 2**0.5)) / 2) for step in range(-_REACH * _FINE, _REACH * _FINE + 1)],
    dtype=np.int64,
)
_CODES = np.arange(-LARGEST, LARGEST)
# Upper ends of all codes but the largest, in units of the lattice.
_EDGES = np.where(_CODES >= 0, _CODES + 1 - DEAD, _CODES + DEAD)
_DEVIATIONS = np.array([0.1 * 1.1**power for power in range(64)])
"""Standard deviations that a code may have, in units of the lattice."""


def rounded(coordinates: NDArray[np.float64]) -> Integers:
    """Codes of coordinates in units of the lattice."""
    codes = np.sign(coordinates) * np.floor(np.abs(coordinates) + DEAD)
    return np.asarray(np.clip(codes, -LARGEST, LARGEST), dtype=np.int64)


def nearest_deviation(deviation: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The number of the nearest deviation that there is."""
    # Deviations are a geometric series: the nearest by ratio, for a code's cost depends on the ratio.
    powers = np.rint(np.log(np.maximum(deviation, 1e-9) / _DEVIATIONS[0]) / np.log(1.1))
    return np.asarray(np.clip(powers, 0, len(_DEVIATIONS) - 1), dtype=np.uint8)


def bounds(quarters: Integers, deviations: NDArray[np.uint8]) -> Integers:
    """Bounds `(..., symbols + 1)` of the shares of all codes around the means `quarters / 4`."""
    # One more for each symbol before it: the share that keeps even an impossible code above zero, without which it could not be written.
    inner = _below(_EDGES, quarters[..., None], deviations[..., None]) + np.arange(1, _SYMBOLS)
    ends = np.zeros((*quarters.shape, 1), dtype=np.int64)
    return np.concatenate([ends, inner, ends + TOTAL], axis=-1)


def shares(codes: Integers, quarters: Integers, deviations: NDArray[np.uint8]) -> tuple[Integers, Integers]:
    """Start and size of the share of each code: the part of `bounds` that an encoder needs."""
    place = codes + LARGEST
    lower = np.where(place > 0, _below(_EDGES[np.maximum(place - 1, 0)], quarters, deviations) + place, 0)
    upper = np.where(place < _SYMBOLS - 1, _below(_EDGES[np.minimum(place, _SYMBOLS - 2)], quarters, deviations) + place + 1, TOTAL)
    return lower, upper - lower


def bits(codes: Integers, quarters: Integers, deviations: NDArray[np.uint8]) -> NDArray[np.float64]:
    """What codes cost, summed over the last axis."""
    return np.asarray(-np.log2(shares(codes, quarters, deviations)[1] / TOTAL).sum(-1))


def _below(edges: NDArray[np.float64], quarters: Integers, deviations: NDArray[np.uint8]) -> Integers:
    # Only subtraction, multiplication, division and rounding: every machine that keeps IEEE 754 gets the same integer.
    steps = np.rint((edges - quarters / CORRELATION_LEVELS) * _FINE / _DEVIATIONS[deviations])
    return np.asarray(_NORMAL[np.clip(steps, -_REACH * _FINE, _REACH * _FINE).astype(np.int64) + _REACH * _FINE])
