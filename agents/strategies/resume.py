"""Runs that a crash interrupted: bringing an environment to where the run had come, without repeating what was finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...core import Action, Step, Task, ToolCall, ToolResult
from ...core.messages import call_text
from ...envs import Environment
from ...envs.results import StepResult, read_reset, read_step

INTERRUPTED = "The run was interrupted here: it is not known whether this was carried out."
"""What stands as the result of an action whose own is lost."""


@dataclass(frozen=True, kw_only=True)
class TakenUp:
    """A run that goes on."""

    steps: tuple[Step, ...]
    """What had happened; empty where the run begins anew."""
    last: StepResult | None
    """What the environment said last; None where nothing is finished."""
    actions: int
    """How many actions count as done."""


def take_up(environment: Environment, task: Task, seed: int, steps: Sequence[Step]) -> TakenUp:
    """Bring a new instance of an environment to where these steps end.

    An environment whose actions have effects outside the process has `restore`, which is told what was done: nothing is repeated, and an
    action whose result is lost is reported to the agent as interrupted. The world of any other environment ended with the process; it
    is made again by the same actions, which gives the same results (invariant Determinism), and where it does not the run begins anew.
    """
    deeds = deeds_of(steps)
    finished = [(deed, result) for deed, _, result in deeds if result is not None]
    if (restore := getattr(environment, "restore", None)) is not None:
        last = read_step(restore(task, [deed for deed, _ in finished]))
        lost = [
            ToolResult(text=INTERRUPTED, error=True, tool_call_id=call["id"] if call else "") for _, call, result in deeds if not result
        ]
        return TakenUp(steps=(*steps, *lost), last=last, actions=len(deeds))
    read_reset(environment.reset(seed=seed, options={"task": task}))
    last_result: StepResult | None = None
    for deed, result in finished:
        last_result = read_step(environment.step(deed))
        if last_result.text != result.text:
            read_reset(environment.reset(seed=seed, options={"task": task}))
            return TakenUp(steps=(), last=None, actions=0)
    kept = steps if len(finished) == len(deeds) else steps[: _last_action(steps)]
    return TakenUp(steps=tuple(kept), last=last_result, actions=len(finished))


def deeds_of(steps: Sequence[Step]) -> list[tuple[str, ToolCall | None, ToolResult | None]]:
    """What was carried out, in order: the text that the environment was given, the call that it was, and its result; None where lost."""
    deeds: list[tuple[str, ToolCall | None, ToolResult | None]] = []
    for place, step in enumerate(steps):
        if not isinstance(step, Action):
            continue
        results: list[ToolResult] = []
        for after in steps[place + 1 :]:
            if isinstance(after, Action):
                break
            if isinstance(after, ToolResult):
                results.append(after)
        calls: Sequence[ToolCall | None] = step.tool_calls or (None,)
        for number, call in enumerate(calls):
            deed = call_text(call) if call is not None else step.text
            deeds.append((deed, call, results[number] if number < len(results) else None))
    return deeds


def _last_action(steps: Sequence[Step]) -> int:
    return max(place for place, step in enumerate(steps) if isinstance(step, Action))
