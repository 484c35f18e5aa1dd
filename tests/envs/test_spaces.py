"""Observations of every kind of space: names, captions, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from lifelong.envs.results import RuleBroken
from lifelong.envs.spaces import caption, leaves

CAMERA = spaces.Dict({"depth": spaces.Box(0, 10, (4, 5), np.float32), "compass": spaces.Box(-1, 1, (2,), np.float32)})
ROBOT = spaces.Dict({"camera": CAMERA, "room": spaces.Discrete(4, start=1), "mission": spaces.Text(20)})


def observation() -> dict[str, Any]:
    depth = np.arange(20, dtype=np.float32).reshape(4, 5) / 2
    return {"camera": {"depth": depth, "compass": np.array([0.25, -1])}, "room": 3, "mission": "find the key"}


def test_every_part_has_a_name_and_the_shape_of_its_space() -> None:
    parts = dict(leaves(ROBOT, observation()))
    assert list(parts) == ["camera.compass", "camera.depth", "mission", "room"]
    assert (parts["camera.depth"].shape, parts["camera.compass"].dtype, int(parts["room"])) == ((4, 5), np.float32, 3)
    assert caption(parts) == "camera.compass: 0.25, -1; camera.depth: 4x5 numbers from 0 to 9.5, mean 4.75; mission: find the key; room: 3"


@pytest.mark.parametrize(
    ("space", "value", "said"),
    [
        (spaces.Discrete(3), np.int64(2), "2"),
        (spaces.Box(0, 255, (2,), np.uint8), np.array([7, 255], np.uint8), "7, 255"),
        (spaces.MultiDiscrete([3, 4]), np.array([2, 0]), "2, 0"),
        (spaces.MultiBinary(3), np.array([1, 0, 1], np.int8), "1, 0, 1"),
        (spaces.Tuple([spaces.Discrete(2), spaces.Text(5)]), (1, "left"), "0: 1; 1: left"),
    ],
)
def test_other_spaces(space: spaces.Space[Any], value: Any, said: str) -> None:
    assert caption(dict(leaves(space, value))) == said


def changed(key: str, value: Any) -> dict[str, Any]:
    return {**observation(), key: value}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            changed("camera", {"depth": np.zeros((5, 4)), "compass": np.zeros(2)}),
            r"observation 'camera.depth' has shape \(5, 4\); its space says \(4, 5\)",
        ),
        (changed("camera", {"depth": "far", "compass": np.zeros(2)}), "observation 'camera.depth' must hold float32"),
        (changed("room", 5), "observation 'room' is 5; its space says 1 to 4"),
        (changed("room", 0), "observation 'room' is 0; its space says 1 to 4"),
        ({"camera": {}}, r"observation must hold \['camera', 'mission', 'room'\], as its space says; got \['camera'\]"),
        (np.zeros(3), "observation must hold .*; got ndarray"),
    ],
)
def test_what_does_not_fit_is_named(value: Any, words: str) -> None:
    with pytest.raises(RuleBroken, match=words):
        dict(leaves(ROBOT, value))


def test_a_tuple_of_another_length_and_an_unknown_space_are_named() -> None:
    with pytest.raises(RuleBroken, match="must be a tuple of 1, as its space says"):
        dict(leaves(spaces.Tuple([spaces.Discrete(2)]), (1, 1)))
    with pytest.raises(RuleBroken, match=r"is of Sequence; Box, Dict, Discrete, .* can be read"):
        dict(leaves(spaces.Sequence(spaces.Discrete(2)), (1, 1)))
