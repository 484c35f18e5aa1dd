"""What is seen, as text."""

from __future__ import annotations

from lifelong.envs.navigation.captions import view
from lifelong.envs.navigation.scenes import make_world, read_map, read_pose


def test_doors_are_described_with_their_state_only_where_they_are_wanted() -> None:
    world = next(world for world in map(make_world, range(50)) if "closed" in view(world, doors=True))
    assert "door" not in view(world)
    assert "door" in view(world, doors=True)


def test_a_place_in_the_text_is_the_place_in_the_scene() -> None:
    checked = 0
    for scene in range(20):
        world = make_world(scene)
        grid_map, pose = read_map(world), read_pose(world)
        ahead = [(pose.cell[0] + n * (1, 0, -1, 0)[pose.heading], pose.cell[1] + n * (0, 1, 0, -1)[pose.heading]) for n in range(1, 7)]
        for distance, cell in enumerate(ahead, 1):
            name = grid_map.objects.get(cell)
            if name and all(between in grid_map.free - grid_map.closed for between in ahead[: distance - 1]):
                assert f"{name} {distance} ahead" in view(world)
                checked += 1
    assert checked > 0
