"""What an environment declares for learning without an answer key is read as strictly as everything else it returns."""

from __future__ import annotations

from typing import Any

import pytest
from toy import ToyEnvironment

from lifelong.core import Task
from lifelong.envs.practice import MAX_GRAMMAR, Exercise, Preview, can_exercise, can_preview, declared_grammar, exercises, preview
from lifelong.envs.results import RuleBroken

TASK = ToyEnvironment().tasks("train", 1)[0]


class Declaring(ToyEnvironment):
    """Declares whatever it is given."""

    def __init__(self, grammar: Any = "", previewed: Any = None, made: Any = ()) -> None:
        super().__init__()
        self._grammar, self._previewed, self._made = grammar, previewed, made

    def grammar(self, task: Task) -> Any:
        return self._grammar

    def preview(self, task: Task, action: str) -> Any:
        return self._previewed

    def exercises(self, tasks: Any, count: int, *, weights: Any, seed: int) -> Any:
        return self._made


def test_an_environment_that_declares_nothing_has_nothing() -> None:
    toy = ToyEnvironment()
    assert (declared_grammar(toy, TASK), can_preview(toy), can_exercise(toy)) == ("", False, False)
    assert exercises(toy, [TASK], 4) == []
    assert not can_preview(None)


@pytest.mark.parametrize("grammar", [None, 7, b"start: /a/", "x" * (MAX_GRAMMAR + 1)])
def test_a_grammar_is_a_text_of_bounded_length(grammar: Any) -> None:
    with pytest.raises(RuleBroken, match="grammar must return a text"):
        declared_grammar(Declaring(grammar), TASK)


def test_a_preview_is_a_preview() -> None:
    assert preview(Declaring(previewed=Preview(result="x")), TASK, "blue").result == "x"
    with pytest.raises(RuleBroken, match="preview must return a Preview"):
        preview(Declaring(previewed="x"), TASK, "blue")


def test_exercises_are_as_many_as_asked_for_at_most_and_have_answers() -> None:
    one = Exercise(task=TASK, answer="blue", template="press", source=TASK)
    assert exercises(Declaring(made=[one]), [TASK], 1) == [one]
    assert exercises(Declaring(made=[one]), [], 1) == []
    for made in ([one, one], [Exercise(task=TASK, answer=" ", template="press", source=TASK)], ["blue"]):
        with pytest.raises(RuleBroken, match="exercises must return at most 1 of Exercise"):
            exercises(Declaring(made=made), [TASK], 1)
