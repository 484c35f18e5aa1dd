"""What rests on an episode, and the hash of what something is made from."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.core import Adapter, Episode, Lesson, NothingFound, Recall
from lifelong.memory import Record, closure
from lifelong.memory.sqlite.provenance import MOST

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


def holding(number: int, text: str, **values: str) -> Episode:
    plain = example_episode(number, **values)
    return replace(plain, task=replace(plain.task, context=text))


@pytest.mark.parametrize("text", ['say "plum"', "line\nbreak", "back\\slash", "Ünïcödé", "tab\there"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_text_is_found_in_every_spelling(record: Record, text: str, form: str) -> None:
    record.episodes.record(holding(0, unicodedata.normalize(form, text)), VECTOR)
    record.episodes.record(holding(1, "something else"), VECTOR)
    for asked in ("NFC", "NFD"):
        assert [episode.id for episode in record.find_text(unicodedata.normalize(asked, text))] == ["default-0"]


def test_ids_and_all_tenants_are_searched_oldest_first(record: Record) -> None:
    for number, tenant in enumerate(("b", "a", "b")):
        record.episodes.record(holding(number, "the word plum", tenant=tenant), VECTOR)
    assert [episode.id for episode in record.find_text("plum")] == ["b-0", "a-1", "b-2"]
    assert [episode.id for episode in record.find_text("a-1")] == ["a-1"]
    assert record.find_text("never said") == []


def test_no_sign_is_a_wildcard(record: Record) -> None:
    record.episodes.record(holding(0, "100 of 100"), VECTOR)
    assert record.find_text("1%0") == []
    assert record.find_text("1_0") == []


def test_what_everybody_says_is_cut_off(record: Record) -> None:
    record.episodes.record_many((holding(number, "plum"), VECTOR) for number in range(MOST + 5))
    assert len(record.find_text("plum")) == MOST
