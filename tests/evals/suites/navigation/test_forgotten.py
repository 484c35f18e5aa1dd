"""Forgetting in the suite: every figure is there, and a reset costs next to nothing."""

from __future__ import annotations

from lifelong.evals.data.seeded import Rate, mean_of
from lifelong.evals.suites.navigation import forgotten
from lifelong.evals.suites.navigation.stages import QUICK, stage_data, taught


def test_success_is_counted_before_and_after() -> None:
    figures = forgotten.category(taught("lifelong_cnav", QUICK, stage_data(QUICK, "test", 0), 0)[0])
    for method in ("before", "lifelong_reset", "lifelong_rebuilt"):
        of_it, others = figures[method, "forgotten_category_success"], figures[method, "other_categories_success"]
        assert isinstance(of_it, Rate)
        assert isinstance(others, Rate)
        assert of_it.trials == QUICK.tested
        assert 0 < others.trials < QUICK.stages * QUICK.tested
    # The others' weights are untouched by a reset.
    assert figures["lifelong_reset", "other_categories_success"] == figures["before", "other_categories_success"]
    assert mean_of(figures["lifelong_reset", "forgetting_seconds"]) < mean_of(figures["lifelong_rebuilt", "forgetting_seconds"])
