"""The recogniser as waking asks it, beside plain scores."""

from __future__ import annotations

import numpy as np
import pytest
from made.open_set_texts import made

from lifelong.evals.row_filter import ALL_ROWS
from lifelong.evals.suites.perception import wake as module


def test_clear_classes_are_known_and_named_and_the_rest_is_not() -> None:
    figures = module._figures(made(160, False, 0), made(80, False, 1), made(80, True, 2), ALL_ROWS)
    assert figures["lifelong_wake", "accuracy"] == 1
    assert figures["lifelong_wake", "known_share_of_known"] > 0.8
    assert figures["lifelong_wake", "known_share_of_out_of_scope"] < 0.2
    for method in ("lifelong_wake", *module.BASELINES):
        assert figures[method, "ood_auroc"] > 0.95
        assert 0 <= figures[method, "fpr_at_95_id_tpr"] <= 1


def test_novelty_is_turned_so_that_the_known_rank_first() -> None:
    inside, outside = np.array([0.1, 0.2], dtype=np.float32), np.array([0.8, 0.9], dtype=np.float32)
    assert module._rejection("x", inside, outside)["x", "ood_auroc"] == 1
    assert module._rejection("x", outside, inside)["x", "ood_auroc"] == 0


@pytest.mark.parametrize(("count", "drawn"), [(5, 5), (500, 40)])
def test_texts_are_drawn_without_repeats_as_far_as_there_are_any(count: int, drawn: int) -> None:
    texts = module._drawn(made(40, False, 0), count, np.random.default_rng(0))
    assert len(set(texts.texts)) == len(texts) == drawn
