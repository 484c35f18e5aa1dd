"""What is done against forgetting, as parts that a method is put together from: `Retention` and its members.

A part keeps something between two stages (`nbytes`), adds a term to the loss of a gradient step from the second stage on, and is made anew
after each stage. None is changed: `after` and `without` return another one (invariant Purity).
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Labels
from .episode_buffer import E, EpisodeBuffer, StoredFeatures, StoredViews
from .keyframes import NEIGHBOURS, adaptive_keyframes, uniform_keyframes
from .losses import feature_distillation_loss, imitation_loss, inflection_weights, policy_distillation_loss
from .network import aligned_features, decoded, padded
from .trajectories import EpisodeBatch, Trajectory, make_batch, whole

if TYPE_CHECKING:
    from torch import Tensor, nn

Keyframes = Literal["adaptive", "uniform", "random"]
"""Which steps are kept: by local outlier factor, at even distances, or drawn at random."""


@dataclass(frozen=True, kw_only=True)
class GradientStep:
    """A gradient step, as far as a part may look at it."""

    network: nn.ModuleDict
    """It learns."""
    before: nn.ModuleDict
    """As it was at the end of the stage before."""
    batch: EpisodeBatch
    """Of the stage that is being learned."""
    taught: tuple[int, ...]
    """Numbers of the categories of earlier stages."""
    episodes: int
    """Stored episodes that are looked at beside the batch."""
    rng: np.random.Generator
    """Draws."""

    @cached_property
    def earlier(self) -> EpisodeBatch:
        """The batch with a goal of an earlier stage in the place of each episode's own: what the old network has an answer to."""
        import torch

        goals = torch.from_numpy(self.rng.choice(np.asarray(self.taught, dtype=np.int64), len(self.batch.goals)))
        return replace(self.batch, goals=goals)


class Retention(Protocol):
    """A part of a method against forgetting."""

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps between two stages, beside the network."""

    def loss(self, step: GradientStep) -> Tensor:
        """The term that it adds, its weight included."""

    def after(self, network: nn.ModuleDict, trajectories: Sequence[Trajectory], inflection: float, rng: np.random.Generator) -> Retention:
        """It after a stage that made `network` of `trajectories`."""

    def without(self, category: str) -> Retention:
        """It without what it keeps of a category."""


class _KeepsNothing:
    nbytes = 0

    def after(self, network: nn.ModuleDict, trajectories: Sequence[Trajectory], inflection: float, rng: np.random.Generator) -> Self:
        del network, trajectories, inflection, rng
        return self

    def without(self, category: str) -> Self:
        del category
        return self


@dataclass(frozen=True, kw_only=True)
class FeatureDistillation(_KeepsNothing):
    """C-NAV's L_KD: aligned features stay near those that the network of the stage before gives to the same views."""

    weight: float = 0.02
    """Of the term; the published 5 is of features that a pretrained model encodes."""
    earlier_goals: bool = True
    """Whether they are compared under goals of earlier stages; else under the goals that are being taught, which the old network never
    learned: as published, where goals and views are encoded by a pretrained model that knows them all."""

    def loss(self, step: GradientStep) -> Tensor:
        import torch

        batch = step.earlier if self.earlier_goals else step.batch
        with torch.no_grad():
            old = aligned_features(step.before, batch.views, batch.goals, batch.last)
        return self.weight * feature_distillation_loss(
            aligned_features(step.network, batch.views, batch.goals, batch.last), old, batch.valid
        )


@dataclass(frozen=True, kw_only=True)
class PolicyDistillation(_KeepsNothing):
    """LwF: the policy under goals of earlier stages stays near what the network of the stage before does with the same views.

    Li and Hoiem 2016, "Learning without Forgetting", https://arxiv.org/abs/1606.09282, equation 2, temperature 1.
    """

    weight: float = 1.0
    """Of the term."""

    def loss(self, step: GradientStep) -> Tensor:
        import torch

        batch = step.earlier
        with torch.no_grad():
            old = decoded(step.before, aligned_features(step.before, batch.views, batch.goals, batch.last))
        new = decoded(step.network, aligned_features(step.network, batch.views, batch.goals, batch.last))
        return self.weight * policy_distillation_loss(new, old, batch.valid)


@dataclass(frozen=True, kw_only=True)
class ElasticWeights:
    """EWC: weights that mattered stay near what they were.

    Kirkpatrick et al. 2017, "Overcoming catastrophic forgetting in neural networks", https://arxiv.org/abs/1612.00796, equation 3, with one
    running sum of diagonal Fisher information around the latest weights (Schwarz et al. 2018, https://arxiv.org/abs/1805.06370, section 3).
    """

    weight: float = 100.0
    """Of the term."""
    fisher: tuple[Tensor, ...] = ()
    """Squared gradients of the imitation loss, summed over stages, one tensor a parameter; none before the first stage."""
    episodes: int = 64
    """Of a stage, that the information is computed from."""

    @property
    def nbytes(self) -> int:
        return sum(one.nbytes for one in self.fisher)

    def loss(self, step: GradientStep) -> Tensor:
        import torch

        pairs = zip(step.network.parameters(), step.before.parameters(), self.fisher, strict=True)
        terms = [(mattered * (now - then.detach()).square()).sum() for now, then, mattered in pairs]
        return self.weight / 2 * torch.stack(terms).sum()

    def after(self, network: nn.ModuleDict, trajectories: Sequence[Trajectory], inflection: float, rng: np.random.Generator) -> Self:
        import torch

        network = copy.deepcopy(network)
        parameters = list(network.parameters())
        sums = [one.clone() for one in self.fisher] or [torch.zeros_like(one) for one in parameters]
        drawn = rng.permutation(len(trajectories))[: self.episodes]
        for place in drawn:
            batch = whole([trajectories[place]], inflection)
            loss = imitation_of(network, batch)
            gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
            for one, gradient in zip(sums, gradients, strict=True):
                if gradient is not None:
                    one += gradient.square() / len(drawn)
        return replace(self, fisher=tuple(sums))

    def without(self, category: str) -> Self:
        # A sum over all categories: nothing of one can be taken out.
        del category
        return self


