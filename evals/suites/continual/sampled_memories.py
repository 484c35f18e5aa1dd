"""Other memories to sleep on, under the head that sleeps on cues: raw samples, class Gaussians, product-quantised samples.

So what is compared is the memory and nothing else: samples are recalled from each, and the same classifiers are fitted to them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....learners import CueHead
from ....numerics.arrays import AnyFloats, Labels

LABEL_BYTES = 8
"""Of a class number."""


class SampledMemory(ABC):
    """What `CueHead` asks of a memory. A class comes once, as in the streams of the suite."""

    kept = 1.0

    def __init__(self) -> None:
        self._classes: dict[int, Any] = {}

    @property
    def labels(self) -> Labels:
        """Class numbers, ascending."""
        return np.array(sorted(self._classes), dtype=np.int64)

    @property
    @abstractmethod
    def bytes(self) -> int:
        """All that is kept."""

    @abstractmethod
    def remember(self, vectors: AnyFloats, labels: Labels) -> None:
        """Keep what is kept of samples `(n, d)`."""

    @abstractmethod
    def recall(self) -> tuple[NDArray[np.float32], Labels]:
        """Samples, class by class."""

    def means(self) -> AnyFloats:
        """Nothing that is asked for: no sample was left out for its mean."""
        return np.zeros((len(self._classes), self.recall()[0].shape[1]))

    def state(self) -> dict[str, NDArray[Any]]:
        """Never saved."""
        return {}


class SampledMemoryHead(CueHead):
    """Sleeps as `CueHead` does, on another memory."""

    def __init__(self, memory: SampledMemory, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.memory = memory  # type: ignore[assignment]  # it has all that a head asks for


class RawMemory(SampledMemory):
    """`per_class` samples of each class drawn at random (None: all), one byte an entry and a scale of two bytes a sample."""

    def __init__(self, *, per_class: int | None, seed: int = 0) -> None:
        super().__init__()
        self.per_class, self._draw = per_class, np.random.default_rng(seed)

    @property
    def bytes(self) -> int:
        """Entries, scales and class numbers."""
        return sum(codes.nbytes + scales.nbytes + LABEL_BYTES for codes, scales in self._classes.values())

    def remember(self, vectors: AnyFloats, labels: Labels) -> None:
        """Draw and round."""
        for label in np.unique(labels):
            rows = vectors[labels == label]
            self._classes[int(label)] = eight_bits(self._draw.permutation(rows)[: self.per_class])

    def recall(self) -> tuple[NDArray[np.float32], Labels]:
        """The samples kept."""
        parts = [whole(*self._classes[int(label)]) for label in self.labels]
        return np.concatenate(parts).astype(np.float32), np.repeat(self.labels, [len(part) for part in parts])


class GaussianMemory(SampledMemory):
    """A mean a class and a covariance: `shared` leading directions for all classes, `own` for each, and one variance for the rest.

    Means and directions take a byte an entry. `draws` samples of each class are drawn from it (the refinement of DESIRE).
    """

    def __init__(self, *, shared: int, own: int = 0, draws: int = 40, seed: int = 0) -> None:
        super().__init__()
        self.shared, self.own, self.draws, self.seed = shared, own, draws, seed
        self._spread: tuple[AnyFloats, AnyFloats, float] | None = None
        self._count = self._dimensions = 0

    @property
    def bytes(self) -> int:
        """Means, directions with their variances, and class numbers."""
        directions = 0 if self._spread is None else len(self._spread[1])
        of_all = directions * (self._dimensions + 4) + 4
        return of_all + sum(
            int(self._dimensions + 2 + LABEL_BYTES + len(own[1]) * (self._dimensions + 4)) for _, own in self._classes.values()
        )

    def remember(self, vectors: AnyFloats, labels: Labels) -> None:
        """Means, and the covariance of old and new samples; only its leading directions are kept from one group to the next."""
        d = self._dimensions = vectors.shape[1]
        scatter, fresh = np.zeros((d, d)), 0
        for label in np.unique(labels):
            rows = vectors[labels == label].astype(np.float64)
            mean = whole(*eight_bits(rows.mean(0, keepdims=True)))[0]
            self._classes[int(label)] = mean, leading((rows - mean).T @ (rows - mean) / len(rows), self.own)[:2]
            scatter, fresh = scatter + (rows - mean).T @ (rows - mean), fresh + len(rows)
        if self._spread is not None:
            directions, variances, rest = self._spread
            outside = np.eye(d) - directions @ directions.T
            scatter = scatter + self._count * (directions * variances @ directions.T + rest * outside)
        self._count += fresh
        self._spread = leading(scatter / self._count, self.shared)

    def recall(self) -> tuple[NDArray[np.float32], Labels]:
        """Samples drawn from the Gaussians; what a class's own directions say of it, the shared ones do not."""
        assert self._spread is not None, "`remember` comes first"
        draw, parts = np.random.default_rng(self.seed), []
        directions, variances, rest = self._spread
        for label in self.labels:
            mean, (own, own_variances) = self._classes[int(label)]
            noise = draw.normal(size=(self.draws, len(mean)))
            inside = noise @ directions
            drawn = np.sqrt(rest) * (noise - inside @ directions.T) + (np.sqrt(variances) * inside) @ directions.T
            drawn = drawn - drawn @ own @ own.T + (np.sqrt(own_variances) * draw.normal(size=(self.draws, own.shape[1]))) @ own.T
            parts.append(mean + drawn)
        return np.concatenate(parts).astype(np.float32), np.repeat(self.labels, self.draws)


