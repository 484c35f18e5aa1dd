"""A picture becomes a map: walls, floor and things where they are, whatever the camera's resolution."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lifelong.envs.navigation.rooms_3d import RoomsWorld, make_layout, take_picture
from lifelong.learners.navigation.pillars import CHANNELS, FORWARD, SIDE, pillars

MIDDLE = SIDE // 2
FLOOR, WALL = CHANNELS - 2, CHANNELS - 1
SURFACE = (3, 7, 11)
"""Of the three layers."""


def room(wall: float, *, height: int = 60, width: int = 80) -> np.ndarray:
    """What a camera 1.5 m above a grey floor sees of a blue wall ahead."""
    down = (np.arange(height) - (height - 1) / 2)[:, None] * 2 * math.tan(math.radians(30)) / height * np.ones((1, width))
    depth = np.minimum(np.where(down > 0, 1.5 / np.maximum(down, 1e-9), np.inf), wall)
    picture = np.full((height, width, 4), 0.5, dtype=np.float32)
    picture[depth == wall, :3] = (0, 0, 1)
    picture[..., 3] = depth
    return picture


@pytest.mark.parametrize("height", [60, 120])
def test_floor_and_wall_are_where_they_are(height: int) -> None:
    made = pillars(room(4.5, height=height, width=height * 4 // 3), 2)
    assert made.shape == (FORWARD, SIDE, CHANNELS)
    # The floor comes into view 2.6 m ahead and ends before the wall, which stands at the border of the fifth pillar.
    assert (made[3:5, MIDDLE, FLOOR] > 0).all()
    assert (made[:5, :, WALL] == 0).all()
    assert (made[5, :, WALL] > 100).all()
    assert (made[6:] == 0).all()
    assert made[5, MIDDLE, 4:8].tolist()[:3] == [0, 0, 255]
    assert made[3, MIDDLE, list(SURFACE)].tolist() == [0, 0, 0]


def test_a_thing_has_its_colour_in_the_layers_that_it_reaches() -> None:
    picture = room(6.5)
    # A red block 0.6 m high and 0.5 m wide, 4 m ahead and 1 m to the right.
    pixel = 2 * math.tan(math.radians(30)) / 60 * 4
    rows = [row for row in range(60) if 0 < 1.5 + (29.5 - row) * pixel < 0.6]
    columns = [column for column in range(80) if 0.75 < (column - 39.5) * pixel < 1.25]
    picture[np.ix_(rows, columns)] = (1, 0, 0, 4.0)
    made = pillars(picture, 0)
    thing = made[4, MIDDLE + 1]
    assert thing[:3].tolist() == [255, 0, 0]
    assert thing[4:7].tolist() == [255, 0, 0]
    assert [bool(thing[place]) for place in SURFACE] == [True, True, False]
    assert not made[4, MIDDLE - 1, list(SURFACE)].any()


def test_the_compass_is_in_the_pillar_of_the_agent() -> None:
    found = [pillars(room(3.5), heading) for heading in range(4)]
    assert [one[0, MIDDLE].tolist().index(255) for one in found] == [0, 1, 2, 3]
    assert all(one[0, MIDDLE].sum() == 255 for one in found)
    assert (found[0][1:] == found[1][1:]).all()


def test_what_is_no_picture_is_refused() -> None:
    broken = room(3.5)
    broken[0, 0, 3] = np.nan
    for picture, heading in ((room(3.5)[..., :3], 0), (broken, 0), (room(3.5), 4)):
        with pytest.raises(ValueError, match="a picture must be finite, of shape"):
            pillars(picture, heading)


@pytest.mark.usefixtures("renderer")
def test_objects_in_view_stand_in_their_pillars() -> None:
    seen, found = 0, 0
    for scene in range(120):
        world = RoomsWorld(make_layout(scene))
        objects, view = world.layout.grid_map.objects, world.cells_in_view()
        near = [where for cell, where in view.items() if cell in objects and 3 <= where[0] <= 5 and abs(where[1]) < MIDDLE]
        made = pillars(take_picture(world), world.pose.heading) if near else None
        for ahead, right in near:
            assert made is not None
            seen += 1
            found += bool(made[ahead, MIDDLE + right, [3, 7]].any())
    assert seen > 5
    assert found >= 0.9 * seen
