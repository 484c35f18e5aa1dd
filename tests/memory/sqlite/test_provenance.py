"""What rests on an episode, and the hash of what something is made from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.core import Adapter, Lesson, NothingFound, Recall
from lifelong.memory import Record, closure

VECTOR = np.array([1, 0, 0], dtype=np.float32)


def fill(record: Record, count: int) -> None:
    for number in range(count):
        record.episodes.record(example_episode(number), VECTOR)


def lesson(record: Record, *episodes: str) -> str:
    made = Lesson(id="l", tenant="default", skill="counting", text="Count all rows.", episodes=episodes, author="evidence")
    return record.lessons.record(made).id


def test_nothing_rests_on_an_episode_alone(record: Record) -> None:
    fill(record, 2)
    found = closure(record, ["default-0"])
    assert (found.lessons, found.adapters, found.episodes, found.rewritten) == ((), (), (), ())
    assert found.tenants == ("default",)


def test_lessons_adapters_and_runs_that_were_shown_it_rest_on_it(record: Record) -> None:
    fill(record, 3)
    cited = lesson(record, "default-0", "default-1")
    plain = example_episode(7)
    recalled = Recall(text="How many rows has table 0?", episodes=("default-0",))
    shown = replace(plain, steps=(plain.steps[0], recalled, *plain.steps[1:]))
    record.episodes.record(shown, VECTOR)
    name = record.adapters.next_name()
    record.adapters.record(Adapter(name=name, path="/a", base="base", rank=4, episodes=(shown.id,)))
    found = closure(record, ["default-0"])
    assert found.lessons == (cited,)
    assert found.adapters == (name,), "it learned from a run that was shown the episode"
    assert shown.id in {*found.rewritten, *found.episodes}
    assert closure(record, ["default-2"]).lessons == ()


def test_looking_changes_nothing(record: Record) -> None:
    fill(record, 3)
    lesson(record, "default-0", "default-1")
    before = record.made_from("default", ["default-0", "default-1"], ["l"])
    closure(record, ["default-0"])
    assert record.made_from("default", ["default-0", "default-1"], ["l"]) == before


def test_the_hash_follows_what_is_there_and_not_how_it_is_asked(record: Record) -> None:
    fill(record, 3)
    both = record.made_from("default", ["default-0", "default-1"])
    assert both == record.made_from("default", ["default-1", "default-0", "default-1"])
    assert both != record.made_from("default", ["default-0"])
    record.episodes.judge("default-0", record.episodes.get("default-0").outcome, "SELECT count(*) AS n FROM t0")
    assert record.made_from("default", ["default-0", "default-1"]) != both, "a correction is another text to learn from"


def test_the_hash_of_what_is_not_there_or_anothers_is_refused(record: Record) -> None:
    fill(record, 1)
    record.episodes.record(example_episode(1, tenant="other"), VECTOR)
    for id in ("default-9", "other-1"):
        with pytest.raises(NothingFound, match=f"'{id}' is not in the record"):
            record.made_from("default", [id])
