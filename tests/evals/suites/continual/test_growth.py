"""What a further class costs."""

from __future__ import annotations

import pytest

from lifelong.evals.suites.continual.growth import cost


@pytest.mark.slow
def test_the_cost_of_a_class_is_measured() -> None:
    figures = cost(3, 0, repeats=2)
    assert {method for method, _ in figures} == {"lifelong_ridge", "lifelong_cues", "nearest_mean", "streaming_lda"}
    assert all(value > 0 for (_, metric), value in figures.items() if metric == "predict_ms")
