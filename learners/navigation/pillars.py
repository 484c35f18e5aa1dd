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
"""Pillars of one picture: ahead, the agent's own first, and from left to right."""
BEHIND, AHEAD, BESIDE = 2, 6, 4
"""Metres that the map reaches behind, before, and to either side of the agent."""
ROWS, COLUMNS = BEHIND + 1 + AHEAD, 2 * BESIDE + 1
"""Pillars of the map; the farthest ahead are first, the leftmost first."""
LAYERS = (0.1, 0.35, 0.75, 1.6)
"""Metres above the floor between which objects are looked at, in three layers; lower is floor (depth has 16 bits), higher is wall."""
WALL = 2.6
"""Metres above the floor up to which a wall is looked at; the ceiling is above."""
CHANNELS = 4 * (len(LAYERS) - 1) + 2
"""Of a pillar: red, green, blue and surface of each layer; surface of the floor and of the wall."""
_SURFACES = [*(4 * (channel // 4) + 3 for channel in range(CHANNELS - 2)), CHANNELS - 2, CHANNELS - 1]
"""The channel that says whether something was seen, for each channel."""
_EYE = 1.5
"""Height of the camera above the floor in metres."""
_HALF_FIELD = math.tan(math.radians(30))
"""Half of the height of what is seen a metre ahead, in metres."""
_SURFACE = 0.5
"""Square metres that count as full."""
_BEYOND = 0.05
"""Metres by which a point is pushed away from the agent: a wall at the border of two pillars belongs to the farther one."""


def pillars(picture: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The map `(FORWARD, SIDE, CHANNELS)` of a picture `(height, width, 4)` of colours from 0 to 1 and depth in metres.

    Depth is along the camera's axis, which is level. Raises `ValueError` for a picture of another shape and without finite values.
    """
    if picture.ndim != 3 or picture.shape[2] != 4 or not np.isfinite(picture).all():
        raise ValueError(f"a picture must be finite, of shape (height, width, 4); got {picture.shape}")
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
        return np.bincount(place, values[there], size).reshape(FORWARD, SIDE, -1).astype(np.float64)

    pixels = total(np.ones_like(depth))
    surface = 255 * np.clip(total(pixel**2) / _SURFACE, 0, 1)
    colours = [255 * total(picture[..., channel].astype(np.float64)) / np.maximum(pixels, 1) for channel in range(3)]
    layers = np.stack([*colours, surface], -1)[:, :, 1:-1].reshape(FORWARD, SIDE, -1)
    made: NDArray[np.uint8] = np.concatenate([layers, surface[..., :1], surface[..., -1:]], -1).round().astype(np.uint8)
    return made


class PillarMap:
    """What an agent has seen around it since the episode began: what it passes stays on the map, although it is out of view."""

    def __init__(self) -> None:
        self._pillars: dict[tuple[int, int], NDArray[np.uint8]] = {}

    def after(self, picture: NDArray[np.floating], position: tuple[int, int], heading: int) -> NDArray[np.uint8]:
        """The map around the agent `(ROWS, COLUMNS, CHANNELS)` with a further picture, taken at a position (metres to the east and south of
        the start) and a heading (0 east, 1 south, 2 west, 3 north).

        A layer that is seen again is as it was seen last. The agent's own pillar holds the compass: one of its first four values is 255.
        Raises as `pillars`.
        """
        seen = pillars(picture)
        for ahead, side in np.argwhere(seen.any(-1)).tolist():
            there = self._pillars.setdefault(_place(position, heading, ahead, side - SIDE // 2), np.zeros(CHANNELS, dtype=np.uint8))
            shown = seen[ahead, side, _SURFACES] > 0
            there[shown] = seen[ahead, side][shown]
        made = np.zeros((ROWS, COLUMNS, CHANNELS), dtype=np.uint8)
        for row in range(ROWS):
            for column in range(COLUMNS):
                found = self._pillars.get(_place(position, heading, AHEAD - row, column - BESIDE))
                if found is not None:
                    made[row, column] = found
        made[AHEAD, BESIDE] = 0
        made[AHEAD, BESIDE, heading] = 255
        return made


def _place(position: tuple[int, int], heading: int, ahead: int, right: int) -> tuple[int, int]:
    (east, south), (column, row) = ((1, 0), (0, 1), (-1, 0), (0, -1))[heading], position
    return column + ahead * east - right * south, row + ahead * south + right * east
