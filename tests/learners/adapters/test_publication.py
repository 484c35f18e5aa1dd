from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lifelong.learners import decide_publication

RESULTS = st.lists(st.booleans(), min_size=1, max_size=40)


def test_a_clear_gain_is_published_and_harmless_skills_are_served_too() -> None:
    report = decide_publication(
        "new", {"new": [False] * 20, "old": [True] * 20}, {"new": [True] * 20, "old": [True] * 20}, allowed_drop=0.03
    )
    assert report.accepted
    assert {row.skill for row in report.skills if row.serves} == {"new", "old"}


def test_a_skill_that_falls_keeps_what_it_has() -> None:
    live = {"new": [False] * 20, "old": [True] * 20}
    candidate = {"new": [True] * 20, "old": [False] * 10 + [True] * 10}
    report = decide_publication("new", live, candidate, allowed_drop=0.03)
    assert report.accepted
    assert {row.skill for row in report.skills if row.serves} == {"new"}
    assert "old keep what they have" in report.reason


def test_one_adapter_for_all_is_refused_when_a_skill_falls() -> None:
    live = {"new": [False] * 20, "old": [True] * 20}
    candidate = {"new": [True] * 20, "old": [False] * 10 + [True] * 10}
    report = decide_publication("new", live, candidate, allowed_drop=0.03, per_skill_routing=False)
    assert not report.accepted
    assert "old" in report.reason


def test_no_proven_gain_is_refused() -> None:
    report = decide_publication("new", {"new": [False] * 19 + [True]}, {"new": [False] * 18 + [True] * 2}, allowed_drop=0.03)
    assert not report.accepted
    assert "no proven gain" in report.reason


def test_nothing_to_judge_by_is_refused() -> None:
    assert not decide_publication("new", {}, {}, allowed_drop=0.03).accepted


@given(RESULTS)
def test_a_candidate_equal_to_live_is_never_published(results: list[bool]) -> None:
    assert not decide_publication("new", {"new": results}, {"new": results}, allowed_drop=0.03).accepted


@given(RESULTS, st.randoms(use_true_random=False))
def test_a_worse_target_is_never_published(live: list[bool], rng: object) -> None:
    candidate = [False] * len(live)
    assert not decide_publication("new", {"new": live}, {"new": candidate}, allowed_drop=1.0).accepted


def test_few_tasks_prove_nothing_however_they_end() -> None:
    report = decide_publication("new", {"new": [False]}, {"new": [True]}, allowed_drop=0.03)
    assert not report.accepted
    assert report.skills[0].gain_ci95[0] < 0
    short = decide_publication("new", {"new": [False] * 9}, {"new": [True] * 9}, allowed_drop=0.03, min_tasks=12)
    assert not short.accepted
    assert short.reason == "9 held-out tasks of 'new'; 12 are needed"
    assert decide_publication("new", {"new": [False] * 12}, {"new": [True] * 12}, allowed_drop=0.03, min_tasks=12).accepted


def test_an_old_skill_is_served_only_where_no_task_is_lost() -> None:
    live = {"new": [False] * 20, "old": [True] * 20}
    one_lost = decide_publication("new", live, {"new": [True] * 20, "old": [True] * 19 + [False]}, allowed_drop=0.03)
    assert {row.skill for row in one_lost.skills if row.serves} == {"new"}
