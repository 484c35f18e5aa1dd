"""Where a failure leaves the way of the nearest success at the same task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....numerics.sequences import first_divergence, similarity, tokens
from .groups import TriedAnswer


@dataclass(frozen=True, kw_only=True)
class Divergence:
    """A failure beside the success that is most like it."""

    failure: TriedAnswer
    """The answer that failed."""
    success: TriedAnswer
    """The nearest one that succeeded."""
    place: int
    """Position of the failure's first token (word, number or sign) that differs; as long as the shorter one where that is its beginning."""


def divergences(attempts: Sequence[TriedAnswer]) -> list[Divergence]:
    """Each failure of a group with its nearest success; none where nothing succeeded.

    The earlier steps of both are alike, so that only the token at `place` is to blame for certain: as in step-wise preferences that are
    taken from the first erroneous step on (Lai et al. 2024, "Step-DPO", https://arxiv.org/abs/2406.18629).
    A success with the failure's very words, which only a contradictory judge gives, is passed over.
    """
    successes = [(attempt, tokens(attempt.answer)) for attempt in attempts if attempt.success]
    found = []
    for failure in attempts:
        if failure.success is not False:
            continue
        wrong = tokens(failure.answer)
        others = [(attempt, right) for attempt, right in successes if right != wrong]
        if others:
            success, right = max(others, key=lambda other: similarity(wrong, other[1]))
            place = first_divergence(wrong, right)
            assert place is not None, "the tokens differ"
            found.append(Divergence(failure=failure, success=success, place=place))
    return found
