"""`CueMemory`: samples of many classes as short cues from which vectors close to them are recalled."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.paths import AnyPath, draft_path
from ...numerics.arrays import Floats
from .blobs import HEAD, pack, unpack, with_version
from .codes import STREAMS, ClassCodes, Codebook, fit_codebook, mean_step, order_by_parent
from .model import LARGEST, rounded
from .range_coding import Integers

GROWTH = 1.05
"""A better codebook is looked for each time the samples have grown by this factor."""
MOST_VERSIONS = 255
"""Of the codebook: a blob tells its own in one byte."""


class CueMemory:
    """The semi-parametric memory of SPMC on vectors: entropy-coded cues, and a codebook with a decoder that completes them.

    SPMC, 2025, https://arxiv.org/abs/2504.14727; how vectors become cues is this project's own.

    A class is one blob. Codebooks are versions: a new one is made when it would save, on as many samples as have been seen, more
    bytes than it takes, and the cues of the older ones stay as they are; one that no class uses is dropped. So erasing a class
    leaves nothing behind but its share in the directions and widths of a codebook that was fitted while it was there and that
    others use. Vectors have unit length or about it, and a multiple of 4 dimensions.
    """

    def __init__(self, *, step: float = 0.05, directions: int = 64, kept: float = 1.0) -> None:
        if not (step > 0 and directions >= 0 and 0 < kept <= 1):
            raise ValueError(f"step {step} must be above 0, directions {directions} not below, and kept {kept} in (0, 1]")
        self.step, self.directions, self.kept = step, directions, kept
        self._blobs: dict[int, bytes] = {}
        self._versions: list[bytes] = []
        self._books: list[Codebook] = []
        self._decoded: dict[int, tuple[int, ClassCodes]] = {}

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class numbers remembered, ascending."""
        return np.array(sorted(self._blobs), dtype=np.int64)

    @property
    def bytes(self) -> int:
        """All that is kept: cues, class means and numbers, and every version of the codebook with its decoder."""
        return sum(len(blob) for blob in (*self._blobs.values(), *self._versions))

    @property
    def versions(self) -> int:
        """Versions of the codebook."""
        return len(self._books)

    def remember(self, vectors: NDArray[np.floating], labels: NDArray[np.int64]) -> None:
        """Turn samples `(n, d)` into cues; of a class's samples the `kept` share that lies farthest from its mean.

        Near the mean the mean says as much, and a boundary runs far from it. A class met again keeps its mean and codebook.
        Raises `ValueError` for NaN or infinite values and for shapes that do not fit.
        """
        rows, labels = self._checked(vectors, labels)
        if not len(rows):
            return
        new = [int(label) for label in np.unique(labels) if int(label) not in self._blobs]
        groups = [(_rounded_mean(rows[labels == label]), rows[labels == label]) for label in new]
        if groups and self._due(len(rows)) and (book := self._better(groups, len(rows))):
            self._books.append(book)
            self._versions.append(book.to_bytes())
        written: dict[int, tuple[int, ClassCodes]] = {}
        for label in np.unique(labels):
            some = rows[labels == label]
            version, known = self._codes().get(int(label), (len(self._books) - 1, None))
            mean = _rounded_mean(some) if known is None else known.mean
            far = np.argsort(-((some - mean_step(len(mean)) * mean) ** 2).sum(1), kind="stable")[: max(1, round(self.kept * len(some)))]
            codes = rounded(self._books[version].coordinates(some[np.sort(far)], mean))
            codes = codes if known is None else np.concatenate([known.codes, codes])
            written[int(label)] = version, order_by_parent(mean, codes, self._books[version].deviations)
        self._write(written)

    def recall(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The vectors `(n, d)` that the cues recall, class by class, and their class numbers `(n,)`."""
        codes = self._codes()
        parts = [self._books[codes[label][0]].vectors(codes[label][1]) for label in sorted(codes)]
        counts = [len(part) for part in parts]
        rows = np.concatenate(parts) if parts else np.zeros((0, 0))
        return rows.astype(np.float32), np.repeat(self.labels, counts)

    def means(self) -> Floats:
        """The class means `(classes, d)`, in the order of `labels`."""
        return np.array([mean_step(len(one.mean)) * one.mean for one in (self._codes()[label][1] for label in sorted(self._blobs))])

    def forget(self, vectors: NDArray[np.floating], labels: NDArray[np.int64]) -> int:
        """Remove the cues of these samples; a class whose last cue goes is gone. Returns how many cues went.

        The other cues' codes stay as they are. A sample that was not kept has no cue. Class mean and codebook still hold a trace
        of it until the class goes. Raises `ValueError` for a class that was never remembered; nothing has changed then.
        """
        rows, labels = self._checked(vectors, labels)
        unknown = sorted({int(label) for label in labels} - set(self._blobs))
        if unknown:
            raise ValueError(f"classes {unknown} were never remembered; forget only what was")
        written: dict[int, tuple[int, ClassCodes]] = {}
        gone: list[int] = []
        removed = 0
        for label in np.unique(labels):
            version, known = self._codes()[int(label)]
            left = [tuple(code) for code in known.codes]
            for code in rounded(self._books[version].coordinates(rows[labels == label], known.mean)):
                if tuple(code) in left:
                    left.remove(tuple(code))
            removed += len(known.codes) - len(left)
            if left:
                written[int(label)] = version, order_by_parent(known.mean, np.array(left), self._books[version].deviations)
            else:
                gone.append(int(label))
        self._write(written)
        for label in gone:
            self.forget_class(label)
        return removed

    def forget_class(self, label: int) -> bool:
        """Remove a class with all its cues and its mean. Raises `ValueError` where there is none.

        True where nothing of it is left: no codebook remains that can have been fitted while the class was there.
        """
        if label not in self._blobs:
            raise ValueError(f"class {label} was never remembered; forget only what was")
        version, _ = self._codes().pop(label)
        del self._blobs[label]
        used = sorted({HEAD.unpack_from(blob)[0] for blob in self._blobs.values()})
        self._versions, self._books = [self._versions[v] for v in used], [self._books[v] for v in used]
        place = {old: new for new, old in enumerate(used)}
        self._decoded = {one: (place[old], codes) for one, (old, codes) in self._decoded.items()}
        self._blobs = {one: with_version(blob, place) for one, blob in self._blobs.items()}
        return all(old < version for old in used)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is kept, as plain arrays."""
        blobs = [self._blobs[int(label)] for label in self.labels]
        return {
            "settings": np.array([self.step, self.directions, self.kept]),
            "blobs": np.frombuffer(b"".join(blobs), dtype=np.uint8),
            "blob_lengths": np.array([len(blob) for blob in blobs], dtype=np.int64),
            "versions": np.frombuffer(b"".join(self._versions), dtype=np.uint8),
            "version_lengths": np.array([len(version) for version in self._versions], dtype=np.int64),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Become what `state` told of; every code comes back as it was."""
        step, directions, kept = state["settings"].tolist()
        self.step, self.directions, self.kept = step, int(directions), kept
        self._versions = _cut(state["versions"].tobytes(), state["version_lengths"])
        self._books = [Codebook.from_bytes(version) for version in self._versions]
        self._blobs = {HEAD.unpack_from(blob)[2]: blob for blob in _cut(state["blobs"].tobytes(), state["blob_lengths"])}
        self._decoded = {}

    def save(self, file: AnyPath) -> None:
        """Write everything into an npz file that appears whole or not at all."""
        file = Path(file)
        draft = draft_path(file)
        with draft.open("wb") as out:
            np.savez(out, **self.state())  # type: ignore[arg-type]  # names of arrays, not flags
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)

    @classmethod
    def load(cls, file: AnyPath) -> CueMemory:
        """What `save` wrote."""
        memory = cls()
        with np.load(file, allow_pickle=False) as arrays:
            memory.restore(arrays)
        return memory

    def _checked(self, vectors: NDArray[np.floating], labels: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
        rows, labels = np.asarray(vectors, dtype=np.float64), np.asarray(labels, dtype=np.int64)
        d = self._books[0].directions.shape[0] if self._books else None
        if rows.ndim != 2 or rows.shape[1] % STREAMS or (d and rows.shape[1] != d):
            raise ValueError(f"vectors have the shape {rows.shape}; rows of {d or f'a multiple of {STREAMS}'} columns are needed")
        if labels.shape != (len(rows),):
            raise ValueError(f"{len(rows)} vectors and labels of the shape {labels.shape}; one label a vector is needed")
        if not np.isfinite(rows).all():
            raise ValueError("vectors hold NaN or infinite values; encode the texts again or leave these rows out")
        return rows, labels

    @property
    def _seen(self) -> int:
        """How many samples there were, about: what is kept tells it, so that what was forgotten does not count."""
        cues: int = sum(HEAD.unpack_from(blob)[1] for blob in self._blobs.values())
        return round(cues / self.kept)

    def _due(self, fresh: int) -> bool:
        """Whether the samples grow past a power of `GROWTH`, so that the cost of looking for a better codebook spreads evenly."""
        seen = self._seen
        return not seen or (len(self._books) < MOST_VERSIONS and int(log(seen + fresh, GROWTH)) > int(log(seen, GROWTH)))

    def _better(self, groups: Sequence[tuple[Integers, Floats]], more: int) -> Codebook | None:
        """A new version where it would have paid for itself, or where there is none yet."""
        fresh = np.concatenate([rows - mean_step(len(mean)) * mean for mean, rows in groups])
        recalled = [self._books[v].vectors(one) - mean_step(len(one.mean)) * one.mean for v, one in self._codes().values()]
        residuals = np.concatenate([fresh, *recalled])
        count = min(self.directions, len(residuals) - 1, residuals.shape[1])
        book = fit_codebook(residuals.T @ residuals / len(residuals), groups, count, self.step)
        if not self._books:
            return book
        saved = _bits_a_sample(self._books[-1], fresh) - _bits_a_sample(book, fresh)
        return book if self.kept * (self._seen + more) * saved / 8 > len(book.to_bytes()) else None

    def _codes(self) -> dict[int, tuple[int, ClassCodes]]:
        """Version and codes of every class. Decoded codes are held beside the blobs while the process lives, never saved."""
        missing = {label: blob for label, blob in self._blobs.items() if label not in self._decoded}
        for version in {blob[0] for blob in missing.values()}:
            some = {label: blob for label, blob in missing.items() if blob[0] == version}
            unpacked = unpack(list(some.values()), self._books[version])
            self._decoded |= {label: (version, one) for label, one in zip(some, unpacked, strict=True)}
        return self._decoded

    def _write(self, written: dict[int, tuple[int, ClassCodes]]) -> None:
        for version in {version for version, _ in written.values()}:
            some = {label: one for label, (of, one) in written.items() if of == version}
            self._blobs |= zip(some, pack(list(some.items()), version, self._books[version]), strict=True)
        self._decoded |= written


def _bits_a_sample(book: Codebook, residuals: Floats) -> float:
    """About what a sample costs at the book's step: half the logarithm of signal over noise of each coordinate."""
    return float(0.5 * np.log2(1 + 12 * ((residuals @ book.basis / book.step) ** 2).mean(0)).sum())


def _rounded_mean(rows: Floats) -> Integers:
    return np.asarray(np.clip(np.rint(rows.mean(0) / mean_step(rows.shape[1])), -LARGEST, LARGEST), dtype=np.int64)


def _cut(packed: bytes, lengths: NDArray[np.int64]) -> list[bytes]:
    ends = np.cumsum(lengths)
    return [packed[end - length : end] for end, length in zip(ends, lengths, strict=True)]
