"""Contract of `Encoder`, for its members here and anybody's own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..perception import Encoder
from .failures import asserting

TEXTS = (
    "How many students are in the class?",
    "",
    "open the red door",
    "naïve Ünïcödé 你好 🙂",
    "CREATE TABLE t (a INT);\n" * 200 + "How many rows does t have?",
)


@asserting
def check_encoder(make: Callable[[], Encoder]) -> None:
    """Raise `AssertionError` for the first rule that the encoders made by `make` break."""
    encoder = make()
    assert isinstance(encoder, Encoder), "an encoder has `dimensions` and `encode`"
    rows = encoder.encode(TEXTS)
    assert rows.shape == (len(TEXTS), encoder.dimensions), f"one row a text, `dimensions` long; got {rows.shape}"
    assert rows.dtype == np.float32, f"rows are float32, got {rows.dtype}"
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5), "every row has length one, that of the empty text too"
    assert encoder.encode([]).shape == (0, encoder.dimensions), "no texts give no rows"
    assert np.allclose(encoder.encode(TEXTS[::-1])[::-1], rows, atol=1e-5), "a row does not depend on what stands beside it"
    assert np.allclose(make().encode(TEXTS), rows, atol=1e-6), "another instance gives the same rows (invariant Determinism)"
    near, same, far = encoder.encode(["count the students", "count all the students", "walk to the blue ball"])
    assert near @ same > near @ far, "similar texts lie nearer than out-of-scope ones"
    assert rows[4] @ encoder.encode(["How many rows does t have?"])[0] != 0, "the end of a long text counts"
