"""An answer that was given in sight of erased text goes with it, in whatever words it says the same."""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np
import pytest

from lifelong.core import UNKNOWN, Action, Episode, Judge, Lesson, Observation, Outcome, Recall, Step, Task, Thought
from lifelong.memory import Record, closure
from lifelong.memory.sqlite.compress import compress

VECTOR = np.linspace(-1, 1, 16, dtype=np.float32)
SECRET = "My spouse Ingrid has epilepsy and hides it"
REWORDED = "Your wife suffers from seizures, which she keeps secret"
RIGHT = Outcome(success=True, score=1.0, judge=Judge.USER, reason="she does have seizures")


def asked(id: str, goal: str, *between: Step, answer: str, history: tuple[Step, ...] = (), correction: str = "") -> Episode:
    task = Task(id=id, goal=goal, environment="chat")
    steps = (*history, Observation(text=task.text), *between, Thought(text=f"thinking: {answer}"), Action(text=answer, likelihood=-0.1))
    return Episode(id=f"episode-{id}", task=task, steps=steps, outcome=RIGHT, skill="chat", correction=correction)


def shown(*ids: str) -> Recall:
    return Recall(text="Example: what was recalled", episodes=tuple(f"episode-{id}" for id in ids))


def keep(record: Record, *episodes: Episode) -> None:
    record.episodes.record_many([(episode, VECTOR) for episode in episodes])


def emptied(episode: Episode) -> bool:
    said = [step.text for step in episode.steps if not isinstance(step, Observation)]
    return not any([*said, episode.correction]) and episode.outcome == UNKNOWN and not episode.trainable and bool(episode.task.goal)


FORMS = (
    REWORDED,
    " ".join("epilepsy"),
    "-".join("epilepsy"),
    base64.b64encode(SECRET.encode()).decode(),
    SECRET[::-1],
    "".join(chr(ord(letter) + 0xFEE0) for letter in "epilepsy"),
)


@pytest.mark.parametrize("form", FORMS)
def test_a_reworded_answer_goes_with_what_it_was_told_from(record: Record, form: str) -> None:
    keep(record, asked("a", SECRET, answer="noted"), asked("b", "What about Ingrid?", shown("a"), answer=form, correction=form + "!"))
    assert closure(record, ["episode-a"]).rewritten == ("episode-b",)
    assert record.erase(["episode-a"]).rewritten == ("episode-b",)
    [left] = record.episodes.find()
    assert emptied(left)
    assert form not in left.to_json()


def test_chains_are_followed_through_prompts_and_later_turns_and_end_there(record: Record) -> None:
    own = asked("own", "What is a seizure?", answer="A fit of the brain")
    later: tuple[Step, ...] = (Observation(text="What about Ingrid?"), Action(text=REWORDED))
    keep(
        record,
        own,
        asked("a", SECRET, answer="noted"),
        asked("b", "What about Ingrid?", shown("a"), answer=REWORDED),
        asked("c", "And what should I cook?", answer="Nothing that flickers", history=later),
        asked("d", "Any advice for a dinner?", shown("c", "own"), answer="Avoid candles"),
        asked("e", "And an illness?", shown("own"), answer="Ask a doctor about it"),
    )
    record.lessons.record(Lesson(id="l", tenant="default", skill="chat", text="Avoid flicker", episodes=("episode-d",)))
    erased = record.erase(["episode-a"])
    assert (erased.rewritten, erased.lessons) == (("episode-b", "episode-c", "episode-d"), ("l",))
    assert all(emptied(record.episodes.get(f"episode-{id}")) for id in "bcd")
    assert record.episodes.get("episode-own") == own, "what was said without having been shown it stays"
    assert record.episodes.get("episode-e").answer == "Ask a doctor about it"
    assert record.erase(["episode-a"]).rewritten == ()


def test_what_was_seen_before_the_first_answer_stays(record: Record) -> None:
    field = Observation(text="A field of corn, facing north")
    keep(record, asked("a", SECRET, answer="noted"), asked("b", "What about Ingrid?", shown("a"), field, answer=REWORDED))
    record.erase(["episode-a"])
    assert field in record.episodes.get("episode-b").steps


def test_a_later_turn_that_repeats_what_anybody_says_was_not_shown_it(record: Record) -> None:
    greeting: tuple[Step, ...] = (Observation(text="Good morning to you"), Action(text="Good morning, how can I help?"))
    before = asked("before", "Good morning to you", answer="Good morning, how can I help?")
    other = asked("other", "What is the capital of Norway?", answer="Oslo, of course", history=greeting)
    keep(record, before, asked("a", "Good morning to you", answer="Good morning, how can I help?"), other)
    record.erase(["episode-a"])
    assert record.episodes.get("episode-other").answer == "Oslo, of course"


def test_a_run_under_way_that_was_shown_a_derived_answer_does_not_bring_it_back(record: Record) -> None:
    keep(record, asked("a", SECRET, answer="noted"), asked("b", "What about Ingrid?", shown("a"), answer=REWORDED))
    record.erase(["episode-a"])
    keep(record, asked("c", "Does my wife hide something?", shown("b"), answer="Yes: her fits"))
    assert emptied(record.episodes.get("episode-c"))


def test_a_run_that_was_shown_what_left_the_budget_meanwhile_keeps_its_answer(record: Record) -> None:
    keep(record, asked("a", SECRET, answer="noted"), asked("z", "Another question entirely", answer="noted too"))
    compress(record, "default", 1)
    assert record.cues.find(episodes=["episode-a"])
    late = replace(asked("c", "Does my wife hide something?", shown("a"), answer="Yes: her fits"), created=2.0)
    keep(record, late)
    assert record.episodes.get("episode-c") == late


def heard(id: str, goal: str, evidence: str) -> Episode:
    judged = Outcome(success=False, judge=Judge.INFERRED, evidence=evidence)
    return replace(asked(id, goal, answer="Oslo, of course"), outcome=judged)


REACTION = "No, wrong: my code word is qzmarzipanbrot"


def test_what_was_taken_from_the_next_turn_goes_with_that_turn(record: Record) -> None:
    before = heard("before", "What is the capital of Norway?", REACTION)
    turn = replace(asked("turn", REACTION, answer="I see, it is"), previous="episode-before")
    keep(record, before, turn)
    record.erase(["episode-turn"])
    left = record.episodes.get("episode-before")
    assert "qzmarzipanbrot" not in left.to_json()
    assert (left.answer, left.outcome) == ("Oslo, of course", UNKNOWN), "only the judgement goes"


def test_it_goes_too_where_that_turn_has_left_the_budget(record: Record) -> None:
    turn = replace(asked("turn", REACTION, answer="I see, it is"), previous="episode-before")
    keep(record, heard("before", "What is the capital of Norway?", REACTION), turn)
    record.lessons.record(Lesson(id="l", tenant="default", skill="chat", text="Keep it", episodes=("episode-before",)))
    compress(record, "default", 0)
    assert record.episodes.ids() == ["episode-before"]
    record.erase(["episode-turn"])
    assert "qzmarzipanbrot" not in record.episodes.get("episode-before").to_json()
