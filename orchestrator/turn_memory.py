"""`TurnMemory`: what people said is indexed beside the requests and recalled in them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

import numpy as np

from ..core import Episode, Recall, StoreError, Task
from ..core.settings import MemorySettings
from ..memory import Memory, Record, drop_superseded, fit_budget, neutralise, profile_text, read_profile, search
from ..memory.index.turn_index import TurnIndex
from ..memory.recall.fusion import Weights, shipped
from ..memory.recall.search import gather, sought_part
from ..memory.recall.use import with_signals
from ..memory.turns.passages import ROLES, Kind, Utterance, passages
from ..memory.turns.sentences import excerpt, stated
from ..memory.turns.terms import terms
from ..memory.turns.times import moment
from ..memory.turns.turn import IndexedTurn, Lists
from ..numerics.arrays import Vector
from ..perception import Encoder
from .run_state import RecallWeights

EPISODES = 16
"""Episodes indexed between two looks at whether to stop."""
PASSAGES = 8
"""Passages encoded at once: a request that comes meanwhile waits for no more than these."""
SURE = 0.5
"""Probability from which on something said earlier is shown to an adapter too."""
PAUSE = 5.0
"""Seconds after a failure before the thread tries again."""
LINE = 400
"""Characters of one passage in the automatic block."""

log = logging.getLogger("lifelong")


class TurnMemory:
    """The turns of all tenants: a thread indexes what was recorded, requests search what is indexed. Thread-safe.

    What waits stands in the record, so that a stop at any moment loses nothing, and of several processes one indexes each episode.
    """

    def __init__(self, record: Record, encoder: Encoder, *, learned: bool = True) -> None:
        self._record = record
        self._learned = learned
        self._encoder = encoder
        self._index = TurnIndex()
        self._news = threading.Event()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._compared = False

    def notice(self) -> None:
        """Something was recorded: index it beside the requests, once it is committed; a thread woken before would find nothing."""
        self._record.after_commit(self._wake)

    def _wake(self) -> None:
        with self._lock:
            if self._closed.is_set():
                return
            self._news.set()
            if self._worker is None or not self._worker.is_alive():
                self._worker = threading.Thread(target=self._work, name="turns", daemon=True)
                self._worker.start()

    def finish(self) -> int:
        """Index all that waits now; returns how many episodes that were."""
        if not self._compared and (length := self._record.turns.dimensions()) and length != self._encoder.dimensions:
            log.warning("what was said has embeddings of another encoder (%d dimensions): all of it is indexed anew", length)
            self._record.turns.clear()
        self._compared = True
        done = 0
        while waiting := self._record.turns.waiting(EPISODES):
            for sequence, episode in waiting:
                if self._closed.is_set():
                    return done
                said = self._record.turns.in_context(sequence, episode, passages(episode))
                self._record.turns.add(sequence, episode, said, self._encoded(episode.task.tenant, said))
                self._outdate(episode)
                done += 1
        return done

    def search(
        self,
        question: str,
        vector: Vector | None = None,
        *,
        tenant: str,
        limit: int,
        as_of: float | None = None,
        floor: float = 0.0,
        kinds: Collection[Kind] = tuple(Kind),
        exclude_session: str = "",
    ) -> list[Memory]:
        """What a tenant's turns say on a question, the most probable first; see `memory.search`."""
        if not self._record.turns.count(tenant):
            return []
        sought = sought_part(question)
        return search(
            self._record,
            self._index,
            question,
            # An embedding of the whole request would be that of what was pasted into it.
            self._encoder.encode([sought])[0] if vector is None or sought != question else vector,
            tenant=tenant,
            limit=limit,
            now=time.time(),
            as_of=as_of,
            floor=floor,
            kinds=kinds,
            exclude_session=exclude_session,
            weights=self._weights(tenant),
            sought=sought,
        )

    def gather(self, question: str, vector: Vector, *, tenant: str, as_of: float) -> tuple[list[IndexedTurn], Lists]:
        """The turns that a question with embedding `vector` `(d,)` finds among those until a moment; see `memory.recall.search.gather`."""
        return gather(self._record, self._index, question, vector, tenant=tenant, as_of=as_of)

    def _weights(self, tenant: str) -> Weights:
        """Those learned from the tenant's use, where there are any."""
        found = self._record.state.get(RecallWeights, tenant=tenant) if self._learned else None
        return with_signals(shipped(), found.signals if found else ())

    def block(
        self,
        task: Task,
        vector: Vector | None,
        shown: Recall | None,
        settings: MemorySettings,
        count_tokens: Callable[[str], int],
        *,
        adapted: bool,
        profile: bool,
    ) -> Recall | None:
        """A recall step that also shows what is known of the person and what was said earlier that a request needs.

        `vector` `(d,)` is the request's, made here where it is None; `adapted` says that an adapter answers, `profile` whether what is
        known is shown.
        """
        if settings.recall == "off":
            return shown
        known: set[int] = set()
        # An adapter has learned what is asked of it, and a line more beside it misleads it.
        if profile and settings.profile_tokens and not adapted:
            shown, known = with_profile(self._record, task.tenant, shown, count_tokens, settings.profile_tokens, settings.recall_tokens)
        if settings.recall_statements == 0:
            return shown
        found = self.search(
            task.goal,
            # What is given with a request is no part of what it seeks.
            None if task.context else vector,
            tenant=task.tenant,
            limit=settings.recall_statements,
            # Where an adapter has learned to answer requests like this one, earlier ones beside it mislead more often than they help.
            floor=max(settings.statement_floor, SURE) if adapted else settings.statement_floor,
            # What a tool returned in another session was true of that session: shown unasked, it would pass for a result of this one.
            kinds=(Kind.STATEMENT,),
            # Its turns stand in the request itself.
            exclude_session=task.session,
        )
        # What was indexed as a statement before the rules for requests were as they are states nothing by them.
        found = [one for one in found if one.number not in known and stated(one.text)]
        return with_statements(shown, found, count_tokens, settings.recall_tokens, task.goal)

    def forget(self, tenants: Sequence[str]) -> None:
        """Let go of what is held in memory of these tenants."""
        self._index.forget(list(tenants))
        self._record.turns.forget()

    def close(self) -> None:
        """Stop the thread at its next episode; what waits is indexed after the next start. May be called twice."""
        with self._lock:
            self._closed.set()
            self._news.set()
            worker = self._worker
        if worker is not None:
            worker.join(10.0)

    def _outdate(self, episode: Episode) -> None:
        """Take out of the profile what the episode says otherwise: the next night writes it anew."""
        tenant = episode.task.tenant
        if self._record.profiles.lines(tenant):
            drop_superseded(self._record, tenant, self._record.turns.of_episode(tenant, episode.id))

    def _encoded(self, tenant: str, said: Sequence[Utterance]) -> Vector:
        """Embeddings `(n, d)` of passages; zero where the same saying has one already."""
        vectors = np.zeros((len(said), self._encoder.dimensions), dtype=np.float32)
        new = [place for place, repeated in enumerate(self._record.turns.repeated(tenant, said)) if not repeated]
        for start in range(0, len(new), PASSAGES):
            some = new[start : start + PASSAGES]
            vectors[some] = self._encoder.encode([said[place].read for place in some])
        return vectors

    def _work(self) -> None:
        while not self._closed.is_set():
            self._news.clear()
            try:
                self.finish()
            except Exception as error:
                # What waits still stands in the record.
                with suppress(StoreError):
                    log.warning("what was said could not be indexed (%s); it is tried again", error)
                self._closed.wait(PAUSE)
                continue
            if not self._news.wait(60.0):
                return


