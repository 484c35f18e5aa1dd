"""`Navigator`: learns goal categories stage after stage from an expert's episodes, and acts on many episodes at once."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ....core import Task
from ....envs import ObjectNavGridEnvironment
from ....envs.navigation.objectnav_grid import NavigationMeasures
from ....envs.navigation.scenes import CATEGORIES
from .backbones import DecoderState
from .losses import INFLECTION_WEIGHT
from .methods import MAX_BYTES, METHODS
from .network import aligned_features, navigator_network
from .retention import GradientStep, imitation_of, stored_views
from .trajectories import ACTIONS, Trajectory, shuffled, whole

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class NavigatorSettings:
    """How a stage is learned, by every method."""

    epochs: int = 25
    """Passes over a stage's trajectories."""
    batch: int = 16
    """Trajectories of a gradient step, and stored episodes beside them."""
    learning_rate: float = 3e-3
    """Of AdamW, falling to 0 along half a cosine."""
    inflection: float = INFLECTION_WEIGHT
    """Weight of steps at which the action changes."""


@dataclass(frozen=True, kw_only=True)
class NavigationResult:
    """How an episode ended."""

    success: bool
    """Whether the navigator stopped beside the goal."""
    measures: NavigationMeasures
    """Path lengths and distances, for SPL and soft SPL."""
    steps: int
    """Actions taken, turns and doors among them."""


@dataclass(frozen=True, kw_only=True)
class StepReading:
    """What the network makes of one step of N episodes."""

    views: NDArray[np.int64]
    """What is seen `(N, 7, 7, 3)`."""
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
    """What was seen `(T, 7, 7, 3)`."""
    aligned: NDArray[np.float32]
    """Aligned features `(T, D)`."""
    temporal: NDArray[np.float32]
    """What the decoder gave `(T, D)`."""


