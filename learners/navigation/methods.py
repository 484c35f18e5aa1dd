"""Methods of continual navigation by name, each put together from parts of `retention`, at the settings that were chosen for it.

Weights were chosen by success on validation scenes (`evals/suites/navigation`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .episode_buffer import EpisodeBuffer
from .retention import ElasticWeights, FeatureDistillation, FeatureReplay, Keyframes, PolicyDistillation, Retention, ViewReplay

MAX_BYTES = 100_000
"""What C-NAV keeps at most."""
_UNBOUNDED = 2**40


@dataclass(frozen=True, kw_only=True)
class NavigationMethod:
    """What a navigator does against forgetting."""

    parts: Callable[[int, int], tuple[Retention, ...]]
    """Makes its parts for a bound of bytes and a seed."""
    joint: bool = False
    """Whether it keeps all trajectories and learns from all of them anew at every stage, from the untrained network."""


def feature_replay(max_bytes: int, seed: int, keyframes: Keyframes = "adaptive", share: float = 0.5) -> FeatureReplay:
    """Replay of features in a bound of bytes."""
    return FeatureReplay(keyframes=keyframes, share=share, buffer=EpisodeBuffer(max_bytes, seed=seed))


def view_replay(max_bytes: int, seed: int, share: float) -> ViewReplay:
    """Replay of views in a bound of bytes."""
    return ViewReplay(share=share, buffer=EpisodeBuffer(max_bytes, seed=seed))


METHODS: Mapping[str, NavigationMethod] = {
    "fine_tuning": NavigationMethod(parts=lambda max_bytes, seed: ()),
    "lwf": NavigationMethod(parts=lambda max_bytes, seed: (PolicyDistillation(),)),
    "ewc": NavigationMethod(parts=lambda max_bytes, seed: (ElasticWeights(),)),
    "data_replay": NavigationMethod(parts=lambda max_bytes, seed: (view_replay(_UNBOUNDED, seed, 1.0),)),
    "data_replay_half": NavigationMethod(parts=lambda max_bytes, seed: (view_replay(_UNBOUNDED, seed, 0.5),)),
    "data_replay_same_bytes": NavigationMethod(parts=lambda max_bytes, seed: (view_replay(max_bytes, seed, 1.0),)),
    "random_feature_replay": NavigationMethod(parts=lambda max_bytes, seed: (feature_replay(max_bytes, seed, "random"),)),
    "lifelong_cnav": NavigationMethod(parts=lambda max_bytes, seed: (FeatureDistillation(), feature_replay(max_bytes, seed))),
    "cnav_without_distillation": NavigationMethod(parts=lambda max_bytes, seed: (feature_replay(max_bytes, seed),)),
    "cnav_without_replay": NavigationMethod(parts=lambda max_bytes, seed: (FeatureDistillation(),)),
    "cnav_uniform": NavigationMethod(parts=lambda max_bytes, seed: (FeatureDistillation(), feature_replay(max_bytes, seed, "uniform"))),
    "joint": NavigationMethod(parts=lambda max_bytes, seed: (), joint=True),
}
"""By name. `data_replay_same_bytes` keeps whole episodes in the same bound of bytes as C-NAV; the `cnav_` rows leave out a part of it."""
