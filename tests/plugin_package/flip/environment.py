"""Write a word backwards."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from lifelong.core import MalformedTask, Task
from lifelong.envs import Demonstration, Split


class FlipEnvironment:
    """Words of six letters; the answer is the word backwards."""

    id = "flip-v1"
    max_steps = 1
    max_answer_tokens = 8

    def __init__(self) -> None:
        self._word = ""

    def tasks(self, split: Split, count: int, *, seed: int = 0) -> Sequence[Task]:
        draw = random.Random(f"{seed}")
        words = dict.fromkeys("".join(draw.choices("abcdefghijklmnop", k=6)) for _ in range(2 * count + 2))
        chosen = list(words)[split == "test" :: 2][:count]
        return [Task(id=word, goal=f"Write {word} backwards.", environment=self.id, skill="flip") for word in chosen]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        task: Task = (options or {}).get("task") or self.tasks("train", 1, seed=seed or 0)[0]
        if task.goal != f"Write {task.id} backwards.":
            raise MalformedTask(f"task {task.id!r} is none of {self.id}")
        self._word = task.id
        return task.text, {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        right = action.strip() == self._word[::-1]
        return "right" if right else "wrong", float(right), True, False, {"error": False, "success": right}

    def admissible(self) -> tuple[str, ...]:
        return ()

    def demonstrate(self, task: Task) -> Demonstration:
        return Demonstration(observations=(task.text,), actions=(task.id[::-1],))

    def spawn(self) -> FlipEnvironment:
        return FlipEnvironment()

    def close(self) -> None:
        pass
