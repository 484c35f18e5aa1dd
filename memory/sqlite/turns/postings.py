"""`KeptPostings`: where the terms of questions stand, read from the record once and then only what has come since."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ....numerics.arrays import Labels
from ...turns.turn import Postings
from ..database import Database
from ..generations import Generations

MOST = 2000
"""Turns kept of one term, the newest."""
TERMS = 4096
"""Terms kept in memory."""
ENTRIES = 1 << 20
"""Turns kept of all of them, 16 MiB; the terms that nobody has asked for longest go first."""
NEWEST = 512
"""Rows that have come since, up to which they are read one by one; of more the lists are read anew, which is no dearer."""

NOWHERE = Postings(turns=np.zeros(0, dtype=np.int64), counts=np.zeros(0, dtype=np.int64))


class _Kept(NamedTuple):
    generation: int
    """Of the tenant, when it was read."""
    postings: Postings


class KeptPostings:
    """A cache over the record, in memory alone; it holds numbers of turns under numbers of terms, and no word. Thread-safe.

    What was said since is read by every question. Where something was removed, by whatever process, the tenant's generation has
    changed, and the lists are read anew.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._generations = Generations(database)
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._entries = self._forgotten = 0

    def read(self, tenant: str, frequencies: Mapping[int, int], wanted: Mapping[int, int]) -> dict[int, Postings]:
        """Of each term of a tenant, given in how many turns it stands, the newest of these: as many as are `wanted`, at most `MOST`."""
        # Before the rows: what is read while something is erased is of the older generation, and read anew by the next question.
        generation = self._generations.get(tenant)
        with self._lock:
            forgotten = self._forgotten
            known = {term: self._kept[term].postings for term in wanted if term in self._kept and self._fresh(term, generation)}
        found = self._extended(known)
        found = {term: one for term, one in found.items() if _serves(one, frequencies[term], wanted[term])}
        found |= {term: self._newest(term, most) for term, most in wanted.items() if term not in found}
        with self._lock:
            if forgotten == self._forgotten:
                self._keep(generation, found)
        return {term: found[term].newest(most) for term, most in wanted.items()}

    def forget(self) -> None:
        """Drop all that is kept."""
        with self._lock:
            self._kept.clear()
            self._entries = 0
            self._forgotten += 1

    def _fresh(self, term: int, generation: int) -> bool:
        return self._kept[term].generation == generation

    def _extended(self, known: Mapping[int, Postings]) -> dict[int, Postings]:
        """Lists with the turns that have come since they were read; those without are too long behind."""
        sql = (
            "SELECT term, turn, count FROM json_each(?) CROSS JOIN turn_terms "
            "ON term = json_extract(value, '$[0]') AND turn > json_extract(value, '$[1]') ORDER BY turn LIMIT ?"
        )
        last = [[term, int(one.turns[-1])] for term, one in known.items() if len(one)]
        rows = self._database.rows(sql, (json.dumps(last), NEWEST)) if last else []
        if len(rows) == NEWEST:
            return {}
        new: dict[int, list[tuple[int, int]]] = {}
        for term, turn, count in rows:
            new.setdefault(term, []).append((turn, count))
        return {term: _joined(one, new[term]) if term in new else one for term, one in known.items()}

    def _newest(self, term: int, most: int) -> Postings:
        # As two texts: thousands of rows would take longer to be handed over than to be read.
        newest = "SELECT turn, count FROM turn_terms WHERE term = ? ORDER BY turn DESC LIMIT ?"
        turns, counts = self._database.rows(f"SELECT group_concat(turn), group_concat(count) FROM ({newest})", (term, most))[0]
        return Postings(turns=_numbers(turns), counts=_numbers(counts))

    def _keep(self, generation: int, found: Mapping[int, Postings]) -> None:
        for term, one in found.items():
            self._drop([term])
            self._kept[term] = _Kept(generation, one)
            self._entries += len(one)
        while len(self._kept) > TERMS or self._entries > ENTRIES:
            self._drop([next(iter(self._kept))])

    def _drop(self, terms: Iterable[int]) -> None:
        for term in terms:
            if term in self._kept:
                self._entries -= len(self._kept.pop(term).postings)


def _serves(one: Postings, frequency: int, wanted: int) -> bool:
    """Whether a list is all that there is, or as much as is wanted; one that is longer holds what was removed."""
    return len(one) == frequency or wanted <= len(one) < frequency


def _joined(one: Postings, rows: list[tuple[int, int]]) -> Postings:
    """A list with newer rows, oldest first, behind it; the oldest go where there are more than are kept."""
    new = np.array(rows, dtype=np.int64)
    turns, counts = np.concatenate([one.turns, new[:, 0]]), np.concatenate([one.counts, new[:, 1]])
    # Copies: a part of an array keeps the whole of it.
    return Postings(turns=turns[-MOST:].copy(), counts=counts[-MOST:].copy())


def _numbers(text: str | None) -> Labels:
    """Numbers from a text with commas between them, the last first."""
    return np.ascontiguousarray(np.fromstring(text or "", dtype=np.int64, sep=",")[::-1])
