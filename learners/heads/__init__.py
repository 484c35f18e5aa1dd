"""Heads: classifiers of vectors that learn class after class without the samples of earlier classes."""

from __future__ import annotations

MEMBERS = {
    "nearest_mean": "nearest_mean:NearestMeanHead",
    "streaming_lda": "streaming_lda:StreamingLDAHead",
    "ridge": "ridge:RidgeHead",
    "ranpac": "ranpac:RanPACHead",
}
"""Heads that a benchmark can be asked for by name; each is made with `seed` where it draws."""
