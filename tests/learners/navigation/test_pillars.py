"""A picture becomes a map: walls, floor and things where they are, whatever the camera's resolution."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lifelong.envs.navigation.rooms_3d import RoomsWorld, make_layout, take_picture
from lifelong.learners.navigation.pillars import AHEAD, BESIDE, CHANNELS, COLUMNS, FORWARD, ROWS, SIDE, PillarMap, pillars

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
    made = pillars(room(4.5, height=height, width=height * 4 // 3))
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
    made = pillars(picture)
    thing = made[4, MIDDLE + 1]
    assert thing[:3].tolist() == [255, 0, 0]
    assert thing[4:7].tolist() == [255, 0, 0]
    assert [bool(thing[place]) for place in SURFACE] == [True, True, False]
    assert not made[4, MIDDLE - 1, list(SURFACE)].any()


def test_the_compass_is_in_the_pillar_of_the_agent() -> None:
    found = [PillarMap().after(room(3.5), (0, 0), heading) for heading in range(4)]
    assert all(one.shape == (ROWS, COLUMNS, CHANNELS) for one in found)
    assert [one[AHEAD, BESIDE].tolist().index(255) for one in found] == [0, 1, 2, 3]
    assert all(one[AHEAD, BESIDE].sum() == 255 for one in found)
    # The same picture in another direction makes the same map around the agent.
    assert (found[0][:AHEAD] == found[1][:AHEAD]).all()


def test_what_was_passed_stays_on_the_map_and_turns_with_the_agent() -> None:
    seen = PillarMap()
    first = seen.after(room(3.5), (0, 0), 0)
    wall = first[AHEAD - 4]
    assert (wall[BESIDE - 1 : BESIDE + 2, WALL] > 0).all()
    nothing = room(50.0)
    nothing[..., 3] = 50.0
    # Two metres on, the wall is two metres ahead; turned left (north), it is two metres to the right; turned about, behind.
    assert (seen.after(nothing, (2, 0), 0)[AHEAD - 2, :, WALL] == wall[:, WALL]).all()
    north = seen.after(nothing, (2, 0), 3)
    assert (north[AHEAD - 1 : AHEAD + 2, BESIDE + 2, WALL] == wall[BESIDE - 1 : BESIDE + 2, WALL]).all()
    west = seen.after(nothing, (2, 0), 2)
    assert (west[AHEAD + 2, BESIDE - 1 : BESIDE + 2, WALL] == wall[BESIDE - 1 : BESIDE + 2, WALL][::-1]).all()


def test_a_layer_that_is_out_of_view_stays_as_it_was() -> None:
    seen, picture = PillarMap(), room(6.5)
    pixel = 2 * math.tan(math.radians(30)) / 60 * 4
    rows = [row for row in range(60) if 0 < 1.5 + (29.5 - row) * pixel < 0.6]
    picture[rows, 38:42] = (1, 0, 0, 4.0)
    before = seen.after(picture, (0, 0), 0)[AHEAD - 4, BESIDE]
    after = seen.after(room(6.5), (3, 0), 0)[AHEAD - 1, BESIDE]
    assert before[[0, 3, 4, 7]].tolist() == after[[0, 3, 4, 7]].tolist()
    assert before[3] > 0


def test_what_is_no_picture_is_refused() -> None:
    broken = room(3.5)
    broken[0, 0, 3] = np.nan
    for picture in (room(3.5)[..., :3], broken):
        with pytest.raises(ValueError, match="a picture must be finite, of shape"):
            pillars(picture)


@pytest.mark.usefixtures("renderer")
def test_objects_in_view_stand_in_their_pillars() -> None:
    seen, found = 0, 0
    for scene in range(120):
        world = RoomsWorld(make_layout(scene))
        objects, view = world.layout.grid_map.objects, world.cells_in_view()
        near = [where for cell, where in view.items() if cell in objects and 3 <= where[0] <= 5 and abs(where[1]) < MIDDLE]
        made = pillars(take_picture(world)) if near else None
        for ahead, right in near:
            assert made is not None
            seen += 1
            found += bool(made[ahead, MIDDLE + right, [3, 7]].any())
    assert seen > 5
    assert found >= 0.9 * seen
