"""BabyAI rooms described in text: a mission, what lies in view, and one move at a time."""

from __future__ import annotations

import contextlib
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ...core import Task
from .._reply import ActionResult
from .._splits import GeneratedEnvironment
from ..environment import Demonstration, History
from .captions import view

if TYPE_CHECKING:
    from minigrid.minigrid_env import MiniGridEnv

_MOVES = ("left", "right", "forward", "pickup", "drop")
"""Gymnasium action numbers 0 to 4; `toggle` and `done` do nothing useful in rooms without doors."""
_MAX_STEPS = 20


@dataclass(frozen=True, kw_only=True)
class Room:
    """A world that the expert can solve in time."""

    level: int
    """Index into the levels."""
    seed: int
    """Seed of the level's reset."""
    context: str
    """What is seen at the start."""
    goal: str
    """The mission."""
    demonstration: Demonstration
    """The expert's run."""


class NavigationEnvironment(GeneratedEnvironment[Room]):
    """One room of 6x6 cells, 7x7 cells in view; go to an object or pick one up. The expert is minigrid's BabyAIBot.

    An observation gives every visible object by its place relative to the agent, so that the mission and the
    latest observation are enough to act on while the goal is in view.
    """

    id = "navigation-v1"
    max_steps = _MAX_STEPS
    max_answer_tokens = 8
    history: History = "last"  # a view and the mission are the whole state
    instructions = "Answer with one move: left, right, forward, pickup or drop."

    def demonstrate(self, task: Task) -> Demonstration:
        return self._problem(task).demonstration

    def admissible(self) -> tuple[str, ...]:
        return admissible_moves(self._world) if self._steps_left else ()

    def _make(self, rng: random.Random) -> Room | None:
        level, seed = rng.randrange(len(_levels())), rng.randrange(2**31)
        return _solved(level, seed)

    def _begin(self, task: Task) -> None:
        room = self._problem(task)
        self._world = _world(room.level, room.seed)

    def _act(self, action: str) -> ActionResult:
        move = action.strip().strip(".!\"'`").lower()
        allowed = admissible_moves(self._world)
        if move not in allowed:
            return ActionResult(text=f"Error: choose one of: {', '.join(allowed)}.", error=True)
        return _moved(self._world, move)


def admissible_moves(world: MiniGridEnv) -> tuple[str, ...]:
    """The moves that would change something."""
    front = world.grid.get(*world.front_pos)
    moves = ["left", "right"]
    if front is None or front.can_overlap():
        moves.append("forward")
    if front is not None and front.can_pickup() and world.carrying is None:
        moves.append("pickup")
    if front is None and world.carrying is not None:
        moves.append("drop")
    return tuple(moves)


@cache
def _levels() -> tuple[Callable[[], MiniGridEnv], ...]:
    # pygame greets on standard output when it is imported.
    with contextlib.redirect_stdout(io.StringIO()):
        from minigrid.envs.babyai import GoToLocal, GoToObj, PickupDist, PickupLoc

    return (
        lambda: GoToObj(),
        lambda: GoToLocal(room_size=8, num_dists=4),
        lambda: PickupDist(),
        lambda: PickupLoc(),
    )


def _world(level: int, seed: int) -> MiniGridEnv:
    # BabyAI prints every rejected sample on standard output.
    with contextlib.redirect_stdout(io.StringIO()):
        world = _levels()[level]()
        world.reset(seed=seed)
    return world


def _moved(world: MiniGridEnv, move: str) -> ActionResult:
    _, reward, terminated, _, _ = world.step(_MOVES.index(move))
    # BabyAI's reward shrinks with every step; it is above 0 exactly where the mission is done.
    solved = float(reward) > 0
    return ActionResult(text=f"You did: {move}. {view(world)}", reward=float(solved), done=bool(terminated), success=solved)


def _solved(level: int, seed: int) -> Room | None:
    """The room with the expert's run, or None when the expert needs more than the steps there are."""
    from minigrid.utils.baby_ai_bot import BabyAIBot

    world = _world(level, seed)
    context, goal = view(world), f"Mission: {world.mission}."
    bot = BabyAIBot(world)
    observations, actions = [f"{context}\n{goal}"], list[str]()
    number = None
    for _ in range(_MAX_STEPS):
        number = int(bot.replan(number))
        if number >= len(_MOVES) or _MOVES[number] not in admissible_moves(world):
            return None
        reply = _moved(world, _MOVES[number])
        actions.append(_MOVES[number])
        if reply.done:
            demonstration = Demonstration(observations=tuple(observations), actions=tuple(actions))
            return Room(level=level, seed=seed, context=context, goal=goal, demonstration=demonstration) if reply.reward else None
        observations.append(reply.text)
    return None
