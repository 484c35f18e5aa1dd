"""What an environment declares for learning without an answer key is read as strictly as everything else it returns."""

from __future__ import annotations

from typing import Any

import pytest
from toy import ToyEnvironment

from lifelong.core import Task
from lifelong.envs.practice import (
    MAX_GRAMMAR,
    Exercise,
    Preview,
    can_exercise,
    can_preview,
    declared_grammar,
    exchanges,
    exercises,
    preview,
    template_grammars,
    variations,
)
from lifelong.envs.results import RuleBroken
from lifelong.envs.templates import HoleValue

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


class Exchanging(ToyEnvironment):
    """Says whatever it is given to be exchangeable."""

    def __init__(self, given: Any) -> None:
        super().__init__()
        self._given = given

    def exchanges(self, task: Task, answer: str) -> Any:
        return self._given


RED, BLUE = (HoleValue(type="colour", said=name, written=name) for name in ("red", "blue"))


def test_values_are_exchanged_for_others_of_their_type() -> None:
    task = Task(id="t", goal="Press red.")
    assert exchanges(Exchanging({RED: [BLUE]}), task, "red") == {RED: [BLUE]}
    assert exchanges(ToyEnvironment(), task, "red") == {}
    [made] = variations(Exchanging({RED: [BLUE]}), [(task, "red")], 3)
    assert (made.task.goal, made.answer, made.template, made.source) == ("Press blue.", "blue", "<colour>", task)
    assert variations(Exchanging({RED: [RED]}), [(task, "red")], 3) == [], "the task itself is no exercise"
    assert variations(Exchanging({RED: [BLUE]}), [(task, "red")], 3, weights={"<colour>": 0}) == []


@pytest.mark.parametrize("given", [7, [RED], {"red": [BLUE]}, {RED: [HoleValue(type="number", said="1", written="1")]}, {RED: ["blue"]}])
def test_what_is_exchanged_is_a_value_of_the_same_type(given: Any) -> None:
    with pytest.raises(RuleBroken, match="exchanges must return a mapping of HoleValue to HoleValues"):
        variations(Exchanging(given), [(Task(id="t", goal="Press red."), "red")], 3)


def test_a_varied_task_that_would_be_refused_or_do_nothing_is_left_out() -> None:
    class Trying(Exchanging):
        def preview(self, task: Task, action: str) -> Any:
            return Preview(result="", error="no" if action == "blue" else "", empty=action == "green")

    green = HoleValue(type="colour", said="green", written="green")
    assert variations(Trying({RED: [BLUE, green]}), [(Task(id="t", goal="Press red."), "red")], 3) == []


def test_forms_are_distinct_bounded_and_in_the_order_of_the_solved_tasks() -> None:
    class Forms(ToyEnvironment):
        def template_grammar(self, task: Task, solved: Task, answer: str) -> Any:
            return {"nothing": "", "number": 7}.get(answer, f"start: /{answer}/")

    def forms(*answers: str, most: int = 2) -> list[str]:
        return template_grammars(Forms(), TASK, [(TASK, answer) for answer in answers], most)

    assert forms("a", "nothing", "a", "b", "c") == ["start: /a/", "start: /b/"]
    assert template_grammars(ToyEnvironment(), TASK, [(TASK, "a")], 2) == []
    assert template_grammars(None, TASK, [(TASK, "a")], 2) == []
    with pytest.raises(RuleBroken, match="template_grammar must return a text"):
        forms("number")
    with pytest.raises(RuleBroken, match="template_grammar must return a text"):
        forms("x" * MAX_GRAMMAR)
