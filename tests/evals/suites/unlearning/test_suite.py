"""Requests of the unlearning suite, and the difference to a head that never saw them."""

from __future__ import annotations

import numpy as np
import pytest
from made.open_set_texts import made

from lifelong.core import DataMissing
from lifelong.evals.suites.unlearning import suite as module

TRAIN = made(120, False, 0)


@pytest.mark.parametrize("size", ["1", "10"])
def test_a_request_is_of_so_many_samples(size: str) -> None:
    gone = module.requested(size, TRAIN.labels, 0)
    assert gone.sum() == int(size)
    assert np.array_equal(gone, module.requested(size, TRAIN.labels, 0))


def test_a_request_for_a_class_is_for_all_of_it() -> None:
    gone = module.requested("a whole class", TRAIN.labels, 3)
    [label] = set(TRAIN.labels[gone])
    assert np.array_equal(gone, TRAIN.labels == label)


@pytest.mark.parametrize("name", module.QUICK)
def test_closed_form_heads_forget_to_within_rounding(name: str) -> None:
    gone = module.requested("10", TRAIN.labels, 0)
    figures = module.erased(name, lambda: module.HEADS[name](0), TRAIN, gone, made(30, False, 1).vectors)
    assert figures[name, "largest_logit_difference_x1e9"] < 1e4
    assert figures[name, "logit_change_by_erasure"] > 1e-4, "there was something to forget"
    assert figures[name, "unlearn_ms"] > 0


def test_a_head_that_forgets_nothing_is_seen() -> None:
    class Keeping(type(module.HEADS[module.QUICK[0]](0))):  # type: ignore[misc]
        def unlearn(self, vectors: np.ndarray, labels: np.ndarray) -> None:
            pass

    gone = module.requested("10", TRAIN.labels, 0)
    figures = module.erased("keeping", Keeping, TRAIN, gone, made(30, False, 1).vectors)
    assert figures["keeping", "largest_logit_difference_x1e9"] > 1e5
    assert figures["keeping", "logit_change_by_erasure"] == 0


def test_class_moments_are_taken_back_to_within_rounding() -> None:
    [(key, difference)] = module._gaussians(TRAIN, module.requested("10", TRAIN.labels, 0)).items()
    assert key == ("lifelong_class_gaussians", "largest_moment_difference_x1e9")
    assert difference < 1e4


def test_without_data_it_says_what_to_name() -> None:
    with pytest.raises(DataMissing, match=r"clinc150 \(lifelong bench --list\); name their directory"):
        module.run(quick=True, seeds=1, data=None)
