"""Judging an adapter on held-out episodes: by the environment where there is one, else by preference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ..agents import Job, prompt
from ..core import Episode
from ..envs import Environment, find_environment
from ..serving import ChatRequest
from .components import Components

SILENCE = "I do not know."
"""What stands for an empty answer, which has no likelihood."""


def held_out_results(
    components: Components, episodes: Sequence[Episode], adapter: str, environments: Mapping[str, Environment]
) -> list[bool]:
    """Success on each episode's task with this adapter and no memory, in order; nothing is recorded."""
    results: dict[str, bool] = {}
    by_source: dict[str, list[Episode]] = defaultdict(list)
    for episode in episodes:
        by_source[episode.task.environment].append(episode)
    for source, group in by_source.items():
        environment = find_environment(environments, source)
        judged = _preferred(components, group, adapter) if environment is None else _solved(components, group, adapter, environment)
        results.update(zip((episode.id for episode in group), judged, strict=True))
    return [results[episode.id] for episode in episodes]


def _solved(components: Components, episodes: Sequence[Episode], adapter: str, environment: Environment) -> list[bool]:
    settings = components.settings
    jobs = [
        Job(
            task=episode.task,
            environment=environment,
            adapter=adapter,
            tries=settings.wake.max_attempts,
            max_tokens=settings.model.max_tokens,
            seed=settings.seed,
        )
        for episode in episodes
    ]
    return [run.outcome.success is True for run in components.actor.act(jobs)]


def _preferred(components: Components, episodes: Sequence[Episode], adapter: str) -> list[bool]:
    """A chat has no executor: the adapter passes if it finds the confirmed answer likelier than the rejected one.

    For a corrected answer the rejected one is what the agent had said; for a confirmed answer it is the base model's.
    """
    results: list[bool] = []
    for episode in episodes:
        messages = prompt(episode)
        right = episode.correction or episode.answer
        plain = ChatRequest(messages=messages, max_tokens=components.settings.model.max_tokens)
        wrong = episode.answer if episode.correction else components.engine.chat([plain])[0].text
        choice = components.engine.choose(ChatRequest(messages=messages, adapter=adapter), [right, wrong.strip() or SILENCE])
        results.append(right.strip() == wrong.strip() or choice.index == 0)
    return results
