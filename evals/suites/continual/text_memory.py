"""The texts themselves as the memory, deflated: what every memory of vectors has to be compared with where samples are texts.

Nothing is lost, so what is trained on them is as good as joint training. What it takes besides is to encode every text again before a
sleep, and it keeps the texts: whoever has the memory can read them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

import numpy as np

from ....numerics.arrays import Labels, Vector
from ....perception import Encoder
from ...data.texts import Texts
from .plain_baselines import LogisticHead
from .sampled_memories import LABEL_BYTES, SampledMemory, SampledMemoryHead


class TextMemory(SampledMemory):
    """The texts of each class in one deflated blob, at most `per_class` of them; `recall` encodes them again."""

    def __init__(self, encoder: Encoder, *, per_class: int | None = None, seed: int = 0) -> None:
        super().__init__()
        self.encoder, self.per_class, self._draw = encoder, per_class, np.random.default_rng(seed)

    @property
    def bytes(self) -> int:
        """Blobs and class numbers."""
        return sum(len(blob) + LABEL_BYTES for blob in self._classes.values())

    def remember_texts(self, texts: Texts) -> None:
        """Deflate texts, class by class; a class that is met again is deflated anew with what it had."""
        for label in np.unique(texts.labels):
            come = [texts.texts[place] for place in np.flatnonzero(texts.labels == label)]
            some = [come[place] for place in np.sort(self._draw.permutation(len(come))[: self.per_class])]
            known = self.texts_of(int(label)) if int(label) in self._classes else []
            self._classes[int(label)] = zlib.compress(json.dumps(known + some, ensure_ascii=False, separators=(",", ":")).encode(), 9)

    def remember(self, vectors: Vector, labels: Labels) -> None:
        """Refused with `TypeError`: vectors are no texts."""
        raise TypeError("TextMemory keeps texts; call `remember_texts`")

    def texts_of(self, label: int) -> list[str]:
        """The texts of a class, as they came."""
        texts: list[str] = json.loads(zlib.decompress(self._classes[label]))
        return texts

    def recall(self) -> tuple[Vector, Labels]:
        """Vectors of all texts, class by class."""
        parts = [self.texts_of(int(label)) for label in self.labels]
        return self.encoder.encode([text for part in parts for text in part]), np.repeat(self.labels, [len(part) for part in parts])


class TextSleepHead(SampledMemoryHead):
    """Sleeps as `CueHead` does, on texts."""

    def __init__(self, encoder: Encoder, *, per_class: int | None = None, seed: int = 0) -> None:
        super().__init__(TextMemory(encoder, per_class=per_class, seed=seed), seed=seed)

    def learn_texts(self, texts: Texts) -> None:
        """Wake: keep texts."""
        assert isinstance(self.memory, TextMemory)
        self.memory.remember_texts(texts)
        self._members = ()


class TextLogisticHead(LogisticHead):
    """Logistic regression on the texts that are kept, encoded again before it is fitted."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.memory = TextMemory(encoder)

    @property
    def labels(self) -> Labels:
        """Class numbers known, ascending."""
        return self.memory.labels

    def learn_texts(self, texts: Texts) -> None:
        """Keep texts."""
        self.memory.remember_texts(texts)
        self._model = None

    def predict(self, vectors: Vector) -> Labels:
        """The likeliest class numbers `(n,)`."""
        if self._model is None:
            rows, labels = self.memory.recall()
            self._rows, self._labels = [rows.astype(np.float16)], [labels]
            answer = super().predict(vectors)
            self._rows, self._labels = [], []  # they follow from the texts
            return answer
        return super().predict(vectors)


class KnownTexts:
    """An encoder that looks vectors up among those of known texts: what encoding them again gives, without its time."""

    def __init__(self, texts: Texts) -> None:
        self._vectors = texts.vectors
        self._places = {text: place for place, text in enumerate(texts.texts)}

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._vectors.shape[1])

    def encode(self, texts: Sequence[str]) -> Vector:
        """Vectors `(n, d)`. Raises `KeyError` for an unknown text."""
        return np.asarray(self._vectors[[self._places[text] for text in texts]])
