from __future__ import annotations

import numpy as np
import pytest
import torch

from lifelong.checks.scorer import example_samples
from lifelong.perception import ClassifierRecipe, HeadEnsemble
from lifelong.perception.experimental.classifier.head_ensemble import _read

QUICK = ClassifierRecipe(epochs=8, batch_size=16)
OUTLIERS = np.eye(12, dtype=np.float32)[3:]


def test_reading_golden() -> None:
    # Class logits ln 1, ln 3 and extra ln 4: without the extra class 1/4 and 3/4, with it 3/8; energy ln 4, odds ln (4 / 4).
    parts = _read(torch.tensor([[1.0, 3.0, 4.0]]).log(), torch.tensor([0, 1]), 2)
    for part, golden in zip(parts, ([[0.25, 0.75]], [np.log(4)], [0.0], [3 / 8]), strict=True):
        np.testing.assert_allclose(part, golden, atol=1e-6)


@pytest.mark.parametrize("outliers", [None, OUTLIERS])
def test_heads_learn_repeat_themselves_and_leave_their_input(outliers: np.ndarray | None) -> None:
    vectors, _, labels = example_samples(0)
    heads = HeadEnsemble(2, hidden=16, recipe=QUICK).fit(vectors, labels + 4, outliers)
    fresh, _, classes = example_samples(1)
    outputs = heads.outputs(fresh)
    np.testing.assert_array_equal(heads.labels[outputs.probabilities.argmax(1)], classes + 4)
    np.testing.assert_allclose(outputs.probabilities.sum(1), 1)
    again = HeadEnsemble(2, hidden=16, recipe=QUICK).fit(vectors, labels + 4, outliers).outputs(fresh)
    np.testing.assert_array_equal(again.probabilities, outputs.probabilities)
    np.testing.assert_array_equal(vectors, example_samples(0)[0])
    if outliers is None:
        assert not outputs.outlier.any()
    else:
        assert heads.outputs(outliers).outlier.min() > outputs.outlier.mean()


def test_a_class_that_is_left_out_is_never_named() -> None:
    vectors, _, labels = example_samples(0)
    heads = HeadEnsemble(1, hidden=16, recipe=QUICK).fit(vectors, labels)
    outputs = heads.outputs(vectors, without=np.array([1]))
    assert not outputs.probabilities[:, 1].any()
    np.testing.assert_allclose(outputs.probabilities.sum(1), 1)
    with pytest.raises(ValueError, match="every class"):
        heads.outputs(vectors, without=labels)


def test_one_class_is_certain_and_bad_input_is_refused() -> None:
    vectors, _, labels = example_samples(0)
    heads = HeadEnsemble(1, hidden=4, recipe=QUICK)
    with pytest.raises(ValueError, match="call `fit` first"):
        heads.outputs(vectors)
    np.testing.assert_array_equal(heads.fit(vectors, labels * 0).outputs(vectors).probabilities, 1)
    for rows, classes in ((vectors[:0], labels[:0]), (vectors, labels[:-1]), (vectors * np.nan, labels)):
        with pytest.raises(ValueError, match=r"needed|NaN"):
            heads.fit(rows, classes)
    with pytest.raises(ValueError, match="at least 1"):
        HeadEnsemble(0)
