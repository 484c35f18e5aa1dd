"""What rests on an episode: who was shown it, quotes it or repeats it, the lessons that cite it and the adapters that saw it."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ...core import Episode, NothingFound
from .compress import CompressedStore
from .database import Database, json_array
from .digests import message_digest
from .episodes import read_episode
from .fragments import (
    Erasure,
    answer_texts,
    fragments,
    generated_texts,
    judged_texts,
    message_digests,
    needles,
    private_texts,
    request_texts,
    rewrite,
)
from .open_runs import open_runs_as_episodes

if TYPE_CHECKING:
    from .record import Record

INDEPENDENT = 24
"""Episodes, older ones and later ones each, that show which fragments are not the erased episode's alone."""
NEARBY = 4096
"""Rows after the erased episode in which later ones are looked for."""
FEW = 1000
"""Erased episodes up to which all of them are compared with what is linked to any of them."""
MOST_NEEDLES = 12
"""Texts that files are searched for."""
SAMPLED = 32
"""Erased episodes from which these texts are taken, where more are erased at once."""


MOST = 200
"""Episodes that a search for a text returns; a text that more of them hold is nobody's own."""


class Closure(NamedTuple):
    """Everything derived from a set of episodes."""

    lessons: tuple[str, ...]
    """Ids of the lessons that cite one of them, or an episode that repeats one; sorted."""
    adapters: tuple[str, ...]
    """Names of the adapters that learned from one, from such a lesson, or from a run that was shown or quotes either; sorted."""
    episodes: tuple[str, ...] = ()
    """Ids of the other episodes that go as a whole, since their own request quotes what was generated in one of them; sorted."""
    rewritten: tuple[str, ...] = ()
    """Ids of the episodes that stay without what they were shown, quote or repeat; sorted."""
    tenants: tuple[str, ...] = ()
    """Tenants to whom any of these belong, sorted."""
    needles: tuple[str, ...] = ()
    """Texts that no file may hold afterwards."""


@dataclass
class Trace:
    """What an erasure will do, found by following copies until there are no more."""

    gone: dict[str, Episode]
    """Episodes that go as a whole, those asked for first."""
    rewritten: dict[str, Episode] = field(default_factory=dict)
    """Episodes that stay, as they will be."""
    lessons: set[str] = field(default_factory=set)
    """Lessons that go."""
    adapters: set[str] = field(default_factory=set)
    """Adapters that go."""
    needles: list[str] = field(default_factory=list)
    """Texts that no file may hold afterwards."""
    compressed: set[str] = field(default_factory=set)
    """Episodes that have left the budget and whose answers rested on what goes; what came after them is searched too."""


def closure(record: Record, episode_ids: Iterable[str]) -> Closure:
    """What has to go, or to change, when these episodes go."""
    asked = set(episode_ids)
    with open_runs_as_episodes(record.open_runs, touched_tenants(record, asked)):
        found = trace(record._database, asked)
    return Closure(
        lessons=tuple(sorted(found.lessons)),
        adapters=tuple(sorted(found.adapters)),
        episodes=tuple(sorted(found.gone.keys() - asked)),
        rewritten=tuple(sorted(found.rewritten)),
        tenants=tuple(sorted({episode.task.tenant for episode in [*found.gone.values(), *found.rewritten.values()]})),
        needles=tuple(found.needles),
    )


def touched_tenants(record: Record, episodes: Iterable[str], lessons: Iterable[str] = ()) -> set[str]:
    """Tenants to whom these episodes, those that have left the budget, runs under way and lessons belong."""
    episodes = set(episodes)
    own = "SELECT DISTINCT tenant FROM lessons WHERE id IN (SELECT value FROM json_each(?))"
    citing = set(_column(record._database, own, json_array(lessons)))
    left = {*record.compressed.tenants(episodes), *record.cues.tenants(episodes)}
    return {*record.episodes.owners(episodes), *record.open_runs.owners(episodes), *left, *citing}


