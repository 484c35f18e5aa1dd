"""Replay of images."""

from __future__ import annotations

import numpy as np
from made.tiny_images import MAKES, learned, made


def test_naive_forgets_what_replay_keeps() -> None:
    asked, truth = made([0, 1], seed=1)
    right = {name: (learned(MAKES[name], [0, 1], [2, 3]).predict(asked) == truth).mean() for name in ("naive", "replay")}
    assert right["naive"] < right["replay"]


def test_replay_keeps_so_many_of_each_class_and_the_same_ones() -> None:
    learner = learned(MAKES["replay"], [0, 1])
    before = learner.state()["kept.pixels"]
    learner.learn(*made([2]))
    state = learner.state()
    assert np.bincount(state["kept.places"]).tolist() == [3, 3, 3]
    assert len(before) == 6
