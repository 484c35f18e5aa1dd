"""`TaskSample`: one skill's tasks, as a bounded sample of the different ones among them."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Floats, Vector
from ..scores.neighbours import leave_one_out_novelty

SAME = 1e-6
"""One minus the cosine up to which two tasks are the same one: a repeat teaches nothing about how far tasks of a skill lie apart."""
CHUNK = 1024
"""Tasks of one skill that are compared with its sample, and with each other, at a time."""


class TaskSample:
    """The exact sum of all of a skill's tasks in the first view, and a sample of the different ones in both views."""

    def __init__(self, name: str, dimensions: int, first: int, seed: int) -> None:
        self.name = name
        self.seed = seed
        self.first = first
        """Columns of the first view; it tells whether two tasks are the same one."""
        self.total: Floats = np.zeros(first)
        self.count = 0
        self.bank: Vector = np.zeros((0, dimensions), dtype=np.float32)
        self.repeats: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        """How often each task of the sample was seen again while it was there."""
        self.offered = 0
        self.novelties: NDArray[np.float32] | None = None

    @property
    def prototype(self) -> Floats:
        """Mean direction of all tasks `(first,)`; zero for none."""
        norm = np.linalg.norm(self.total)
        return self.total / norm if norm > 0 else self.total

    def learn(self, vectors: Vector, bank_size: int) -> None:
        """Take in tasks `(n, d)` in their order; the same state as one at a time."""
        views = vectors[:, : self.first]
        # Row after row onto the total, as if they had come one by one.
        self.total = np.add.reduce(np.vstack([self.total[None, :], views]), axis=0)
        self.count += len(vectors)
        size = len(self.bank)
        bank = np.vstack([self.bank, vectors])
        repeats = np.concatenate([self.repeats, np.zeros(len(vectors), dtype=np.int64)])
        # Where in `bank` the sample's rows lie: all comparisons are made at once, and only the choice goes row by row.
        sample = np.arange(max(bank_size, size))
        cosines = views @ bank[:, : self.first].T
        changed = False
        for place in range(len(vectors)):
            known = cosines[place, sample[:size]]
            nearest = int(known.argmax()) if size else -1
            if nearest >= 0 and 1.0 - known[nearest] <= SAME:
                repeats[sample[nearest]] += 1
                continue
            # Reservoir sampling (Vitter 1985, "Random Sampling with a Reservoir", algorithm R): every task ever offered is kept
            # with the same chance. The draw depends on the number of the offer alone, so that no generator has to be kept.
            self.offered += 1
            chosen = size if size < bank_size else _drawn(self.seed, self.name, self.offered)
            if chosen < bank_size:
                sample[chosen], size, changed = len(self.bank) + place, max(size, chosen + 1), True
        if changed:
            self.bank, self.novelties = bank[sample[:size]], None
        self.repeats = repeats[sample[:size]]

    def forget(self, vector: Vector) -> None:
        """Take a task `(first,)` back, found by its first view alone."""
        self.total -= vector
        self.count -= 1
        same = 1.0 - self.bank[:, : self.first] @ vector <= SAME
        keep = ~same | (self.repeats > 0)
        self.repeats = (self.repeats - same)[keep]
        if not keep.all():
            self.bank, self.novelties = self.bank[keep], None

    def spread(self) -> NDArray[np.float32]:
        """How far each sampled task lies from its nearest in the first view, itself left out; empty for fewer than two."""
        if self.novelties is None:
            self.novelties = leave_one_out_novelty(self.bank[:, : self.first])
        return self.novelties


def _drawn(seed: int, name: str, offered: int) -> int:
    """A number in [0, offered) that depends on the arguments alone."""
    digest = hashlib.blake2b(f"{seed}\0{offered}\0{name}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % offered
