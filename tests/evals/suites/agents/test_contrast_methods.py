from __future__ import annotations

from lifelong.evals.suites.agents.contrast_methods import METHODS, QUICK_SCALES, SCALES, START
from lifelong.learners.experimental.contrast.group_policy import GroupRelativePolicy


def test_every_method_is_another_objective_or_another_choice_of_groups() -> None:
    assert START not in METHODS
    assert len({(repr(method.objective), method.keep) for method in METHODS.values()}) == len(METHODS)
    assert METHODS["rif_rft"].objective == METHODS["grpo"].objective == GroupRelativePolicy()


def test_quick_cases_are_small_ones_of_the_full() -> None:
    for case, scale in QUICK_SCALES.items():
        full = SCALES[case]
        assert scale.environment == full.environment
        assert (scale.tasks, scale.tested, scale.practised, scale.budget) < (full.tasks, full.tested, full.practised, full.budget)
