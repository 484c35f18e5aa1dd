"""What a model is shown of a run under way, within the tokens that it can read.

A step keeps how much of the run was shown when it was made, so that training on it asks exactly what was asked then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ...core import Action, Message, Observation, Recall, Step, Task, ToolResult, to_messages
from ...core.messages import tools_text
from ...envs import History

OVERHEAD = 8
"""Tokens that a chat template may write around a turn."""
LEFT_OUT = "[earlier turns are left out here]"
"""What stands in the place of the turns between the task and the newest ones."""
SHORTEST_CLIP = 200
"""Characters of a text that are shown at least."""


@dataclass(frozen=True, kw_only=True)
class View:
    """How much of a run is shown."""

    history: History = "full"
    """Which turns: all, the newest result, or the task alone."""
    omitted: int = 0
    """Of a full history: how many steps after the task are left out."""
    clipped: int = 0
    """Characters of one text beyond which its middle is left out; 0 for no limit."""

    @classmethod
    def of(cls, action: Action, before: Sequence[Step]) -> View:
        """What was shown when an action was made after these steps.

        Actions that keep no history were chosen in sight of the newest result alone, or composed in sight of the task alone, where an
        environment answers; a conversation, and a run in which tools answer calls by id, is shown whole.
        """
        if action.history:
            history: History = action.history
        elif not (answers := [step for step in before if isinstance(step, ToolResult)]) or any(step.tool_call_id for step in answers):
            history = "full"
        else:
            history = "last" if action.chosen else "none"
        return cls(history=history, omitted=action.omitted, clipped=action.clipped)

    def mark(self, action: Action) -> Action:
        """The action with what was shown when it was made; what `of` finds by itself is not written down."""
        usual: History = "last" if action.chosen else "none"
        return replace(action, history="" if self.history == usual else self.history, omitted=self.omitted, clipped=self.clipped)


def visible(task: Task, steps: Sequence[Step], view: View) -> list[Message]:
    """What the model sees of a run.

    Where only the newest result is shown, it holds the whole state, so the goal stands before it. Where only the task is shown, a
    refused answer is dropped rather than shown, since a model that has just failed tends to repeat itself (execution-guided decoding,
    Wang et al. 2018, https://arxiv.org/abs/1807.03100).
    """
    newest = next((step for step in reversed(steps) if isinstance(step, ToolResult)), None)
    if view.history == "full" or newest is None:
        return to_messages(task, [_clipped(step, view.clipped) for step in _without_middle(steps, view.omitted)])
    recall = [step for step in steps[: _head(steps)] if isinstance(step, Recall)]
    first = next(step for step in steps if isinstance(step, Observation))
    shown = [Observation(text=task.goal), newest] if view.history == "last" else [first]
    return to_messages(task, [_clipped(step, view.clipped) for step in (*shown, *recall)])


class TokenBudget:
    """Chooses what of a growing run is shown, so that it fits into a number of tokens.

    The task and what was recalled for it are always shown, and the newest turns as many as fit. What is left out grows in strides and
    never shrinks, so that a server's cache of the prompt stays valid for many turns. A step costs one count of its own tokens.
    """

    def __init__(self, count_tokens: Callable[[str], int], tokens: int) -> None:
        """`tokens` is what the prompt may have."""
        self._count = count_tokens
        self._tokens = tokens
        self._costs: list[int] = []
        self._omitted = 0

    def fit(self, task: Task, steps: Sequence[Step]) -> View:
        """A full history of these steps, which begin with those of the call before, as far as it fits."""
        self._costs += [self._cost(step) for step in steps[len(self._costs) :]]
        head = _head(steps)
        # The mark of what is left out is a turn of its own length.
        free = self._tokens - self._count(task.instructions) - 4 * OVERHEAD - sum(self._costs[:head])
        free -= self._count(tools_text(task.tools)) if task.tools else 0
        # Each kept turn begins with an action, so that roles go on taking turns and a result never stands without its call.
        starts = [place for place in range(head + self._omitted, len(steps)) if isinstance(steps[place], Action)]
        if sum(self._costs[head + self._omitted :]) > free and starts:
            left = free // 2
            kept = starts[-1]
            total = sum(self._costs[kept:])
            for start, after in zip(reversed(starts[:-1]), reversed(starts), strict=False):
                total += sum(self._costs[start:after])
                if total > left:
                    break
                kept = start
            self._omitted = kept - head
        return View(omitted=self._omitted, clipped=self._clip(steps, head, free))

    def _clip(self, steps: Sequence[Step], head: int, free: int) -> int:
        """The longest that a text may be, where even the task and the newest turn do not fit; 0 where they do."""
        kept = [*steps[:head], *steps[head + self._omitted :]]
        room = free + sum(self._costs[:head])
        if sum(self._costs[:head]) + sum(self._costs[head + self._omitted :]) <= room or not kept:
            return 0
        most = max(len(step.text) for step in kept)
        while most > SHORTEST_CLIP:
            most = max(SHORTEST_CLIP, most // 2)
            if sum(self._cost(_clipped(step, most)) for step in kept) <= room:
                break
        return most

    def _cost(self, step: Step) -> int:
        shown = step.to_messages()
        return self._count(step.full_text) + OVERHEAD if shown else 0


def _head(steps: Sequence[Step]) -> int:
    """How many steps at the beginning are the task and what was recalled for it."""
    return next((place for place, step in enumerate(steps) if not isinstance(step, Observation | Recall)), len(steps))


def _without_middle(steps: Sequence[Step], omitted: int) -> Sequence[Step]:
    if not omitted:
        return steps
    head = _head(steps)
    return [*steps[:head], Observation(text=LEFT_OUT), *steps[head + omitted :]]


def _clipped(step: Step, most: int) -> Step:
    if not most or len(step.text) <= most:
        return step
    begin = 2 * most // 3
    return replace(step, text=f"{step.text[:begin]}\n[{len(step.text) - most} characters left out]\n{step.text[begin - most :]}")
