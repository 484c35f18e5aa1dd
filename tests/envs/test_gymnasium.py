"""Gymnasium environments of others as members: three kinds of space, limits, and every rule that they may break."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from lifelong.checks import check_environment
from lifelong.core import MalformedTask, NothingFound, Task
from lifelong.envs.gymnasium import EpisodeState, GymnasiumEnvironment, default_success, total_reaches
from lifelong.envs.results import RuleBroken

LENGTH = 60
BOX = spaces.Box(0, 255, (1, LENGTH, 3), np.uint8)
SPACES = {
    "picture": BOX,
    "parts": spaces.Dict({"picture": BOX, "place": spaces.Discrete(LENGTH), "mission": spaces.Text(40)}),
    "number": spaces.Discrete(LENGTH),
}


class Corridor(gymnasium.Env[Any, Any]):
    """A light at the end of a corridor; the agent starts somewhere in it."""

    def __init__(self, kind: str = "number", **faults: Any) -> None:
        self.observation_space = SPACES[kind]
        self.action_space = spaces.Discrete(2)
        self.kind, self.faults, self.closed = kind, faults, False

    def look(self) -> Any:
        picture = np.zeros(BOX.shape, np.uint8)
        picture[0, self.place] = 255
        seen = {"picture": picture, "place": self.place, "mission": "reach the light"}
        return {"picture": picture, "parts": seen, "number": self.place}[self.kind]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.place = int(self.np_random.integers(0, LENGTH - 1))
        return self.look(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        time.sleep(self.faults.get("sleep", 0))
        self.place = max(0, self.place + (1 if action else -1))
        at_end = self.place == LENGTH - 1
        observation = self.faults.get("observation", None if at_end else self.look())
        if observation is None:
            observation = self.look()
        return observation, self.faults.get("reward", float(at_end)), at_end, self.faults.get("cut", False), self.faults.get("info", {})

    def close(self) -> None:
        self.closed = True


def place_in_words(observation: Any) -> str:
    picture = observation["picture"] if isinstance(observation, dict) else observation
    return f"The light is {LENGTH - 1 - int(picture[0, :, 0].argmax())} steps away."


def adapter(kind: str = "number", make: Callable[[], Corridor] | None = None, **options: Any) -> GymnasiumEnvironment:
    made = {"goal": "Reach the light.", "actions": ["back", "on"], "max_steps": LENGTH, "expert": lambda env, observation: 1, **options}
    return GymnasiumEnvironment("corridor-v1", make or (lambda: Corridor(kind)), **made)


@pytest.mark.parametrize(
    "environment",
    [
        adapter("picture", describe=place_in_words),
        adapter("parts", goal=lambda observation: f"Mission: {observation['mission']}."),
        adapter("number"),
        adapter("number", actions=None),
        adapter("number", actions={"go on": 1, "go back": 0}),
    ],
    ids=["box", "dict", "discrete", "numbers", "mapping"],
)
def test_every_kind_of_space_keeps_the_contract(environment: GymnasiumEnvironment) -> None:
    check_environment(environment, count=2)


def test_arrays_are_payloads_and_the_text_says_what_they_hold() -> None:
    environment = adapter("parts")
    text, info = environment.reset(seed=3)
    assert sorted(info["payloads"]) == ["picture", "place"]
    picture = environment.payload(info["payloads"]["picture"])
    assert picture.shape == info["payloads"]["picture"].shape == BOX.shape
    place = int(environment.payload(info["payloads"]["place"]))
    assert int(picture[0, :, 0].argmax()) == place
    said = f"mission: reach the light; picture: 1x{LENGTH}x3 numbers from 0 to 255, mean 4.25; place: {place}"
    assert text.splitlines()[0] == f"Observation: {said}."
    text, *_, info = environment.step("on")
    assert text.startswith("You did: on. Observation: ")
    assert int(environment.payload(info["payloads"]["place"])) == place + 1


def first_task(environment: GymnasiumEnvironment) -> Task:
    return environment.tasks("train", 1)[0]


def test_an_observation_of_another_size_is_named() -> None:
    environment = adapter(
        make=lambda: Corridor("picture", observation=np.zeros((1, 7, 3), np.uint8)), describe=lambda picture: str(picture[0, :, 0].argmax())
    )
    environment.reset(options={"task": first_task(environment)})
    with pytest.raises(RuleBroken, match=r"observation has shape \(1, 7, 3\); its space says \(1, 60, 3\)"):
        environment.step("on")


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ({"observation": 99}, "observation is 99; its space says 0 to 59"),
        ({"reward": float("nan")}, "reward must be a finite number; got nan"),
        ({"info": 3}, "info must be a mapping; got int"),
    ],
)
def test_what_a_step_may_not_return_is_named(faults: dict[str, Any], words: str) -> None:
    environment = adapter(make=lambda: Corridor(**faults))
    environment.reset(options={"task": first_task(environment)})
    with pytest.raises(RuleBroken, match=words):
        environment.step("on")


def test_a_step_that_takes_too_long_ends_the_episode_and_the_next_one_works() -> None:
    slow = {"sleep": 5.0}
    environment = adapter(make=lambda: Corridor(**slow), seconds=0.2)
    task = first_task(environment)
    environment.reset(options={"task": task})
    with pytest.raises(RuleBroken, match=r"step of corridor-v1 took longer than 0\.2 seconds"):
        environment.step("on")
    with pytest.raises(gymnasium.error.ResetNeeded):
        environment.step("on")
    slow["sleep"] = 0.0
    environment.reset(options={"task": task})
    assert not environment.step("on")[4]["error"]


def test_steps_are_bounded_and_so_is_what_the_environment_cuts_itself() -> None:
    environment = adapter(max_steps=2)
    task = first_task(environment)
    environment.reset(options={"task": task})
    assert [environment.step("back")[2:4] for _ in range(2)] == [(False, False), (False, True)]
    cutting = adapter(make=lambda: Corridor(cut=True))
    cutting.reset(options={"task": task})
    assert cutting.step("back")[2:4] == (False, True)
    with pytest.raises(gymnasium.error.ResetNeeded):
        cutting.step("back")
    assert cutting.admissible() == ()


def test_rules_of_success() -> None:
    def state(reward: float = 0.0, total: float = 0.0, terminated: bool = False, **info: Any) -> EpisodeState:
        return EpisodeState(reward=reward, total=total, terminated=terminated, info=info)

    assert default_success(state(reward=1.0, terminated=True))
    assert not default_success(state(reward=1.0))
    assert not default_success(state(terminated=True))
    assert default_success(state(is_success=np.bool_(True)))
    assert not default_success(state(reward=1.0, terminated=True, success=False))
    assert (total_reaches(2.0)(state(total=2.0)), total_reaches(2.0)(state(total=1.9))) == (True, False)


def test_an_episode_ends_where_it_succeeds() -> None:
    environment = adapter(make=lambda: Corridor(reward=1.0), success=total_reaches(2.0))
    environment.reset(options={"task": first_task(environment)})
    assert environment.step("back")[1:3] == (0.0, False)
    _, reward, terminated, truncated, info = environment.step("back")
    assert (reward, terminated, truncated, info["success"], info["reward"]) == (1.0, True, False, True, 1.0)


def test_an_action_mask_narrows_the_choices() -> None:
    environment = adapter(make=lambda: Corridor(info={"action_mask": np.array([0, 1], np.int8)}))
    environment.reset(options={"task": first_task(environment)})
    assert environment.admissible() == ("back", "on")
    environment.step("on")
    assert environment.admissible() == ("on",)
    assert environment.step("back")[0] == "Error: choose one of: on."


def test_beginnings_that_do_not_differ_are_said() -> None:
    environment = adapter(describe=lambda observation: "a corridor")
    with pytest.raises(ValueError, match=r"only [01] of 5 train tasks: 300 seeds gave no more beginnings that differ"):
        environment.tasks("train", 5)


def test_an_expert_that_is_not_there_and_one_that_errs_are_named() -> None:
    environment = adapter(expert=None)
    with pytest.raises(NothingFound, match="corridor-v1 has no expert; give `expert`"):
        environment.demonstrate(first_task(environment))
    with pytest.raises(NothingFound, match="does not solve task 'corridor-"):
        adapter(expert=lambda env, observation: 0).demonstrate(first_task(environment))
    with pytest.raises(NothingFound, match="chose 7, which no name stands for: back, on"):
        adapter(expert=lambda env, observation: 7).demonstrate(first_task(environment))


def test_names_that_do_not_fit_are_refused() -> None:
    for names, words in (
        (["on"], "has 2 actions; 1 names are given: on"),
        ({"jump": 9}, "actions need different names and values of its action space; look at jump"),
        (["on", "ON"], "actions need different names"),
    ):
        environment = adapter(actions=names)
        environment.reset(seed=0)
        with pytest.raises(ValueError, match=words):
            environment.admissible()

    class Arm(Corridor):
        def __init__(self) -> None:
            super().__init__()
            self.action_space = spaces.Box(-1, 1, (2,), np.float32)

    environment = adapter(make=Arm, actions=None)
    environment.reset(seed=0)
    with pytest.raises(ValueError, match="takes actions of Box; give `actions` as names with the values"):
        environment.admissible()


def test_arguments_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="the id must end with a version such as -v1"):
        GymnasiumEnvironment("corridor", Corridor, goal="Reach the light.")
    for wrong in ({"max_steps": 0}, {"seconds": 0.0}, {"seconds": float("nan")}):
        with pytest.raises(ValueError, match="steps and seconds be above 0"):
            adapter(**wrong)


def test_what_is_no_task_is_refused() -> None:
    environment = adapter()
    task = first_task(environment)
    for id in ("other-v1-3", "corridor-x", f"corridor-{2**31}"):
        with pytest.raises(MalformedTask, match="is not one of 'corridor-v1'"):
            environment.reset(options={"task": Task(id=id, goal=task.goal)})
    with pytest.raises(MalformedTask, match="carries another text"):
        environment.reset(options={"task": Task(id=task.id, goal="Reach the door.")})


def test_closing_closes_what_was_made() -> None:
    made: list[Corridor] = []

    def make() -> Corridor:
        made.append(Corridor())
        return made[-1]

    environment = adapter(make=make)
    environment.reset(options={"task": first_task(environment)})
    environment.close()
    environment.close()
    deadline = time.monotonic() + 5
    while not all(one.closed for one in made) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert made
    assert all(one.closed for one in made)
