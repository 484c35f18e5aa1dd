"""What a navigator reaches on unseen tasks, and what it declines there: figures of `lifelong run --stream navigation`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core import Task
from ..envs import ObjectNavGridEnvironment
from ..envs.navigation.scenes import NEVER_TAUGHT, STAGES
from ..learners.navigation.abstention import Abstention
from ..learners.navigation.navigator import Navigator
from ..learners.navigation.traces import EpisodeTrace
from ..metrics.tables import TextTable

Counts = list[int]
"""How many of how many."""

FAILURES = (
    "saw the goal, ran out of actions", "saw the goal, stopped elsewhere", "never saw the goal, ran out of actions",
    "never saw the goal, stopped elsewhere",
)  # fmt: skip
"""Kinds of failures: a goal that was seen was passed by, one that was never seen was not searched for well."""


def measure(
    navigator: Navigator, abstention: Abstention, environments: Sequence[ObjectNavGridEnvironment], *, count: int, seed: int
) -> dict[str, Any]:
    """Success on `count` unseen tasks of each stage, taught or not, and what of them and of goals that no stage teaches is declined.

    Every episode runs to its end, so that it is known what a declined one would have come to: `success` counts all successes.
    """
    blocks = [navigator.trace(one, _unseen(one, count, seed)) for one in environments]
    never = ObjectNavGridEnvironment(NEVER_TAUGHT)
    traces = [one for block in blocks for one in block] + navigator.trace(never, _unseen(never, count, seed))
    return {
        "success": [hits(block) for block in blocks],
        "declined": declined_counts(navigator, abstention, traces),
        "failures": failure_counts(navigator, traces),
    }


def declined_counts(navigator: Navigator, abstention: Abstention, traces: Sequence[EpisodeTrace]) -> dict[str, Counts]:
    """What of some whole episodes is declined, by what they are: each as how many of how many.

    `unknown_refused` and `taught_refused`: goals never taught and taught ones that are taken for never taught. `doomed_given_up` and
    `good_given_up`: taught goals' episodes that would fail and that would succeed, given up as unlikely. `actions_saved`: actions that
    declining saves in episodes that would not succeed.
    """
    found: dict[str, Counts] = {
        name: [0, 0] for name in ("unknown_refused", "taught_refused", "doomed_given_up", "good_given_up", "actions_saved")
    }
    for one in traces:
        result, declined = one.result, abstention.declined(one)
        reason = declined[1].reason if declined else None
        taught = result.measures.category in navigator.taught
        _count(found["taught_refused" if taught else "unknown_refused"], reason == "unknown goal")
        if taught:
            _count(found["good_given_up" if result.success else "doomed_given_up"], reason == "unlikely to succeed")
        if not result.success:
            found["actions_saved"][0] += result.steps - declined[0] if declined else 0
            found["actions_saved"][1] += result.steps
    return found


def failure_counts(navigator: Navigator, traces: Sequence[EpisodeTrace]) -> dict[str, int]:
    """Why episodes with taught goals failed: by whether the goal came into view, and by how they ended. Their sum is all failures."""
    found = dict.fromkeys(FAILURES, 0)
    for one in traces:
        result = one.result
        if result.measures.category in navigator.taught and not result.success:
            ended = "stopped elsewhere" if result.steps < ObjectNavGridEnvironment.max_steps else "ran out of actions"
            seen = "saw the goal" if _is_in_view(one) else "never saw the goal"
            found[f"{seen}, {ended}"] += 1
    return found


def _is_in_view(trace: EpisodeTrace) -> bool:
    """Whether the goal was in one of an episode's views."""
    from minigrid.core.constants import COLOR_TO_IDX, OBJECT_TO_IDX

    colour, kind = trace.result.measures.category.split()
    there = (trace.views[..., 0] == OBJECT_TO_IDX[kind]) & (trace.views[..., 1] == COLOR_TO_IDX[colour])
    return bool(there.any())


def hits(traces: Sequence[EpisodeTrace]) -> Counts:
    """How many of some episodes succeeded, of how many."""
    return [sum(one.result.success for one in traces), len(traces)]


def success_table(nights: Sequence[Mapping[str, Any]]) -> TextTable:
    """Success on unseen tasks of every stage, a row a night."""
    rows = [(f"stage {night['stage']}", *(f"{hits / count:.2f}" for hits, count in night["success"])) for night in nights]
    header = ("after", *(f"stage {number}" for number in range(1, len(STAGES) + 1)))
    return TextTable(title="success on unseen tasks", header=header, rows=tuple(rows))


DECLINED = {
    "unknown_refused": "unknown goals refused",
    "taught_refused": "taught goals refused",
    "doomed_given_up": "failures given up",
    "good_given_up": "successes given up",
    "actions_saved": "actions saved in failures",
}
"""What is counted of declining, and what it is called in tables."""


def declined_table(nights: Sequence[Mapping[str, Any]]) -> TextTable:
    """What is declined of unseen tasks, a row a night."""
    rows = [(f"stage {night['stage']}", *("{}/{}".format(*night["declined"][name]) for name in DECLINED)) for night in nights]
    return TextTable(title="declined of unseen tasks", header=("after", *DECLINED.values()), rows=tuple(rows))


def _unseen(environment: ObjectNavGridEnvironment, count: int, seed: int) -> Sequence[Task]:
    return environment.tasks("test", count, seed=seed)


def _count(counts: Counts, hit: bool) -> None:
    counts[0] += hit
    counts[1] += 1
