from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted import open_scripted

from lifelong.core import MalformedTask, NothingFound, Recall, Task
from lifelong.orchestrator import LifelongLearner
from tests.memory.sqlite.turns.test_store import said

WORD = "quarrystone"


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[LifelongLearner]:
    with open_scripted(tmp_path, **{"memory.statement_floor": 0.02}) as opened:
        yield opened


def on_disk(home: Path, word: str) -> list[str]:
    forms = {word.encode(), word.encode("utf-16-le"), word.casefold().encode()}
    return [str(file) for file in home.rglob("*") if file.is_file() and any(form in file.read_bytes() for form in forms)]


def heard(learner: LifelongLearner) -> int:
    """A fact said twice, shown in a prompt and standing in the profile; returns its number."""
    said(learner.record, f"We met. Our vault word is {WORD}. I like tea.", id="a", created=10.0, answer=f"Noted: {WORD}.")
    said(learner.record, f"We met. Our vault word is {WORD}. I like tea.", id="b", created=20.0, session="other")
    said(learner.record, "My garden has roses.", id="c", created=30.0, session="third")
    learner._components.turns.finish()
    learner.sleep()
    assert any(WORD in line.text for line in learner.profile())
    asked = learner.wake(Task(id="q", goal="What is our vault word?", environment="chat", session="q"))
    assert any(WORD in step.text for step in asked.steps if isinstance(step, Recall))
    return next(one.number for one in learner.recall("vault word") if one.kind == "statement")


def test_forgetting_reaches_every_copy_the_profile_and_the_disk(learner: LifelongLearner) -> None:
    number = heard(learner)
    receipt = learner.forget_memory(number)
    assert (receipt.episodes, receipt.found) == (2, ())
    assert on_disk(learner.settings.home, WORD) == []
    assert not any("vault" in line.text for line in learner.profile())
    assert not any(WORD in one.text for one in learner.recall("What is our vault word?", 50))
    assert [one.text for one in learner.recall("garden roses", 5) if "roses" in one.text] == ["My garden has roses."]
    with pytest.raises(NothingFound):
        learner.forget_memory(number)


def test_editing_puts_the_new_words_everywhere_and_leaves_nothing_of_the_old(learner: LifelongLearner) -> None:
    number = heard(learner)
    learner.pin_memory(number)
    new = learner.edit_memory(number, "Our vault word is sandpiper.")
    assert new.text.strip() == "Our vault word is sandpiper."
    assert on_disk(learner.settings.home, WORD) == []
    assert learner.memory(new.number).said == (10.0, 20.0)
    assert learner.memory(new.number).pinned
    assert next(line.text for line in learner.profile()) == "Our vault word is sandpiper."
    assert learner.recall("What is our vault word?")[0].text.strip() == "Our vault word is sandpiper."
    asked = learner.wake(Task(id="q2", goal="What is our vault word?", environment="chat", session="q2"))
    assert any("sandpiper" in step.text for step in asked.steps if isinstance(step, Recall))


def test_editing_keeps_what_else_was_said_in_the_exchange(learner: LifelongLearner) -> None:
    story = "The harbour has many ships and the ferry is late. " * 30
    said(learner.record, f"{story}Our vault word is {WORD}.", id="a")
    learner._components.turns.finish()
    [number] = [one.number for one in learner.recall("vault word", 50) if WORD in one.text]
    learner.edit_memory(number, "Our vault word is sandpiper.")
    [episode] = learner.record.episodes.find()
    assert episode.task.goal.startswith("The harbour has many ships")
    assert episode.task.goal.endswith("Our vault word is sandpiper.")
    assert on_disk(learner.settings.home, WORD) == []


def test_what_no_person_stated_is_neither_edited_nor_pinned_and_nothing_is_lost(learner: LifelongLearner) -> None:
    said(learner.record, "How are the roses doing?", id="a", answer="The roses need much sun.")
    learner._components.turns.finish()
    for number in (1, 2):
        with pytest.raises(MalformedTask, match="only what a person stated"):
            learner.edit_memory(number, "The roses are fine.")
        with pytest.raises(MalformedTask, match="only what a person stated"):
            learner.pin_memory(number)
    with pytest.raises(MalformedTask, match="say nothing"):
        learner.edit_memory(1, "Thanks!")
    with pytest.raises(NothingFound):
        learner.edit_memory(1, "The roses are fine.", tenant="somebody")
    assert learner.record.episodes.count() == 1
