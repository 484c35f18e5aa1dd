"""`MiniLMEncoder`: a sentence-transformers model from a local directory."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ...core import ModelCorrupt, ModelMissing
from ...numerics.arrays import Vector
from .bert import BertModel, is_plain_bert
from .encoder import ends

WINDOW = 700
"""Characters read at once; they stay inside the model's 256 tokens, past which it reads nothing."""
BATCH = 32
"""Pieces read at once, at most."""
BATCH_CHARACTERS = 4 * WINDOW
"""Characters read at once, at most, some 0.15 s of one core."""


class MiniLMEncoder:
    """all-MiniLM-L6-v2 (384 dimensions) or any other sentence-transformers model. Loaded on first use; thread-safe.

    Reimers and Gurevych 2019, "Sentence-BERT", https://arxiv.org/abs/1908.10084; Wang et al. 2020, "MiniLM", https://arxiv.org/abs/2002.10957.

    A text longer than the window is read piece by piece and its vectors are averaged, so that the goal at the end
    of a long context counts. Of a very long one the two ends are read (`ends`).
    Raises `ModelMissing` at once when there is no such directory, and `ModelCorrupt` on first use when it holds no readable model,
    or one that asks for program code of its own, which is never run.
    """

    def __init__(self, path: str | os.PathLike[str], *, halved: bool = False) -> None:
        """`halved`: products in bfloat16 where the processor has them, in two thirds of the time; see `BertModel`."""
        path = Path(path)
        if not (path / "config.json").is_file():
            raise ModelMissing(f"no encoder model in {path}; run `lifelong models pull`, or set memory.encoder to 'hashed'")
        self._path = path
        self._halved = halved
        self._model: BertModel | _LibraryModel | None = None
        self._lock = threading.Lock()

    @property
    def dimensions(self) -> int:
        """Length of every vector; loads the model."""
        return self._loaded().dimensions

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit rows, float32 `(n, dimensions)`."""
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        # What is left of bytes that are no UTF-8 text has no token; it is read as the mark of a missing letter.
        texts = [ends(text).encode("utf-8", "surrogatepass").decode("utf-8", "replace") for text in texts]
        pieces = [text[start : start + WINDOW] for text in texts for start in range(0, max(1, len(text)), WINDOW)]
        owners = [row for row, text in enumerate(texts) for _ in range(0, max(1, len(text)), WINDOW)]
        model = self._loaded()
        encoded = np.zeros((len(pieces), model.dimensions), dtype=np.float32)
        for some in _batches(pieces):
            encoded[some] = model.vectors([pieces[place] for place in some])
        rows = np.zeros((len(texts), encoded.shape[1]), dtype=np.float32)
        np.add.at(rows, owners, encoded)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows

    def _loaded(self) -> BertModel | _LibraryModel:
        if self._model is not None:
            return self._model
        with self._lock:
            if self._model is None:
                try:
                    _refuse_custom_modules(self._path / "modules.json")
                    self._model = BertModel(self._path, halved=self._halved) if is_plain_bert(self._path) else _LibraryModel(self._path)
                except Exception as error:
                    # The libraries below raise nearly every kind of error for a damaged file.
                    raise ModelCorrupt(
                        f"the encoder model in {self._path} cannot be read ({error}); delete it and run `lifelong models pull`"
                    ) from error
            return self._model


class _LibraryModel:
    """Any sentence-transformers model, run by that library."""

    def __init__(self, path: Path) -> None:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        # A bar for a model of 90 MB would only break the caller's own display.
        logging.disable_progress_bar()
        self._model = SentenceTransformer(str(path), device="cpu", local_files_only=True, trust_remote_code=False).eval()
        # One batch at a time, for a fraction of a second, so that a short request never waits for all of a long one.
        self._lock = threading.Lock()
        size = self._model.get_embedding_dimension()
        if size is None:
            raise ValueError("it does not say how long its vectors are")
        self.dimensions: int = size

    def vectors(self, texts: list[str]) -> Vector:
        """Unit rows `(n, d)`."""
        with self._lock:
            return np.asarray(self._model.encode(texts, normalize_embeddings=True, show_progress_bar=False), dtype=np.float32)


def _batches(pieces: Sequence[str]) -> Iterator[list[int]]:
    """Places of pieces to be read together: of like length, as padding costs time, and not too many at once."""
    batch: list[int] = []
    for place in sorted(range(len(pieces)), key=lambda place: len(pieces[place])):
        if batch and (len(batch) == BATCH or (len(batch) + 1) * len(pieces[place]) > BATCH_CHARACTERS):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _refuse_custom_modules(file: Path) -> None:
    """Raise `ValueError` when a model's list of modules names any that is not part of sentence-transformers: it would be imported."""
    for module in json.loads(file.read_text(encoding="utf-8")) if file.is_file() else ():
        if not str(module["type"]).startswith("sentence_transformers."):
            raise ValueError(f"{file.name} asks for {str(module['type'])[:100]!r}, program code that is not part of sentence-transformers")
