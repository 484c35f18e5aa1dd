"""How many examples a property that sets its own number is tried on."""

from __future__ import annotations

from hypothesis import settings


def examples(number: int) -> int:
    """The number, or under `--hypothesis-profile quick` as much fewer as that profile has fewer than the usual hundred."""
    return max(5, number * settings.default.max_examples // 100) if settings.default else number
