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
from .pillars import CHANNELS, FORWARD, SIDE, pillars

GOALS = tuple(dict.fromkeys((*CATEGORIES, *CATEGORIES_3D)))
"""Every category of any world; its place is its number. Those of the grid are first."""
View = NDArray[np.uint8]
"""What is kept of one observation `(rows, columns, channels)`."""


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
    side_by_side: int
    """Episodes that are run at once, at most: a camera that turns to another scene builds it anew."""
    see: Callable[[ObjectNavGridEnvironment, Mapping[str, Any]], View]
    """The view of an episode, from what its last step said."""


def _see_cells(episode: ObjectNavGridEnvironment, info: Mapping[str, Any]) -> View:
    return np.asarray(episode.payload(info["view"]), dtype=np.uint8)


def _see_pillars(episode: ObjectNavGridEnvironment, info: Mapping[str, Any]) -> View:
    return pillars(episode.payload(info["view"]), info["compass"])


MODALITIES: Mapping[str, Modality] = {
    "objectnav-grid": Modality(
        environment=ObjectNavGridEnvironment,
        goals=len(CATEGORIES),
        shape=(7, 7, 3),
        values=16,
        cells=True,
        side_by_side=2**31,
        see=_see_cells,
    ),
    "objectnav-3d": Modality(
        environment=ObjectNav3DEnvironment,
        goals=len(GOALS),
        shape=(FORWARD, SIDE, CHANNELS),
        values=256,
        cells=False,
        side_by_side=1,
        see=_see_pillars,
    ),
}
"""By the environment's name."""
GRID = "objectnav-grid"


def see(episode: ObjectNavGridEnvironment, info: Mapping[str, Any]) -> View:
    """What a navigator reads of an episode's last observation."""
    return MODALITIES[episode.name].see(episode, info)
