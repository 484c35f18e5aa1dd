"""Whether a scene was visited before, by the things that were seen in it: `SceneMemory`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ...envs.navigation.scenes import KINDS

Thing = tuple[int, int]
"""Kind and colour, as MiniGrid numbers them."""
SceneTraits = frozenset[tuple[int, ...]]
"""Things that were seen, and pairs of things that were seen together with how far apart they are."""


class SceneMemory:
    """Traits of scenes; a scene is as new as it differs from the most similar one that is remembered.

    Traits do not depend on where an agent stands and looks, so a scene is known again from another place in it, which a hash of a view
    cannot do. A scene costs some dozens of small numbers, whatever the episode's length.
    """

    def __init__(self, scenes: Iterable[SceneTraits] = ()) -> None:
        self.scenes = tuple(scenes)
        """What is remembered."""

    def after(self, views: NDArray[np.integer]) -> SceneMemory:
        """A memory that holds the scene of an episode's views `(T, 7, 7, 3)` too; this one is unchanged."""
        return SceneMemory((*self.scenes, scene_traits(views)))

    def novelty(self, views: NDArray[np.integer]) -> float:
        """The Jaccard distance to the nearest remembered scene, from 0 to 1; 1 where none is remembered. Larger is stranger.

        Jaccard 1912, "The Distribution of the Flora in the Alpine Zone", https://doi.org/10.1111/j.1469-8137.1912.tb05611.x.
        """
        seen = scene_traits(views)
        return 1.0 - max((len(seen & one) / max(1, len(seen | one)) for one in self.scenes), default=0.0)


def scene_traits(views: NDArray[np.integer]) -> SceneTraits:
    """Traits of what stands in some views `(T, 7, 7, 3)`: `(kind, colour)` of objects and doors, and for two in one view both and how many
    cells they are apart along either axis, in ascending order.
    """
    from minigrid.core.constants import OBJECT_TO_IDX

    kinds = [OBJECT_TO_IDX[kind] for kind in (*KINDS, "door")]
    traits: set[tuple[int, ...]] = set()
    for view in views:
        columns, rows = np.nonzero(np.isin(view[..., 0], kinds))
        seen = [((int(view[x, y, 0]), int(view[x, y, 1])), int(x), int(y)) for x, y in zip(columns, rows, strict=True)]
        traits.update(thing for thing, _, _ in seen)
        for (one, x, y), (other, right, down) in combinations(seen, 2):
            traits.add((*min(one, other), *max(one, other), *sorted((abs(x - right), abs(y - down)))))
    return frozenset(traits)
