"""Tasks that are unknown one by one become a skill together; a person names it, and the learner knows it from then on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripted import open_scripted

from lifelong.core import MalformedTask, NothingFound, Task
from lifelong.orchestrator import LifelongLearner, answer, questions
from lifelong.orchestrator import discover as module

PLACES = ("Rome", "Oslo", "Lima", "Cairo", "Quito", "Paris", "Delhi", "Seoul", "Tokyo", "Milan", "Turin", "Sofia")
DISHES = ("soup", "cake", "bread", "salad", "curry", "pasta", "stew", "pie", "rice", "tart", "toast", "roast")
FLIGHTS = [f"Please book a flight to {place} for {day} morning" for place in PLACES for day in ("Monday", "Friday")]
RECIPES = [f"Write down the recipe of a {dish} with {extra} in it" for dish in DISHES for extra in ("garlic", "honey")]
LAMPS = [f"Press the button of lamp {number} in room {room}" for number in range(6) for room in range(5)]
ODD = ["Zymurgy?", "Sing!", "42 is odd, says Kurt", "xx yy zz ww", "Hm."]


def opened(home: Path, **values: Any) -> LifelongLearner:
    return open_scripted(home, **{"sleep.discover_after": 20, **values})


def say(learner: LifelongLearner, goals: list[str], kind: str = "", tenant: str = "default") -> list[str]:
    """What was filed under which skill, one a goal."""
    return [learner.wake(Task(id=goal, goal=goal, skill=kind, tenant=tenant, environment="chat")).skill for goal in goals]


def test_unknown_tasks_become_skills_and_a_person_names_them(tmp_path: Path) -> None:
    with opened(tmp_path) as learner:
        say(learner, LAMPS, kind="lamps")
        assert say(learner, FLIGHTS + RECIPES + ODD) == [""] * 53
        assert learner.sleep() == []
        asked = questions(learner.record, "default")
        waiting = learner.record.episodes.novel("default")
        assert sum(question.size for question in asked) + len(waiting) == 53
        assert {episode.task.goal for episode in waiting} >= set(ODD), "what belongs to no group waits on"
        assert sum(question.size for question in asked) > 30
        kinds = {question.skill: {text.split()[1] for _, text in question.examples + question.borderline} for question in asked}
        assert sorted(map(sorted, kinds.values())) == sorted([[word] for kind in kinds.values() for word in kind]), "no skill mixes kinds"
        assert {"book", "down"} == set().union(*kinds.values())
        assert all((len(question.examples), len(question.borderline)) == (3, 2) for question in asked)

        for question in asked:
            name = "travel" if kinds[question.skill] == {"book"} else "none"
            assert answer(learner.record, "default", question.skill, name) == question.size
        assert questions(learner.record, "default") == []

        # The running learner notices what was answered behind its back.
        for question in asked:
            filed = "travel" if kinds[question.skill] == {"book"} else ""
            assert say(learner, [text for _, text in question.examples]) == [filed] * 3


def test_it_looks_again_only_after_enough_new_ones_and_gives_no_name_twice(tmp_path: Path) -> None:
    with opened(tmp_path) as learner:
        say(learner, LAMPS, kind="lamps")
        say(learner, FLIGHTS)
        learner.sleep()
        first = questions(learner.record, "default")
        assert first
        for question in first:
            answer(learner.record, "default", question.skill, "none")
        say(learner, RECIPES[:20])
        learner.sleep()
        before = {question.skill for question in questions(learner.record, "default")}
        assert before
        assert not before & {question.skill for question in first}
        say(learner, RECIPES[20:22])
        learner.sleep()
        assert {question.skill for question in questions(learner.record, "default")} == before


def test_one_task_is_filed_alone_and_skills_are_joined(tmp_path: Path) -> None:
    with opened(tmp_path) as learner:
        say(learner, LAMPS, kind="lamps")
        say(learner, FLIGHTS)
        learner.sleep()
        question = questions(learner.record, "default")[0]
        stray = question.borderline[-1][0]
        assert answer(learner.record, "default", stray, "errands") == 1
        assert learner.record.episodes.get(stray).skill == "errands"
        assert answer(learner.record, "default", question.skill, "lamps") == question.size - 1
        assert learner.record.episodes.count(tenant="default", skill="lamps") == 30 + question.size - 1


def test_tenants_are_asked_of_their_own_tasks_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as learner:
        for tenant, known in (("default", LAMPS), ("other", RECIPES)):
            say(learner, known, kind="known", tenant=tenant)
            say(learner, FLIGHTS, tenant=tenant)
        learner.sleep()
        assert questions(learner.record, "default") != []
        assert questions(learner.record, "other") == []
        [episode] = [one for one in learner.record.episodes.find(tenant="other") if one.task.goal == FLIGHTS[0]]
        with pytest.raises(NothingFound, match="neither a question nor an episode"):
            answer(learner.record, "default", episode.id, "travel")


def test_what_cannot_be_answered_is_named(tmp_path: Path) -> None:
    with opened(tmp_path) as learner:
        with pytest.raises(NothingFound, match="lifelong questions"):
            answer(learner.record, "default", "new-0001", "travel")
        for name in ("", "  ", "new-0007"):
            with pytest.raises(MalformedTask, match="cannot name a skill"):
                answer(learner.record, "default", "new-0001", name)
        assert learner.sleep() == []


def test_while_nothing_has_a_name_few_groups_are_asked_about_and_an_answer_makes_it_look_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_QUESTIONS", 1)
    with opened(tmp_path) as learner:
        assert say(learner, FLIGHTS + RECIPES + LAMPS) == [""] * 78
        learner.sleep()
        [question] = questions(learner.record, "default")
        assert question.nearest == ""
        learner.sleep()
        assert [one.skill for one in questions(learner.record, "default")] == [question.skill], "nothing new has come"
        answer(learner.record, "default", question.skill, "first")
        learner.sleep()
        asked = questions(learner.record, "default")
        assert asked, "the answer lets it look again, though no task has come"
        assert {one.nearest for one in asked} <= {"first", *(one.skill for one in asked)}


@pytest.mark.parametrize("said", ["Lamps", " lamps ", "LAMPS"])
def test_a_name_in_another_case_or_with_spaces_is_the_skill_that_there_is(tmp_path: Path, said: str) -> None:
    with opened(tmp_path) as learner:
        say(learner, LAMPS, kind="lamps")
        say(learner, FLIGHTS)
        learner.sleep()
        question = questions(learner.record, "default")[0]
        answer(learner.record, "default", question.skill, said)
        assert learner.record.episodes.count(tenant="default", skill="lamps") == 30 + question.size
