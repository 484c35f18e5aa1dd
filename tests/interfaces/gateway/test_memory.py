from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from lifelong.core import MalformedTask, NothingFound, Receipt
from lifelong.interfaces.gateway.memory import as_json, change, forget, found, held, profile
from lifelong.interfaces.gateway.wire import MemoryBody
from lifelong.memory import Memory, ProfileLine
from lifelong.memory.recall.standing import Topic
from lifelong.memory.turns.passages import Kind
from lifelong.orchestrator.held import Held

HIT = Memory(
    text="I live in Bern.",
    speaker="user",
    kind=Kind.STATEMENT,
    session="s",
    episode="e",
    created=0.0,
    probability=0.91234,
    why="words (live)",
)


LINE = ProfileLine(text="I live in Bern.", topic=Topic.FACT, since=0.0, speaker="user", episode="e", number=7)


class Remembering:
    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def memory(self, number: int, *, tenant: str = "default") -> Held:
        self.asked.append({"memory": number, "tenant": tenant})
        return Held(memory=replace(HIT, number=number), said=(0.0, 86_400.0), pinned=True, profile=False, before="", after="b", shown=2)

    def profile(self, *, tenant: str = "default") -> Sequence[ProfileLine]:
        return [LINE]

    def edit_memory(self, number: int, text: str, *, tenant: str = "default") -> Memory:
        self.asked.append({"edit": number, "text": text, "tenant": tenant})
        return replace(HIT, number=number + 1, text=text)

    def pin_memory(self, number: int, pinned: bool = True, *, tenant: str = "default") -> Held:
        self.asked.append({"pin": number, "pinned": pinned})
        return self.memory(number, tenant=tenant)

    def forget_memory(self, number: int, *, tenant: str = "default", rebuild: bool = True) -> Receipt:
        self.asked.append({"forget": number, "tenant": tenant, "rebuild": rebuild})
        raise NothingFound("nothing is held under this number")

    def recall(self, question: str, k: int = 10, *, tenant: str = "default", as_of: float | None = None) -> Sequence[Memory]:
        self.asked.append({"question": question, "k": k, "tenant": tenant, "as_of": as_of})
        return [HIT]


def test_a_hit_tells_its_reason_source_and_age() -> None:
    learner = Remembering()
    answer = found(learner, "ann", {"q": "Where do I live?", "limit": "3", "as_of": "12"})
    assert learner.asked == [{"question": "Where do I live?", "k": 3, "tenant": "ann", "as_of": 12.0}]
    assert answer["data"] == [as_json(HIT)]
    assert as_json(HIT)["time"] == "1970-01-01T00:00:00Z"
    assert as_json(HIT)["score"] == 0.9123


@pytest.mark.parametrize(
    "query", [{}, {"q": "  "}, {"q": "a", "limit": "0"}, {"q": "a", "limit": "x"}, {"q": "a", "limit": "nan"}, {"q": "a", "as_of": "-1"}]
)
def test_a_query_that_says_nothing_is_refused_by_name(query: dict[str, str]) -> None:
    with pytest.raises(MalformedTask):
        found(Remembering(), "ann", query)


def test_one_memory_is_shown_edited_pinned_and_forgotten_for_its_tenant_alone() -> None:
    learner = Remembering()
    shown = held(learner, "ann", "7")
    assert (shown["number"], shown["said"], shown["pinned"]) == (7, ["1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z"], True)
    assert "score" not in shown
    edited = change(learner, "ann", "7", MemoryBody(text="I live in Rome.", pinned=True))
    assert edited["number"] == 8
    assert {"edit": 7, "text": "I live in Rome.", "tenant": "ann"} in learner.asked
    assert {"pin": 8, "pinned": True} in learner.asked
    with pytest.raises(NothingFound):
        forget(learner, "ann", "9")
    assert learner.asked[-1] == {"forget": 9, "tenant": "ann", "rebuild": False}
    for bad in ("", "x", "-1", "1.5", "9" * 40, "\u0663"):
        with pytest.raises(MalformedTask, match="no number"):
            held(learner, "ann", bad)


def test_a_profile_names_its_sources() -> None:
    [line] = profile(Remembering(), "ann")["data"]
    assert line == {
        "text": "I live in Bern.",
        "topic": "fact",
        "speaker": "user",
        "since": "1970-01-01T00:00:00Z",
        "episode": "e",
        "number": 7,
    }


def test_a_change_says_what_it_changes() -> None:
    with pytest.raises(ValueError, match="send `text`"):
        MemoryBody()
