"""Consolidation data: which turns of which episodes an adapter may learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...core import Action, Episode, Message, Recall, Step
from ...learners import Sample
from ..strategies.rollout import visible


def samples(episodes: Sequence[Episode], exchangeable: frozenset[str] = frozenset()) -> list[Sample]:
    """Samples of all trainable episodes; everything else is passed over (invariant Trust).

    A composed answer gives one sample, the answer that was right; chosen actions give one each. `exchangeable` says what the
    episodes' environment lets training exchange.
    """
    return [replace(sample, exchangeable=exchangeable) for episode in episodes if episode.trainable for sample in _of(episode)]


def prompt(episode: Episode) -> tuple[Message, ...]:
    """What the model saw before its last action, recalled text left out."""
    steps = _without_recall(episode)
    last = max((position for position, step in enumerate(steps) if isinstance(step, Action)), default=len(steps))
    return tuple(visible(episode.task, steps[:last], chosen=False))


def _without_recall(episode: Episode) -> list[Step]:
    # The adapter is to know by itself what memory told the run.
    return [step for step in episode.steps if not isinstance(step, Recall)]


def _of(episode: Episode) -> list[Sample]:
    steps = _without_recall(episode)
    actions = [(position, step) for position, step in enumerate(steps) if isinstance(step, Action)]
    if episode.correction or (actions and not actions[-1][1].chosen):
        return [_sample(episode, prompt(episode), episode.correction or actions[-1][1].text, composed=True)]
    return [_sample(episode, visible(episode.task, steps[:place], chosen=True), step.text, composed=False) for place, step in actions]


def _sample(episode: Episode, messages: Sequence[Message], answer: str, *, composed: bool) -> Sample:
    return Sample(messages=tuple(messages), answer=answer, skill=episode.skill, episode=episode.id, composed=composed)
