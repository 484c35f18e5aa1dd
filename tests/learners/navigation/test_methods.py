"""The table: C-NAV, and what each ablation leaves out of it."""

from __future__ import annotations

from lifelong.learners.navigation.methods import METHODS
from lifelong.learners.navigation.retention import FeatureReplay


def parts(name: str) -> list[str]:
    return [type(part).__name__ for part in METHODS[name].parts(1000, 0)]


def test_ablations_leave_one_part_out() -> None:
    assert parts("lifelong_cnav") == ["FeatureDistillation", "FeatureReplay"]
    assert parts("cnav_without_distillation") == ["FeatureReplay"]
    assert parts("cnav_without_replay") == ["FeatureDistillation"]
    ours, even = (METHODS[name].parts(1000, 0)[1] for name in ("lifelong_cnav", "cnav_uniform"))
    assert isinstance(ours, FeatureReplay)
    assert isinstance(even, FeatureReplay)
    assert (ours.keyframes, even.keyframes) == ("adaptive", "uniform")
    assert (ours.weight, ours.share) == (even.weight, even.share)


def test_only_joint_learns_from_everything_anew() -> None:
    assert [name for name, method in METHODS.items() if method.joint] == ["joint"]


def test_bounded_methods_have_the_bound_that_is_given() -> None:
    for name in ("data_replay_same_bytes", "random_feature_replay", "lifelong_cnav"):
        assert METHODS[name].parts(1234, 0)[-1].buffer.max_bytes == 1234
