"""Scenes are data that need no graphics; pictures show what the data says, from any thread, and a machine without EGL is named."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest

from lifelong.core import PackageMissing
from lifelong.envs.navigation import rooms_3d
from lifelong.envs.navigation.paths import GridMap, Pose, goal_distances
from lifelong.envs.navigation.rooms_3d import CATEGORIES_3D, OBJECTS, STAGES_3D, NoRenderer, RoomsWorld, in_sight, make_layout, take_picture


def test_a_scene_follows_from_its_number() -> None:
    assert make_layout(7) == make_layout(7)
    assert make_layout(7).grid_map != make_layout(8).grid_map
    assert len({name for stage in STAGES_3D for name in stage}) == 16
    assert len(CATEGORIES_3D) == 18


@pytest.mark.parametrize("scene", range(30))
def test_every_object_can_be_reached_from_the_start(scene: int) -> None:
    layout = make_layout(scene)
    assert len(set(layout.grid_map.objects.values())) == OBJECTS
    assert layout.start.cell in layout.grid_map.free
    assert all(layout.start.cell in goal_distances(layout.grid_map, name) for name in layout.grid_map.objects.values())


def test_walls_hide_what_is_behind_them() -> None:
    row = frozenset({(0, 0), (1, 0), (3, 0)})
    grid_map = GridMap(free=row, closed=frozenset(), objects={(4, 0): "red ball"})
    assert in_sight(grid_map, (0, 0), (1, 0))
    assert in_sight(grid_map, (0, 0), (2, 0))
    assert not in_sight(grid_map, (0, 0), (4, 0))
    assert in_sight(grid_map, (3, 0), (4, 0))
    # Through a corner between two walls nothing is seen.
    assert not in_sight(GridMap(free=frozenset({(0, 0), (2, 2)}), closed=frozenset(), objects={}), (0, 0), (2, 2))


def test_turns_and_steps() -> None:
    world = RoomsWorld(make_layout(3))
    start = world.pose
    for _ in range(4):
        world.move("left")
    assert world.pose == start
    world.move("right")
    assert world.pose.heading == (start.heading + 1) % 4


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    try:
        return take_picture(RoomsWorld(make_layout(3)))
    except (NoRenderer, PackageMissing) as problem:
        pytest.skip(str(problem))


def test_a_picture_repeats_in_whatever_thread(picture: np.ndarray) -> None:
    assert picture.shape == (60, 80, 4)
    assert picture.dtype == np.float32
    assert 0 <= picture[..., :3].min() <= picture[..., :3].max() <= 1
    other = take_picture(RoomsWorld(make_layout(4)))
    with ThreadPoolExecutor(3) as threads:
        again = list(threads.map(lambda _: take_picture(RoomsWorld(make_layout(3))), range(3)))
    assert all(np.array_equal(one, picture) for one in again)
    assert not np.array_equal(other, picture)


@pytest.mark.usefixtures("picture")
def test_depth_is_the_distance_to_the_wall_ahead() -> None:
    checked = 0
    for scene in range(12):
        world = RoomsWorld(make_layout(scene))
        for heading in range(4):
            world.pose = Pose(cell=world.layout.start.cell, heading=heading)
            (x, y), free = ((1, 0), (0, 1), (-1, 0), (0, -1))[heading], world.layout.grid_map.free
            metres = next(k for k in range(1, 12) if (world.pose.cell[0] + k * x, world.pose.cell[1] + k * y) not in free)
            ahead = (world.pose.cell[0] + metres * x, world.pose.cell[1] + metres * y)
            if ahead not in world.layout.grid_map.objects:
                depth = float(take_picture(world)[30, 40, 3])
                assert math.isclose(depth, metres - 0.5, abs_tol=0.15), (scene, heading)
                checked += 1
    assert checked > 20


@pytest.mark.usefixtures("picture")
def test_objects_stand_where_the_data_says() -> None:
    """What is ahead to the left is drawn on the left: the picture differs there from that of the scene without the object."""
    found = 0
    for scene in range(40):
        layout = make_layout(scene)
        world = RoomsWorld(layout)
        near = {cell: where for cell, where in world.cells_in_view().items() if cell in layout.grid_map.objects and 2 <= where[0] <= 3}
        if len(near) != 1:
            continue
        [(cell, (_, right))] = near.items()
        bare = GridMap(
            free=layout.grid_map.free, closed=frozenset(), objects={c: n for c, n in layout.grid_map.objects.items() if c != cell}
        )
        without = RoomsWorld(rooms_3d.RoomsLayout(scene=scene, grid_map=bare, openings=layout.openings, start=layout.start))
        changed = np.abs(take_picture(world)[..., 3] - take_picture(without)[..., 3]) > 0.05
        columns = np.nonzero(changed.any(0))[0]
        assert len(columns) > 0, scene
        assert np.sign(np.round((columns.mean() - 39.5) / 8)) == np.sign(right), scene
        found += 1
    assert found >= 5


@pytest.mark.skipif(find_spec("miniworld") is None, reason="miniworld is not installed")
def test_a_machine_without_a_renderer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:

    def refused() -> object:
        raise ImportError("Library EGL not found")

    rooms_3d._camera.cache_clear()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(rooms_3d, "_camera_class", refused)
            with pytest.raises(NoRenderer, match=r"without a display here \(ImportError: Library EGL not found\); install EGL"):
                take_picture(RoomsWorld(make_layout(0)))
    finally:
        rooms_3d._camera.cache_clear()


@pytest.mark.skipif(find_spec("miniworld") is None, reason="miniworld is not installed")
def test_a_renderer_that_hangs_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    with ThreadPoolExecutor(1) as own:
        monkeypatch.setattr(rooms_3d, "_thread", lambda: own)
        monkeypatch.setattr(rooms_3d, "RENDER_SECONDS", 0.1)
        monkeypatch.setattr(rooms_3d, "_draw", lambda layout, pose: released.wait())
        with pytest.raises(NoRenderer, match=r"no picture within 0\.1 seconds"):
            take_picture(RoomsWorld(make_layout(0)))
        released.set()
