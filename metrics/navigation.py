"""How well episodes of navigation went, as pure functions of their outcomes and path lengths.

All lengths are in one unit (cells or metres). Larger is better everywhere; figures lie in [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, nan
from statistics import fmean


def path_efficiency(shortest: float, taken: float) -> float:
    """The shortest path's length over the longer of it and the path taken; 1 where no step was needed and none was taken.

    Raises `ValueError` for a length that is negative or not finite.
    """
    if not (isfinite(shortest) and isfinite(taken)) or min(shortest, taken) < 0:
        raise ValueError(f"lengths must be finite and not negative; got a shortest path of {shortest} and a path of {taken}")
    longer = max(shortest, taken)
    return shortest / longer if longer else 1.0


def success_weighted_path_length(successes: Sequence[bool], shortest: Sequence[float], taken: Sequence[float]) -> float:
    """SPL: the mean over episodes of S l / max(p, l), NaN over none.

    Anderson et al. 2018, "On Evaluation of Embodied Navigation Agents", https://arxiv.org/abs/1807.06757, section 3. S is success,
    l the shortest path from start to goal, p the path taken. Raises `ValueError` for unequal numbers of episodes.
    """
    terms = [success * path_efficiency(best, path) for success, best, path in zip(successes, shortest, taken, strict=True)]
    return fmean(terms) if terms else nan


def soft_success(start_distance: float, final_distance: float) -> float:
    """The share of the way to the goal that was made: max(0, 1 - d_T / d_0); at the goal from the start, 1 where it still is."""
    if not (isfinite(start_distance) and isfinite(final_distance)) or min(start_distance, final_distance) < 0:
        raise ValueError(f"distances must be finite and not negative; got {start_distance} and {final_distance}")
    return max(0.0, 1.0 - final_distance / start_distance) if start_distance else float(final_distance == 0)


def soft_success_weighted_path_length(final_distances: Sequence[float], shortest: Sequence[float], taken: Sequence[float]) -> float:
    """Soft SPL: SPL with `soft_success` in the place of success, NaN over no episodes.

    Datta et al. 2020, "Integrating Egocentric Localization for More Realistic Point-Goal Navigation Agents",
    https://arxiv.org/abs/2009.03231, section 4. Raises `ValueError` for unequal numbers of episodes.
    """
    episodes = zip(final_distances, shortest, taken, strict=True)
    terms = [soft_success(best, final) * path_efficiency(best, path) for final, best, path in episodes]
    return fmean(terms) if terms else nan
