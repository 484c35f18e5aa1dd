"""Held-out tasks: which they are, decided before they are run, and how an adapter does on them.

A task counts whether the live policy solved it or not, as long as it can be judged: by its environment, or by an answer that a
person corrected or confirmed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..agents import Job, Run, prompt
from ..core import Adapter, Episode, MalformedTask
from ..core.messages import reply_text
from ..core.versions import short_name
from ..envs import Environment, find_environment
from ..numerics.draws import draw
from ..serving import ChatRequest
from .components import Components

SILENCE = "I do not know."
"""What stands for an empty answer, which has no likelihood."""

COMPARED = 256
"""Tokens of an answer that are compared with another's, from its beginning: one that never ended fills the model's whole context."""

Key = tuple[str, str]
"""What makes two episodes runs of the same task: the environment's short name, and the task's key."""


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """The tasks by which one skill's candidate is judged."""

    episodes: tuple[Episode, ...]
    """One run of each task."""
    folds: tuple[int, ...] = ()
    """Cross-fitting: the part of each task, judged by an adapter that learned from the others. Empty: all are kept apart."""

    def fold(self, number: int) -> tuple[Episode, ...]:
        """The tasks of one part."""
        return tuple(episode for episode, fold in zip(self.episodes, self.folds, strict=True) if fold == number)


@dataclass(frozen=True, kw_only=True)
class HeldOutResult:
    """How one policy does on one held-out task."""

    success: bool
    """Whether it solves it."""
    run: Run | None = None
    """What it did; None for a chat, where answers are compared and none is written."""


def key(episode: Episode) -> Key:
    """Which task an episode is a run of."""
    return short_name(episode.task.environment), episode.task.key


def is_held_out(episode: Episode, seed: int, share: float) -> bool:
    """Whether the gate keeps this task to itself; by the task, so that no later run of it is trained on either."""
    return draw(seed, "held-out", *key(episode)) < share


def judgeable(episode: Episode, environments: Mapping[str, Environment]) -> bool:
    """Whether another policy can be evaluated on an episode's task."""
    if find_environment(environments, episode.task.environment) is not None:
        return True
    return episode.trainable


def choose(components: Components, environments: Mapping[str, Environment], tenant: str, skill: str) -> list[Episode]:
    """A run of every task that is kept apart for a skill and can be judged, the newest run of each; ordered by task."""
    settings, seed = components.settings.sleep, components.settings.seed
    tasks = _tasks(components, environments, tenant, skill)
    return [tasks[one] for one in sorted(tasks) if is_held_out(tasks[one], seed, settings.held_out)][: settings.gate_tasks]


def choose_for_target(components: Components, environments: Mapping[str, Environment], tenant: str, skill: str) -> HeldOut:
    """What decides on a skill's candidate: the tasks kept apart, or where these are too few, all tasks in turn (cross-fitting).

    Tasks that the live adapter has learned from tell nothing of a gain over it and are left out. What comes back may still be
    fewer than `sleep.min_held_out`: then the skill has to wait.
    """
    settings, seed = components.settings.sleep, components.settings.seed
    kept = choose(components, environments, tenant, skill)
    if not settings.gate:
        return HeldOut(episodes=tuple(kept))
    learned = _learned_by_live(components, tenant, skill)
    unseen = [episode for episode in kept if key(episode) not in learned]
    if len(unseen) >= settings.min_held_out:
        return HeldOut(episodes=tuple(unseen))
    tasks = _tasks(components, environments, tenant, skill)
    order = sorted((one for one in tasks if one not in learned), key=lambda one: draw(seed, "fold", *one))
    episodes = tuple(tasks[one] for one in order[: max(settings.gate_tasks, settings.min_held_out)])
    return HeldOut(episodes=episodes, folds=tuple(place % settings.folds for place in range(len(episodes))))


