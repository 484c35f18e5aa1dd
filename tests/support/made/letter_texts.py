"""Texts of a few letters, a class's own two among others, and a recipe that learns them in a moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lifelong.learners import EncoderRecipe

RECIPE = EncoderRecipe(rank=2, epochs=4, batch_size=8, learning_rate=3e-2)


def texts(seed: int, classes: Sequence[int], each: int = 8) -> tuple[list[str], np.ndarray]:
    """A class's texts hold its own two letters among others."""
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.array(classes), each)
    drawn = draw.integers(0, 12, (len(labels), 7))
    drawn[:, :4] = 12 + 2 * labels[:, None] + draw.integers(0, 2, (len(labels), 4))
    return ["".join(chr(40 + number) for number in row[: 5 + row[6] % 3]) for row in drawn], labels