def made_from(database: Database, tenant: str, episodes: Iterable[str], lessons: Iterable[str] = ()) -> str:
    """SHA-256 of a tenant's episodes and lessons as they are now: it changes when one is erased, loses a copy, or is corrected.

    Raises `NothingFound` when one of them is not the tenant's or not in the record.
    """
    digest = hashlib.sha256(json.dumps(tenant).encode())
    wanted, texts = sorted(set(episodes)), sorted(set(lessons))
    found = {episode.id: episode for episode in _read(database, wanted) if episode.task.tenant == tenant}
    rows = database.rows(
        "SELECT id, text FROM lessons WHERE tenant = ? AND id IN (SELECT value FROM json_each(?))", (tenant, json_array(texts))
    )
    known = dict(rows)
    for id in (*wanted, *texts):
        if id not in found and id not in known:
            raise NothingFound(f"{id!r} is not in the record; was it erased meanwhile?")
    for episode in (found[id] for id in wanted):
        held = [episode.id, episode.task.text, [[step.name, step.full_text] for step in episode.steps], episode.correction]
        digest.update(json.dumps(held).encode())
    digest.update(json.dumps([[id, known[id]] for id in texts]).encode())
    return digest.hexdigest()


def trace(
    database: Database, asked: Iterable[str], lessons: Iterable[str] = (), *, texts: Iterable[str] = (), holders: Iterable[str] = ()
) -> Trace:
    """Follow what these episodes (and lessons) were shown to, quoted in and repeated in, tenant by tenant, until nothing new is found.

    `holders` are episodes to search for `texts` although nothing links them to anything.
    """
    asked, left = list(asked), CompressedStore(database)
    episodes, searched = _read(database, asked), _read(database, holders)
    found = Trace(gone={episode.id: episode for episode in episodes})
    found.lessons |= set(_column(database, "SELECT id FROM lessons WHERE id IN (SELECT value FROM json_each(?))", json_array(lessons)))
    tenants = {episode.task.tenant for episode in [*episodes, *searched]} | set(left.tenants(asked))
    tenants |= set(_column(database, "SELECT tenant FROM lessons WHERE id IN (SELECT value FROM json_each(?))", json_array(found.lessons)))
    for tenant in sorted(tenants):
        erased = [episode for episode in episodes if episode.task.tenant == tenant]
        compressed = left.find(tenant=tenant, episodes=asked)
        _follow(database, tenant, erased, compressed, found, fragments(texts), [one for one in searched if one.task.tenant == tenant])
    gone = json_array([*asked, *found.gone, *found.lessons])
    sql = (
        "SELECT adapter FROM adapter_episodes WHERE episode IN (SELECT value FROM json_each(?1)) "
        "UNION SELECT adapter FROM adapter_episodes WHERE episode IN (SELECT value FROM json_each(?2)) "
        "UNION SELECT adapter FROM adapter_lessons WHERE lesson IN (SELECT value FROM json_each(?1))"
    )
    found.adapters |= set(_column(database, sql, gone, json_array(found.rewritten)))
    return found


