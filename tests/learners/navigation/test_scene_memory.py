"""A scene is known again from elsewhere in it, and another one is new."""

from __future__ import annotations

import numpy as np

from lifelong.envs.navigation.scenes import make_world
from lifelong.learners.navigation.scene_memory import SceneMemory, scene_traits


def turned(scene: int, turns: range) -> np.ndarray:
    """What is seen from the start of a scene after some numbers of turns to the left."""
    world = make_world(scene)
    views = []
    for number in range(turns.stop):
        if number in turns:
            views.append(world.gen_obs()["image"].copy())
        world.step(0)
    return np.stack(views)


def test_traits_by_hand() -> None:
    from minigrid.core.constants import COLOR_TO_IDX, OBJECT_TO_IDX

    view = np.zeros((7, 7, 3), dtype=np.uint8)
    ball, door = (OBJECT_TO_IDX["ball"], COLOR_TO_IDX["red"]), (OBJECT_TO_IDX["door"], COLOR_TO_IDX["blue"])
    view[1, 2, :2], view[4, 1, :2] = ball, door
    pair = (*min(ball, door), *max(ball, door), 1, 3)
    assert scene_traits(view[None]) == {ball, door, pair}
    # The same two things after a quarter turn of the agent.
    assert scene_traits(np.rot90(view)[None]) == {ball, door, pair}
    assert scene_traits(np.zeros((2, 7, 7, 3), dtype=np.uint8)) == frozenset()


def test_novelty_is_a_share() -> None:
    empty = SceneMemory()
    views = turned(1, range(4))
    assert empty.novelty(views) == 1.0
    assert empty.after(views).novelty(views) == 0.0
    assert empty.scenes == ()


def test_a_scene_is_known_again() -> None:
    memory = SceneMemory()
    for scene in range(12):
        memory = memory.after(turned(scene, range(3)))
    known = [memory.novelty(turned(scene, range(1, 4))) for scene in range(12)]
    new = [memory.novelty(turned(scene, range(1, 4))) for scene in range(100, 112)]
    assert np.mean(known) < np.mean(new) - 0.2
