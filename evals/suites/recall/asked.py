"""Questions over a dialogue as the product sees them: the dialogue is recorded, indexed and asked through its own store."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ....core import UNKNOWN, Episode, Observation, Task
from ....memory import Record
from ....memory.index.turn_index import TurnIndex
from ....memory.recall.search import candidates, gather
from ....memory.recall.signals import Candidates, signals
from ....numerics.arrays import Floats, Vector
from ....orchestrator.turn_memory import TurnMemory
from ....perception import Encoder
from ...data.dialogues import Asked, Dialogue

TENANT = "default"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One question with its candidates."""

    asked: Asked
    """The question."""
    turns: tuple[int, ...]
    """Number of each candidate's turn in the dialogue."""
    candidates: Candidates
    """The candidates."""
    values: Floats
    """Their signals, `(n, s)`."""

    @property
    def needed(self) -> Floats:
        """1 where a candidate is evidence, `(n,)`."""
        return np.array([float(turn in self.asked.evidence) for turn in self.turns])


class Remembering:
    """An encoder that reads each text once."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vector] = {}

    @property
    def dimensions(self) -> int:
        """As the encoder's."""
        return self._encoder.dimensions

    @property
    def vectors(self) -> Vector:
        """Of all texts that were read, unit rows `(n, d)`."""
        return np.stack(list(self._known.values()))

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit rows `(n, d)`."""
        if new := [text for text in dict.fromkeys(texts) if text not in self._known]:
            self._known |= dict(zip(new, self._encoder.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts]) if texts else self._encoder.encode([])


@contextmanager
def recorded(dialogue: Dialogue, encoder: Encoder) -> Iterator[tuple[Record, TurnIndex, dict[int, int]]]:
    """A record that heard the dialogue, its index, and the dialogue's turn of each of its rows."""
    with tempfile.TemporaryDirectory(prefix="lifelong-bench-") as folder, Record(Path(folder) / "record.sqlite3") as record:
        blank = np.zeros(encoder.dimensions, dtype=np.float32)
        with record.transaction():
            for number, said in enumerate(dialogue.turns):
                task = Task(id=str(number), goal=said.text, environment="chat", session=str(said.session))
                step = Observation(text=said.text, extras={"name": said.speaker})
                record.episodes.record(Episode(id=str(number), task=task, steps=(step,), outcome=UNKNOWN, created=said.created), blank)
        TurnMemory(record, encoder).finish()
        rows = dict(record._database.rows("SELECT number, CAST(id AS INTEGER) FROM turns JOIN episodes ON sequence = turns.episode"))
        yield record, TurnIndex(), rows


def cases(dialogue: Dialogue, encoder: Encoder) -> list[Case]:
    """Every question of a dialogue with its candidates, as `memory.search` would see them on the day after the last turn."""
    vectors = encoder.encode([asked.text for asked in dialogue.questions])
    now = max(said.created for said in dialogue.turns) + 86_400
    found: list[Case] = []
    with recorded(dialogue, encoder) as (record, index, rows):
        for asked, vector in zip(dialogue.questions, vectors, strict=True):
            turns, lists = gather(record, index, asked.text, vector, tenant=TENANT)
            one = candidates(asked.text, vector, turns, lists, now)
            found.append(Case(asked=asked, turns=tuple(rows[turn.number] for turn in turns), candidates=one, values=signals(one)))
    return found


def with_exact_vectors(one: Case, read: Remembering) -> Case:
    """The same candidates with their embeddings in float32, where the record keeps one byte an entry; `read` is what read their texts."""
    exact = read.vectors
    vectors = exact[(one.candidates.vectors @ exact.T).argmax(axis=1)].astype(np.float64)
    similarity = vectors @ read.encode([one.asked.text])[0].astype(np.float64)
    found = replace(one.candidates, vectors=vectors, similarity=similarity)
    return replace(one, candidates=found, values=signals(found))


def recall_at(order: Sequence[int], asked: Asked, k: int) -> float:
    """Share of a question's evidence among the first `k` turns."""
    return len(set(order[:k]) & asked.evidence) / len(asked.evidence)


def turn_vectors(dialogue: Dialogue, encoder: Encoder) -> Vector:
    """Embeddings of all turns, each with its speaker, `(n, d)`."""
    return encoder.encode([f"{said.speaker}: {said.text}" for said in dialogue.turns])
