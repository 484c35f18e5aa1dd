"""What leaves the budget breaks no chain: an erasure still reaches what was answered in its sight, and what went on from there."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.core import UNKNOWN, Action, Episode, Judge, Lesson, Observation, Outcome, Recall, Step, Task
from lifelong.memory import Record, closure, compress

VECTOR = np.linspace(-1, 1, 16, dtype=np.float32)
SECRET = "My spouse Ingrid has epilepsy and hides it"
RIGHT = Outcome(success=True, score=1.0, judge=Judge.USER)
GREETING: tuple[Step, ...] = (Observation(text="Good morning to you"), Action(text="Good morning, how can I help?"))


def asked(id: str, goal: str, answer: str, *, sees: tuple[str, ...] = (), history: tuple[Step, ...] = (), judged: bool = True) -> Episode:
    task = Task(id=hashlib.sha256(f"{history}{goal}".encode()).hexdigest(), goal=goal, environment="chat")
    recalled = (Recall(text="Example: what was recalled", episodes=sees),) if sees else ()
    steps = (*history, Observation(text=task.text), *recalled, Action(text=answer))
    return Episode(id=id, task=task, steps=steps, outcome=RIGHT if judged else UNKNOWN, skill="chat")


def keep(record: Record, *episodes: Episode) -> None:
    record.episodes.record_many([(episode, VECTOR) for episode in episodes])


def turns(*episodes: Episode) -> tuple[Step, ...]:
    return tuple(step for one in episodes for step in (Observation(text=one.task.text), Action(text=one.answer)))


def drop(record: Record, *ids: str) -> None:
    """Compress away exactly these episodes: whatever else there is, a lesson names as its evidence."""
    others = tuple(id for id in record.episodes.ids() if id not in ids)
    record.lessons.record(Lesson(id="keeps", tenant="default", skill="chat", text="Keep these.", episodes=others))
    compress(record, "default", 0)
    assert record.episodes.ids() == list(others)
    with record.transaction() as _, record._database.transaction() as connection:
        connection.execute("DELETE FROM lessons")


@pytest.mark.parametrize("lost", [("b",), ("b", "c"), ("c",)])
def test_a_chain_through_what_was_shown_and_has_left_the_budget_is_followed(record: Record, lost: tuple[str, ...]) -> None:
    a = asked("a", SECRET, "noted")
    keep(
        record,
        a,
        asked("b", "What about Ingrid?", "She has seizures", sees=("a",)),
        asked("c", "And what should I cook?", "Nothing that flickers", sees=("b",)),
        asked("d", "Any advice for a dinner?", "Avoid the candles", sees=("c",)),
        asked("e", "What is the capital of Norway?", "Oslo, of course"),
    )
    drop(record, *lost)
    assert closure(record, ["a"]).rewritten == tuple(id for id in "bcd" if id not in lost)
    record.erase(["a"])
    assert all(record.episodes.get(id).answer == "" for id in "bcd" if id not in lost)
    assert record.episodes.get("e").answer == "Oslo, of course"


def test_a_chain_through_a_conversation_whose_middle_has_left_the_budget_is_followed(record: Record) -> None:
    a = asked("a", SECRET, "noted, she hides it")
    b = asked("b", "And what should I cook?", "Nothing that flickers", history=turns(a))
    # A client that keeps the last turns only: nothing in this one repeats a word of the first.
    c = asked("c", "And to drink?", "No alcohol for her", history=turns(b))
    keep(record, a, b, c)
    drop(record, "b")
    record.erase(["a"])
    left = record.episodes.get("c")
    assert (left.answer, left.outcome) == ("", UNKNOWN)
    assert "flickers" not in left.to_json()
    assert "what should I cook" in left.to_json(), "what people asked stays"


def test_what_has_left_the_budget_itself_can_still_be_erased_where_it_was_repeated(record: Record) -> None:
    a = replace(asked("a", SECRET, "noted, she hides it", judged=False), skill="")
    keep(record, a, asked("c", "And to drink?", "No alcohol for her", history=turns(a)))
    drop(record, "a")
    assert record.compressed.find(tenant="default") == ["a"], "it has no cue, and is known all the same"
    record.erase(["a"])
    left = record.episodes.get("c")
    assert SECRET not in left.to_json()
    assert left.answer == ""
    assert record.compressed.find(tenant="default") == []


def test_what_anybody_says_links_nothing(record: Record) -> None:
    morning, hello = "Good morning to you", "Good morning, how can I help?"
    other = asked("other", "What is the capital of Norway?", "Oslo, of course", history=GREETING)
    keep(record, asked("before", morning, hello), asked("a", morning, hello), other)
    keep(record, asked("late", "And of Sweden?", "Stockholm, of course", history=turns(other)))
    drop(record, "other", "before")
    record.erase(["a"])
    assert record.episodes.get("late").answer == "Stockholm, of course"


def test_what_is_kept_of_what_has_left_goes_with_what_it_rests_on(record: Record) -> None:
    a = asked("a", SECRET, "noted, she hides it")
    keep(record, a, asked("b", "And what should I cook?", "Nothing that flickers", history=turns(a)))
    drop(record, "b")
    record.erase(["a"])
    rows = record._database.rows("SELECT kind, target FROM compressed_links WHERE kind != 'request'")
    assert rows == [("emptied", "")], "nothing by which the erased could be confirmed"
    record.erase(["b"])
    assert record._database.rows("SELECT * FROM compressed_links") == record._database.rows("SELECT * FROM compressed") == []


def test_the_id_of_a_later_turn_confirms_nothing_of_an_erased_one(record: Record) -> None:
    a = asked("a", SECRET, "noted, she hides it")
    later = asked("later", "And what should I cook?", "Nothing that flickers", history=turns(a))
    keep(record, a, later)
    record.erase(["a"])
    left = record.episodes.get("later")
    assert left.task == replace(later.task, id=left.task.id)
    assert left.task.id != later.task.id, "it was a hash of all the turns, the erased one among them"
    assert left.task.id


def fill(record: Record, count: int, **kinds: object) -> list[str]:
    episodes = [example_episode(number, **kinds) for number in range(count)]  # type: ignore[arg-type]
    record.episodes.record_many([(episode, VECTOR) for episode in episodes])
    return [episode.id for episode in episodes]


def test_compress_drops_the_oldest_unverified_and_keeps_evidence(record: Record) -> None:
    fill(record, 3)
    for number in range(3, 7):
        record.episodes.record(example_episode(number, success=False), VECTOR)
    record.lessons.record(Lesson(id="l", tenant="default", skill="counting", text="t", episodes=("default-3",)))
    assert compress(record, "default", 10) == 0
    assert compress(record, "default", 5) == 2
    assert [episode.id for episode in record.episodes.find()] == ["default-0", "default-1", "default-2", "default-3", "default-6"]
    assert compress(record, "default", 2) == 3
    assert [episode.id for episode in record.episodes.find()] == ["default-2", "default-3"]
    assert compress(record, "default", 0) == 1


def test_a_run_under_way_that_was_shown_what_has_left_is_reached(record: Record) -> None:
    keep(record, asked("a", SECRET, "noted, she hides it"), asked("b", "And what should I cook?", "Nothing that flickers", sees=("a",)))
    for id, seen in (("direct", "a"), ("through", "b")):
        task = Task(id=f"task-{id}", goal="And to drink?", environment="chat")
        steps = (Observation(text=task.goal), Recall(text="She hides her fits", episodes=(seen,)), Action(text="No alcohol for her"))
        record.open_runs.begin(Episode(id=id, task=task, steps=steps, outcome=UNKNOWN), VECTOR)
    drop(record, "a", "b")
    record.erase(["a"])
    for id in ("direct", "through"):
        left = record.open_runs.get(id)
        assert not any(step.text for step in left.steps[1:]), "neither what was shown nor what was answered in its sight"
        assert left.steps[0].text == "And to drink?"
