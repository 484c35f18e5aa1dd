"""What recall of what was said costs as a person says more: made turns, through the product's own store, index and search."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import islice
from pathlib import Path
from zlib import crc32

import numpy as np

from ....core import UNKNOWN, Episode, Observation, Task
from ....memory import Record, search
from ....memory.index.turn_index import FLAT_LIMIT, TurnIndex
from ....numerics.arrays import Floats, Vector, l2_normalize
from ....orchestrator.turn_memory import TurnMemory
from ....perception import Encoder
from ...results_file import Row
from ...row_filter import RowFilter
from .clock import resident, timed

FULL = (10_000, 100_000, 1_000_000)
QUICK = (2_000,)
METHOD = "lifelong_random_words"
"""Vectors are made too, so that what is measured is the search and not an encoder."""
TENANT = "default"
DIMENSIONS = 384
WORDS = 20_000
"""Different words, the n-th drawn in proportion to 1 / n (Zipf's law)."""
TOPICS, TOPIC_WORDS = 2000, 30
"""A chat is about one of so many topics, which has so many words of its own."""
CHAT = 20
"""Turns of a chat, recorded as one episode."""
COMMON, OWN = 6, 5
"""Words of a turn from all words, and from those of its topic; a question has as many."""
BATCH = 100
"""Chats recorded and indexed in one transaction while the record is filled."""
QUESTIONS = 100
"""Questions timed, after as many that are not."""
HITS = 5
"""Hits of a search, compared with those of a search over the same turns without cells."""
NEAREST = 10
"""Turns nearest in meaning that are compared with those of an exact search."""
READ = 4096
"""Turns compared at a time by the exact search."""

_WORD = re.compile(r"\w+")
_SYLLABLES = tuple(consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou")

Apart = Callable[..., dict[str, float]]
"""Runs a function in a process of its own."""


class WordVectors:
    """An encoder that adds up one random direction a word: texts that share words are near, in 0.03 ms a text."""

    def __init__(self) -> None:
        self._rows = np.random.default_rng(0).normal(size=(1 << 15, DIMENSIONS)).astype(np.float32)

    @property
    def dimensions(self) -> int:
        """Length of every vector."""
        return DIMENSIONS

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit rows, float32 `(n, dimensions)`."""
        places = [[crc32(word.encode()) % len(self._rows) for word in _WORD.findall(text.lower())] or [0] for text in texts]
        return np.asarray(l2_normalize(np.stack([self._rows[some].sum(axis=0) for some in places])), dtype=np.float32)


def turn_rows(encoder: Callable[[], Encoder], *, quick: bool, only: RowFilter, apart: Apart) -> list[Row]:
    """Each size filled in one process and searched in another. The `encoder` is timed alone, for what a request costs beside the search."""
    rows: list[Row] = []
    for turns in (QUICK if quick else FULL) if only.wants_method(METHOD) else ():
        case = f"{turns} turns"
        if not only.wants_case(case):
            continue
        # Chosen by the size, so that the quick run searches cells as well.
        flat_limit = min(FLAT_LIMIT, turns // 2) if quick else FLAT_LIMIT
        with tempfile.TemporaryDirectory(prefix="lifelong-bench-") as folder:
            home = Path(folder)
            figures = {**apart(fill, home, turns), **apart(measure, home, turns, flat_limit, encoder)}
        counted = {name: QUESTIONS if name.startswith(("search", "encode", "nearest", "hit")) else 1 for name in figures}
        rows += [Row(case=case, method=METHOD, metric=name, value=value, n=counted[name]) for name, value in figures.items()]
    return rows


def fill(home: Path, turns: int) -> dict[str, float]:
    """Record and index chats of `CHAT` turns each, many in one transaction."""
    begun, worked = time.perf_counter(), time.process_time()
    chats, blank = made_chats(turns // CHAT), np.zeros(DIMENSIONS, dtype=np.float32)
    home.mkdir(exist_ok=True)
    with Record(home / "record.sqlite3") as record:
        memory = TurnMemory(record, WordVectors())
        for start in range(0, turns // CHAT, BATCH):
            with record.transaction():
                record.episodes.record_many([(next(chats), blank) for _ in range(min(BATCH, turns // CHAT - start))])
                memory.finish()
        memory.close()
        indexed = record.turns.count(TENANT)
    figures = {
        "fill_seconds": time.perf_counter() - begun,
        "fill_cpu_seconds": time.process_time() - worked,
        "bytes_per_turn": sum(file.stat().st_size for file in home.rglob("*") if file.is_file()) / indexed,
    }
    # What follows is timed on a disk that does not still write this down.
    os.sync()
    return figures


def measure(home: Path, turns: int, flat_limit: int, encoder: Callable[[], Encoder]) -> dict[str, float]:
    """A later start: opening, the first search, how long until the index has read all, then searches, memory, and what cells miss."""
    questions = list(islice(made_questions(turns), 2 * QUESTIONS))
    vectors = WordVectors().encode(questions)
    before = resident()
    begun = time.perf_counter()
    with Record(home / "record.sqlite3") as record:
        opened = time.perf_counter() - begun
        index = TurnIndex(flat_limit=flat_limit)

        def ask(row: int, searched: TurnIndex = index) -> list[int]:
            found = search(record, searched, questions[row], vectors[row], tenant=TENANT, limit=HITS, now=float(turns))
            return [one.number for one in found]

        ask(0)
        first = time.perf_counter() - begun
        index.wait(TENANT)
        ready = time.perf_counter() - begun
        times = [timed(partial(ask, row)) for row in range(2 * QUESTIONS)][QUESTIONS:]
        held = resident() - before
        got = [index.nearest(record, TENANT, vector, NEAREST) for vector in vectors[QUESTIONS:]]
        right = exact_nearest(record, vectors[QUESTIONS:])
        exact = TurnIndex(flat_limit=turns)
        ask(0, exact)
        exact.wait(TENANT)
        hits = [(ask(row), ask(row, exact)) for row in range(QUESTIONS, 2 * QUESTIONS)]
    encode = encoder()
    encode.encode(questions[:1])
    alone = [timed(partial(encode.encode, [question])) for question in questions[QUESTIONS:]]
    return {
        "open_seconds": opened,
        "first_search_seconds": first,
        "index_ready_seconds": ready,
        **_percentiles("search", times),
        **_percentiles("encode", alone),
        "resident_mb": held / 2**20,
        "nearest_recall_at_10": _shared(zip(got, right, strict=True)),
        "hit_recall_at_5": _shared(hits),
    }


def _shared(pairs: Iterable[tuple[Sequence[int], Sequence[int]]]) -> float:
    """Mean share of the second numbers that are among the first."""
    return float(np.mean([len({*some} & {*right}) / len(right) for some, right in pairs]))


def exact_nearest(record: Record, vectors: Vector) -> list[list[int]]:
    """Numbers of the `NEAREST` turns of each question `(n, d)`, every turn compared."""
    numbers = np.zeros((len(vectors), 0), dtype=np.int64)
    cosines = np.zeros((len(vectors), 0), dtype=np.float32)
    last, complete = 0, False
    while not complete:
        some = record.turns.since(TENANT, last, READ)
        last, complete = some.last, some.complete
        if len(some.numbers):
            cosines = np.concatenate([cosines, vectors @ some.vectors.T], axis=1)
            numbers = np.concatenate([numbers, np.tile(some.numbers, (len(vectors), 1))], axis=1)
            best = np.argsort(-cosines, axis=1, kind="stable")[:, :NEAREST]
            cosines, numbers = np.take_along_axis(cosines, best, axis=1), np.take_along_axis(numbers, best, axis=1)
    return [[int(number) for number in row] for row in numbers]


def made_chats(count: int) -> Iterator[Episode]:
    """Chats of `CHAT` turns, all said by one person."""
    draw = np.random.default_rng(1)
    for number in range(count):
        said = [f"I said {words}." for words in _drawn_words(number, CHAT, draw)]
        task = Task(id=str(number), goal=said[0], tenant=TENANT, environment="chat", session=str(number))
        steps = tuple(Observation(text=text) for text in said)
        yield Episode(id=str(number), task=task, steps=steps, outcome=UNKNOWN, created=float(number * CHAT))


def made_questions(turns: int) -> Iterator[str]:
    """Questions on the topics of some of the chats."""
    draw = np.random.default_rng(2)
    while True:
        chat = int(draw.integers(0, turns // CHAT))
        yield f"What about {next(_drawn_words(chat, 1, draw))}?"


def _drawn_words(chat: int, count: int, draw: np.random.Generator) -> Iterator[str]:
    topic = np.random.default_rng((3, chat % TOPICS)).integers(0, WORDS, TOPIC_WORDS)
    own = topic[draw.integers(0, TOPIC_WORDS, (count, OWN))]
    for row in np.concatenate([np.searchsorted(_shares(), draw.random((count, COMMON))), own], axis=1):
        yield " ".join(_word(int(number)) for number in row)


@cache
def _shares() -> Floats:
    """How probable it is that a drawn word is at most the n-th, `(WORDS,)`."""
    weights = 1 / np.arange(1, WORDS + 1)
    return np.asarray(np.cumsum(weights) / weights.sum())


@cache
def _word(number: int) -> str:
    """A word of two syllables or more, another for every number."""
    count, number = len(_SYLLABLES), number + len(_SYLLABLES)
    word = ""
    while number:
        number, place = divmod(number, count)
        word += _SYLLABLES[place]
    return word


def _percentiles(name: str, times: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Medians and 95th percentiles of seconds by the clock and on the processor, in milliseconds."""
    table = 1000 * np.array(times)
    kinds = (f"{name}", f"{name}_cpu")
    return {f"{kind}_p{p}_ms": float(np.percentile(table[:, column], p)) for column, kind in enumerate(kinds) for p in (50, 95)}
