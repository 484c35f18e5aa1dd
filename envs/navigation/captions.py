"""What an agent sees in a MiniGrid world, as text: objects by their place relative to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minigrid.minigrid_env import MiniGridEnv

_NEAREST = 5
"""Objects described at most, nearest first; what is farther comes into view again later."""
_OBJECTS = ("key", "ball", "box")
_DOOR_STATES = ("open", "closed", "locked")


def view(world: MiniGridEnv, *, doors: bool = False) -> str:
    """What the agent sees and carries, as in `You see: red ball 2 ahead 1 left; wall 4 ahead`; doors with their state, where wanted."""
    from minigrid.core.constants import IDX_TO_COLOR, IDX_TO_OBJECT

    image = world.gen_obs()["image"]
    middle, last = image.shape[0] // 2, image.shape[1] - 1
    objects: list[tuple[int, str]] = []
    for column in range(image.shape[0]):
        for row in range(image.shape[1]):
            kind = IDX_TO_OBJECT[int(image[column, row, 0])]
            ahead, right = last - row, column - middle
            if (kind in _OBJECTS or (doors and kind == "door")) and (ahead, right) != (0, 0):
                color = IDX_TO_COLOR[int(image[column, row, 1])]
                state = f"{_DOOR_STATES[int(image[column, row, 2])]} " if kind == "door" else ""
                objects.append((ahead + abs(right), f"{state}{color} {kind} {_place(ahead, right)}"))
    walls = [last - row for row in range(last) if IDX_TO_OBJECT[int(image[middle, row, 0])] == "wall"]
    described = [text for _, text in sorted(objects)[:_NEAREST]] + [f"wall {_place(min(walls), 0)}" for _ in walls[:1]]
    carrying = f" You carry: {world.carrying.color} {world.carrying.type}." if world.carrying else ""
    return f"You see: {'; '.join(described) or 'nothing'}.{carrying}"


def _place(ahead: int, right: int) -> str:
    parts = [f"{ahead} ahead"] if ahead else []
    if right:
        parts.append(f"{abs(right)} {'right' if right > 0 else 'left'}")
    return " ".join(parts)
