"""The rules of a `Strategy`, for its members here and anybody's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..agents import Job, Run, Strategy
from ..core import Action, MalformedTask, Observation, Task, ToolResult, Usage, text_of
from ..envs import Demonstration
from ..serving import ChatPiece, ChatReply, ChatRequest, Choice, Engine, in_one_piece
from .failures import asserting
from .rules import rule

WORDS = ("red", "blue", "green")


@asserting
def check_strategy(make: Callable[[Engine], Strategy]) -> None:
    """Raise `AssertionError` with the first rule that a strategy breaks; `make` makes one on an engine.

    The engine and the environments of the check are its own: the engine answers `blue`, and the environments are solved by it.
    """
    with rule("a strategy is made on an engine"):
        strategy = make(_Engine())
    assert isinstance(strategy, Strategy), "a strategy has the method act"
    assert _act(strategy, []) == [], "no jobs, no runs"
    jobs = [Job(task=task, environment=_Environment(right)) for right in WORDS for task in _Environment(right).tasks("train", 2)]
    runs = _act(strategy, jobs)
    for job, run in zip(jobs, runs, strict=True):
        _check_run(job, run)
    assert runs == _act(make(_Engine()), jobs), "the same jobs on the same engine give the same runs (invariant Determinism)"
    assert all(isinstance(job.environment, _Environment) and not job.environment.used for job in jobs), "a run uses a spawned environment"
    _check_failures(strategy)
    _check_steps(strategy)
    _check_chat(strategy)


def _act(strategy: Strategy, jobs: Sequence[Job]) -> list[Run]:
    with rule("act returns one run a job, whatever their environments do"):
        runs = strategy.act(jobs)
    assert len(runs) == len(jobs), f"act returns one run a job; {len(jobs)} jobs gave {len(runs)} runs"
    assert all(isinstance(run, Run) for run in runs), "act returns runs"
    return runs


def _check_run(job: Job, run: Run) -> None:
    assert isinstance(run.steps[0], Observation), "a run begins with an observation"
    actions = [step for step in run.steps if isinstance(step, Action)]
    results = [step for step in run.steps if isinstance(step, ToolResult)]
    assert len(actions) == len(results) > 0, "each action is followed by what the environment answered"
    assert isinstance(job.environment, _Environment)
    solved = results[-1].text == f"{job.environment.right}: right"
    assert run.outcome.success is solved, f"success is what the environment said of the last action; it said {solved}"
    assert run.outcome.score == (1.0 if solved else 0.25), "the score is the environment's last reward"
    assert run.usage.tokens > 0, "a run counts the tokens of the engine"


def _check_failures(strategy: Strategy) -> None:
    good, bad = _Environment("blue"), _Environment("blue", fails=True)
    [task] = good.tasks("train", 1)
    runs = _act(strategy, [Job(task=task, environment=one) for one in (good, bad, good)])
    assert [run.outcome.success for run in runs] == [True, None, True], "an environment that raises loses its own run and no other"
    assert "out of order" in runs[1].outcome.reason, "a run that was lost says why"
    with rule("a task that its environment refuses raises MalformedTask"):
        try:
            strategy.act([Job(task=Task(id="unknown", goal="?"), environment=good)])
        except MalformedTask:
            return
    raise AssertionError("a task that its environment refuses raises MalformedTask")


def _check_chat(strategy: Strategy) -> None:
    [run] = _act(strategy, [Job(task=Task(id="chat", goal="Name a colour."))])
    assert [step.text for step in run.steps if isinstance(step, Action)] == ["blue"], "a chat ends with one reply, the engine's"
    assert run.outcome.success is None, "nobody has judged a chat"


def _check_steps(strategy: Strategy) -> None:
    """A task of several steps: each needs what the step before has brought about."""
    [task] = _Errand().tasks("train", 1)
    [run] = _act(strategy, [Job(task=task, environment=_Errand())])
    done = [step.text for step in run.steps if isinstance(step, Action)]
    assert done == ["blue", "what the guard said: 0", "what the guard said: 1"], (
        f"what an action brought about is shown to the model before the next one; it answered {done}"
    )
    assert run.outcome.success, "a run goes on until its environment ends it"


class _Engine:
    """Repeats what the guard said last, or answers `blue`, or the first choice that is `blue`."""

    model = "check"

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        usage = Usage(prompt_tokens=3, completion_tokens=1)
        return [ChatReply(text=self._answer(request), usage=usage, logprob=-0.5) for request in requests]

    def _answer(self, request: ChatRequest) -> str:
        said = [line for message in request.messages for line in text_of(message).splitlines() if line.startswith("what the guard said")]
        return said[-1] if said else "blue"

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        yield from in_one_piece(self.chat([request])[0])

    def choose(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        index = next((place for place, option in enumerate(options) if option == "blue"), 0)
        return Choice(index=index, logprobs=tuple(-1.0 for _ in options), usage=Usage(prompt_tokens=3))

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def publish(self, adapter: Any) -> None:
        """Nothing to load."""

    def retire(self, name: str) -> None:
        """Nothing to unload."""

    def close(self) -> None:
        """Nothing to give back."""


class _Environment:
    """Solved by one word; `fails` makes it raise where a step is due."""

    id = "check-v1"
    max_steps = 2
    max_answer_tokens = 4

    def __init__(self, right: str, *, fails: bool = False) -> None:
        self.right = right
        self.used = False
        self._fails = fails

    def tasks(self, split: str, count: int, *, seed: int = 0) -> Sequence[Task]:
        return [
            Task(id=f"{split}-{number}", goal=f"Say the word of room {number}.", environment=self.id, skill="check")
            for number in range(count)
        ]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        task: Task = (options or {})["task"]
        if task.environment != self.id:
            raise MalformedTask(f"task {task.id!r} is not one of {self.id}")
        self.used = True
        return task.text, {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        if self._fails:
            raise RuntimeError("out of order")
        right = action == self.right
        return f"{action}: {'right' if right else 'wrong'}", 1.0 if right else 0.25, True, False, {"error": False, "success": right}

    def admissible(self) -> tuple[str, ...]:
        return ()

    def demonstrate(self, task: Task) -> Demonstration:
        return Demonstration(observations=(task.text,), actions=(self.right,))

    def spawn(self) -> _Environment:
        return _Environment(self.right, fails=self._fails)

    def close(self) -> None:
        """Nothing to give back."""


class _Errand(_Environment):
    """Three actions, of which the second and the third repeat what was answered to the one before."""

    id = "errand-v1"
    max_steps = 4
    max_answer_tokens = 8

    def __init__(self) -> None:
        super().__init__("blue")
        self._wanted = "blue"
        self._done = 0

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        right, last = action == self._wanted, self._done == 2
        self._wanted = f"what the guard said: {self._done}"
        self._done += 1
        return self._wanted, float(right and last), last or not right, False, {"error": False, "success": right and last}

    def spawn(self) -> _Errand:
        return _Errand()
