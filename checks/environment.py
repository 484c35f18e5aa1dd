"""The rules of an `Environment`, for its members here and anybody's own, in the spirit of Gymnasium's `check_env`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core import MalformedTask, Task
from ..core.versions import short_name
from ..envs import Demonstration, Environment, Split, history_of
from ..envs.practice import can_exercise, can_preview, declared_grammar, exchanges, exercises, preview, template_grammars
from ..envs.results import StepResult, read_choices, read_reset, read_step
from ..serving import grammar_accepts, grammar_error
from .failures import asserting
from .rules import rule

GARBAGE = ("", " ", "?!", "\x00", "```", "'; --", "SELECT", "\udcff", "x" * 10_000, "сделай это")
"""Actions that no environment understands."""


EXERCISES = 8
"""Exercises that are asked for."""


@asserting
def check_environment(environment: Environment, *, count: int = 5, seed: int = 0) -> None:
    """Raise `AssertionError` with the first rule of `lifelong.envs.Environment` that is broken, on `count` tasks of each split.

    The environment is used and not closed; what it spawns is.
    """
    assert isinstance(environment, Environment), f"an environment has every member of the protocol; this one lacks {_missing(environment)}"
    assert environment.id != short_name(environment.id), f"the id ends with a version, such as -v1; got {environment.id!r}"
    for name in ("max_steps", "max_answer_tokens"):
        value = getattr(environment, name)
        assert isinstance(value, int) and value > 0, f"{name} is a whole number above 0; got {value!r}"  # noqa: PT018 (one rule)
    with rule("history, where it is declared, is full, last or none"):
        history_of(environment)
    with rule("tasks gives the first tasks of a split"):
        train, test = environment.tasks("train", count, seed=seed), environment.tasks("test", count, seed=seed)
    _check_tasks(environment, train, test, seed)
    for task in (*train, *test):
        first, again = _solve(environment, task), _solve(environment, task)
        assert first == again, f"task {task.id}: the same actions gave other texts or rewards the second time (invariant Determinism)"
        _check_garbage(environment, task)
    if hasattr(environment, "restore"):
        _check_restore(environment, train[0])
    _check_practice(environment, train)
    _check_spawn(environment, train[0], test[0])
    _check_unknown_task(environment)


def _missing(environment: object) -> str:
    wanted = (*Environment.__annotations__, "tasks", "reset", "step", "admissible", "demonstrate", "spawn", "close")
    methods = {name for name in wanted if name not in Environment.__annotations__}
    unusable = (name for name in wanted if not hasattr(environment, name) or (name in methods and not callable(getattr(environment, name))))
    return ", ".join(unusable)


def _check_tasks(environment: Environment, train: Sequence[Task], test: Sequence[Task], seed: int) -> None:
    given: dict[Split, Sequence[Task]] = {"train": train, "test": test}
    for split, tasks in given.items():
        assert len(tasks) > 0, f"{split}: there are no tasks"
        with rule(f"{split}: tasks can be asked for again"):
            assert list(environment.tasks(split, len(tasks), seed=seed)) == list(tasks), f"{split}: two calls gave other tasks"
            assert list(environment.tasks(split, 1, seed=seed)) == list(tasks[:1]), f"{split}: fewer tasks are not the first ones of more"
    shared = {task.id for task in train} & {task.id for task in test}
    assert not shared, f"ids in both splits: {sorted(shared)}"
    texts = {task.text for task in train} & {task.text for task in test}
    assert not texts, f"tasks in both splits: {sorted(texts)[:3]}"
    for task in (*train, *test):
        assert task.environment == environment.id, f"task {task.id}: environment must be {environment.id!r}, got {task.environment!r}"
        name = short_name(environment.id)
        assert task.skill == name, f"task {task.id}: skill must be {name!r}, the id without its version, got {task.skill!r}"
        assert task.instructions == train[0].instructions, f"task {task.id}: instructions differ between the tasks"


def _begin(environment: Environment, task: Task) -> str:
    with rule(f"task {task.id}: reset begins it and returns observation and info"):
        return read_reset(environment.reset(options={"task": task}))


def _step(environment: Environment, task: Task, action: str) -> StepResult:
    with rule(f"task {task.id}: step answers {action[:40]!r} with observation, reward, terminated, truncated, info and never raises"):
        raw = environment.step(action)
        result = read_step(raw)
        info = raw[4] or {}
    assert 0 <= result.reward <= 1, f"task {task.id}: rewards lie in [0, 1]; got {result.reward}"
    missing = [repr(name) for name in ("error", "success") if name not in info]
    assert not missing, f"task {task.id}: the info of every step says {' and '.join(missing)}"
    return result


def _demonstration(environment: Environment, task: Task) -> Demonstration:
    with rule(f"task {task.id}: demonstrate gives the expert's solution"):
        shown = environment.demonstrate(task)
        assert len(shown.observations) == len(shown.actions) > 0, f"task {task.id}: a demonstration has one observation an action"
    return shown


def _solve(environment: Environment, task: Task) -> list[StepResult | str]:
    """Everything that the expert's actions bring about; they must solve the task."""
    shown = _demonstration(environment, task)
    observation = _begin(environment, task)
    assert task.goal in observation, f"task {task.id}: the first observation does not contain the goal"
    assert task.context in observation, f"task {task.id}: the first observation does not contain the context"
    trace: list[StepResult | str] = [observation]
    result = None
    for expected, action in zip(shown.observations, shown.actions, strict=True):
        assert result is None or not (result.terminated or result.truncated), f"task {task.id}: the episode ended before the expert had"
        assert observation == expected, f"task {task.id}: the expert saw {expected!r}, the environment says {observation!r}"
        with rule(f"task {task.id}: admissible lists what can be done now"):
            choices = read_choices(environment.admissible())
        assert not choices or action in choices, f"task {task.id}: the expert's {action!r} is not among {choices}"
        result = _step(environment, task, action)
        assert not result.error, f"task {task.id}: the expert's action was refused: {result.text}"
        observation = result.text
        trace.append(result)
    assert result is not None and result.terminated and result.success, f"task {task.id}: the expert does not solve it"  # noqa: PT018
    return trace