def _follow(
    database: Database,
    tenant: str,
    erased: Sequence[Episode],
    compressed: Sequence[str],
    found: Trace,
    texts: set[str],
    holders: Sequence[Episode],
) -> None:
    """The closure within one tenant: round after round, the episodes linked to what the round before found are searched.

    Of the erased, `compressed` have left the budget before: only ids and digests are known of them.
    """
    left = CompressedStore(database)
    common, own_digests = _common(database, tenant, [*(episode.id for episode in erased), *compressed])
    found.needles += needles(erased[:SAMPLED], common, max(1, MOST_NEEDLES - len(found.needles)))
    lost: tuple[set[str], set[str]] | None = None
    ids, digests = {episode.id for episode in erased} | set(compressed) | found.lessons, set[int]()
    # The episode before may have been judged by what was said in an erased one.
    before = {episode.previous for episode in erased} | left.shown(compressed)
    new_ids, waiting = set(ids), [*holders, *(one for one in _read(database, before - ids) if one.task.tenant == tenant)]
    new_digests = {digest for episode in erased for digest in message_digests(episode)} | left.digests(compressed, "request", "answer")
    while new_ids or waiting:
        cite = "SELECT lesson FROM lesson_episodes WHERE episode IN (SELECT value FROM json_each(?))"
        lessons = set(_column(database, cite, json_array(new_ids))) - ids
        found.lessons |= lessons
        # What left the budget passes on what it was shown; of its texts nothing is known, so that all it answered counts as derived.
        telling = new_digests - own_digests - left.common_digests(tenant, new_digests, ids | new_ids)
        behind = left.derived(tenant, new_ids | lessons, telling) - ids
        found.compressed |= behind
        lessons |= behind
        new_digests = (new_digests | left.digests(behind, "answer")) - digests
        ids, digests, new_ids = ids | lessons, digests | new_digests, new_ids | lessons
        linked = _linked(database, new_ids, new_digests) - found.gone.keys()
        candidates = [*(one for one in _read(database, linked) if one.task.tenant == tenant), *waiting]
        if candidates and lost is None:
            lost = _erased_fragments(_shared(database, erased), common)
        waiting = []
        if not candidates:
            break
        assert lost is not None
        gone = Erasure(
            ids=frozenset(ids),
            digests=frozenset(digests),
            all=frozenset(lost[0] | texts),
            generated=frozenset(lost[1]),
            common=frozenset(common),
        )
        rewritten, new_digests = _rewrite(candidates, found, gone)
        new_ids = rewritten - ids
        ids |= new_ids


def _rewrite(candidates: Sequence[Episode], found: Trace, gone: Erasure) -> tuple[set[str], set[int]]:
    """Note what becomes of these episodes; returns the ids of those that lost a text of their own, and digests of what they lost."""
    ids, digests = set[str](), set[int]()
    for episode in candidates:
        # A later round goes on from what an earlier one left.
        before = found.rewritten.get(episode.id, episode)
        after = rewrite(before, gone)
        if after.episode is None:
            found.gone[episode.id] = episode
            found.rewritten.pop(episode.id, None)
            digests |= message_digests(episode)
        elif after.episode != before:
            found.rewritten[episode.id] = after.episode
            # Whoever repeats an answer that is anybody's was not shown this one.
            lost_texts = [text for text in after.lost if fragments([text]) - gone.common]
            digests |= {digest for digest in map(message_digest, lost_texts) if digest is not None}
        if after.lost:
            ids.add(episode.id)
    return ids, digests


def _erased_fragments(erased: Sequence[Episode], common: set[str]) -> tuple[set[str], set[str]]:
    """What nobody else holds of the texts of these episodes, and of what was generated in them."""
    whole, generated = set[str](), set[str]()
    for episode in erased:
        whole |= fragments(private_texts(episode))
        generated |= fragments(answer_texts(episode)) - fragments(request_texts(episode))
    return whole - common, generated - common


def _shared(database: Database, erased: Sequence[Episode]) -> Sequence[Episode]:
    """Those of many erased episodes that something outside them was shown, quotes or was drawn from; of few, all."""
    if len(erased) <= FEW:
        return erased
    ids = json_array(episode.id for episode in erased)
    cited = set(
        _column(
            database,
            "SELECT cited FROM shown WHERE cited IN (SELECT value FROM json_each(?1)) AND episode NOT IN (SELECT value FROM json_each(?1)) "
            "UNION SELECT episode FROM lesson_episodes WHERE episode IN (SELECT value FROM json_each(?1))",
            ids,
        )
    )
    quoted = set(_column(database, "SELECT digest FROM quoted WHERE episode NOT IN (SELECT value FROM json_each(?))", ids))
    return [episode for episode in erased if episode.id in cited or message_digests(episode) & quoted]


