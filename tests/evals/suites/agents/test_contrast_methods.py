from __future__ import annotations

from lifelong.agents.consolidation.contrast.groups import TriedAnswer
from lifelong.envs import DatabaseEnvironment
from lifelong.evals.suites.agents.contrast_methods import METHODS, QUICK_SCALES, SCALES, START, chosen
from lifelong.learners.contrast.group_policy import GroupRelativePolicy


def test_every_method_is_another_objective_choice_judge_or_carrier() -> None:
    assert START not in METHODS
    assert len({(repr(method.objective), method.keep, method.soft_prompt, method.by_agreement) for method in METHODS.values()}) == len(
        METHODS
    )
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


def test_by_agreement_the_verdicts_are_hidden() -> None:
    [task] = DatabaseEnvironment().tasks("train", 1)
    verdicts = [("SELECT a", False, "7"), ("SELECT b", False, "7"), ("SELECT c", True, "8")]
    tried = [TriedAnswer(answer=answer, success=success, result=result) for answer, success, result in verdicts]
    found = {one.sample.answer: (one.success, one.weight) for one in chosen([task], [tried], METHODS["agreement"])}
    assert found == {"SELECT a": (True, 2 / 3), "SELECT b": (True, 2 / 3), "SELECT c": (False, 2 / 3)}
    split = [TriedAnswer(answer="SELECT a", success=True, result="7"), TriedAnswer(answer="SELECT b", success=False, result="8")]
    assert chosen([task], [split], METHODS["agreement"]) == []
