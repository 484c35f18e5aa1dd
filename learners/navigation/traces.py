"""Episodes of a navigator: how they ended, and what the network made of every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...envs.navigation.objectnav_grid import NavigationMeasures

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class NavigationResult:
    """How an episode ended."""

    success: bool
    """Whether the navigator stopped beside the goal."""
    measures: NavigationMeasures
    """Path lengths and distances, for SPL and soft SPL."""
    steps: int
    """Actions taken, turns and doors among them; giving up is one."""
    given_up: bool = False
    """Whether it was ended early, as it was not going to succeed."""


@dataclass(frozen=True, kw_only=True)
class StepReading:
    """What the network makes of one step of N episodes."""

    views: NDArray[np.uint8]
    """What is seen `(N, rows, columns, channels)`."""
    aligned: NDArray[np.float32]
    """Aligned features `(N, D)`."""
    temporal: NDArray[np.float32]
    """What the decoder gives, all steps so far considered `(N, D)`."""
    logits: Tensor
    """Of the next action `(N, actions)`."""


@dataclass(frozen=True, kw_only=True)
class EpisodeTrace:
    """An episode, with what the network made of its T steps."""

    result: NavigationResult
    """How it ended."""
    views: NDArray[np.uint8]
    """What was seen before each action `(T, rows, columns, channels)`."""
    aligned: NDArray[np.float32]
    """Aligned features `(T, D)`."""
    temporal: NDArray[np.float32]
    """What the decoder gave `(T, D)`."""


def make_trace(readings: Sequence[StepReading], place: int, info: dict[str, Any], *, given_up: bool = False) -> EpisodeTrace:
    """The trace of the episode at a place among those that were read side by side, from what the environment said last."""
    success = bool(info["success"]) and not given_up
    return EpisodeTrace(
        result=NavigationResult(success=success, measures=info["navigation"], steps=len(readings), given_up=given_up),
        views=np.stack([one.views[place] for one in readings]),
        aligned=np.stack([one.aligned[place] for one in readings]),
        temporal=np.stack([one.temporal[place] for one in readings]),
    )
