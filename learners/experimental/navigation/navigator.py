"""`Navigator`: learns goal categories stage after stage from an expert's episodes, and acts on many episodes at once."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ....core import Task
from ....envs import ObjectNavGridEnvironment
from ....envs.navigation.objectnav_grid import NavigationMeasures
from ....envs.navigation.scenes import CATEGORIES
from .backbones import DecoderState
from .feature_buffer import FeatureBuffer, StoredEpisode
from .keyframes import NEIGHBOURS, adaptive_keyframes
from .losses import INFLECTION_WEIGHT, feature_distillation_loss, imitation_loss, inflection_weights
from .network import aligned_features, navigator_network, padded

if TYPE_CHECKING:
    from torch import Tensor, nn

ACTIONS = ("left", "right", "forward", "open", "stop")
"""What the policy chooses among."""


@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """An episode with the expert's action for every step."""

    category: str
    """What was looked for."""
    views: NDArray[np.uint8]
    """What was seen before each action `(T, 7, 7, 3)`."""
    actions: NDArray[np.int64]
    """What the expert would do: indexes into `ACTIONS` `(T,)`."""
    taken: NDArray[np.int64] | None = None
    """What was done, where it was not the expert who moved `(T,)`."""


@dataclass(frozen=True, kw_only=True)
class NavigatorSettings:
    """How a stage is learned; weights and shares as C-NAV sets them."""

    epochs: int = 25
    """Passes over a stage's trajectories."""
    batch: int = 16
    """Trajectories of a gradient step, and stored episodes beside them."""
    learning_rate: float = 3e-3
    """Of AdamW, falling to 0 along half a cosine."""
    distillation: float = 5.0
    """Weight of the aligned features' distance from those of the stage before; 0 leaves it out."""
    replay: float = 5.0
    """Weight of imitation on stored features; 0 leaves it out."""
    inflection: float = INFLECTION_WEIGHT
    """Weight of steps at which the action changes."""
    share: float = 0.5
    """Of an episode's steps, kept at most."""
    neighbours: int = NEIGHBOURS
    """Of the local outlier factor."""


@dataclass(frozen=True, kw_only=True)
class NavigationResult:
    """How an episode ended."""

    success: bool
    """Whether the navigator stopped beside the goal."""
    measures: NavigationMeasures
    """Path lengths and distances, for SPL and soft SPL."""


