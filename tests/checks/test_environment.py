from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tickets import Outside
from toy import ToyEnvironment

from lifelong.checks import check_environment
from lifelong.core import Task
from lifelong.envs import Demonstration
from lifelong.envs.practice import Exercise, Preview
from lifelong.envs.templates import HoleValue


def test_a_sound_environment_passes() -> None:
    check_environment(Sound())


class Sound(ToyEnvironment):
    def spawn(self) -> Any:
        return type(self)(self.name, self.right)


class WithoutVersion(Sound):
    def __init__(self, name: str = "lamps", right: str = "blue") -> None:
        super().__init__(name, right)
        self.id = name


class WithoutError(Sound):
    def step(self, action: str) -> Any:
        return (*super().step(action)[:4], {"success": action == self.right})


class WithoutSuccess(Sound):
    def step(self, action: str) -> Any:
        return (*super().step(action)[:4], {"error": False})


class OldStep(Sound):
    def step(self, action: str) -> Any:
        observation, reward, done, _, info = super().step(action)
        return observation, reward, done, info


class Raising(Sound):
    def step(self, action: str) -> Any:
        if action != self.right:
            raise KeyError(action)
        return super().step(action)


class WithoutExpert(Sound):
    def demonstrate(self, task: Task) -> Demonstration:
        return Demonstration(observations=(), actions=())


class NotSpawning(Sound):
    def spawn(self) -> Any:
        return self


class Sharing(Sound):
    """Instances that write into one list, as a shallow copy does."""

    def __init__(self, name: str = "lamps", right: str = "blue", presses: list[str] | None = None) -> None:
        super().__init__(name, right)
        self.presses = [] if presses is None else presses

    def spawn(self) -> Any:
        return Sharing(self.name, self.right, self.presses)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.presses.clear()
        self.presses.append((options or {})["task"].id)
        return super().reset(seed=seed, options=options)

    def step(self, action: str) -> Any:
        return (f"{action} in {self.presses[-1]}", *super().step(action)[1:])


class Endless(Sound):
    def step(self, action: str) -> Any:
        right = action == self.right
        return "on", float(right), right, False, {"error": not right, "success": right}


class Generous(Sound):
    def step(self, action: str) -> Any:
        return (*super().step(action)[:4], {"error": False, "success": True})


class Accepting(Sound):
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        return (options or {})["task"].text, {}


class Closed(Sound):
    def close(self) -> None:
        raise OSError("already closed")


class Declaring(Sound):
    history = "some"


class Forgetting(Outside):
    """Begins an episode anew instead of taking it up."""

    def restore(self, task: Task, actions: Sequence[str]) -> Any:
        self.reset(options={"task": task})
        return "", 0.0, False, False, {"error": False, "success": False}


class Silent(Outside):
    def restore(self, task: Task, actions: Sequence[str]) -> Any:
        super().restore(task, actions)


def test_an_environment_that_takes_episodes_up_passes() -> None:
    check_environment(Outside(), count=2)


@pytest.mark.parametrize(
    ("member", "rule"),
    [
        (Declaring, "history must be one of full, last, none; got 'some'"),
        (Forgetting, "restore says whether the episode has ended|goes on as if nothing had happened"),
        (Silent, "restore takes up an episode after 0 actions"),
        (object, "every member of the protocol; this one lacks id, max_steps"),
        (WithoutVersion, "ends with a version"),
        (WithoutError, "the info of every step says 'error'"),
        (WithoutSuccess, "the info of every step says 'success'"),
        (OldStep, "it raised RuleBroken: step must return five values"),
        (Raising, "never raises; it raised KeyError"),
        (WithoutExpert, "one observation an action"),
        (NotSpawning, "a new instance each time"),
        (Sharing, "they share state"),
        (Endless, "did not end within max_steps = 1"),
        (Generous, "a senseless action solved it"),
        (Accepting, "must raise MalformedTask"),
        (Closed, "close gives back what an instance holds; it raised OSError"),
    ],
)
def test_a_broken_member_is_found_by_its_rule(member: type, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_environment(member())


class Practising(Sound):
    """Declares everything that helps to learn without an answer key, as it should be."""

    def grammar(self, task: Task) -> str:
        return 'start: "red" | "blue" | "green" | "white"'

    def preview(self, task: Task, action: str) -> Any:
        return Preview(result=action)

    def exercises(self, tasks: Sequence[Task], count: int, *, weights: Any, seed: int) -> Any:
        made = Task(id="exercise-1", goal="Press a button of the lamps in no room.", environment=self.id, skill=self.name)
        return [Exercise(task=made, answer=self.right, template="press", source=tasks[0])]


class Unreadable(Practising):
    def grammar(self, task: Task) -> str:
        return "start: ("


class UnreadableForm(Practising):
    def template_grammar(self, task: Task, solved: Task, answer: str) -> str:
        return "start: ("


class NoForm(Practising):
    def template_grammar(self, task: Task, solved: Task, answer: str) -> Any:
        return 7


class OtherEachTime(Practising):
    calls = 0

    def preview(self, task: Task, action: str) -> Any:
        self.calls += 1
        return Preview(result=f"{self.calls}")


class RaisingPreview(Practising):
    def preview(self, task: Task, action: str) -> Any:
        raise KeyError(action)


class OutsideItsGrammar(Practising):
    def grammar(self, task: Task) -> str:
        return 'start: "red"'


class RefusedExercise(Practising):
    def preview(self, task: Task, action: str) -> Any:
        return Preview(result="", error="no")


class TooMany(Practising):
    def exercises(self, tasks: Sequence[Task], count: int, *, weights: Any, seed: int) -> Any:
        return super().exercises(tasks, count, weights=weights, seed=seed) * (count + 1)


class Exchanging(Practising):
    """Says that the button may be another one, in the words that it is given."""

    def __init__(self, said: str = "Press", written: str = "blue") -> None:
        super().__init__()
        self._value = HoleValue(type="colour", said=said, written=written)

    def exchanges(self, task: Task, answer: str) -> Any:
        return {self._value: [HoleValue(type="colour", said="Push", written="red")]}

    def spawn(self) -> Any:
        return Exchanging(self._value.said, self._value.written)


class OtherTypes(Practising):
    def exchanges(self, task: Task, answer: str) -> Any:
        return {HoleValue(type="colour", said="Press", written="blue"): [HoleValue(type="number", said="1", written="1")]}


def test_what_is_declared_for_practice_is_checked() -> None:
    check_environment(Practising())
    check_environment(Exchanging())


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (Unreadable(), "the grammar cannot be used"),
        (UnreadableForm(), "the grammar of a template cannot be used"),
        (NoForm(), "template_grammar, where it is declared, gives a text"),
        (OtherEachTime(), "preview gave something else the second time"),
        (RaisingPreview(), "preview answers"),
        (OutsideItsGrammar(), "the grammar refuses its own answer"),
        (RefusedExercise(), "its own answer is refused"),
        (TooMany(), "exercises gives at most as many"),
        (Exchanging(said="Pull"), "exchanges names 'Pull', which the goal does not have"),
        (Exchanging(written="green"), "exchanges names 'green', which the answer does not have"),
        (OtherTypes(), "exchanges, where it is declared, gives values"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ToyEnvironment) else "",
)
def test_what_is_wrong_with_practice_is_named(broken: Practising, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_environment(broken)
