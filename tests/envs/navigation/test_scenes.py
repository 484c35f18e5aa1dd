"""Scenes from numbers: connected rooms, objects of different categories, splits."""

from __future__ import annotations

from lifelong.envs.navigation.scenes import (
    CATEGORIES,
    NEVER_TAUGHT,
    OBJECTS,
    SCENE_SPLITS,
    STAGES,
    make_world,
    read_map,
    read_pose,
    scene_split,
)


def test_the_stages_share_no_category_and_some_are_never_taught() -> None:
    taught = [name for stage in STAGES for name in stage]
    assert len(STAGES) == 4
    assert sorted([*taught, *NEVER_TAUGHT]) == sorted(CATEGORIES)
    assert len(set(CATEGORIES)) == len(CATEGORIES) == 18
    assert all(len({name.split()[part] for name in stage}) > 1 for stage in STAGES for part in (0, 1))


def test_a_number_makes_the_same_scene_again_and_another_number_another() -> None:
    scenes = [(read_map(make_world(number)), read_pose(make_world(number))) for number in range(30)]
    assert scenes == [(read_map(make_world(number)), read_pose(make_world(number))) for number in range(30)]
    assert all(one != other for place, one in enumerate(scenes) for other in scenes[:place])


def test_every_scene_holds_its_objects_and_an_agent_on_a_free_cell() -> None:
    for number in range(100):
        world = make_world(number)
        grid_map = read_map(world)
        assert len(set(grid_map.objects.values())) == OBJECTS
        assert read_pose(world).cell in grid_map.free
        assert grid_map.closed <= grid_map.free
        assert len(grid_map.closed) >= 3


def test_a_scene_is_in_one_split() -> None:
    assert [scene_split(number) for number in range(4)] == [*SCENE_SPLITS, "train"]