def newest_said(record: Record, tenant: str, limit: int, speaker: str = "") -> list[Memory]:
    """What was said last, newest first, of one speaker where named."""
    return read_memories(record, tenant, record.turns.newest(tenant, limit, speaker))


def read_memories(record: Record, tenant: str, numbers: Sequence[int]) -> list[Memory]:
    """Turns by their numbers, in the order of these; numbers that the tenant does not have are passed over."""
    turns = {turn.number: turn for turn in record.turns.get(tenant, numbers, repetitions=True)}
    texts = record.turns.texts(tenant, numbers)
    return [
        Memory(
            text=texts[number][1],
            speaker=turn.speaker,
            kind=turn.kind,
            session=turn.session,
            episode=texts[number][0],
            created=turn.created,
            probability=1.0,
            why="named",
            number=number,
        )
        for number in numbers
        if (turn := turns.get(number)) is not None and number in texts
    ]


def with_statements(
    shown: Recall | None, found: Sequence[Memory], count_tokens: Callable[[str], int], budget: int, question: str = ""
) -> Recall | None:
    """A recall step that also shows what was said, each line with who said it and when, as far as the budget goes.

    Of a long statement the sentences that share words with the `question` are shown.
    """
    if not found:
        return shown
    before = [shown.text] if shown and shown.text else []
    # Facts are read in the order in which they were said: the newest stands last, next to the request.
    ordered = sorted(found, key=lambda one: (one.created, one.number))
    # The most probable are kept where not all fit.
    rank = {id(one): place for place, one in enumerate(found)}
    by_worth = sorted(range(len(ordered)), key=lambda place: rank[id(ordered[place])])
    sought = set(terms(sought_part(question)))
    lines = [as_line(one, sought) for one in ordered]
    kept = fit_budget([*before, *(lines[place] for place in by_worth)], count_tokens, budget)
    places = sorted(by_worth[number - len(before)] for number in kept if number >= len(before))
    if not places:
        return shown
    text = "\n".join([*before, *(lines[place] for place in places)])
    cited = (shown.episodes if shown else ()) + tuple(dict.fromkeys(ordered[place].episode for place in places))
    return Recall(text=text, lessons=shown.lessons if shown else (), episodes=tuple(dict.fromkeys(cited)))


