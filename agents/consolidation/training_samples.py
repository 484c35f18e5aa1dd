"""Consolidation data: which turns of which episodes an adapter may learn from, and what the model was asked then.

That a model is trained on its own runs which were found right, and on corrections of the others, is the idea of Zelikman et al. 2022,
"STaR: Bootstrapping Reasoning With Reasoning", https://arxiv.org/abs/2203.14465, algorithm 1. What memory showed such a run (lessons,
runs, statements) is left out of its sample, so that the adapter learns to answer without it: context distillation from samples of the
model that saw the context (Snell, Klein and Zhong 2022, "Learning by Distilling Context", https://arxiv.org/abs/2209.15189, section 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...core import Action, Episode, Message, Observation, Recall, Reward, Step, ToolResult
from ...learners import Sample
from ..outcomes.tool_results import read_result
from ..strategies.transcript import View, visible


def samples(episodes: Sequence[Episode], exchangeable: frozenset[str] = frozenset(), *, before: Sequence[Step] = ()) -> list[Sample]:
    """Samples of all trainable episodes; everything else is passed over (invariant Trust).

    One a turn of the agent's own, asked as the model was asked then, but for what was recalled; turns that were refused are left out.
    Where each answer was a new attempt at the task, and in a chat, the last one alone was right. A correction takes the place of the
    last turn, and the turns before it prove nothing. `exchangeable` says what the episodes' environment lets training exchange;
    `before` are the steps of the conversation that went before (`earlier_steps`).
    """
    return [replace(sample, exchangeable=exchangeable) for episode in episodes if episode.trainable for sample in _of(episode, before)]


def prompt(episode: Episode, before: Sequence[Step] = ()) -> tuple[Message, ...]:
    """What the model saw before its last action, recalled text left out."""
    steps = _without_recall([*before, *episode.steps])
    last = max((position for position, step in enumerate(steps) if isinstance(step, Action)), default=len(steps))
    action = steps[last] if last < len(steps) else Action(text="")
    assert isinstance(action, Action)
    # The last of several attempts was not picked from anything, whatever it says of itself.
    return _prompt(episode, steps, last, replace(action, chosen=False))


def _prompt(episode: Episode, steps: Sequence[Step], place: int, action: Action) -> tuple[Message, ...]:
    return tuple(visible(episode.task, steps[:place], View.of(action, steps[:place])))


def _without_recall(steps: Sequence[Step]) -> list[Step]:
    # The adapter is to know by itself what memory told the run. An empty one keeps the places of the others.
    return [replace(step, text="") if isinstance(step, Recall) else step for step in steps]


def _of(episode: Episode, before: Sequence[Step]) -> list[Sample]:
    steps = _without_recall([*before, *episode.steps])
    own = _begins(episode, steps, len(before))
    turns = [(place, step) for place, step in enumerate(steps) if isinstance(step, Action) and place >= own]
    if episode.correction:
        return [_sample(episode, prompt(episode, before), episode.correction, composed=True)]
    if turns and not turns[-1][1].chosen and not _answered_in_turn(steps, turns[-1]):
        turns = turns[-1:]
    return [
        _sample(episode, _prompt(episode, steps, place, step), step.reply, composed=not step.chosen)
        for place, step in turns
        if len(turns) == 1 or not _refused(steps, place)
    ]


def _begins(episode: Episode, steps: Sequence[Step], earlier: int) -> int:
    """Where the episode's own turns begin: a chat's record may repeat what was said before."""
    asked = (place for place in range(len(steps) - 1, earlier - 1, -1) if _is_request(episode, steps[place]))
    return next(asked, earlier)


def _is_request(episode: Episode, step: Step) -> bool:
    return isinstance(step, Observation) and step.text == episode.task.text


def _answered_in_turn(steps: Sequence[Step], turn: tuple[int, Action]) -> bool:
    """Whether the run was a sequence of turns, each made in sight of those before, and not several attempts at one answer."""
    place, action = turn
    return View.of(action, steps[:place]).history != "none" and any(isinstance(step, ToolResult) for step in steps[:place])


def _refused(steps: Sequence[Step], place: int) -> bool:
    """Whether what follows an action, before the next one, says that it was refused, failed, or earned less than nothing."""
    for step in steps[place + 1 :]:
        if isinstance(step, Action):
            return False
        if (isinstance(step, ToolResult) and _failed(step)) or (isinstance(step, Reward) and step.value < 0):
            return True
    return False


def _failed(result: ToolResult) -> bool:
    # An environment says itself what it refused; of a tool that answers a call the text is read too.
    sign = read_result(result.text, error=result.error) if result.tool_call_id else None
    return result.error or (sign is not None and not sign.success)


def _sample(episode: Episode, messages: Sequence[Message], answer: str, *, composed: bool) -> Sample:
    return Sample(
        messages=tuple(messages), tools=episode.task.tools, answer=answer, skill=episode.skill, episode=episode.id, composed=composed
    )
