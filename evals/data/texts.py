"""Labelled texts that suites measure on, CLINC150 and BANKING77, with their vectors, encoded once a machine."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...perception import HashedEncoder, MiniLMEncoder
from ...serving import cache_directory, locate

OUT_OF_SCOPE = -1
"""The label of texts that belong to no class."""
CLINC150 = ("clinc150/data_full.json", "clinc150/all_wiki_sents.txt")
BANKING77 = ("banking77/train.csv", "banking77/test.csv", "banking77/categories.json")
ENCODER = "all-minilm-l6-v2"
TWO_VIEWS = "_two_views"
"""Ends the name of a method that reads both views of a text, the sentence vector and the hashed words and letters."""
HASHED = 384
"""Length of the second view of a text: hashed words and letters, which see a name or a misspelling that the sentence model does not."""


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Texts, their classes and their vectors; all of one length."""

    texts: tuple[str, ...]
    """The texts."""
    labels: NDArray[np.int64]
    """Class numbers `(n,)`, `OUT_OF_SCOPE` where there is none."""
    vectors: NDArray[np.float32]
    """Unit vectors `(n, d)`."""

    def __len__(self) -> int:
        return len(self.texts)

    def subset(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Texts:
        """Some of them, by a mask or by their places."""
        places = np.arange(len(self))[rows]
        return Texts(texts=tuple(self.texts[place] for place in places), labels=self.labels[places], vectors=self.vectors[places])

    def with_labels(self, labels: NDArray[np.int64]) -> Texts:
        """The same texts under other class numbers."""
        return replace(self, labels=labels)


@dataclass(frozen=True, kw_only=True)
class TextData:
    """A data set in its official splits."""

    names: tuple[str, ...]
    """Class names in the order of their numbers."""
    train: Texts
    """To learn from."""
    validation: Texts
    """To choose with; empty where the data set has none."""
    test: Texts
    """To be measured on, never chosen with."""
    outliers_train: Texts
    """Texts of no class to learn from; empty where the data set has none."""
    outliers_validation: Texts
    """Texts of no class to choose with; empty where the data set has none."""
    outliers_test: Texts
    """Texts of no class to be measured on; empty where the data set has none."""
    sentences: Texts
    """Sentences of an encyclopaedia, of no class; empty where the data set has none."""


@cache
def clinc150(data: Path, sentences: int = 5000) -> TextData:
    """CLINC150, 150 intents and out-of-scope queries (Larson et al. 2019), with the first `sentences` of its encyclopaedia sentences."""
    plain: dict[str, list[tuple[str, str]]] = json.loads((data / CLINC150[0]).read_text(encoding="utf-8"))
    names = tuple(sorted({name for _, name in plain["train"]}))
    lines = (data / CLINC150[1]).read_text(encoding="utf-8").splitlines()[:sentences]
    parts = {part: _texts([text for text, _ in rows], [name for _, name in rows], names) for part, rows in plain.items()}
    return TextData(
        names=names,
        train=parts["train"],
        validation=parts["val"],
        test=parts["test"],
        outliers_train=parts["oos_train"],
        outliers_validation=parts["oos_val"],
        outliers_test=parts["oos_test"],
        sentences=_texts(lines, [""] * len(lines), names),
    )


@cache
def banking77(data: Path) -> TextData:
    """BANKING77, 77 intents of one domain (Casanueva et al. 2020); it has neither a validation split nor outliers."""
    names = tuple(sorted(json.loads((data / BANKING77[2]).read_text(encoding="utf-8"))))
    train, test = (_csv(data / file, names) for file in BANKING77[:2])
    empty = train.subset(np.zeros(len(train), dtype=bool))
    return TextData(
        names=names,
        train=train,
        validation=empty,
        test=test,
        outliers_train=empty,
        outliers_validation=empty,
        outliers_test=empty,
        sentences=empty,
    )


def sample_per_class(texts: Texts, per_class: int, seed: int) -> Texts:
    """So many texts of each class, drawn, in their order; all of a class where there are fewer."""
    draw = np.random.default_rng(seed)
    places = [draw.permutation(np.flatnonzero(texts.labels == one))[:per_class] for one in np.unique(texts.labels)]
    return texts.subset(np.sort(np.concatenate(places)))


def encoded(
    texts: Sequence[str], name: str = ENCODER, encode: Callable[[Sequence[str]], NDArray[np.float32]] | None = None
) -> NDArray[np.float32]:
    """Vectors of texts from the cache directory, encoded and put there when they are missing.

    `name` tells one encoder from another, `encode` is what encodes: the default encoder unless given.
    """
    key = hashlib.sha256("\0".join([name, *texts]).encode("utf-8", "surrogatepass")).hexdigest()[:24]
    file = cache_directory().parent / "encodings" / f"{key}.npy"
    if not file.exists():
        rows = (encode or MiniLMEncoder(locate(ENCODER)).encode)(texts)
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".draft.npy")
        np.save(draft, rows)
        draft.replace(file)
    vectors: NDArray[np.float32] = np.load(file)
    return vectors


def two_views(texts: Texts) -> NDArray[np.float32]:
    """Two blocks a text `(n, d + HASHED)`: its sentence vector and its hashed one, each of unit length."""
    hashed = encoded(texts.texts, f"hashed-{HASHED}", HashedEncoder(HASHED).encode)
    return np.hstack([texts.vectors, hashed.reshape(-1, HASHED)])


def with_two_views(data: TextData) -> TextData:
    """The same data set with both views as its vectors, scaled to unit length; its parts of no class are left as they are."""
    parts = {name: getattr(data, name) for name in ("train", "validation", "test")}
    return replace(data, **{name: replace(texts, vectors=two_views(texts) / np.float32(np.sqrt(2))) for name, texts in parts.items()})


def _texts(texts: Sequence[str], classes: Sequence[str], names: Sequence[str]) -> Texts:
    numbers = {name: number for number, name in enumerate(names)}
    labels = np.array([numbers.get(name, OUT_OF_SCOPE) for name in classes], dtype=np.int64)
    return Texts(texts=tuple(texts), labels=labels, vectors=encoded(texts))


def _csv(file: Path, names: Sequence[str]) -> Texts:
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    return _texts([text for text, _ in rows], [name for _, name in rows], names)