class Navigator:
    """A policy, the features that it keeps of earlier stages, and how many stages it has learned. Same seed, same navigator (on a CPU)."""

    def __init__(
        self, *, backbone: str = "linear_attention", width: int = 64, max_bytes: int = 1_000_000, seed: int = 0,
        settings: NavigatorSettings | None = None,
    ) -> None:  # fmt: skip
        self.network = navigator_network(categories=len(CATEGORIES), actions=len(ACTIONS), backbone=backbone, width=width, seed=seed)
        self.buffer = FeatureBuffer(max_bytes, seed=seed)
        self.settings = settings or NavigatorSettings()
        self.stages = 0
        self.losses: tuple[float, ...] = ()
        """Mean loss of each epoch of the last stage."""
        self._seed = seed

    def learn(self, trajectories: Sequence[Trajectory]) -> Navigator:
        """A navigator that has learned a further stage; this one is unchanged (invariant Purity).

        Raises `ValueError` without trajectories.
        """
        import torch

        if not trajectories:
            raise ValueError("a stage needs at least one trajectory")
        learned = copy.copy(self)
        learned.network, learned.buffer = copy.deepcopy(self.network), self.buffer.copy()
        learned.stages = self.stages + 1
        rng = np.random.default_rng([self._seed, learned.stages])
        optimizer = torch.optim.AdamW(learned.network.parameters(), lr=self.settings.learning_rate)
        per_epoch = math.ceil(len(trajectories) / self.settings.batch)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.settings.epochs * per_epoch)
        epochs: list[float] = []
        for _ in range(self.settings.epochs):
            total = 0.0
            for batch in _batches(trajectories, self.settings.batch, rng):
                loss = self._loss(learned.network, batch, rng)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch's own signature has no types
                torch.nn.utils.clip_grad_norm_(learned.network.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                total += float(loss.detach())
            epochs.append(total / per_epoch)
        learned.losses = tuple(epochs)
        learned.buffer.add([learned._stored(one) for one in trajectories])
        return learned

    def forget(self, category: str) -> Navigator:
        """A navigator without the stored features of a category. Its weights are as before: to drop what they learned, learn anew."""
        left = copy.copy(self)
        left.buffer = self.buffer.copy()
        left.buffer.forget(category)
        return left

    def act(self, environment: ObjectNavGridEnvironment, tasks: Sequence[Task]) -> list[NavigationResult]:
        """Run episodes side by side, one batch of views a step; of the admissible actions the likeliest is taken."""
        episodes = [environment.spawn() for _ in tasks]
        infos = [one.reset(options={"task": task})[1] for one, task in zip(episodes, tasks, strict=True)]
        last, state = [len(ACTIONS)] * len(tasks), self._initial(len(tasks))
        results: dict[int, NavigationResult] = {}
        while len(results) < len(tasks):
            logits, state = self._logits(episodes, infos, last, state)
            for place in (place for place in range(len(tasks)) if place not in results):
                last[place] = _likeliest(logits[place], episodes[place])
                _, _, terminated, truncated, infos[place] = episodes[place].step(ACTIONS[last[place]])
                if terminated or truncated:
                    results[place] = _result(infos[place])
        for one in episodes:
            one.close()
        return [results[place] for place in range(len(tasks))]

    def act_without_reset(
        self, environment: ObjectNavGridEnvironment, tasks: Sequence[Task], *, carry_state: bool = True
    ) -> list[NavigationResult]:
        """Find the goals of one scene one after another (`envs.navigation.streams.no_reset_tasks`), from where the last search ended.

        With `carry_state` the decoder remembers what it saw during the earlier ones, else it begins anew with each.
        """
        episode, state = environment.spawn(), self._initial(1)
        results: list[NavigationResult] = []
        for number, task in enumerate(tasks):
            _, info = episode.reset(options={"task": task, "keep_position": number > 0})
            last, ended = len(ACTIONS), False
            state = state if carry_state else self._initial(1)
            while not ended:
                logits, state = self._logits([episode], [info], [last], state)
                last = _likeliest(logits[0], episode)
                _, _, terminated, truncated, info = episode.step(ACTIONS[last])
                ended = terminated or truncated
            results.append(_result(info))
        episode.close()
        return results

    def explore(self, environment: ObjectNavGridEnvironment, tasks: Sequence[Task]) -> list[Trajectory]:
        """DAgger: this navigator moves, and the expert says at every step what it would do.

        Ross et al. 2011, "A Reduction of Imitation Learning and Structured Prediction to No-Regret Online Learning",
        https://arxiv.org/abs/1011.0686, algorithm 3.1 with beta = 0: learning from these states too keeps errors from adding up. Where the
        navigator would stop and the expert would not, the expert's action is taken, so that the episode goes on. Raises what `plan` raises.
        """
        trajectories = []
        episode = environment.spawn()
        for task in tasks:
            _, info = episode.reset(options={"task": task})
            category, state, last, ended = info["navigation"].category, self._initial(1), len(ACTIONS), False
            views, actions, taken = list[NDArray[np.uint8]](), list[int](), list[int]()
            while not ended:
                logits, state = self._logits([episode], [info], [last], state)
                views.append(episode.payload(info["view"]))
                actions.append(ACTIONS.index(episode.plan()[0]))
                chosen = _likeliest(logits[0], episode)
                last = actions[-1] if "stop" in (ACTIONS[actions[-1]], ACTIONS[chosen]) else chosen
                taken.append(last)
                _, _, terminated, truncated, info = episode.step(ACTIONS[last])
                ended = terminated or truncated
            done = np.array(taken, dtype=np.int64)
            trajectories.append(Trajectory(category=category, views=np.stack(views), actions=np.array(actions, dtype=np.int64), taken=done))
        episode.close()
        return trajectories

    def _initial(self, episodes: int) -> DecoderState:
        decoder: Any = self.network["decoder"]
        state: DecoderState = decoder.initial(episodes)
        return state

    def _logits(
        self, episodes: Sequence[ObjectNavGridEnvironment], infos: Sequence[dict[str, Any]], last: Sequence[int], state: DecoderState
    ) -> tuple[Tensor, DecoderState]:
        """Logits `(episodes, actions)` of the next action of each, and the state after it."""
        import torch

        goals = torch.tensor([CATEGORIES.index(info["navigation"].category) for info in infos], dtype=torch.long)
        views = torch.from_numpy(np.stack([one.payload(info["view"]) for one, info in zip(episodes, infos, strict=True)])).long()
        with torch.no_grad():
            features = aligned_features(self.network, views[:, None], goals, torch.tensor(last, dtype=torch.long)[:, None])
            outputs, following = self.network["decoder"](features, state)
            return self.network["policy"](outputs[:, 0]), following

    def _loss(self, network: nn.ModuleDict, batch: Sequence[Trajectory], rng: np.random.Generator) -> Tensor:
        settings = self.settings
        views, goals, last, actions, weights, valid = _tensors(batch, settings.inflection)
        features = aligned_features(network, views, goals, last)
        loss = imitation_loss(_decoded(network, features), actions, weights, valid)
        if self.stages and settings.distillation:
            # `self` is the navigator of the stage before, whose weights do not change.
            loss = loss + settings.distillation * feature_distillation_loss(
                features, aligned_features(self.network, views, goals, last), valid
            )
        stored = self.buffer.sample(settings.batch, rng) if settings.replay else []
        if stored:
            import torch

            kept, there = padded([torch.from_numpy(one.features).float() for one in stored])
            done, _ = padded([torch.from_numpy(one.actions).long() for one in stored])
            given, _ = padded([torch.from_numpy(one.weights).float() for one in stored])
            loss = loss + settings.replay * imitation_loss(_decoded(network, kept), done, given, there)
        return loss

    def _stored(self, trajectory: Trajectory) -> StoredEpisode:
        import torch

        views, goals, last, _, weights, _ = _tensors([trajectory], self.settings.inflection)
        with torch.no_grad():
            features = aligned_features(self.network, views, goals, last)[0].numpy()
        steps = adaptive_keyframes(features, neighbours=self.settings.neighbours, share=self.settings.share)
        return StoredEpisode(
            category=trajectory.category,
            features=features[steps].astype(np.float16),
            actions=trajectory.actions[steps].astype(np.uint8),
            weights=weights[0].numpy()[steps].astype(np.float16),
        )


def record(environment: ObjectNavGridEnvironment, tasks: Sequence[Task]) -> list[Trajectory]:
    """The expert's episodes on some tasks. Raises what `demonstrate` raises."""
    trajectories = []
    episode = environment.spawn()
    for task in tasks:
        actions = environment.demonstrate(task).actions
        _, info = episode.reset(options={"task": task})
        category, views = info["navigation"].category, []
        for action in actions:
            views.append(episode.payload(info["view"]))
            info = episode.step(action)[4]
        numbers = np.array([ACTIONS.index(name) for name in actions], dtype=np.int64)
        trajectories.append(Trajectory(category=category, views=np.stack(views), actions=numbers))
    return trajectories


def _likeliest(logits: Tensor, episode: ObjectNavGridEnvironment) -> int:
    """The admissible action with the largest logit."""
    allowed = [ACTIONS.index(name) for name in episode.admissible()]
    return allowed[int(logits[allowed].argmax())]


def _result(info: dict[str, Any]) -> NavigationResult:
    return NavigationResult(success=info["success"], measures=info["navigation"])


def _tensors(batch: Sequence[Trajectory], inflection: float) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Views, goals, last actions, actions, weights, and which steps there are."""
    import torch

    views, valid = padded([torch.from_numpy(one.views).long() for one in batch])
    goals = torch.tensor([CATEGORIES.index(one.category) for one in batch], dtype=torch.long)
    moves = [one.actions if one.taken is None else one.taken for one in batch]
    last, _ = padded([torch.tensor([len(ACTIONS), *one[:-1].tolist()], dtype=torch.long) for one in moves])
    actions, _ = padded([torch.from_numpy(one.actions) for one in batch])
    weights, _ = padded([torch.from_numpy(inflection_weights(one.actions.tolist(), weight=inflection)).float() for one in batch])
    return views, goals, last, actions, weights, valid


def _decoded(network: nn.ModuleDict, features: Tensor) -> Tensor:
    """Logits `(B, T, A)` of whole episodes."""
    decoder: Any = network["decoder"]
    outputs, _ = decoder(features, decoder.initial(len(features)))
    logits: Tensor = network["policy"](outputs)
    return logits


def _batches(trajectories: Sequence[Trajectory], size: int, rng: np.random.Generator) -> Iterator[list[Trajectory]]:
    order = rng.permutation(len(trajectories))
    for first in range(0, len(order), size):
        yield [trajectories[place] for place in order[first : first + size]]