def _linked(database: Database, ids: Iterable[str], digests: Iterable[int]) -> set[str]:
    """Episodes in whose prompts one of these was shown, or which repeat one of these messages as an earlier turn."""
    shown = _column(database, "SELECT episode FROM shown WHERE cited IN (SELECT value FROM json_each(?))", json_array(ids))
    quoted = _column(database, "SELECT episode FROM quoted WHERE digest IN (SELECT value FROM json_each(?))", json.dumps(sorted(digests)))
    return {*shown, *quoted}


def _common(database: Database, tenant: str, erased: Sequence[str]) -> tuple[set[str], set[int]]:
    """Fragments, and digests of whole messages, of episodes that cannot have them from the erased ones.

    These are older, or neither shown nor repeating anything.
    """
    if not erased:
        return set(), set()
    ids, first = json_array(erased), CompressedStore(database).first(erased)
    some = "SELECT body FROM episodes WHERE tenant = ?1 AND id NOT IN (SELECT value FROM json_each(?2))"
    older = database.rows(f"{some} AND sequence < ?3 ORDER BY sequence DESC LIMIT ?4", (tenant, ids, first, INDEPENDENT))
    later = database.rows(
        f"{some} AND sequence BETWEEN ?3 AND ?3 + ?5 AND NOT EXISTS (SELECT 1 FROM shown WHERE episode = episodes.id) "
        "AND NOT EXISTS (SELECT 1 FROM quoted WHERE episode = episodes.id) ORDER BY sequence LIMIT ?4",
        (tenant, ids, first, INDEPENDENT, NEARBY),
    )
    held, digests = set[str](), set[int]()
    for (body,) in [*older, *later]:
        episode = read_episode(body)
        # A correction may have been given later, with the erased in sight.
        own = [text for text in generated_texts(episode) if text not in judged_texts(episode)]
        held |= fragments([*request_texts(episode), *own])
        digests |= {digest for digest in map(message_digest, [*request_texts(episode), *own]) if digest is not None}
    return held, digests


def _read(database: Database, ids: Iterable[str]) -> list[Episode]:
    rows = database.rows("SELECT body FROM episodes WHERE id IN (SELECT value FROM json_each(?)) ORDER BY sequence", (json_array(ids),))
    return [read_episode(body) for (body,) in rows]


def _column(database: Database, sql: str, *values: object) -> list[Any]:
    return [value for (value,) in database.rows(sql, values)]


def find_text(database: Database, text: str) -> list[Episode]:
    """At most `MOST` episodes, oldest first, whose id or stored form holds the text: as it is, as JSON writes it, composed, decomposed."""
    forms = _forms(text)
    sql = f"SELECT body FROM episodes WHERE {_holds(forms, 'body', 'id')} ORDER BY sequence LIMIT {MOST}"
    return [read_episode(body) for (body,) in database.rows(sql, forms)]


def runs_with_text(database: Database, text: str) -> list[str]:
    """Ids of at most `MOST` open runs whose id, head or steps hold the text, sorted."""
    forms = _forms(text)
    sql = (
        f"SELECT id FROM open_runs WHERE {_holds(forms, 'body', 'id')} UNION SELECT run FROM run_steps WHERE {_holds(forms, 'body')} "
        f"ORDER BY 1 LIMIT {MOST}"
    )
    return [id for (id,) in database.rows(sql, forms)]


def _forms(text: str) -> list[str]:
    written = {form for kind in ("NFC", "NFD") for form in (unicodedata.normalize(kind, text), text)}
    return sorted(written | {json.dumps(form, ensure_ascii=False)[1:-1] for form in written})


def _holds(forms: list[str], *columns: str) -> str:
    return " OR ".join(f"instr({column}, ?{number})" for number in range(1, len(forms) + 1) for column in columns)
