"""Skills as a person sees and changes them: words, centre and edge; rename, merge, split."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import open_scripted

from lifelong.core import MalformedTask, NothingFound, Task
from lifelong.orchestrator import LifelongLearner, describe_skills, merge_skills, questions, rename_skill, split_skill

FLIGHTS = [f"Please book a flight to {place}" for place in ("Rome", "Oslo", "Lima", "Cairo", "Quito", "Paris")]
RECIPES = [f"Write down the recipe of a {dish}" for dish in ("soup", "cake", "bread", "salad")]


def filed(home: Path) -> LifelongLearner:
    """A learner with two skills of the default tenant and one of another."""
    learner = open_scripted(home)
    for skill, goals, tenant in (("travel", FLIGHTS, "default"), ("cooking", RECIPES, "default"), ("travel", FLIGHTS[:2], "other")):
        for goal in goals:
            learner.wake(Task(id=f"{tenant} {goal}", goal=goal, skill=skill, tenant=tenant, environment="chat"))
    return learner


def sizes(learner: LifelongLearner, tenant: str = "default") -> dict[str, int]:
    return {one.name: one.size for one in describe_skills(learner.record, tenant)}


def test_a_skill_is_described_by_its_words_its_centre_and_its_edge(tmp_path: Path) -> None:
    with filed(tmp_path) as learner:
        cooking, travel = describe_skills(learner.record, "default")
        assert (cooking.size, travel.size) == (4, 6)
        assert set(travel.words) <= {"please", "book", "flight", "to"}
        assert set(cooking.words) <= {"write", "down", "the", "recipe", "of"}
        assert (len(travel.centre), len(travel.edge)) == (3, 2)
        assert {text for _, text in travel.centre + travel.edge} <= set(FLIGHTS)
        assert (travel.nearest, cooking.nearest) == ("cooking", "travel")
        assert not travel.provisional
        assert describe_skills(learner.record, "nobody") == []


def test_a_renamed_skill_is_the_same_skill_and_no_other_tenants(tmp_path: Path) -> None:
    with filed(tmp_path) as learner:
        assert rename_skill(learner.record, "default", "travel", " trips ") == 6
        assert sizes(learner) == {"cooking": 4, "trips": 6}
        assert sizes(learner, "other") == {"travel": 2}
        # The running learner files the next task under the new name.
        assert learner.wake(Task(id="next", goal=FLIGHTS[0], environment="chat")).skill == "trips"
        with pytest.raises(MalformedTask, match="skills merge trips cooking"):
            rename_skill(learner.record, "default", "trips", "cooking")
        with pytest.raises(MalformedTask, match="'cooking' is a skill already"):
            rename_skill(learner.record, "default", "trips", " Cooking")
        for wrong in ("", "  ", "new-0001"):
            with pytest.raises(MalformedTask, match="cannot name a skill"):
                rename_skill(learner.record, "default", "trips", wrong)
        with pytest.raises(NothingFound, match="no skill 'travel'"):
            rename_skill(learner.record, "default", "travel", "away")
        assert sizes(learner) == {"cooking": 4, "trips": 7}
        assert rename_skill(learner.record, "default", "trips", "Trips") == 7, "another spelling of its own name is another name"


def test_merged_skills_are_one_and_an_erasure_takes_both(tmp_path: Path) -> None:
    with filed(tmp_path) as learner:
        assert merge_skills(learner.record, "default", ["travel", "cooking"], "errands") == 10
        assert sizes(learner) == {"errands": 10}
        with pytest.raises(MalformedTask, match="nothing to merge"):
            merge_skills(learner.record, "default", ["errands"], "errands")
        with pytest.raises(NothingFound, match="no skill 'gone'"):
            merge_skills(learner.record, "default", ["gone"], "errands")
        learner.forget(skill="errands", tenant="default")
        assert sizes(learner) == {}
        assert sizes(learner, "other") == {"travel": 2}


def test_a_split_skill_keeps_its_larger_part_and_asks_about_the_other(tmp_path: Path) -> None:
    with filed(tmp_path) as learner:
        merge_skills(learner.record, "default", ["cooking"], "travel")
        fresh, moved = split_skill(learner.record, "default", "travel")
        assert (fresh, moved) == ("new-0001", 4)
        assert sizes(learner) == {"new-0001": 4, "travel": 6}
        [question] = questions(learner.record, "default")
        assert (question.skill, question.size) == (fresh, 4)
        assert {text for _, text in question.examples + question.borderline} == set(RECIPES)
        # The next one gets a number of its own.
        assert split_skill(learner.record, "default", "travel")[0] == "new-0002"


def test_tasks_that_are_the_same_cannot_be_split(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        for number in range(3):
            learner.wake(Task(id=str(number), goal="Sing!", skill="songs", environment="chat"))
        with pytest.raises(MalformedTask, match="cannot be told apart"):
            split_skill(learner.record, "default", "songs")
        with pytest.raises(NothingFound):
            split_skill(learner.record, "default", "dances")
        assert sizes(learner) == {"songs": 3}


def test_two_processes_see_the_same_skills(tmp_path: Path) -> None:
    with filed(tmp_path) as first, open_scripted(tmp_path) as second:
        assert second.wake(Task(id="a", goal=FLIGHTS[0], environment="chat")).skill == "travel"
        rename_skill(first.record, "default", "travel", "trips")
        assert second.wake(Task(id="b", goal=FLIGHTS[1], environment="chat")).skill == "trips"