def _check_garbage(environment: Environment, task: Task) -> None:
    """Senseless actions solve nothing, and the episode ends within `max_steps` of them."""
    _begin(environment, task)
    for number in range(1, environment.max_steps + 1):
        result = _step(environment, task, GARBAGE[number % len(GARBAGE)])
        assert not result.success, f"task {task.id}: a senseless action solved it"
        assert result.error or result.terminated, f"task {task.id}: a senseless action was neither refused nor judged"
        if result.terminated or result.truncated:
            return
    raise AssertionError(f"task {task.id}: the episode did not end within max_steps = {environment.max_steps} actions")


def _check_spawn(environment: Environment, one: Task, other: Task) -> None:
    """Two spawned instances go side by side as each goes alone, and the one they come from is not disturbed."""
    alone = _solve(environment, one)
    with rule("spawn gives a new instance for an episode of its own"):
        left, right = environment.spawn(), environment.spawn()
    assert left is not right and left is not environment, "spawn gives a new instance each time"  # noqa: PT018
    assert left.id == environment.id, f"a spawned instance has the same id; got {left.id!r}"
    _begin(environment, other)
    shown = _demonstration(environment, one)
    trace: list[StepResult | str] = [_begin(left, one)]
    _begin(right, other)
    for action in shown.actions:
        # The other instance moves in between: whatever they share shows in this one's texts.
        with rule("a spawned instance can be used while another is"):
            right.step(GARBAGE[2])
            right.reset(options={"task": other})
        trace.append(_step(left, one, action))
    assert trace == alone, f"task {one.id}: an instance gives other texts or rewards while another one is used; they share state"
    with rule("the instance that others were spawned from goes on with its own episode"):
        again = [_step(environment, other, action) for action in _demonstration(environment, other).actions]
        assert again[-1].success, "the instance that others were spawned from goes on with its own episode"
    with rule("close gives back what an instance holds"):
        left.close()
    with rule("closing one instance leaves the others usable"):
        _solve(right, other)
        right.close()


def _check_restore(environment: Any, task: Task) -> None:
    """Another instance takes an episode up after every action, and ends it as one alone does."""
    whole, actions = _solve(environment, task), _demonstration(environment, task).actions
    for done in range(len(actions) + 1):
        first = environment.spawn()
        _begin(first, task)
        trace: list[StepResult | str] = [whole[0], *(_step(first, task, action) for action in actions[:done])]
        second = environment.spawn()
        with rule(f"task {task.id}: restore takes up an episode after {done} actions and returns what step would have returned"):
            last = read_step(second.restore(task, actions[:done]))
        ended = isinstance(trace[-1], StepResult) and trace[-1].terminated
        assert (last.terminated, last.success) == (ended, ended), f"task {task.id}: restore says whether the episode has ended, and how"
        trace += [_step(second, task, action) for action in actions[done:]]
        assert trace == whole, f"task {task.id}: an episode that is taken up after {done} actions goes on as if nothing had happened"


