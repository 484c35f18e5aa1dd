"""What an erasure does to a home without any model: rows, files and the audit. Any process that opens the home can finish it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from .. import core, memory
from ..core import Episode, Recall
from ..core.paths import AnyPath, delete_drafts
from ..learners import Recipe, TrainingReport
from ..memory import (
    Audit,
    Erased,
    PendingErasure,
    Record,
    audit,
    closure,
    delete_artefact,
    delete_checkpoints,
    delete_run_documents,
    delete_strays,
    exclusive,
    says_itself,
)
from .night_lock import LOCK as NIGHT_LOCK
from .run_state import PendingSleep, RecallWeights, RefitStamp, blank_texts, state_words, words_of
from .skill_heads import head_file, heads_directory, state_file

ROUNDS = 4
"""Most times that what the audit found is followed and the home searched again."""
NAMED = 32
"""Ids searched for, where many episodes are erased at once."""
LOCK = "erasure.lock"
"""File in the home on which erasures wait for each other."""
SHORTEST_ID = 8
"""Characters of an id or a name below which it is looked up and not searched for: it would stand in many words by chance."""


def erasure_lock(home: AnyPath, *, wait: bool) -> AbstractContextManager[bool]:
    """What erasures of a home wait for, and those who write documents that quote its episodes; see `memory.exclusive`."""
    home = Path(home)
    return exclusive(home / LOCK, wait=wait)


def adapters_directory(home: Path) -> Path:
    """Where adapter directories lie, one a version; absolute, because another process may run in another working directory."""
    return home.resolve() / "adapters"


def erase_pending_rows(record: Record, home: AnyPath) -> None:
    """For a command without a model: remove what was promised to be erased; the receipt is left to who opens the home with one."""
    home = Path(home)
    if record.erasures.find():
        with erasure_lock(home, wait=False) as ours:
            for pending in record.erasures.find() if ours else []:
                erase_rows(record, home, pending, again=pending.planned)


def erase_rows(record: Record, home: Path, state: PendingErasure, *, again: bool) -> PendingErasure:
    """Write down what has to go, then remove it from the record and delete the files made of it. A second call changes nothing.

    `again` says that another process may have begun with it.
    """
    if not state.erased:
        state = plan_rows(record, state)
        state = _noted(state, record.erase(state.ids), again and any(record.cues.find(tenant=tenant) for tenant in state.cued))
        record.erasures.put(state)
    for tenant in state.tenants:
        record.state.delete(RefitStamp, tenant=tenant)
        record.state.delete(RecallWeights, tenant=tenant)
        for file in (head_file(home, tenant), state_file(home, tenant)):
            file.unlink(missing_ok=True)
    # What a process that was killed had begun to write; nobody but it knows of whom it is.
    delete_drafts(heads_directory(home))
    for _, path, _, _ in state.adapters:
        delete_artefact(Path(path), adapters_directory(home))
    if documents := [*delete_run_documents(home), *delete_checkpoints(home, state.ids)]:
        state = replace(state, documents=tuple(sorted({*state.documents, *documents})))
        record.erasures.put(state)
    # What a night that died has trained may have seen the erased; a night that runs notices the erasure by itself.
    with exclusive(home / NIGHT_LOCK, wait=False) as idle:
        training = [] if idle else [night.adapter for night in record.state.find(PendingSleep)]
        delete_strays(record, adapters_directory(home), keep=training)
    return state


def plan_rows(record: Record, state: PendingErasure) -> PendingErasure:
    """Write down what has to go: once the rows are gone, a process that died in between could not tell any more what rested on them."""
    if state.planned:
        return state
    rests = closure(record, state.ids)
    ids = sorted({*state.ids, *rests.episodes})
    cued = record.cues.tenants(ids)
    left = record.compressed.find(episodes=ids)
    owners = record.compressed.tenants(left)
    # Of what has left the budget no text is known, so that nothing can be searched for; where nothing else is there, nothing can hold it.
    unsearched = left and sum(record.episodes.count(tenant=tenant) for tenant in owners) > record.episodes.existing(ids)
    unknown = (
        f"copies of episodes that had left the budget ({len(left)}), whose texts are not known any more: what was answered in "
        "sight of them, and what repeats one of their messages, is gone; other copies could not be searched for"
    )
    made = [record.adapters.get(name) for name in rests.adapters]
    state = replace(
        state,
        planned=True,
        ids=tuple(ids),
        derived=len(rests.episodes),
        rewritten=len(rests.rewritten),
        lessons=len(rests.lessons),
        needles=rests.needles,
        adapters=tuple((adapter.name, adapter.path, adapter.tenant, adapter.target) for adapter in made),
        tenants=tuple(sorted({*cued, *owners, *rests.tenants})),
        cued=tuple(cued),
        traces=(f"{unknown}sight of them, and what repeats one of their messages, is gone; other copies could not be searched for",)
        if unsearched
        else (),
    )
    record.erasures.put(state)
    return state


def _noted(state: PendingErasure, erased: Erased, cues_stay: bool) -> PendingErasure:
    traced = set(erased.codebooks) | (set(state.cued) if cues_stay else set())
    return replace(
        state,
        erased=True,
        lessons=max(state.lessons, len(erased.lessons)),
        rewritten=max(state.rewritten, len(erased.rewritten)),
        cues_lost=len(erased.cues),
        tenants=tuple(sorted({*state.tenants, *erased.tenants})),
        traces=(
            *state.traces,
            *(f"a codebook of the cues of tenant {tenant!r}, fitted with the help of what is gone" for tenant in sorted(traced)),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Search:
    """What an audit read, once what it found was followed."""

    audit: Audit
    """The last reading of all files."""
    found: tuple[str, ...]
    """Files that still hold one of the texts, sorted."""
    scrubbed: bool
    """Whether no process holds an old state of the record in the log."""
    adapters: tuple[str, ...] = ()
    """Adapters that had seen a copy which no link led to; they are gone too."""


def search(record: Record, home: Path, state: PendingErasure) -> Search:
    """Audit the home, follow what is found to the episodes that hold it, and audit again.

    A text that some other episode says of its own accord is not the erased episode's alone; it is not searched for any longer.
    """
    texts = {*state.needles, *(id for id in state.ids[:NAMED] if len(id) >= SHORTEST_ID)}
    if state.whole_tenant and not record.knows(state.whole_tenant):
        texts.add(state.whole_tenant)
    texts -= own_words(record, texts)
    scrubbed, blanked, vacuumed, adapters = record.scrub(), False, False, set[str]()
    seen = audit(home, texts)
    for _ in range(ROUNDS):
        inside = sorted({text for text, file in seen.found if file.startswith(record.path.name)})
        holders = {text: record.find_text(text) for text in inside}
        common = {text for text, episodes in holders.items() if any(_independent(one, text, state) for one in episodes)}
        texts -= common
        seen = replace(seen, found=tuple(pair for pair in seen.found if pair[0] in texts))
        copies = sorted({one.id for text in set(inside) - common for one in holders[text]})
        if copies:
            erased = record.erase_copies(sorted(texts), copies)
            adapters |= set(erased.adapters)
            scrubbed = erased.scrubbed
        elif set(inside) - common and not blanked:
            blank_texts(record, state.tenants, set(inside) - common)
            scrubbed, blanked = record.scrub(), True
        elif set(inside) - common and scrubbed and not vacuumed:
            record.vacuum()
            vacuumed = True
        else:
            break
        seen = audit(home, texts)
    return Search(
        audit=replace(seen, needles=len(texts)),
        found=tuple(sorted({file for _, file in seen.found})),
        scrubbed=scrubbed,
        adapters=tuple(sorted(adapters)),
    )


def own_words(record: Record, texts: Iterable[str]) -> set[str]:
    """Those of the texts that the system writes into every record, whoever said them: names of tables, columns, fields and states."""
    classes = (*vars(core).values(), *vars(memory).values(), Recipe, TrainingReport)
    own = "\n".join([record.schema(), *state_words(), *words_of(classes)])
    return {text for text in texts if text in own}


def _independent(episode: Episode, text: str, state: PendingErasure) -> bool:
    """Whether an episode cannot have a text from the erased ones: another tenant's, or said in its own request, or nothing was shown."""
    if episode.task.tenant not in state.tenants or says_itself(episode, text) or (text in episode.id and text != episode.id):
        return True
    return not any(isinstance(step, Recall) for step in episode.steps) and not _has_history(episode)


def _has_history(episode: Episode) -> bool:
    return len(episode.steps) > 0 and episode.steps[0].text != episode.task.text and any(s.text == episode.task.text for s in episode.steps)
