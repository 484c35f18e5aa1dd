"""`Navigator`: learns goal categories stage after stage from an expert's episodes, and acts on many episodes at once."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...core import Task
from ...envs import ObjectNavGridEnvironment
from .backbones import DecoderState
from .losses import INFLECTION_WEIGHT
from .methods import MAX_BYTES, METHODS
from .modalities import GOALS, GRID, MODALITIES, ViewArray, begin_sight
from .network import aligned_features, draw_goal_anew, navigator_network
from .retention import GradientStep, imitation_of, stored_views
from .traces import EpisodeTrace, NavigationResult, StepReading, make_trace
from .trajectories import ACTIONS, Trajectory, shuffled, whole

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .early_stop import EarlyStop


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


class Navigator:
    """A policy, what it keeps of earlier stages by its method, and how many it has learned. Same seed, same navigator (on a CPU)."""

    def __init__(
        self, *, method: str = "lifelong_cnav", backbone: str = "linear_attention", width: int = 64, max_bytes: int = MAX_BYTES,
        seed: int = 0, settings: NavigatorSettings | None = None, world: str = GRID,
    ) -> None:  # fmt: skip
        """`method` is one of `METHODS`, `max_bytes` the bound of what it keeps, `world` one of `MODALITIES`.

        Raises `ValueError` for an unknown method or world.
        """
        if method not in METHODS or world not in MODALITIES:
            known = f"method must be one of {', '.join(METHODS)}, world one of {', '.join(MODALITIES)}"
            raise ValueError(f"{known}; got {method!r}, {world!r}")
        self.world, self.modality = world, MODALITIES[world]
        self.network = navigator_network(actions=len(ACTIONS), modality=self.modality, backbone=backbone, width=width, seed=seed)
        self.method = METHODS[method]
        self.parts = self.method.parts(max_bytes, seed)
        self.settings = settings or NavigatorSettings()
        self.made_with = {"method": method, "backbone": backbone, "width": width, "max_bytes": max_bytes, "seed": seed, "world": world}
        """The arguments that it was made with, beside `settings`."""
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
        """A navigator that keeps nothing of a category, and to which that goal is as one that was never taught.

        The goal's own weights are drawn anew; what its episodes did to shared weights is left in them, so this is approximate.
        `forgetting.rebuild_without` is exact. Raises `ValueError` for a category that was not taught.
        """
        if category not in self.taught:
            raise ValueError(f"{category!r} was not taught; taught are: {', '.join(self.taught) or 'none'}")
        left = copy.copy(self)
        left.taught = tuple(name for name in self.taught if name != category)
        left.parts = tuple(part.without(category) for part in self.parts)
        left._kept = tuple(one for one in self._kept if one.category != category)
        left.network = copy.deepcopy(self.network)
        number = GOALS.index(category)
        draw_goal_anew(left.network, number, seed=int(np.random.default_rng([self._seed, self.stages, number]).integers(2**62)))
        return left

    def act(
        self, environment: ObjectNavGridEnvironment, tasks: Sequence[Task], *, early_stop: EarlyStop | None = None
    ) -> list[NavigationResult]:
        """Run episodes side by side, one batch of views a step; of the admissible actions the likeliest is taken.

        With `early_stop` an episode is given up where its chance of success falls below the threshold.
        """
        return [one.result for one in self.trace(environment, tasks, early_stop=early_stop)]

    def trace(
        self, environment: ObjectNavGridEnvironment, tasks: Sequence[Task], *, early_stop: EarlyStop | None = None
    ) -> list[EpisodeTrace]:
        """As `act`, with what the network made of every step."""
        most = self.modality.side_by_side
        starts = range(0, len(tasks), most)
        return [one for start in starts for one in self._trace(environment, tasks[start : start + most], early_stop)]

    def _trace(self, environment: ObjectNavGridEnvironment, tasks: Sequence[Task], early_stop: EarlyStop | None) -> list[EpisodeTrace]:
        episodes = [environment.spawn() for _ in tasks]
        infos = [one.reset(options={"task": task})[1] for one, task in zip(episodes, tasks, strict=True)]
        last, state = [len(ACTIONS)] * len(tasks), self.begin(len(tasks))
        readings, seen, sights = list[StepReading](), list[ViewArray](), [begin_sight(one) for one in episodes]
        traces: dict[int, EpisodeTrace] = {}
        while len(traces) < len(tasks):
            # Of an episode that has ended nothing is looked at again.
            seen = [seen[place] if place in traces else see(info) for place, (see, info) in enumerate(zip(sights, infos, strict=True))]
            views = np.stack(seen)
            reading, state = self.read(views, [one.wanted for one in episodes], last, state)
            readings.append(reading)
            doomed = early_stop.stops(reading.aligned, reading.temporal, len(readings)) if early_stop else np.zeros(len(tasks), dtype=bool)
            for place in (place for place in range(len(tasks)) if place not in traces):
                ended = bool(doomed[place])
                if not ended:
                    last[place] = likeliest(reading.logits[place], episodes[place].admissible())
                    _, _, terminated, truncated, infos[place] = episodes[place].step(ACTIONS[last[place]])
                if ended or terminated or truncated:
                    traces[place] = make_trace(readings, place, infos[place], given_up=ended)
        for one in episodes:
            one.close()
        return [traces[place] for place in range(len(tasks))]

    def act_without_reset(
        self, environment: ObjectNavGridEnvironment, tasks: Sequence[Task], *, carry_state: bool = True
    ) -> list[NavigationResult]:
        """Find the goals of one scene one after another (`envs.navigation.streams.no_reset_tasks`), from where the last search ended.

        With `carry_state` the decoder remembers what it saw during the earlier ones, else it begins anew with each.
        """
        return [one.result for one in self.trace_without_reset(environment, tasks, carry_state=carry_state)]

    def trace_without_reset(
        self, environment: ObjectNavGridEnvironment, tasks: Sequence[Task], *, carry_state: bool = True
    ) -> list[EpisodeTrace]:
        """As `act_without_reset`, with what the network made of every step."""
        episode = environment.spawn()
        traces: list[EpisodeTrace] = []
        for number, task in enumerate(tasks):
            _, info = episode.reset(options={"task": task, "keep_position": number > 0})
            last, ended, readings = len(ACTIONS), False, list[StepReading]()
            if number == 0 or not carry_state:
                state, see = self.begin(1), begin_sight(episode)
            while not ended:
                reading, state = self.read(see(info)[None], [episode.wanted], [last], state)
                readings.append(reading)
                last = likeliest(reading.logits[0], episode.admissible())
                _, _, terminated, truncated, info = episode.step(ACTIONS[last])
                ended = terminated or truncated
            traces.append(make_trace(readings, 0, info))
        episode.close()
        return traces

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
            category, state, last, ended = info["navigation"].category, self.begin(1), len(ACTIONS), False
            views, actions, taken, seen = list[NDArray[np.uint8]](), list[int](), list[int](), set[tuple[int, int]]()
            see = begin_sight(episode)
            while not ended:
                views.append(see(info))
                reading, state = self.read(views[-1][None], [episode.wanted], [last], state)
                actions.append(ACTIONS.index(episode.search(seen)))
                chosen = likeliest(reading.logits[0], episode.admissible())
                last = actions[-1] if "stop" in (ACTIONS[actions[-1]], ACTIONS[chosen]) else chosen
                taken.append(last)
                _, _, terminated, truncated, info = episode.step(ACTIONS[last])
                ended = terminated or truncated
            done = np.array(taken, dtype=np.int64)
            trajectories.append(Trajectory(category=category, views=np.stack(views), actions=np.array(actions, dtype=np.int64), taken=done))
        episode.close()
        return trajectories

    def begin(self, episodes: int) -> DecoderState:
        """The decoder's state before the first step of some episodes."""
        decoder: Any = self.network["decoder"]
        state: DecoderState = decoder.initial(episodes)
        return state

    def read(
        self, views: NDArray[np.uint8], categories: Sequence[str], last: Sequence[int], state: DecoderState
    ) -> tuple[StepReading, DecoderState]:
        """What the network makes of the next step of N episodes, and the state after it.

        `views` `(N, rows, columns, channels)`, the goals' `categories` and the actions before this step, `len(ACTIONS)` before the first.
        Raises `ValueError` for views of another shape than the modality's and for values that none has.
        """
        import torch

        wanted = self.modality
        if views.shape[1:] != wanted.shape or not 0 <= views.min() <= views.max() < wanted.values:
            shape, most = f"(n, {', '.join(map(str, wanted.shape))})", wanted.values - 1
            raise ValueError(f"views must be {shape} with values up to {most}; got {views.shape} with values up to {views.max()}")
        goals = torch.tensor([GOALS.index(name) for name in categories], dtype=torch.long)
        with torch.no_grad():
            before = torch.tensor(last, dtype=torch.long)[:, None]
            features = aligned_features(self.network, torch.from_numpy(views.astype(np.int64))[:, None], goals, before)
            outputs, following = self.network["decoder"](features, state)
            logits = self.network["policy"](outputs[:, 0])
        return StepReading(views=views, aligned=features[:, 0].numpy(), temporal=outputs[:, 0].numpy(), logits=logits), following

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
            taught = tuple(GOALS.index(name) for name in self.taught)
            step = GradientStep(network=network, before=self.network, batch=batch, taught=taught, episodes=self.settings.batch, rng=rng)
            for part in self.parts:
                loss = loss + part.loss(step)
        return loss


def likeliest(logits: Tensor, admissible: Sequence[str]) -> int:
    """The admissible action with the largest logit `(actions,)`, as an index into `ACTIONS`."""
    allowed = [ACTIONS.index(name) for name in admissible]
    return allowed[int(logits[allowed].argmax())]