def _check_practice(environment: Environment, train: Sequence[Task]) -> None:
    """What is declared for learning without an answer key can be read, gives the same again, and leaves an episode under way alone."""
    for task in train:
        with rule(f"task {task.id}: grammar, where it is declared, is a text that llguidance can read"):
            grammar = declared_grammar(environment, task)
            assert not grammar or not (error := grammar_error(grammar)), f"task {task.id}: the grammar cannot be used: {error}"
        assert grammar == declared_grammar(environment, task), f"task {task.id}: two calls gave two grammars (invariant Determinism)"
        _check_exchanges(environment, task)
    _check_templates(environment, train)
    if can_preview(environment):
        _check_preview(environment, train[0])
    if not can_exercise(environment):
        return
    with rule("exercises gives at most as many exercises as are asked for, each with an answer"):
        made = exercises(environment, train, EXERCISES, seed=1)
        assert made == exercises(environment, train, EXERCISES, seed=1), "exercises gives the same again under the same seed"
    for one in made:
        assert one.source in train, f"exercise {one.task.goal[:60]!r} was made from none of the tasks that were given"
        grammar = declared_grammar(environment, one.task)
        assert not grammar or grammar_accepts(grammar, one.answer), f"exercise {one.task.goal[:60]!r}: the grammar refuses its own answer"
        if can_preview(environment):
            found = preview(environment, one.source, one.answer)
            assert not found.error, f"exercise {one.task.goal[:60]!r}: its own answer is refused: {found.error}"


def _check_templates(environment: Environment, train: Sequence[Task]) -> None:
    """The forms of right answers to some tasks can be read as grammars of the others."""
    solved = [(task, _demonstration(environment, task).actions[-1]) for task in train]
    for task in train:
        with rule(f"task {task.id}: template_grammar, where it is declared, gives a text that llguidance can read, for any solved task"):
            found = template_grammars(environment, task, solved, len(solved))
            assert found == template_grammars(environment, task, solved, len(solved)), "two calls gave two grammars"
        for grammar in found:
            assert not (error := grammar_error(grammar)), f"task {task.id}: the grammar of a template cannot be used: {error}"


def _check_exchanges(environment: Environment, task: Task) -> None:
    """What may be exchanged stands in both texts, and is the same again."""
    answer = _demonstration(environment, task).actions[-1]
    with rule(f"task {task.id}: exchanges, where it is declared, gives values and others of the same types"):
        given = exchanges(environment, task, answer)
        assert given == exchanges(environment, task, answer), f"task {task.id}: two calls gave other exchanges (invariant Determinism)"
    for value in given:
        assert value.said in task.goal, f"task {task.id}: exchanges names {value.said!r}, which the goal does not have"
        assert value.written in answer, f"task {task.id}: exchanges names {value.written!r}, which the answer does not have"


def _check_preview(environment: Environment, task: Task) -> None:
    _begin(environment, task)
    for action in (*GARBAGE, *_demonstration(environment, task).actions):
        with rule(f"task {task.id}: preview answers {action[:40]!r} with a Preview and never raises"):
            first, again = preview(environment, task, action), preview(environment, task, action)
        assert first == again, f"task {task.id}: preview gave something else the second time (invariant Determinism)"
    with rule(f"task {task.id}: preview has no effect on an episode under way"):
        results = [_step(environment, task, action) for action in _demonstration(environment, task).actions]
        assert results[-1].success, f"task {task.id}: the expert failed after actions were tried with preview; they must have no effect"


def _check_unknown_task(environment: Environment) -> None:
    unknown = Task(id="no-such-task", goal="nothing", environment=environment.id)
    with rule("reset refuses a task that this environment did not make with MalformedTask"):
        try:
            environment.reset(options={"task": unknown})
        except MalformedTask:
            return
    raise AssertionError("reset accepted a task that this environment did not make; it must raise MalformedTask")
