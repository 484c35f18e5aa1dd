from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lifelong.agents.consolidation.contrast.groups import TriedAnswer, agreed, distinct, is_informative, learnable, one_of_each
from lifelong.envs.templates import template_of

ATTEMPTS = st.lists(
    st.builds(
        TriedAnswer,
        answer=st.sampled_from(["a = 1", "a = 2", "b = 1", "c"]),
        success=st.sampled_from([True, False, None]),
        result=st.sampled_from(["", "x", "y"]),
        likelihood=st.floats(-5, 0),
    ),
    max_size=8,
)


def attempts(*verdicts: bool | None) -> list[TriedAnswer]:
    return [TriedAnswer(answer=str(place), success=verdict) for place, verdict in enumerate(verdicts)]


def test_groups_that_are_all_right_or_all_wrong_tell_nothing_apart() -> None:
    assert is_informative(attempts(True, False, None))
    assert not any(map(is_informative, ([], attempts(True, True), attempts(False, False), attempts(True, None), attempts(None))))


def test_a_task_is_learnable_from_its_first_success_on_also_where_all_succeed() -> None:
    assert learnable(attempts(False, True))
    assert learnable(attempts(True, True))
    assert not any(map(learnable, ([], attempts(False, False), attempts(None))))


def test_the_likeliest_of_each_template_is_kept_of_each_verdict() -> None:
    group = [
        TriedAnswer(answer="LIMIT 1", success=True, likelihood=-2.0),
        TriedAnswer(answer="LIMIT 2", success=True, likelihood=-1.0),
        TriedAnswer(answer="LIMIT 3", success=False, likelihood=-0.5),
        TriedAnswer(answer="ORDER", success=True, likelihood=-3.0),
        TriedAnswer(answer="ALL", success=None, likelihood=0.0),
    ]
    kept = distinct(group, template_of, 2)
    assert [attempt.answer for attempt in kept] == ["LIMIT 2", "ORDER", "LIMIT 3"]
    assert [attempt.answer for attempt in distinct(group, template_of, 1)] == ["LIMIT 2", "LIMIT 3"]


@given(ATTEMPTS, st.integers(0, 3))
def test_what_is_kept_is_judged_of_the_group_and_of_different_templates(group: list[TriedAnswer], most: int) -> None:
    kept = distinct(group, template_of, most)
    assert all(attempt in group for attempt in kept)
    for verdict in (True, False):
        forms = [template_of(attempt.answer) for attempt in kept if attempt.success is verdict]
        assert len(forms) == len(set(forms)) <= most
    assert most == 0 or is_informative(kept) == is_informative(group)


def test_three_of_four_equal_results_are_weak_positives_of_three_quarters() -> None:
    group = [TriedAnswer(answer=str(place), success=None, result=result) for place, result in enumerate(["7", "8", "7", "7"])]
    found = agreed(group, 0.5)
    assert [(attempt.success, attempt.weight) for attempt in found] == [(True, 0.75), (False, 0.75), (True, 0.75), (True, 0.75)]
    assert agreed(group, 0.8) == []


def test_no_agreement_of_one_of_a_tie_or_of_nothing() -> None:
    def group(*results: str) -> list[TriedAnswer]:
        return [TriedAnswer(answer="a", success=None, result=result) for result in results]

    assert agreed(group("7")) == []
    assert agreed(group("7", "7", "8", "8")) == []
    assert agreed(group("", "", "", "7")) == [], "refused answers do not agree on anything"
    assert agreed([]) == []


@given(ATTEMPTS, st.floats(0, 1))
def test_a_judged_group_is_never_changed_and_weights_are_shares(group: list[TriedAnswer], min_share: float) -> None:
    found = agreed(group, min_share)
    if any(attempt.success is not None for attempt in group):
        assert found == group
    elif found:
        assert {attempt.weight for attempt in found} <= {number / len(group) for number in range(2, len(group) + 1)}
        assert all(attempt.weight >= min_share for attempt in found)
        assert len({attempt.result for attempt in found if attempt.success}) == 1


def test_the_first_of_each_kind_stays_in_its_place() -> None:
    assert one_of_each([3, 1, 13, 2, 11], lambda number: number % 10) == [3, 1, 2]
