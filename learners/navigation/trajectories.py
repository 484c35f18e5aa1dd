"""Episodes with the expert's action for every step, and as tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...core import Task
from ...envs import ObjectNavGridEnvironment
from .losses import inflection_weights
from .modalities import GOALS, begin_sight
from .network import padded

if TYPE_CHECKING:
    from torch import Tensor

ACTIONS = ("left", "right", "forward", "open", "stop")
"""What the policy chooses among."""


@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """An episode with the expert's action for every step."""

    category: str
    """What was looked for."""
    views: NDArray[np.uint8]
    """What was seen before each action `(T, rows, columns, channels)`."""
    actions: NDArray[np.int64]
    """What the expert would do: indexes into `ACTIONS` `(T,)`."""
    taken: NDArray[np.int64] | None = None
    """What was done, where it was not the expert who moved `(T,)`."""

    @property
    def last(self) -> NDArray[np.int64]:
        """What was done before each step `(T,)`; `len(ACTIONS)` before the first."""
        done = self.actions if self.taken is None else self.taken
        return np.concatenate([[len(ACTIONS)], done[:-1]]).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class EpisodeBatch:
    """Steps of B episodes as tensors, shorter ones filled up to T steps."""

    views: Tensor
    """`(B, T, rows, columns, channels)`."""
    goals: Tensor
    """Numbers of categories `(B,)`."""
    last: Tensor
    """Actions before each step `(B, T)`."""
    actions: Tensor
    """`(B, T)`."""
    weights: Tensor
    """Inflection weights `(B, T)`."""
    valid: Tensor
    """1 for a step, 0 for what fills up `(B, T)`."""


def make_batch(
    categories: Sequence[str],
    views: Sequence[NDArray[np.uint8]],
    last: Sequence[NDArray[np.integer]],
    actions: Sequence[NDArray[np.integer]],
    weights: Sequence[NDArray[np.floating]],
) -> EpisodeBatch:
    """A batch of some episodes, each of which has its category, views, last actions, actions and weights."""
    import torch

    rows, valid = padded([torch.from_numpy(one).long() for one in views])
    before, chosen = (padded([torch.from_numpy(one).long() for one in numbers])[0] for numbers in (last, actions))
    goals = torch.tensor([GOALS.index(name) for name in categories], dtype=torch.long)
    weighted, _ = padded([torch.from_numpy(one).float() for one in weights])
    return EpisodeBatch(views=rows, goals=goals, last=before, actions=chosen, weights=weighted, valid=valid)


def whole(trajectories: Sequence[Trajectory], inflection: float) -> EpisodeBatch:
    """All steps of some trajectories."""
    return make_batch(
        [one.category for one in trajectories],
        [one.views for one in trajectories],
        [one.last for one in trajectories],
        [one.actions for one in trajectories],
        [inflection_weights(one.actions.tolist(), weight=inflection) for one in trajectories],
    )


def shuffled(trajectories: Sequence[Trajectory], size: int, rng: np.random.Generator) -> Iterator[list[Trajectory]]:
    """All trajectories once, `size` at a time."""
    order = rng.permutation(len(trajectories))
    for first in range(0, len(order), size):
        yield [trajectories[place] for place in order[first : first + size]]


def record(environment: ObjectNavGridEnvironment, tasks: Sequence[Task]) -> list[Trajectory]:
    """Episodes of the expert that searches (`ObjectNavGridEnvironment.search`); one whose goal it does not reach in time is left out.

    Raises `GoalUnreachable` where nobody could succeed.
    """
    trajectories = []
    episode = environment.spawn()
    for task in tasks:
        _, info = episode.reset(options={"task": task})
        seen, views, actions, ended = set[tuple[int, int]](), list[NDArray[np.uint8]](), list[int](), False
        see = begin_sight(episode)
        while not ended:
            action = episode.search(seen)
            views.append(see(info))
            actions.append(ACTIONS.index(action))
            _, _, terminated, truncated, info = episode.step(action)
            ended = terminated or truncated
        if info["success"]:
            category = info["navigation"].category
            trajectories.append(Trajectory(category=category, views=np.stack(views), actions=np.array(actions, dtype=np.int64)))
    episode.close()
    return trajectories


def replayed(environment: ObjectNavGridEnvironment, task: Task, actions: Sequence[str]) -> Trajectory:
    """A successful episode with the views that belong to its actions: a record of words is enough to learn from.

    Raises `ValueError` where the actions do not lead to success, and for one that is none of `ACTIONS`.
    """
    episode = environment.spawn()
    _, info = episode.reset(options={"task": task})
    views, numbers, ended, see = list[NDArray[np.uint8]](), list[int](), False, begin_sight(episode)
    for action in actions:
        if ended:
            break
        views.append(see(info))
        numbers.append(ACTIONS.index(action))
        _, _, terminated, truncated, info = episode.step(action)
        ended = terminated or truncated
    episode.close()
    if not info["success"] or len(numbers) != len(actions):
        raise ValueError(f"the actions of task {task.id!r} do not lead to success; only successful episodes are learned from")
    return Trajectory(category=info["navigation"].category, views=np.stack(views), actions=np.array(numbers, dtype=np.int64))
