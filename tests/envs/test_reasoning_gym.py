"""Data sets of an outside package as environments, by a stand-in for it, and by the package itself where it is installed."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest

from lifelong.checks import check_environment
from lifelong.core import MalformedTask, PackageMissing, PluginError, Task
from lifelong.envs import make_environment, reasoning_gym

PATH = "lifelong.envs.reasoning_gym"


class Sums:
    """A data set of the stand-in: sums of small numbers; what is near to right has a score that is no success."""

    def __init__(self, size: int, seed: int, most: int = 1000) -> None:
        self.seed, self.most = seed, most

    def __getitem__(self, index: int) -> dict[str, Any]:
        left, right = index % self.most, (7 * index + self.seed) % 10
        return {"question": f"{left} + {right} = ?", "answer": str(left + right), "metadata": {}}

    def score_answer(self, answer: str, entry: dict[str, Any]) -> float:
        if answer == "nothing":
            raise ZeroDivisionError
        return 1.0 if answer == entry["answer"] else 0.5 if entry["answer"] in answer else 0.0


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made = ModuleType("reasoning_gym")
    made.__spec__ = importlib.machinery.ModuleSpec("reasoning_gym", None)

    def create(name: str, size: int, seed: int, **options: Any) -> Sums:
        if name not in ("letter_counting", "few"):
            raise ValueError(f"Dataset '{name}' not registered")
        return Sums(size, seed, 3 if name == "few" else 1000)

    made.create_dataset = create  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "reasoning_gym", made)
    reasoning_gym._opened.cache_clear()
    yield
    reasoning_gym._opened.cache_clear()


@pytest.mark.usefixtures("package")
def test_a_data_set_keeps_the_rules_of_an_environment_and_is_made_by_its_path() -> None:
    environment = make_environment(f"{PATH}:letter_counting")
    check_environment(environment)
    assert environment.id == "reasoning-letter-counting-v1"
    train, test = environment.tasks("train", 40), environment.tasks("test", 40)
    assert not {task.goal for task in train} & {task.goal for task in test}
    assert {task.skill for task in train} == {"reasoning-letter-counting"}
    assert environment.tasks("train", 5, seed=1) != train[:5]


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("answer", "success", "error"),
    [
        (" {} ", True, False),
        ("it is {}", False, False),
        ("x", False, False),
        ("", False, True),
        ("nothing", False, True),
        ("9" * 2000, False, True),
    ],
)
def test_only_a_whole_score_is_a_success(answer: str, success: bool, error: bool) -> None:
    environment = make_environment(f"{PATH}:letter_counting")
    [task] = environment.tasks("train", 1)
    environment.reset(options={"task": task})
    right = environment.demonstrate(task).actions[0]
    _, reward, _, _, info = environment.step(answer.format(right))
    assert (info["success"], info["error"]) == (success, error)
    assert (reward == 1.0) is success


@pytest.mark.usefixtures("package")
def test_a_data_set_with_few_tasks_says_so_and_does_not_search_for_ever() -> None:
    environment = make_environment(f"{PATH}:few")
    with pytest.raises(ValueError, match=r"has \d+ different train tasks, 200 were asked for"):
        environment.tasks("train", 200)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("id", ["reasoning-letter-counting-0-x", "reasoning-letter-counting-0-999999999", "other-0-1", "x"])
def test_other_tasks_are_refused(id: str) -> None:
    environment = make_environment(f"{PATH}:letter_counting")
    with pytest.raises(MalformedTask):
        environment.reset(options={"task": Task(id=id, goal="0 + 0 = ?", environment=environment.id)})
    [task] = environment.tasks("train", 1)
    with pytest.raises(MalformedTask, match="carries another text"):
        environment.reset(options={"task": Task(id=task.id, goal="2 + 2 = ?", environment=environment.id)})


@pytest.mark.usefixtures("package")
def test_a_data_set_that_is_not_there_and_one_whose_verifier_runs_answers_are_refused() -> None:
    with pytest.raises(PluginError, match="no usable data set 'sudoku_of_mine'"):
        make_environment(f"{PATH}:sudoku_of_mine")
    with pytest.raises(PluginError, match="evaluates answers"):
        make_environment(f"{PATH}:countdown")
    with pytest.raises(PluginError):
        make_environment(f"{PATH}:Nothing")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasoning_gym, "find_spec", lambda name: None)
    with pytest.raises(PackageMissing, match=r"pip install 'lifelong\[reasoning\]'"):
        reasoning_gym.ReasoningGymEnvironment("products")


@pytest.mark.skipif(find_spec("reasoning_gym") is None, reason="reasoning-gym is not installed; it comes with the extra reasoning")
@pytest.mark.parametrize("dataset", ["products", "chain_sum", "lcm", "family_relationships"])
def test_the_packages_own_data_sets_keep_the_rules(dataset: str) -> None:
    check_environment(make_environment(f"{PATH}:{dataset}"))
