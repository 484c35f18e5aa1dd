"""Data sets of the package reasoning-gym, which asks, and verifies answers, procedurally.

Stojanovski et al. 2025, "Reasoning Gym: Reasoning Environments for Reinforcement Learning with Verifiable Rewards",
https://arxiv.org/abs/2505.24760; the package is Apache-2.0 and comes with the extra `reasoning`. Each of its data sets is an environment by
path: `lifelong.envs.reasoning_gym:products` is made like any class of one's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Self

from ..core import MalformedTask, PackageMissing, PluginError, Task
from ._episodes import TextEnvironment
from ._reply import ActionResult
from ._splits import split_of
from .environment import Demonstration, History, Split

PACKAGE = "reasoning_gym"
"""Imported when an environment is made."""
ENTRIES = 100_000
"""Entries of a data set, each drawn when it is asked for."""
LOOKED_AT = 50
"""Entries that are looked at for each wanted task before a data set is taken to have no more."""
LONGEST_ANSWER = 1_000
"""Characters of an answer that the verifier is given."""
NUMBER = r"start: /-?(0|[1-9][0-9]{0,8})/"
"""The form of a whole number, as llguidance reads it."""
EASIEST: Mapping[str, Mapping[str, Any]] = {
    "products": {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1},
    "chain_sum": {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1},
    "lcm": {"min_value": 1, "max_value": 12},
    "gcd": {"min_value": 1, "max_value": 30},
}
"""Options of data sets that a small model is asked in their easiest form; all others have the package's own."""
FORMS: Mapping[str, str] = {"products": NUMBER, "chain_sum": NUMBER, "lcm": NUMBER, "gcd": NUMBER}
"""Grammars of answers that the request itself asks for."""
EVALUATED = frozenset(
    {"basic_arithmetic", "binary_matrix", "bitwise_arithmetic", "codeio", "composite", "countdown", "intermediate_integration", "n_queens"}
    | {"number_sorting", "polynomial_multiplication", "propositional_logic", "puzzle24", "simple_integration", "spiral_matrix"}
    | {"string_insertion"}
)
"""Data sets whose verifier evaluates the answer, or whose code evaluates texts near to it; a model's answer is data and is never run."""


class ReasoningGymEnvironment(TextEnvironment):
    """One dataset: a question, one answer, and the package's own verdict; an answer is right where its score is 1."""

    max_steps = 1
    max_answer_tokens = 48
    history: History = "none"
    instructions = "Reply with the answer alone."

    def __init__(self, dataset: str = "products") -> None:
        """Raises `PackageMissing` without the package, `PluginError` for a data set that it does not have or whose answers it would run."""
        super().__init__()
        if find_spec(PACKAGE) is None:
            raise PackageMissing(f"{PACKAGE} is not installed; it comes with: pip install 'lifelong[reasoning]'")
        if dataset in EVALUATED:
            raise PluginError(f"the verifier of {dataset!r} evaluates answers; take a data set that compares them, such as products")
        self.dataset = dataset
        self.id = f"reasoning-{dataset.replace('_', '-')}-v1"
        self._current: dict[str, Any] = {}
        _opened(dataset, 0)

    def tasks(self, split: Split, count: int, *, seed: int = 0) -> Sequence[Task]:
        found: dict[str, Task] = {}
        for index in range(min(ENTRIES, LOOKED_AT * (count + 1))):
            if len(found) == count:
                break
            question = str(_opened(self.dataset, seed)[index]["question"])
            if split_of(question) == split and question not in found:
                found[question] = self._task(f"{self.name}-{seed}-{index}", question)
        if len(found) < count:
            raise ValueError(f"{self.id} has {len(found)} different {split} tasks, {count} were asked for; ask for fewer")
        return list(found.values())

    def demonstrate(self, task: Task) -> Demonstration:
        return Demonstration(observations=(task.text,), actions=(str(self._entry(task)["answer"]),))

    def grammar(self, task: Task) -> str:
        """See `Environment`: the form that the dataset's requests ask for, where it is known."""
        return FORMS.get(self.dataset, "")

    def spawn(self) -> Self:
        return type(self)(self.dataset)

    def _begin(self, task: Task) -> None:
        self._current = self._entry(task)

    def _act(self, action: str) -> ActionResult:
        answer = action.strip()
        if not answer or len(answer) > LONGEST_ANSWER:
            return ActionResult(text=f"Error: an answer has 1 to {LONGEST_ANSWER} characters.", error=True)
        seed = int(self._current["lifelong_seed"])
        try:
            score = float(_opened(self.dataset, seed).score_answer(answer=answer, entry=self._current))
        except Exception as error:  # a verifier may fail at any text
            return ActionResult(text=f"Error: the answer cannot be read ({type(error).__name__}).", error=True)
        score = min(1.0, max(0.0, score))
        return ActionResult(text="Right." if score == 1.0 else "Wrong.", reward=score, done=True, success=score == 1.0)

    def _task(self, name: str, question: str) -> Task:
        return Task(id=name, goal=question, instructions=self.instructions, environment=self.id, skill=self.name)

    def _entry(self, task: Task) -> dict[str, Any]:
        begin, _, index = task.id.rpartition("-")
        name, _, seed = begin.rpartition("-")
        if name != self.name or not (seed.isdecimal() and index.isdecimal()) or int(index) >= ENTRIES:
            raise MalformedTask(f"task id {task.id!r} is not one of {self.id!r}; take tasks from `tasks()`")
        entry = dict(_opened(self.dataset, int(seed))[int(index)])
        if entry["question"] != task.goal:
            raise MalformedTask(f"task {task.id!r} carries another text than {self.id!r} gives it; use it unchanged")
        return {**entry, "lifelong_seed": int(seed)}


@lru_cache(maxsize=8)
def _opened(dataset: str, seed: int) -> Any:
    package = import_module(PACKAGE)
    try:
        return package.create_dataset(dataset, size=ENTRIES, seed=seed, **EASIEST.get(dataset, {}))
    except Exception as error:
        raise PluginError(f"{PACKAGE} has no usable data set {dataset!r} ({type(error).__name__}: {error})") from error


def __getattr__(name: str) -> Callable[[], ReasoningGymEnvironment]:
    """A data set by its name (PEP 562), so that `module:name` makes its environment."""
    if name.startswith("_") or not name.islower():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return partial(ReasoningGymEnvironment, name)
