"""What is kept of past episodes, within a bound of bytes, the same share for every category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray


class Stored(Protocol):
    """An episode of which something is kept."""

    @property
    def category(self) -> str:
        """What was looked for."""

    @property
    def nbytes(self) -> int:
        """Bytes that it costs."""


@dataclass(frozen=True, kw_only=True)
class StoredFeatures:
    """The kept steps of one episode as features; neither pictures nor texts."""

    category: str
    """What was looked for."""
    features: NDArray[np.float16]
    """Aligned features `(t, D)`."""
    actions: NDArray[np.uint8]
    """What was done `(t,)`."""
    weights: NDArray[np.float16]
    """Inflection weights from the whole episode `(t,)`: between kept steps the action may have changed and come back."""

    @property
    def nbytes(self) -> int:
        """Bytes that it costs."""
        return self.features.nbytes + self.actions.nbytes + self.weights.nbytes


@dataclass(frozen=True, kw_only=True)
class StoredViews:
    """The kept steps of one episode as they were seen."""

    category: str
    """What was looked for."""
    views: NDArray[np.uint8]
    """What was seen `(t, rows, columns, channels)`."""
    last: NDArray[np.uint8]
    """The action before each `(t,)`."""
    actions: NDArray[np.uint8]
    """What was to be done `(t,)`."""
    weights: NDArray[np.float16]
    """Inflection weights from the whole episode `(t,)`."""

    @property
    def nbytes(self) -> int:
        """Bytes that it costs."""
        return self.views.nbytes + self.last.nbytes + self.actions.nbytes + self.weights.nbytes


E = TypeVar("E", bound=Stored)


class EpisodeBuffer(Generic[E]):
    """Stored episodes; where they are over the bound, the category with most bytes loses one at random. Same seed, same episodes."""

    def __init__(self, max_bytes: int, *, seed: int = 0, episodes: Sequence[E] = ()) -> None:
        if max_bytes < 0:
            raise ValueError(f"max_bytes must not be negative; got {max_bytes}")
        self.max_bytes = max_bytes
        self._rng = np.random.default_rng(seed)
        self._episodes: list[E] = []
        self.add(episodes)

    @property
    def episodes(self) -> tuple[E, ...]:
        """All that is stored."""
        return tuple(self._episodes)

    @property
    def nbytes(self) -> int:
        """Bytes of all that is stored; never above `max_bytes`."""
        return sum(one.nbytes for one in self._episodes)

    def add(self, episodes: Sequence[E]) -> None:
        """Store episodes, and drop as many as are over the bound."""
        self._episodes.extend(episodes)
        sizes: dict[str, int] = {}
        for one in self._episodes:
            sizes[one.category] = sizes.get(one.category, 0) + one.nbytes
        while sum(sizes.values()) > self.max_bytes:
            largest = max(sorted(sizes), key=lambda name: sizes[name])
            places = [place for place, one in enumerate(self._episodes) if one.category == largest]
            dropped = self._episodes.pop(places[int(self._rng.integers(len(places)))])
            sizes[largest] -= dropped.nbytes

    def forget(self, category: str) -> int:
        """Drop all of a category; returns how many there were."""
        before = len(self._episodes)
        self._episodes = [one for one in self._episodes if one.category != category]
        return before - len(self._episodes)

    def sample(self, count: int, rng: np.random.Generator) -> list[E]:
        """`count` episodes, or all where there are fewer, without repetition."""
        chosen = rng.permutation(len(self._episodes))[:count]
        return [self._episodes[place] for place in chosen]

    @property
    def random_state(self) -> dict[str, Any]:
        """Where its draws stand, as plain values."""
        return dict(self._rng.bit_generator.state)

    def copy(self) -> EpisodeBuffer[E]:
        """A buffer of its own with the same episodes."""
        return self.restored(self._episodes, self.random_state)

    def restored(self, episodes: Sequence[E], random_state: Mapping[str, Any]) -> EpisodeBuffer[E]:
        """A buffer with this one's bound that holds some episodes as they are, and whose draws go on from `random_state`."""
        other: EpisodeBuffer[E] = EpisodeBuffer(self.max_bytes)
        other._episodes = list(episodes)
        other._rng.bit_generator.state = dict(random_state)
        return other
