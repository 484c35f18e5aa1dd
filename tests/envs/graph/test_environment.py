from __future__ import annotations

from lifelong.envs import GraphEnvironment


def test_a_wrong_query_is_an_observation() -> None:
    environment = GraphEnvironment()
    environment.reset(seed=0)
    observation, _, terminated, _, info = environment.step("SELECT ?x")
    assert observation.startswith("Error: ")
    assert (terminated, info["error"]) == (False, True)
