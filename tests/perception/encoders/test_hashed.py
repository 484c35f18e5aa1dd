"""The hashed encoder: the same anywhere, cosines kept, any text read."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from lifelong.perception import (
    Encoder,
    HashedEncoder,
)


def test_hashed_vectors_are_the_same_in_another_process() -> None:
    code = "from lifelong.perception import HashedEncoder as E; print(E(64, seed=3).encode(['a door', 'Ünï']).tobytes().hex())"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": "7"}
    )
    assert run.stdout.strip() == HashedEncoder(64, seed=3).encode(["a door", "Ünï"]).tobytes().hex()


def test_hashed_vectors_keep_cosines_of_their_features() -> None:
    # The projection is unbiased: over seeds, the mean cosine is that of the sparse feature vectors.
    from collections import Counter

    from lifelong.perception.encoders.hashed import features

    first, second = (Counter(features(text)) for text in ("open the red door", "open the blue door now"))
    weigh = {name: np.log1p([first[name], second[name]]) for name in first | second}
    table = np.array(list(weigh.values()))
    exact = table[:, 0] @ table[:, 1] / np.linalg.norm(table[:, 0]) / np.linalg.norm(table[:, 1])
    rows = [HashedEncoder(384, seed=seed).encode(["open the red door", "open the blue door now"]) for seed in range(60)]
    assert np.mean([a @ b for a, b in rows]) == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("dimensions", [0, -8, 12])
def test_hashed_dimensions_are_checked(dimensions: int) -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        HashedEncoder(dimensions)


BROKEN = b"\xff\xfe caf\xe9 rows".decode("utf-8", "surrogateescape")
"""What becomes of bytes in another encoding."""


def check_strange_texts(encoder: Encoder) -> None:
    rows = encoder.encode(["word " * 20_000, BROKEN, "\ud800", "caf rows"])
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert rows[1] @ rows[3] > rows[2] @ rows[3], "what can be read of a broken text counts"


def test_hashed_reads_long_and_broken_texts() -> None:
    check_strange_texts(HashedEncoder())