def _tasks(components: Components, environments: Mapping[str, Environment], tenant: str, skill: str) -> dict[Key, Episode]:
    tasks: dict[Key, Episode] = {}
    for episode in components.record.episodes.find(tenant=tenant, skill=skill):
        if judgeable(episode, environments) and not episode.demonstration:
            tasks[key(episode)] = episode
    return tasks


def _learned_by_live(components: Components, tenant: str, skill: str) -> set[Key]:
    name = components.record.adapters.route(tenant, skill)
    if not name:
        return set()
    return {key(one) for one in components.record.episodes.get_many(components.record.adapters.get(name).episodes, tenant=tenant)}


def results_of_unrecorded(
    components: Components, episodes: Sequence[Episode], adapter: Adapter, environments: Mapping[str, Environment]
) -> list[HeldOutResult]:
    """`held_out_results` of an adapter that serves for this alone and is taken away from the engine afterwards."""
    components.engine.publish(adapter)
    try:
        return held_out_results(components, episodes, adapter.name, environments)
    finally:
        components.engine.retire(adapter.name)


def held_out_results(
    components: Components, episodes: Sequence[Episode], adapter: str, environments: Mapping[str, Environment]
) -> list[HeldOutResult]:
    """Success on each episode's task with this adapter and no memory, in order; nothing is recorded."""
    results: dict[str, HeldOutResult] = {}
    by_source: dict[str, list[Episode]] = defaultdict(list)
    for episode in episodes:
        by_source[episode.task.environment].append(episode)
    for source, group in by_source.items():
        environment = find_environment(environments, source)
        judged = _preferred(components, group, adapter) if environment is None else _solved(components, group, adapter, environment)
        results.update(zip((episode.id for episode in group), judged, strict=True))
    return [results[episode.id] for episode in episodes]


def _solved(components: Components, episodes: Sequence[Episode], adapter: str, environment: Environment) -> list[HeldOutResult]:
    settings = components.settings
    jobs = [
        Job(
            task=episode.task,
            environment=environment,
            adapter=adapter,
            tries=settings.wake.max_attempts,
            max_tokens=settings.model.max_tokens,
            seed=settings.seed,
            constrain=settings.wake.grammar,
        )
        for episode in episodes
    ]
    return [HeldOutResult(success=run.outcome.success is True, run=run) for run in components.strategy.act(jobs)]


def _preferred(components: Components, episodes: Sequence[Episode], adapter: str) -> list[HeldOutResult]:
    """A chat has no executor: the adapter passes if it finds the confirmed answer likelier than the rejected one.

    For a corrected answer the rejected one is what the agent had said; for a confirmed answer it is the base model's.
    """
    results: list[HeldOutResult] = []
    for episode in episodes:
        messages = prompt(episode, components.record.episodes.before(episode) or ())
        right = episode.correction or episode.answer
        wrong = episode.answer
        if not episode.correction:
            plain = ChatRequest(messages=messages, tools=episode.task.tools, max_tokens=components.settings.model.max_tokens)
            wrong = _answer(components, plain)
        asked = ChatRequest(messages=messages, tools=episode.task.tools, adapter=adapter)
        options = [beginning(text, components.engine.count_tokens) for text in (right, wrong.strip() or SILENCE)]
        choice = components.engine.choose(asked, options)
        results.append(HeldOutResult(success=right.strip() == wrong.strip() or choice.index == 0))
    return results


def _answer(components: Components, request: ChatRequest) -> str:
    """What is answered; nothing where the engine refuses the request, such as for a tool's schema that another engine took."""
    try:
        reply = components.engine.chat([request])[0]
    except MalformedTask as error:
        components.note_fault("gate", error)
        return ""
    return reply_text(reply.text, reply.tool_calls)


def beginning(text: str, count_tokens: Callable[[str], int]) -> str:
    """The text as far as it has about `COMPARED` tokens, and no more."""
    while (count := count_tokens(text)) > COMPARED:
        text = text[: len(text) * COMPARED // count]
    return text
