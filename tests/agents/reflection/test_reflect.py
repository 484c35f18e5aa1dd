"""Lessons from evidence: what they cite, who words them, and what is no evidence."""

from __future__ import annotations

import pytest

from lifelong.agents import reflect
from lifelong.core import Action, Episode, Judge, Observation, Outcome, Task, ToolResult

GOOD = Outcome(success=True, score=1.0, judge=Judge.ENVIRONMENT)


BAD = Outcome(success=False, judge=Judge.ENVIRONMENT)


def episode(number: int, answer: str, result: str, outcome: Outcome, *, tenant: str = "default", error: bool = False) -> Episode:
    task = Task(id=str(number), goal=f"How many of kind {number}?", tenant=tenant)
    steps = (Observation(text=task.text), Action(text=answer), ToolResult(text=result, error=error))
    return Episode(id=f"{'solved' if outcome.success else 'failed'}-{number}", task=task, steps=steps, outcome=outcome, skill="database")


def test_a_lesson_cites_its_evidence_and_is_written_once() -> None:
    failed = [episode(n, "SELECT 1 DESC", "wrong", BAD) for n in range(3)]
    right = [episode(n, "SELECT 1 ASC", "right", GOOD) for n in range(3)]
    [lesson] = reflect(failed, right)
    assert set(lesson.episodes) == {e.id for e in failed + right}
    assert [lesson] == reflect(failed, right)
    assert "DESC" in lesson.text
    assert lesson.author == "evidence"


def test_a_stronger_model_words_the_lesson_and_silence_falls_back() -> None:
    failed = [episode(n, "SELECT 1 DESC", "wrong", BAD) for n in range(3)]
    right = [episode(n, "SELECT 1 ASC", "right", GOOD) for n in range(3)]
    prompts: list[str] = []

    def writer(prompt: str) -> str:
        prompts.append(prompt)
        return "Mind the direction of the order."

    [lesson] = reflect(failed, right, writer=writer, author="strong-model")
    assert (lesson.text, lesson.author) == ("Mind the direction of the order.", "strong-model")
    assert "DESC" in prompts[0]
    [plain] = reflect(failed, right, writer=lambda _: "  ", author="strong-model")
    assert plain.author == "evidence"
    assert plain.id == lesson.id


def test_what_only_the_agent_itself_judged_is_no_evidence() -> None:
    own = Outcome(success=False, judge=Judge.SELF)
    assert reflect([episode(n, "SELECT 1 DESC", "wrong", own) for n in range(3)], [episode(9, "SELECT 1 ASC", "right", GOOD)]) == []


def test_tenants_are_never_mixed() -> None:
    with pytest.raises(ValueError, match="one tenant"):
        reflect([episode(1, "a", "b", BAD, tenant="one")], [episode(2, "a", "b", GOOD, tenant="two")])


def test_too_little_evidence_and_too_many_lessons_are_left_out() -> None:
    failed = [episode(n, f"SELECT c{n} FROM t", f"Error: no such column: c{n}", BAD, error=True) for n in range(3)]
    assert reflect(failed[:1], []) == [], "one failure shows nothing"
    assert reflect(failed, [], at_least=4) == []
    assert len(reflect(failed, [], at_least=1)) >= 1
    assert reflect(failed, [], most=0) == []