class QuantisedMemory(SampledMemory):
    """All samples as product-quantised codes of `code_bytes`, with codebooks from the first group (SIESTA's memory)."""

    def __init__(self, *, code_bytes: int = 48) -> None:
        super().__init__()
        self.code_bytes = code_bytes
        self._quantiser: Any = None

    @property
    def bytes(self) -> int:
        """Codes, class numbers, and codebooks of 256 entries in float32."""
        return sum(int(codes.nbytes) + LABEL_BYTES for codes in self._classes.values()) + 4 * 256 * int(self._quantiser.d)

    def remember(self, vectors: AnyFloats, labels: Labels) -> None:
        """Codes of all of them."""
        import faiss

        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        if self._quantiser is None:
            self._quantiser = faiss.ProductQuantizer(rows.shape[1], self.code_bytes, 8)
            self._quantiser.train(np.ascontiguousarray(np.tile(rows, (-(-9984 // len(rows)), 1))))
        codes = self._quantiser.compute_codes(rows)
        self._classes |= {int(label): codes[labels == label] for label in np.unique(labels)}

    def recall(self) -> tuple[NDArray[np.float32], Labels]:
        """What the codes stand for."""
        parts = [self._classes[int(label)] for label in self.labels]
        rows: NDArray[np.float32] = self._quantiser.decode(np.concatenate(parts))
        return rows, np.repeat(self.labels, [len(part) for part in parts])


def eight_bits(rows: AnyFloats) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Entries of rows as whole numbers of a scale a row."""
    scales = (np.abs(rows).max(1, keepdims=True) / 127).astype(np.float16)
    return np.rint(rows / np.maximum(scales, 1e-6)).clip(-127, 127).astype(np.int8), scales


def whole(codes: NDArray[np.int8], scales: NDArray[np.float16]) -> AnyFloats:
    """The rows that `eight_bits` rounded."""
    return codes.astype(np.float64) * scales


def leading(covariance: AnyFloats, count: int) -> tuple[AnyFloats, AnyFloats, float]:
    """The leading directions `(d, count)` and their variances, and the mean variance of the rest; directions after rounding."""
    d = len(covariance)
    variances, directions = np.linalg.eigh(covariance)
    chosen = whole(*eight_bits(directions[:, ::-1][:, :count].T)).T if count else directions[:, :0]
    orthogonal = np.linalg.qr(chosen)[0] if count else chosen
    ordered = np.maximum(variances[::-1], 0)
    return orthogonal, ordered[:count], float(ordered[count:].mean()) if count < d else 0.0
