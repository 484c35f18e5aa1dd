"""What a navigator reads of a world: the form of its views, and the goals that there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...envs import ObjectNav3DEnvironment, ObjectNavGridEnvironment
from ...envs.navigation.rooms_3d import CATEGORIES_3D
from ...envs.navigation.scenes import CATEGORIES
from .pillars import CHANNELS, COLUMNS, ROWS, PillarMap

GOALS = tuple(dict.fromkeys((*CATEGORIES, *CATEGORIES_3D)))
"""Every category of any world; its place is its number. Those of the grid are first."""
ViewArray = NDArray[np.uint8]
"""What is kept of one observation `(rows, columns, channels)`."""
Sight = Callable[[Mapping[str, Any]], ViewArray]
"""Gives the view of each step of one episode, from what the environment said of it."""


@dataclass(frozen=True, kw_only=True)
class Modality:
    """One kind of world, as a navigator reads it."""

    environment: type[ObjectNavGridEnvironment]
    """Its environment."""
    goals: int
    """Numbers of its categories lie below."""
    shape: tuple[int, int, int]
    """Of a view."""
    values: int
    """Numbers in a view lie below."""
    cells: bool
    """Whether a view's values are kinds of things, and not quantities."""
    features: int
    """Width of what a cell becomes."""
    filters: int
    """Of the first convolution."""
    side_by_side: int
    """Episodes that are run at once, at most: a camera that turns to another scene builds it anew."""
    sight: Callable[[ObjectNavGridEnvironment], Sight]
    """Begins to read an episode."""


def _see_cells(episode: ObjectNavGridEnvironment) -> Sight:
    return lambda info: np.asarray(episode.payload(info["view"]), dtype=np.uint8)


def _see_pillars(episode: ObjectNavGridEnvironment) -> Sight:
    seen = PillarMap()
    return lambda info: seen.after(episode.payload(info["view"]), info["position"], info["compass"])


MODALITIES: Mapping[str, Modality] = {
    "objectnav-grid": Modality(
        environment=ObjectNavGridEnvironment,
        goals=len(CATEGORIES),
        shape=(7, 7, 3),
        values=16,
        cells=True,
        features=24,
        filters=32,
        side_by_side=2**31,
        sight=_see_cells,
    ),
    "objectnav-3d": Modality(
        environment=ObjectNav3DEnvironment,
        goals=len(GOALS),
        shape=(ROWS, COLUMNS, CHANNELS),
        values=256,
        cells=False,
        features=12,
        filters=16,
        side_by_side=1,
        sight=_see_pillars,
    ),
}
"""By the environment's name."""
GRID = "objectnav-grid"


def begin_sight(episode: ObjectNavGridEnvironment) -> Sight:
    """Begin to read an episode that was reset just now; call what is returned once a step."""
    return MODALITIES[episode.name].sight(episode)
