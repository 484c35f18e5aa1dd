"""Where tasks come from: a Gymnasium-style environment that speaks text.

An environment may also have `exchangeable`, a set of `Exchangeable`. It declares what training may exchange by name
substitution; without it nothing is exchanged.

It may have `history`, which says what of an episode an agent is shown before it acts: `full`, every turn so far, refused ones too, within
what the model can read (this is the default); `last`, the goal and the newest observation, where that is the whole state; `none`, the
task alone, where each action is a new attempt at it.

It may have `always_calls = True`, where every action is a call of one of the task's tools: answers are then kept to such calls.

It may have `restore(task: Task, actions: Sequence[str])`, where its actions have effects outside the process: take up, in a new instance,
an episode in which these actions were carried out by an instance whose process has ended. It carries nothing out and returns what `step`
returned, or would have, after the last of them. Without it an interrupted episode is made again by the same actions.

It may have `repair_candidates(action: str, error: str, task: Task) -> Sequence[str]`: whole actions to try in place of a
composed one that was refused with `error`, likeliest kind first; empty where nothing of the error names what to change.

It may declare what helps an agent to learn from nothing but the environment's yes or no (`envs.practice` reads all five):
`grammar(task: Task) -> str`, what an answer to a task may be, in llguidance's form of Lark, from the task's text alone;
`template_grammar(task: Task, solved: Task, answer: str) -> str`, the same for an answer that has the form of the answer to another task
which is solved, with the task's own names and values in its holes, empty where it cannot have that form;
`preview(task: Task, action: str) -> Preview`, what an action would bring about, without judging it and without any effect;
`exercises(tasks: Sequence[Task], count: int, *, weights: Mapping[str, float], seed: int) -> Sequence[Exercise]`, tasks made up from
their answers over what `tasks` show, with a weight for each kind that is to be practised more or less (1 where none is given);
`exchanges(task: Task, answer: str) -> Mapping[HoleValue, Sequence[HoleValue]]`, the values (`envs.templates.HoleValue`) that a solved task
and its answer have in common, each with others of the same type that may stand in its place in both. None of them may use what the
environment knows of right answers. Tasks with `tools` need none of this: their exercises are made from the tools' schemas and
descriptions (`envs.tools.exercises`).

Values are read leniently where nothing is lost: numbers and flags of NumPy, observations that are bytes, None or plain data,
which become text; texts are cut at `envs.results.MAX_TEXT` characters. What cannot be read (a reward that is no finite number,
four values in place of five) ends the run with the rule that was broken, as does an exception or a call that takes too long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, get_args, runtime_checkable

from ..core import Task
from ..core.versions import newest
from .results import RuleBroken

Split = Literal["train", "test"]
"""`train` tasks may be learned from and corrected; `test` tasks are only ever scored."""

Exchangeable = Literal["names", "numbers", "quoted"]
"""What may be exchanged in a training sample without making it false, where it stands in the request and in the answer
alike: lower-case identifiers, whole numbers, the contents of single-quoted strings."""


History = Literal["full", "last", "none"]
"""What of an episode an agent is shown before it acts: every turn so far, the newest observation, the task alone."""


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """The expert's run on a task: what it saw and what it did, turn by turn."""

    observations: tuple[str, ...]
    """What the environment said before each action; the first is the task itself."""
    actions: tuple[str, ...]
    """What the expert did; the last one solves the task."""


@runtime_checkable
class Environment(Protocol):
    """A source of tasks. `reset` and `step` have Gymnasium's signatures; observations are text.

    One instance runs one episode at a time; `spawn` gives further ones, which share no state that an episode changes.
    Same task, same actions: same texts and rewards (invariant Determinism). Optional members and how values are read: see above.
    """

    id: str
    """Name and version, such as `database-v1`: the `environment` of its tasks; their `skill` is the name without the version."""
    max_steps: int
    """Actions after which an episode is truncated."""
    max_answer_tokens: int
    """Tokens that the longest right action needs, with room to spare; longer answers are cut off."""

    def tasks(self, split: Split, count: int, *, seed: int = 0) -> Sequence[Task]:
        """The first `count` tasks of a split under a seed; splits never share a task. Raises `DataMissing`, `ValueError` for too few."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin `options["task"]`, or the first training task: first observation, info. Raises `MalformedTask` for another's task."""

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Act. Returns observation, reward (in [0, 1]), terminated, truncated, info.

        `info["success"]` says whether the task is solved (the reward is a score and decides nothing), `info["error"]` whether the
        action was refused. A wrong action is refused or ends the episode; every episode ends within `max_steps` actions.
        """

    def admissible(self) -> tuple[str, ...]:
        """What can be done now; empty where actions are free text. Inherited: empty."""
        return ()

    def demonstrate(self, task: Task) -> Demonstration:
        """The expert's solution, independent of the episode under way."""

    def spawn(self) -> Self:
        """A new instance for an episode of its own; large data that no episode changes may be shared. Inherited: made without arguments."""
        return type(self)()

    def close(self) -> None:
        """Give back what the instance holds; it is not used afterwards."""


def find_environment(environments: Mapping[str, Environment], id: str) -> Environment | None:
    """The environment that a task names, None where it is not there.

    Records from before ids had versions name environments without one; they mean the newest.
    """
    return environments.get(newest(id, environments))


def history_of(environment: Environment) -> History:
    """What an environment declares that an agent is shown of an episode; every turn unless it says otherwise. Raises `RuleBroken`."""
    declared: Any = getattr(environment, "history", "full")
    if declared not in get_args(History):
        raise RuleBroken(f"history must be one of {', '.join(get_args(History))}; got {declared!r}")
    history: History = declared
    return history


def always_calls(environment: object) -> bool:
    """Whether an environment declares that every action is a call of a tool."""
    return getattr(environment, "always_calls", False) is True


def exchangeable(environment: Environment) -> frozenset[Exchangeable]:
    """What an environment declares exchangeable in training samples; nothing unless it says so."""
    return frozenset(getattr(environment, "exchangeable", ()))