def with_profile(
    record: Record, tenant: str, shown: Recall | None, count_tokens: Callable[[str], int], budget: int, whole: int
) -> tuple[Recall | None, set[int]]:
    """A recall step that begins with what is known of the person, and the numbers of the turns that it cites.

    The profile has at most `budget` tokens, and all together at most `whole`.
    """
    lines = read_profile(record, tenant)
    texts = [profile_text(line) for line in lines]
    kept = fit_budget(texts, count_tokens, budget)
    before = [shown.text] if shown and shown.text else []
    while kept and count_tokens("\n".join([*(texts[place] for place in kept), *before])) > whole:
        kept.pop()
    if not kept:
        return shown, set()
    cited = dict.fromkeys([*(lines[place].episode for place in kept), *(shown.episodes if shown else ())])
    text = "\n".join([*(texts[place] for place in kept), *before])
    return Recall(text=text, lessons=shown.lessons if shown else (), episodes=tuple(cited)), {lines[place].number for place in kept}


def as_line(one: Memory, sought: Collection[str] = ()) -> str:
    """How one passage is shown: when, who, what; and that it was said otherwise later, where it was.

    Of a statement only what states; of a long one the sentences that hold most of the terms `sought`.
    """
    person = "the user" if one.speaker in ROLES else one.speaker
    who = f"{person} said" if one.kind is Kind.STATEMENT else f"{person} asked" if one.kind is Kind.QUESTION else f"{one.speaker} returned"
    if one.kind is Kind.ANSWER:
        who = "the assistant answered, unverified"
    if one.asked:
        who = f"{who}, asked {excerpt(one.asked, (), LINE // 2)!r}"
    earlier = " (said otherwise later)" if one.superseded else ""
    text = (stated(one.text) if one.kind is Kind.STATEMENT else "") or one.text
    return f"Earlier, {moment(one.created)}, {neutralise(_one_line(who))}{earlier}: {neutralise(_one_line(excerpt(text, sought, LINE)))}"


def _one_line(text: str) -> str:
    # Only our own marks stand at the beginning of a line.
    return " ".join(text.splitlines())
