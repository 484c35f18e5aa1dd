"""`RecentEncoder`: any encoder, with the rows that it gave lately."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from ...numerics.arrays import Vector
from .encoder import Encoder

MOST = 512
"""Rows that are kept, 0.8 MB of the default model's."""
SECONDS = 60.0
"""How long: a request's text is read again within seconds, when it is recorded, indexed, or asked again."""


class RecentEncoder:
    """Encodes a text once where it is asked for several times in a row: for a request, and again for what the request said. Thread-safe.

    Reading a text is most of what a request costs. Rows are kept under keyed digests and no text is; `forget` drops them all, and
    what another process erased is dropped when the next text is read after `SECONDS`. A plain cache, of which there is no paper.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[float, Vector]] = OrderedDict()
        self._forgotten = 0

    @property
    def dimensions(self) -> int:
        """As the encoder's."""
        return self._encoder.dimensions

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit rows, float32 `(n, dimensions)`, those of the encoder. Raises what the encoder raises."""
        if not texts:
            return self._encoder.encode(texts)
        keys = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).digest() for text in texts]
        with self._lock:
            forgotten = self._forgotten
            self._drop_old()
            rows = {key: self._kept[key][1] for key in keys if key in self._kept}
        if new := {key: text for key, text in zip(keys, texts, strict=True) if key not in rows}:
            read = dict(zip(new, self._encoder.encode(list(new.values())), strict=True))
            rows |= read
            with self._lock:
                # What was erased meanwhile is not kept.
                if forgotten == self._forgotten:
                    self._keep(read)
        return np.stack([rows[key] for key in keys])

    def forget(self) -> None:
        """Drop every row."""
        with self._lock:
            self._kept.clear()
            self._forgotten += 1

    def _keep(self, read: dict[bytes, Vector]) -> None:
        now = time.monotonic()
        # Copies: a row of a large batch would keep all of it.
        self._kept |= {key: (now, row.copy()) for key, row in read.items()}
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)

    def _drop_old(self) -> None:
        latest = time.monotonic() - SECONDS
        while self._kept and next(iter(self._kept.values()))[0] < latest:
            self._kept.popitem(last=False)
