"""Arrays, class statistics, intervals and draws by hash; numpy only."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .arrays import Labels, Logits, Scores, Vector, batched, l2_normalize, validate_rows
    from .class_statistics import ClassStatistics, squared_distances, whitening
    from .intervals import Interval, bootstrap_ci95, paired_difference_ci95, rate_difference_ci95, wilson_ci95

_FACE = {
    "ClassStatistics": "class_statistics",
    "Interval": "intervals",
    "Labels": "arrays",
    "Logits": "arrays",
    "Scores": "arrays",
    "Vector": "arrays",
    "batched": "arrays",
    "bootstrap_ci95": "intervals",
    "l2_normalize": "arrays",
    "paired_difference_ci95": "intervals",
    "rate_difference_ci95": "intervals",
    "squared_distances": "class_statistics",
    "validate_rows": "arrays",
    "whitening": "class_statistics",
    "wilson_ci95": "intervals",
}

__all__ = [
    "ClassStatistics",
    "Interval",
    "Labels",
    "Logits",
    "Scores",
    "Vector",
    "batched",
    "bootstrap_ci95",
    "l2_normalize",
    "paired_difference_ci95",
    "rate_difference_ci95",
    "squared_distances",
    "validate_rows",
    "whitening",
    "wilson_ci95",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name in _FACE:
        return getattr(import_module(f".{_FACE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
