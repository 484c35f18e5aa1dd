"""`MiniLMEncoder`: a sentence-transformers model from a local directory."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...core import ModelCorrupt, ModelMissing
from ...numerics.arrays import Vector
from .encoder import ends

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

WINDOW = 700
"""Characters read at once; they stay inside the model's 256 tokens, past which it reads nothing."""
BATCH = 32


class MiniLMEncoder:
    """all-MiniLM-L6-v2 (384 dimensions) or any other sentence-transformers model. Loaded on first use; thread-safe.

    A text longer than the window is read piece by piece and its vectors are averaged, so that the goal at the end
    of a long context counts. Of a very long one the two ends are read (`ends`).
    Raises `ModelMissing` at once when there is no such directory, and `ModelCorrupt` on first use when it holds no readable model,
    or one that asks for program code of its own, which is never run.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        path = Path(path)
        if not (path / "config.json").is_file():
            raise ModelMissing(f"no encoder model in {path}; run `lifelong models pull`, or set memory.encoder to 'hashed'")
        self._path = path
        self._model: SentenceTransformer | None = None
        self._lock = threading.Lock()

    @property
    def dimensions(self) -> int:
        """Length of every vector; loads the model."""
        with self._lock:
            size = self._loaded().get_embedding_dimension()
        if size is None:
            raise ModelCorrupt(f"the encoder model in {self._path} does not say how long its vectors are")
        return size

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit rows, float32 `(n, dimensions)`."""
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        # What is left of bytes that are no UTF-8 text has no token; it is read as the mark of a missing letter.
        texts = [ends(text).encode("utf-8", "surrogatepass").decode("utf-8", "replace") for text in texts]
        pieces = [text[start : start + WINDOW] for text in texts for start in range(0, max(1, len(text)), WINDOW)]
        owners = [row for row, text in enumerate(texts) for _ in range(0, max(1, len(text)), WINDOW)]
        # Pieces of like length together, as padding costs time; the model takes one batch at a time, for a fraction of a second, so
        # that a short request never waits for all of a long one.
        order = sorted(range(len(pieces)), key=lambda place: len(pieces[place]))
        encoded = np.zeros((len(pieces), self.dimensions), dtype=np.float32)
        for start in range(0, len(order), BATCH):
            some = order[start : start + BATCH]
            with self._lock:
                encoded[some] = _vectors(self._loaded(), [pieces[place] for place in some])
        rows = np.zeros((len(texts), encoded.shape[1]), dtype=np.float32)
        np.add.at(rows, owners, encoded)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows

    def _loaded(self) -> SentenceTransformer:
        if self._model is None:
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            # A bar for a model of 90 MB would only break the caller's own display.
            logging.disable_progress_bar()
            try:
                _refuse_custom_modules(self._path / "modules.json")
                model = SentenceTransformer(str(self._path), device="cpu", local_files_only=True, trust_remote_code=False)
                self._model = model.eval()
            except Exception as error:
                # The libraries below raise nearly every kind of error for a damaged file.
                raise ModelCorrupt(
                    f"the encoder model in {self._path} cannot be read ({error}); delete it and run `lifelong models pull`"
                ) from error
        return self._model


def _vectors(model: SentenceTransformer, pieces: list[str]) -> Vector:
    """Unit rows `(n, d)`: what `model.encode` gives, without its work on every call that a short text takes a third of its time for."""
    import torch

    if model.default_prompt_name is not None or model.truncate_dim is not None:
        return np.asarray(model.encode(pieces, normalize_embeddings=True, show_progress_bar=False), dtype=np.float32)
    # Releases before `preprocess` call it `tokenize`.
    prepared = getattr(model, "preprocess", None) or model.tokenize
    with torch.inference_mode():
        rows = model(prepared(pieces))["sentence_embedding"]
        return np.asarray(torch.nn.functional.normalize(rows, dim=1).numpy(), dtype=np.float32)


def _refuse_custom_modules(file: Path) -> None:
    """Raise `ValueError` when a model's list of modules names any that is not part of sentence-transformers: it would be imported."""
    for module in json.loads(file.read_text(encoding="utf-8")) if file.is_file() else ():
        if not str(module["type"]).startswith("sentence_transformers."):
            raise ValueError(f"{file.name} asks for {str(module['type'])[:100]!r}, program code that is not part of sentence-transformers")