class Navigator:
    """A policy, what it keeps of earlier stages by its method, and how many it has learned. Same seed, same navigator (on a CPU)."""

    def __init__(
        self, *, method: str = "lifelong_cnav", backbone: str = "linear_attention", width: int = 64, max_bytes: int = MAX_BYTES,
        seed: int = 0, settings: NavigatorSettings | None = None,
    ) -> None:  # fmt: skip
        """`method` is one of `METHODS`, `max_bytes` the bound of what it keeps. Raises `ValueError` for an unknown method."""
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
        self.network = navigator_network(categories=len(CATEGORIES), actions=len(ACTIONS), backbone=backbone, width=width, seed=seed)
        self.method = METHODS[method]
        self.parts = self.method.parts(max_bytes, seed)
        self.settings = settings or NavigatorSettings()
        self.stages = 0
        self.taught: tuple[str, ...] = ()
        """Categories of the stages so far."""
        self.losses: tuple[float, ...] = ()
        """Mean loss of each epoch of the last stage."""
        self._seed = seed
        self._untrained = self.network
        self._kept: tuple[Trajectory, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes that its method keeps between stages, beside the network's own weights."""
        inflection = self.settings.inflection
        kept = (stored_views(one, np.arange(len(one.actions)), inflection).nbytes for one in self._kept)
        return sum(part.nbytes for part in self.parts) + sum(kept)

    def learn(self, trajectories: Sequence[Trajectory]) -> Navigator:
        """A navigator that has learned a further stage; this one is unchanged (invariant Purity).

        Raises `ValueError` without trajectories.
        """
        if not trajectories:
            raise ValueError("a stage needs at least one trajectory")
        learned = copy.copy(self)
        learned.stages = self.stages + 1
        learned.taught = tuple(dict.fromkeys([*self.taught, *(one.category for one in trajectories)]))
        rng = np.random.default_rng([self._seed, learned.stages])
        if self.method.joint:
            learned._kept = (*self._kept, *trajectories)
        learned.network = copy.deepcopy(self._untrained if self.method.joint else self.network)
        learned.losses = self._fit(learned.network, learned._kept or trajectories, rng)
        learned.parts = tuple(part.after(learned.network, trajectories, self.settings.inflection, rng) for part in self.parts)
        return learned

    def forget(self, category: str) -> Navigator:
        """A navigator that keeps nothing of a category. Its weights are as before: to drop what they learned, learn anew."""
        left = copy.copy(self)
        left.parts = tuple(part.without(category) for part in self.parts)
        left._kept = tuple(one for one in self._kept if one.category != category)
        return left

    def act(self, environment: ObjectNavGridEnvironment, tasks: Sequence[Task]) -> list[NavigationResult]:
        """Run episodes side by side, one batch of views a step; of the admissible actions the likeliest is taken."""
        return [one.result for one in self.trace(environment, tasks)]

    def trace(self, environment: ObjectNavGridEnvironment, tasks: Sequence[Task]) -> list[EpisodeTrace]:
        """As `act`, with what the network made of every step."""
        episodes = [environment.spawn() for _ in tasks]
        infos = [one.reset(options={"task": task})[1] for one, task in zip(episodes, tasks, strict=True)]
        last, state = [len(ACTIONS)] * len(tasks), self._initial(len(tasks))
        readings: list[StepReading] = []
        results: dict[int, NavigationResult] = {}
        while len(results) < len(tasks):
            reading, state = self._read(episodes, infos, last, state)
            readings.append(reading)
            for place in (place for place in range(len(tasks)) if place not in results):
                last[place] = _likeliest(reading.logits[place], episodes[place])
                _, _, terminated, truncated, infos[place] = episodes[place].step(ACTIONS[last[place]])
                if terminated or truncated:
                    results[place] = _result(infos[place], len(readings))
        for one in episodes:
            one.close()
        return [_trace(results[place], readings, place) for place in range(len(tasks))]

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
            last, ended, steps = len(ACTIONS), False, 0
            state = state if carry_state else self._initial(1)
            while not ended:
                reading, state = self._read([episode], [info], [last], state)
                last = _likeliest(reading.logits[0], episode)
                _, _, terminated, truncated, info = episode.step(ACTIONS[last])
                ended, steps = terminated or truncated, steps + 1
            results.append(_result(info, steps))
        episode.close()
        return results

    def explore(self, environment: ObjectNavGridEnvironment, tasks: Sequence[Task]) -> list[Trajectory]:
        """DAgger: this navigator moves, and the expert says at every step what it would do. Raises what `search` raises.

        Ross et al. 2011, "A Reduction of Imitation Learning and Structured Prediction to No-Regret Online Learning",
        https://arxiv.org/abs/1011.0686, algorithm 3.1 with beta = 0: learning from these states too keeps errors from adding up. Where the
        navigator would stop and the expert would not, the expert's action is taken, so that the episode goes on.
        """
        trajectories = []
        episode = environment.spawn()
        for task in tasks:
            _, info = episode.reset(options={"task": task})
            category, state, last, ended = info["navigation"].category, self._initial(1), len(ACTIONS), False
            views, actions, taken, seen = list[NDArray[np.uint8]](), list[int](), list[int](), set[tuple[int, int]]()
            while not ended:
                reading, state = self._read([episode], [info], [last], state)
                views.append(episode.payload(info["view"]))
                actions.append(ACTIONS.index(episode.search(seen)))
                chosen = _likeliest(reading.logits[0], episode)
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

    def _read(
        self, episodes: Sequence[ObjectNavGridEnvironment], infos: Sequence[dict[str, Any]], last: Sequence[int], state: DecoderState
    ) -> tuple[StepReading, DecoderState]:
        """What the network makes of the next step of each episode, and the state after it."""
        import torch

        goals = torch.tensor([CATEGORIES.index(info["navigation"].category) for info in infos], dtype=torch.long)
        views = torch.from_numpy(np.stack([one.payload(info["view"]) for one, info in zip(episodes, infos, strict=True)])).long()
        with torch.no_grad():
            features = aligned_features(self.network, views[:, None], goals, torch.tensor(last, dtype=torch.long)[:, None])
            outputs, following = self.network["decoder"](features, state)
            logits = self.network["policy"](outputs[:, 0])
        return StepReading(views=views.numpy(), aligned=features[:, 0].numpy(), temporal=outputs[:, 0].numpy(), logits=logits), following

    def _fit(self, network: nn.ModuleDict, trajectories: Sequence[Trajectory], rng: np.random.Generator) -> tuple[float, ...]:
        """Train a network in place; the mean loss of each epoch."""
        import torch

        settings = self.settings
        optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate)
        per_epoch = math.ceil(len(trajectories) / settings.batch)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs * per_epoch)
        epochs: list[float] = []
        for _ in range(settings.epochs):
            total = 0.0
            for chosen in shuffled(trajectories, settings.batch, rng):
                loss = self._loss(network, chosen, rng)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch's own signature has no types
                torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                total += float(loss.detach())
            epochs.append(total / per_epoch)
        return tuple(epochs)

    def _loss(self, network: nn.ModuleDict, trajectories: Sequence[Trajectory], rng: np.random.Generator) -> Tensor:
        batch = whole(trajectories, self.settings.inflection)
        loss = imitation_of(network, batch)
        if self.stages and self.parts:
            # `self` is the navigator of the stage before, whose weights do not change.
            taught = tuple(CATEGORIES.index(name) for name in self.taught)
            step = GradientStep(network=network, before=self.network, batch=batch, taught=taught, episodes=self.settings.batch, rng=rng)
            for part in self.parts:
                loss = loss + part.loss(step)
        return loss


def _likeliest(logits: Tensor, episode: ObjectNavGridEnvironment) -> int:
    """The admissible action with the largest logit."""
    allowed = [ACTIONS.index(name) for name in episode.admissible()]
    return allowed[int(logits[allowed].argmax())]


def _trace(result: NavigationResult, readings: Sequence[StepReading], place: int) -> EpisodeTrace:
    steps = readings[: result.steps]
    return EpisodeTrace(
        result=result,
        views=np.stack([one.views[place] for one in steps]).astype(np.uint8),
        aligned=np.stack([one.aligned[place] for one in steps]),
        temporal=np.stack([one.temporal[place] for one in steps]),
    )


def _result(info: dict[str, Any], steps: int) -> NavigationResult:
    return NavigationResult(success=info["success"], measures=info["navigation"], steps=steps)
