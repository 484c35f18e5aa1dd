from __future__ import annotations

from lifelong.agents.consolidation.contrast.groups import TriedAnswer
from lifelong.envs import DatabaseEnvironment
from lifelong.evals.suites.agents.contrast_methods import METHODS, QUICK_SCALES, SCALES, START, chosen
from lifelong.learners.experimental.contrast.group_policy import GroupRelativePolicy


def test_every_method_is_another_objective_choice_of_groups_or_carrier() -> None:
    assert START not in METHODS
    assert len({(repr(method.objective), method.keep, method.soft_prompt) for method in METHODS.values()}) == len(METHODS)
    assert METHODS["rif_rft"].objective == METHODS["grpo"].objective == GroupRelativePolicy()


def test_quick_cases_are_small_ones_of_the_full() -> None:
    for case, scale in QUICK_SCALES.items():
        full = SCALES[case]
        assert scale.environment == full.environment
        assert (scale.tasks, scale.tested, scale.practised, scale.budget) < (full.tasks, full.tested, full.practised, full.budget)


def group(*answers: tuple[str, bool]) -> list[TriedAnswer]:
    return [TriedAnswer(answer=answer, success=success) for answer, success in answers]


def test_groups_that_tell_nothing_apart_are_dropped_but_by_the_rollout_filter() -> None:
    tasks = DatabaseEnvironment().tasks("train", 2)
    groups = [group(("SELECT a", True), ("SELECT b", False)), group(("SELECT c", True), ("SELECT c", True))]
    [right, wrong] = chosen(tasks, groups, METHODS["dpo"])
    assert (right.success, wrong.success, wrong.instead) == (True, False, "SELECT a")
    assert [one.sample.answer for one in chosen(tasks, groups, METHODS["rif_rft"])] == ["SELECT a", "SELECT b", "SELECT c"]