@dataclass(frozen=True, kw_only=True)
class _Replay(ABC, Generic[E]):
    """Imitation on what is stored of earlier episodes."""

    weight: float = 1.0
    """Of the term."""
    buffer: EpisodeBuffer[E]
    """What is kept, in its bound."""

    @property
    def nbytes(self) -> int:
        return self.buffer.nbytes

    def loss(self, step: GradientStep) -> Tensor:
        import torch

        stored = self.buffer.sample(step.episodes, step.rng)
        return self.weight * self._imitation(step.network, stored) if stored else torch.zeros(())

    @abstractmethod
    def _imitation(self, network: nn.ModuleDict, stored: Sequence[E]) -> Tensor:
        """The imitation loss of a network on stored episodes, of which there is one at least."""

    def with_episodes(self, episodes: Sequence[E]) -> Self:
        """It with further episodes, within its bound."""
        return replace(self, buffer=_with(self.buffer, lambda buffer: buffer.add(episodes)))

    def without(self, category: str) -> Self:
        return replace(self, buffer=_with(self.buffer, lambda buffer: buffer.forget(category)))


@dataclass(frozen=True, kw_only=True)
class FeatureReplay(_Replay[StoredFeatures]):
    """C-NAV's L_FR: imitation on stored features of earlier episodes; what is decoded stays, whatever the encoder becomes."""

    weight: float = 0.3
    """Of the term."""
    keyframes: Keyframes = "adaptive"
    """Which steps of an episode are kept."""
    share: float = 0.5
    """Of an episode's steps, kept at most."""
    neighbours: int = NEIGHBOURS
    """Of the local outlier factor."""

    def _imitation(self, network: nn.ModuleDict, stored: Sequence[StoredFeatures]) -> Tensor:
        import torch

        features, valid = padded([torch.from_numpy(one.features).float() for one in stored])
        actions, _ = padded([torch.from_numpy(one.actions).long() for one in stored])
        weights, _ = padded([torch.from_numpy(one.weights).float() for one in stored])
        return imitation_loss(decoded(network, features), actions, weights, valid)

    def after(self, network: nn.ModuleDict, trajectories: Sequence[Trajectory], inflection: float, rng: np.random.Generator) -> Self:
        import torch

        stored = []
        for one in trajectories:
            batch = whole([one], inflection)
            with torch.no_grad():
                features = aligned_features(network, batch.views, batch.goals, batch.last)[0].numpy()
            steps = kept_steps(self.keyframes, features, self.share, self.neighbours, rng)
            stored.append(
                StoredFeatures(
                    category=one.category,
                    features=features[steps].astype(np.float16),
                    actions=one.actions[steps].astype(np.uint8),
                    weights=batch.weights[0].numpy()[steps].astype(np.float16),
                )
            )
        return self.with_episodes(stored)


@dataclass(frozen=True, kw_only=True)
class ViewReplay(_Replay[StoredViews]):
    """Data replay: imitation on stored views of earlier episodes, of which steps at even distances are kept."""

    share: float = 1.0
    """Of an episode's steps, kept."""

    def _imitation(self, network: nn.ModuleDict, stored: Sequence[StoredViews]) -> Tensor:
        columns = ([getattr(one, name) for one in stored] for name in ("category", "views", "last", "actions", "weights"))
        return imitation_of(network, make_batch(*columns))

    def after(self, network: nn.ModuleDict, trajectories: Sequence[Trajectory], inflection: float, rng: np.random.Generator) -> Self:
        del network, rng
        stored = [stored_views(one, uniform_keyframes(len(one.actions), share=self.share), inflection) for one in trajectories]
        return self.with_episodes(stored)


def imitation_of(network: nn.ModuleDict, batch: EpisodeBatch) -> Tensor:
    """The imitation loss of a network on a batch."""
    features = aligned_features(network, batch.views, batch.goals, batch.last)
    return imitation_loss(decoded(network, features), batch.actions, batch.weights, batch.valid)


def stored_views(one: Trajectory, steps: Labels, inflection: float) -> StoredViews:
    """Some steps of a trajectory as they are kept."""
    return StoredViews(
        category=one.category,
        views=one.views[steps],
        last=one.last[steps].astype(np.uint8),
        actions=one.actions[steps].astype(np.uint8),
        weights=inflection_weights(one.actions.tolist(), weight=inflection)[steps].astype(np.float16),
    )


def kept_steps(keyframes: Keyframes, features: NDArray[np.floating], share: float, neighbours: int, rng: np.random.Generator) -> Labels:
    """The steps of an episode that are kept, ascending, of its features `(T, D)`."""
    if keyframes == "adaptive":
        return adaptive_keyframes(features, neighbours=neighbours, share=share)
    even = uniform_keyframes(len(features), share=share)
    return even if keyframes == "uniform" else np.sort(rng.permutation(len(features))[: len(even)]).astype(np.int64)


def _with(buffer: EpisodeBuffer[E], change: Callable[[EpisodeBuffer[E]], object]) -> EpisodeBuffer[E]:
    changed = buffer.copy()
    change(changed)
    return changed
