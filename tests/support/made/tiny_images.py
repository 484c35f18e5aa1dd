"""Image learners and images that are learned in a moment."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lifelong.learners import (
    DistillationImageLearner,
    ImageLearner,
    ImageRecipe,
    PrototypeImageLearner,
    ReplayImageLearner,
)

TINY = ImageRecipe(width=4, blocks=(1,), epochs=2, batch_size=12, learning_rate=0.02)


MAKES: dict[str, Callable[[], ImageLearner]] = {
    "naive": lambda: ImageLearner(TINY),
    "lwf": lambda: DistillationImageLearner(TINY),
    "replay": lambda: ReplayImageLearner(TINY, per_class=3),
    "pass": lambda: PrototypeImageLearner(TINY, form="sampled", hardness=0.0, ensemble=False),
    "pass_plus_plus": lambda: PrototypeImageLearner(TINY),
    "pass_plus_plus_gaussians": lambda: PrototypeImageLearner(TINY, gaussians=True),
}


def made(classes: list[int], count: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(classes, count)
    pixels = draw.integers(0, 60, size=(len(labels), 8, 8, 3))
    for one in classes:
        pixels[labels == one, :, :, one % 3] += 120
        pixels[labels == one, : 2 + one, :4] += 60
    return pixels.astype(np.uint8), labels


def learned(make: Callable[[], ImageLearner], *groups: list[int]) -> ImageLearner:
    learner = make()
    for group in groups:
        learner.learn(*made(group))
    return learner
