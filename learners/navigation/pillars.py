"""Pictures with depth as a map around the agent: what stands in each square metre before it, by height.

Every pixel is put where its depth says that it is, into a pillar over a square metre, as in "PointPillars" (Lang et al. 2019,
https://arxiv.org/abs/1812.05784) and in C-NAV's bird's-eye view; colours of three layers of height keep a ball apart from a key. There is
nothing to train, and no object is named: which colours in which shape are which goal is learned from the expert's episodes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FORWARD, SIDE = 8, 7
"""Pillars ahead, the agent's own first, and from left to right."""
LAYERS = (0.1, 0.35, 0.75, 1.6)
"""Metres above the floor between which objects are looked at, in three layers; lower is floor (depth has 16 bits), higher is wall."""
WALL = 2.6
"""Metres above the floor up to which a wall is looked at; the ceiling is above."""
CHANNELS = 4 * (len(LAYERS) - 1) + 2
"""Of a pillar: red, green, blue and surface of each layer; surface of the floor and of the wall."""
HEADINGS = 4
_EYE = 1.5
"""Height of the camera above the floor in metres."""
_HALF_FIELD = math.tan(math.radians(30))
"""Half of the height of what is seen a metre ahead, in metres."""
_SURFACE = 0.5
"""Square metres that count as full."""
_BEYOND = 0.05
"""Metres by which a point is pushed away from the agent: a wall at the border of two pillars belongs to the farther one."""


def pillars(picture: NDArray[np.floating], heading: int) -> NDArray[np.uint8]:
    """The map `(FORWARD, SIDE, CHANNELS)` of a picture `(height, width, 4)` of colours from 0 to 1 and depth in metres.

    Depth is along the camera's axis, which is level. The agent's own pillar, of which nothing is seen, holds the compass: one of its first
    four values is 255. Raises `ValueError` for a picture of another shape, without finite values, or with an unknown heading.
    """
    if picture.ndim != 3 or picture.shape[2] != 4 or not np.isfinite(picture).all() or not 0 <= heading < HEADINGS:
        shape = f"{picture.shape}, heading {heading}"
        raise ValueError(f"a picture must be finite, of shape (height, width, 4), heading from 0 to {HEADINGS - 1}; got {shape}")
    height, width, _ = picture.shape
    depth = picture[..., 3].astype(np.float64)
    # Metres that a pixel is high and wide at its depth; pixels are square.
    pixel = 2 * _HALF_FIELD / height * depth
    up = _EYE + ((height - 1) / 2 - np.arange(height))[:, None] * pixel
    right = (np.arange(width) - (width - 1) / 2)[None] * pixel
    ahead = np.floor(depth + _BEYOND + 0.5).astype(np.int64)
    side = np.floor(right + _BEYOND * np.sign(right) + 0.5).astype(np.int64) + SIDE // 2
    # 0 is the floor, 1 to 3 are the layers, 4 is the wall, 5 the ceiling.
    layer = np.digitize(up, (*LAYERS, WALL))
    there = (ahead < FORWARD) & (side >= 0) & (side < SIDE) & (layer <= len(LAYERS))
    place = ((ahead * SIDE + side) * (len(LAYERS) + 1) + layer)[there]
    size = FORWARD * SIDE * (len(LAYERS) + 1)

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(place, values[there], size).reshape(FORWARD, SIDE, -1)

    pixels = total(np.ones_like(depth))
    surface = 255 * np.clip(total(pixel**2) / _SURFACE, 0, 1)
    colours = [255 * total(picture[..., channel].astype(np.float64)) / np.maximum(pixels, 1) for channel in range(3)]
    layers = np.stack([*colours, surface], -1)[:, :, 1:-1].reshape(FORWARD, SIDE, -1)
    made: NDArray[np.uint8] = np.concatenate([layers, surface[..., :1], surface[..., -1:]], -1).round().astype(np.uint8)
    made[0, SIDE // 2] = 0
    made[0, SIDE // 2, heading] = 255
    return made
