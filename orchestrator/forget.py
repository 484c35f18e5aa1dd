"""Forget: close over provenance, unlearn, delete, rebuild what had learned from it, audit, write the receipt."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..core import AdapterStatus, MalformedTask, NothingFound, Receipt
from ..envs import Environment
from ..memory import PendingErasure, Position, Record, without_name
from .components import Components
from .erasure import erase_rows, erasure_lock, plan_rows, search
from .perceiver import Perceiver
from .phases import Progress
from .run_state import SleepReport
from .skill_heads import vectors_to_erase
from .sleep import sleep

NAMED = 16
"""Ids up to which a receipt names what was asked for."""
EXACT = 1e-5
"""Largest difference of a logit that counts as rounding."""


def forget(
    components: Components,
    environments: Mapping[str, Environment],
    *,
    episode: str = "",
    episodes: Sequence[str] = (),
    tenant: str = "",
    skill: str = "",
    rebuild: bool = True,
    progress: Progress | None = None,
) -> Receipt:
    """Erase one episode (a run under way is one) or several, or a tenant, or a skill (of one tenant where both are given), and everything
    made of it.

    Rows, vectors, citing lessons and every copy in other episodes go in one transaction; adapters that saw the data stop serving at
    once, their files are deleted, and with `rebuild` their skills sleep again without the data. Once this is called the erasure is
    promised: whoever opens the home after a crash finishes it.
    Raises `MalformedTask` when nothing is named, `NothingFound` when nothing matches.
    """
    several = ",".join(episodes) if len(episodes) <= NAMED else f"{len(episodes)} of them"
    named = (("episode", episode), ("episodes", several), ("tenant", tenant), ("skill", skill))
    asked = " ".join(f"{name}={value}" for name, value in named if value)
    if not asked:
        raise MalformedTask("name what to forget: an episode, a tenant or a skill")
    record = components.record
    each = [_matching(record, one, tenant, skill) for one in [*([episode] if episode else []), *episodes] or [""]]
    ids = list(dict.fromkeys(id for some in each for id in some))
    if not ids:
        raise NothingFound(f"nothing recorded matches {asked}")
    whole = tenant if not (episode or episodes or skill) else ""
    pending = PendingErasure(id=uuid.uuid4().hex[:12], asked=asked, whole_tenant=whole, ids=tuple(ids), rebuild=rebuild)
    components.record.erasures.put(pending)
    with erasure_lock(components.settings.home, wait=True):
        # Another process may have opened the home meanwhile and finished it.
        done = [receipt for receipt in components.record.receipts.find() if receipt.id == pending.id and receipt.finished]
        return done[0] if done else finish(components, environments, pending, progress=progress)


def finish_pending(components: Components, environments: Mapping[str, Environment], *, rebuild: bool = True) -> list[Receipt]:
    """Finish every erasure that was promised and not finished; none where another process is at it.

    Without `rebuild` nothing is trained now: what the lost adapters had learned is new again for the next night.
    """
    if not components.record.erasures.find():
        return []
    with erasure_lock(components.settings.home, wait=False) as ours:
        pending = components.record.erasures.find() if ours else []
        return [finish(components, environments, replace(one, rebuild=one.rebuild and rebuild)) for one in pending]


def finish(
    components: Components, environments: Mapping[str, Environment], state: PendingErasure, *, progress: Progress | None = None
) -> Receipt:
    """Carry out a pending erasure, from where it stands. The caller holds the lock."""
    record, home = components.record, components.settings.home
    unlearned: list[tuple[Perceiver, Position]] = []
    again = state.planned
    if not state.erased:
        state = plan_rows(record, state)
        unlearned = components.guarded("perception", lambda: _unlearned(components, list(state.ids)), [])
    state = erase_rows(record, home, state, again=again)
    components.forget(state.tenants)
    # Where an erased row stood for what others had said as well, one of theirs is read again.
    components.turns.notice()
    for name, _, _, _ in state.adapters:
        components.retire(name)
    apart = _apart(unlearned)
    nights = _rebuild(components, environments, state, progress) if state.rebuild else []
    seen = search(record, home, state)
    for name in seen.adapters:
        components.retire(name)
    found = probe(record, state)
    left = sorted(path for _, path, _, _ in state.adapters if Path(path).exists())
    traces = [*state.traces, *(f"the folder {path}, which is not ours to delete: it lies elsewhere or has no mark" for path in left)]
    if not seen.scrubbed:
        traces.append("the record's log, of which another process still reads an old state; it is emptied when the home is opened next")
    exact = not (traces or seen.found or seen.audit.unread or any(found.values()) or (apart or 0) > EXACT)
    receipt = Receipt(
        id=state.id,
        asked=state.asked,
        episodes=len(state.ids),
        lessons=state.lessons,
        adapters_erased=tuple(sorted({*(name for name, _, _, _ in state.adapters), *seen.adapters})),
        adapters_rebuilt=tuple(night.adapter for night in nights if night.published),
        probe=found,
        erasure="exact" if exact else "approximate",
        head_difference=apart,
        cues_lost=state.cues_lost,
        traces=tuple(traces),
        derived=state.derived,
        rewritten=state.rewritten,
        documents=state.documents,
        searched={"files": seen.audit.files, "bytes": seen.audit.bytes, "texts": seen.audit.needles},
        found=tuple(sorted({*seen.found, *seen.audit.unread})),
        finished=seen.scrubbed,
        created=time.time(),
    )
    _keep(record, receipt, state)
    return receipt


def _keep(record: Record, receipt: Receipt, state: PendingErasure) -> None:
    """Keep the receipt, without the name of a tenant of whom nothing is left, and drop the promise if it was kept."""
    gone = [tenant for tenant in (state.whole_tenant, *state.tenants) if tenant and not record.knows(tenant)]
    kept = receipt
    for tenant in gone:
        traces = tuple(trace.replace(repr(tenant), "[erased]") for trace in kept.traces)
        kept = replace(kept, asked=without_name(kept.asked, tenant), traces=traces)
    with record.transaction():
        record.receipts.record(kept)
        if receipt.finished:
            record.erasures.delete(state.id)
    record.scrub()


def _unlearned(components: Components, ids: list[str]) -> list[tuple[Perceiver, Position]]:
    """The perceivers of these episodes' tenants, once they have unlearned them, and where each stood before."""
    perceivers: list[tuple[Perceiver, Position]] = []
    for tenant, gone in vectors_to_erase(components.record, ids).items():
        perceiver = components.perceiver(tenant)
        perceivers.append((perceiver, perceiver.position()))
        perceiver.unlearn(gone, ids)
    return perceivers


