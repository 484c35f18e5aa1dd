from __future__ import annotations

from typing import Any

import pytest
from made.letter_texts import RECIPE, texts

from lifelong.learners import AdaptedEncoder, DesireLearner, EncoderRecipe


@pytest.mark.parametrize("merge", ["learned", "average"])
def test_classes_are_learned_task_after_task(encoder: AdaptedEncoder, merge: Any) -> None:
    learner = DesireLearner(encoder, recipe=RECIPE, merge=merge, draws=30)
    with pytest.raises(ValueError, match="knows no class"):
        learner.predict(["a"])
    for step in range(2):
        learner.learn(*texts(step, range(2 * step, 2 * step + 2)))
    assert learner.labels.tolist() == [0, 1, 2, 3]
    fresh, truth = texts(9, range(4))
    right = learner.predict(fresh) == truth
    assert min(right[truth < 2].mean(), right[truth >= 2].mean()) > 0.5, "both tasks are known, of four classes"
    assert right.mean() > 0.6
    with pytest.raises(ValueError, match="one label a text"):
        learner.learn(fresh, truth[:-1])


def test_bad_settings_are_named() -> None:
    import torch

    with pytest.raises(ValueError, match="above 0"):
        EncoderRecipe(rank=0)
    with pytest.raises(ValueError, match="no linear layer"):
        AdaptedEncoder(torch.nn.Identity(), lambda texts: [])
