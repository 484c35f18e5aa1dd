from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lifelong.core import MalformedTask
from lifelong.interfaces.gateway.memory import as_json, found
from lifelong.memory import Memory
from lifelong.memory.turns.passages import Kind

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


class Remembering:
    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

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