def _apart(unlearned: Iterable[tuple[Perceiver, Position]]) -> float | None:
    """How far the heads that have unlearned are from heads made anew of what is left; where they agree, the former serve on."""
    kept = [perceiver for perceiver, before in unlearned if perceiver.accept_erasure(before)]
    return max((apart for perceiver in kept if (apart := perceiver.verify(EXACT)) is not None), default=None)


def probe(record: Record, state: PendingErasure) -> dict[str, float]:
    """Look for what should be gone; every figure is a count and zero when the erasure worked."""
    gone = set(state.ids)
    tenants = [tenant for tenant in state.tenants if record.knows(tenant)]
    lessons = [lesson for tenant in tenants for lesson in record.lessons.find(tenant=tenant)]
    serving = [a for a in record.adapters.find() if a.status in (AdapterStatus.LIVE, AdapterStatus.CANDIDATE)]
    return {
        "episodes_left": float(record.episodes.existing(gone) + len(gone & set(record.open_runs.ids()))),
        "lessons_citing_left": float(sum(bool(gone & set(lesson.episodes)) for lesson in lessons)),
        "adapters_serving_left": float(sum(bool(gone & set(adapter.episodes)) for adapter in serving)),
        "cues_left": float(len(record.cues.find(episodes=gone))),
        "adapter_files_left": float(sum(Path(path).exists() for _, path, _, _ in state.adapters)),
    }


def _matching(record: Record, episode: str, tenant: str, skill: str) -> list[str]:
    if not episode:
        filed = record.episodes.ids(tenant=tenant or None, skill=skill or None)
        filed += record.open_runs.ids(tenant=tenant or None, skill=skill or None)
        left = set(record.cues.find(tenant=tenant or None, skill=skill or None))
        left |= set(record.compressed.find(tenant=tenant)) if not skill else set()
        return filed + sorted(left - set(filed))
    # Clients know a run by the ids of its answers.
    episode = record.session_nodes.run_of(episode, tenant) or episode
    if left := set(record.cues.find(episodes=[episode])) | set(record.compressed.find(episodes=[episode])):
        if tenant and tenant not in (*record.cues.tenants(left), *record.compressed.tenants(left)):
            raise NothingFound(f"tenant {tenant!r} has no episode {episode!r}")
        return sorted(left)
    # The expert's run of a task is the same experience; it goes with the run it corrects.
    asked = record.open_runs.head(episode) if record.open_runs.owners([episode]) else record.episodes.get(episode)
    if tenant and asked.task.tenant != tenant:
        raise NothingFound(f"tenant {tenant!r} has no episode {episode!r}")
    return [episode, *record.episodes.demonstrations(asked)]


def _refit(components: Components, tenant: str) -> None:
    components.perceiver(tenant).refit()


def _rebuild(
    components: Components, environments: Mapping[str, Environment], state: PendingErasure, progress: Progress | None
) -> Sequence[SleepReport]:
    """The skills whose adapters are gone sleep again on what is left; the gate holds as on any other night. Heads are refitted."""
    nights: list[SleepReport] = []
    for tenant, skill in sorted({(tenant, skill) for _, _, tenant, skill in state.adapters}):
        if components.record.episodes.count(tenant=tenant, skill=skill, trainable=True):
            nights += sleep(components, environments, tenant=tenant, skills=[skill], progress=progress)
    for tenant in state.tenants:
        # Of a tenant who is gone nothing is written anew.
        if components.record.knows(tenant) or components.record.cues.find(tenant=tenant):
            components.guarded("refit", partial(_refit, components, tenant), None)
    return nights
