"""`edit`, `pin`, `forget_saying`: what a person changes of what is held; everything derived of it follows."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import replace

from ...core import UNKNOWN, Episode, MalformedTask, Observation, Receipt, Step
from ...envs import Environment
from ...memory import Memory, Record, write_profile
from ...memory.turns.passages import Kind, passages
from ...memory.turns.sentences import says_something
from .. import forget as _forget
from .. import wake as _wake
from ..components import Components
from ..turn_memory import read_memories
from .describe import one_memory


def pin(record: Record, tenant: str, number: int, pinned: bool = True) -> None:
    """Keep what was said in the profile whatever else there is, or no longer. Raises `NothingFound`, and `MalformedTask` for what no
    person stated.
    """
    _stated(one_memory(record, tenant, number))
    record.profiles.pin(tenant, number, pinned)
    write_profile(record, tenant)


def forget_saying(components: Components, environments: Mapping[str, Environment], tenant: str, number: int, *, rebuild: bool) -> Receipt:
    """Forget every exchange in which its speaker said this, with everything derived. Raises `NothingFound`."""
    one_memory(components.record, tenant, number)
    episodes = components.record.turns.episodes_of(tenant, number)
    receipt = _forget.forget(components, environments, episodes=episodes, tenant=tenant, rebuild=rebuild)
    components.turns.finish()
    return receipt


def edit(components: Components, environments: Mapping[str, Environment], tenant: str, number: int, text: str) -> Memory:
    """Put other words in the place of what a person stated, wherever that person said it; returns it as it stands now.

    The exchanges are forgotten as any other (answers that were given in sight of the old words go, adapters that saw them stop serving)
    and recorded anew with the new words, at their old time. After a crash in between they are forgotten and have to be
    said again. Raises `NothingFound`, and `MalformedTask` for words that say nothing, or for what no person stated.
    """
    if not says_something(text, 1):
        raise MalformedTask("the new words say nothing; give a sentence, or forget the old one: lifelong memory forget NUMBER")
    record = components.record
    _stated(held := one_memory(record, tenant, number))
    ids = record.turns.episodes_of(tenant, number)
    anew = [_restated(episode, held, text.strip()) for episode in record.episodes.get_many(ids, tenant=tenant)]
    pinned = number in record.profiles.pinned(tenant)
    _forget.forget(components, environments, episodes=ids, tenant=tenant, rebuild=False)
    vectors = components.encoder.encode([episode.task.goal for episode in anew])
    _wake.remember(components, list(zip(anew, vectors, strict=True)))
    components.turns.finish()
    said = [one for episode in anew for one in read_memories(record, tenant, record.turns.of_episode(tenant, episode.id))]
    new = next((one for one in said if text.strip() in one.text), said[0])
    if pinned:
        record.profiles.pin(tenant, new.number, True)
    write_profile(record, tenant)
    return new


def _stated(memory: Memory) -> None:
    if memory.kind is not Kind.STATEMENT:
        what = f"number {memory.number} is a {memory.kind} of {memory.speaker}"
        raise MalformedTask(f"{what}; only what a person stated can be edited or pinned")


def _restated(episode: Episode, held: Memory, text: str) -> Episode:
    """The episode as its people would have said it with the new words; nobody has answered them yet."""
    steps: list[Step] = []
    spans = {(one.step, one.start): one for one in passages(episode)}
    for number, step in enumerate(episode.steps):
        if not isinstance(step, Observation) or step.role != "user":
            continue
        said, end = "", 0
        for (_, start), one in sorted((place, one) for place, one in spans.items() if place[0] == number):
            same = one.speaker == held.speaker and _plain(one.text) == _plain(held.text)
            said += step.text[end:start] + (f"{text} " if same else one.text)
            end = one.stop
        steps.append(replace(step, text=(said + step.text[end:]).rstrip()))
    id = uuid.uuid4().hex
    task = replace(episode.task, id=id, goal=steps[-1].text, context="")
    return Episode(id=id, task=task, steps=tuple(steps), outcome=UNKNOWN, created=episode.created or time.time())


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
