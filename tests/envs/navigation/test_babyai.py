from __future__ import annotations

import pytest

from lifelong.envs import NavigationEnvironment


@pytest.fixture(scope="module")
def environment() -> NavigationEnvironment:
    return NavigationEnvironment()


def test_the_view_moves_with_the_agent(environment: NavigationEnvironment) -> None:
    for task in environment.tasks("train", 6):
        first, _ = environment.reset(options={"task": task})
        ahead = next((int(part.split()[1]) for part in first.splitlines()[0].rstrip(".").split("; ") if part.startswith("wall")), None)
        if ahead is None or ahead < 3 or "forward" not in environment.admissible():
            continue
        seen, _, terminated, _, _ = environment.step("forward")
        assert terminated or f"wall {ahead - 1} ahead" in seen
        assert seen.startswith("You did: forward.")
        return
    raise AssertionError("no room with space ahead among six")


def test_four_turns_come_back(environment: NavigationEnvironment) -> None:
    task = environment.tasks("test", 1)[0]
    first, _ = environment.reset(options={"task": task})
    seen = [environment.step("left")[0] for _ in range(4)][-1]
    assert seen == f"You did: left. {first.splitlines()[0]}"


def test_refused_moves_name_the_choices(environment: NavigationEnvironment) -> None:
    environment.reset(seed=0)
    observation, reward, terminated, _, info = environment.step("dance")
    assert observation == f"Error: choose one of: {', '.join(environment.admissible())}."
    assert (reward, terminated, info["error"]) == (0.0, False, True)


def test_truncates_and_stays_quiet(environment: NavigationEnvironment, capfd: pytest.CaptureFixture[str]) -> None:
    environment.reset(options={"task": environment.tasks("train", 2, seed=4)[1]})
    flags = [environment.step("nonsense")[3] for _ in range(environment.max_steps)]
    assert flags == [False] * (environment.max_steps - 1) + [True]
    assert environment.admissible() == ()
    assert capfd.readouterr().out == ""


def test_moves_may_be_written_loosely(environment: NavigationEnvironment) -> None:
    environment.reset(seed=1)
    assert environment.step(" Left. ")[4]["error"] is False
