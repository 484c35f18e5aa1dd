"""Finding the environment of a task, and what may be exchanged in its samples."""

from __future__ import annotations

from toy import ToyEnvironment

from lifelong.envs import DatabaseEnvironment
from lifelong.envs.environment import Environment, exchangeable, find_environment


def test_an_id_is_found_exactly_and_a_short_name_is_the_newest() -> None:
    environments: dict[str, Environment] = {f"maze-v{number}": ToyEnvironment("maze") for number in (2, 10, 9)}
    assert find_environment(environments, "maze-v2") is environments["maze-v2"]
    assert find_environment(environments, "maze") is environments["maze-v10"]
    assert find_environment(environments, "chess") is None
    assert find_environment({}, "maze") is None


def test_nothing_is_exchangeable_unless_it_is_said() -> None:
    assert exchangeable(ToyEnvironment()) == frozenset()
    assert exchangeable(DatabaseEnvironment()) <= {"names", "numbers", "quoted"}
    assert exchangeable(DatabaseEnvironment()) != frozenset()


def test_whatever_has_the_members_is_an_environment() -> None:
    assert isinstance(ToyEnvironment(), Environment)
    assert not isinstance(object(), Environment)
