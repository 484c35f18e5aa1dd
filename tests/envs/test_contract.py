from __future__ import annotations

import inspect
import os
from pathlib import Path

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env

import lifelong.envs as envs
from lifelong.checks.environment import check_environment
from lifelong.core import DataMissing
from lifelong.envs import Environment
from lifelong.envs.navigation.rooms_3d import NoRenderer

DATA = Path(os.environ.get("LIFELONG_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))


def members() -> list[type]:
    found = [getattr(envs, name) for name in envs.__all__]
    return [cls for cls in found if inspect.isclass(cls) and cls is not Environment and hasattr(cls, "demonstrate")]


def build(cls: type) -> Environment:
    needs_data = "data" in inspect.signature(cls).parameters
    return cls(DATA) if needs_data else cls()


def test_every_environment_is_registered() -> None:
    assert sorted(cls.id for cls in members()) == sorted(envs.MEMBERS)


@pytest.mark.parametrize("cls", members(), ids=lambda cls: cls.id)
def test_keeps_the_contract(cls: type) -> None:
    environment = build(cls)
    try:
        environment.reset(options={"task": environment.tasks("train", 1)[0]})
    except (DataMissing, NoRenderer) as problem:
        pytest.skip(str(problem))
    assert isinstance(environment, Environment)
    assert isinstance(environment, gymnasium.Env)
    check_environment(environment, count=3)
    check_env(environment, skip_render_check=True)


@pytest.mark.parametrize("cls", members(), ids=lambda cls: cls.id)
def test_step_needs_reset(cls: type) -> None:
    with pytest.raises(gymnasium.error.ResetNeeded):
        build(cls).step("anything")


def test_a_broken_environment_is_found() -> None:
    class Shifty(envs.DatabaseEnvironment):
        instances = 0

        def reset(self, *, seed=None, options=None):
            text, info = super().reset(seed=seed, options=options)
            self.instances += 1
            return f"{self.instances}\n{text}", info

    with pytest.raises(AssertionError, match="the expert saw"):
        check_environment(Shifty(), count=1)


def test_splits_share_nothing_across_seeds() -> None:
    environment = envs.DatabaseEnvironment()
    train = {task.text for seed in range(3) for task in environment.tasks("train", 60, seed=seed)}
    test = {task.text for seed in range(3) for task in environment.tasks("test", 60, seed=seed)}
    assert not train & test
    assert len(train) > 170
