"""What was saved goes on as if it had not been, and what was damaged is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from lifelong.envs import ObjectNavGridEnvironment
from lifelong.envs.navigation.scenes import STAGES
from lifelong.learners.navigation.checkpoints import ARRAYS, CheckpointDamaged, load_checkpoint, save_checkpoint
from lifelong.learners.navigation.methods import METHODS
from lifelong.learners.navigation.navigator import Navigator, NavigatorSettings
from lifelong.learners.navigation.trajectories import Trajectory, record
from lifelong.memory.artefacts import CHECKPOINT

SETTINGS = NavigatorSettings(epochs=1, batch=4)


@pytest.fixture(scope="module")
def stages() -> list[list[Trajectory]]:
    return [record(one, one.tasks("train", 6)) for one in map(ObjectNavGridEnvironment, STAGES[:2])]


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if not method.joint])
def test_a_loaded_navigator_learns_on_as_the_saved_one(method: str, stages: list[list[Trajectory]], tmp_path: Path) -> None:
    saved = Navigator(method=method, width=8, max_bytes=3000, settings=SETTINGS, seed=3).learn(stages[0])
    folder = save_checkpoint(saved, tmp_path / "1", episodes=["run-1"])
    loaded = load_checkpoint(folder)
    assert loaded.episodes == ("run-1",)
    assert (loaded.navigator.taught, loaded.navigator.stages) == (saved.taught, 1)
    assert (loaded.navigator.nbytes, loaded.navigator.losses) == (saved.nbytes, saved.losses)
    after, expected = loaded.navigator.learn(stages[1]), saved.learn(stages[1])
    assert all(torch.equal(a, b) for a, b in zip(after.network.parameters(), expected.network.parameters(), strict=True))
    assert after.nbytes == expected.nbytes


def test_a_checkpoint_is_never_written_twice(stages: list[list[Trajectory]], tmp_path: Path) -> None:
    navigator = Navigator(width=8, settings=SETTINGS)
    save_checkpoint(navigator, tmp_path / "1")
    with pytest.raises(FileExistsError, match="never written twice"):
        save_checkpoint(navigator, tmp_path / "1")
    with pytest.raises(ValueError, match="joint training keeps whole trajectories"):
        save_checkpoint(Navigator(method="joint", width=8), tmp_path / "2")
    assert [one.name for one in tmp_path.iterdir()] == ["1"]


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def change(file: Path, **values: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: flip(folder / ARRAYS),
        lambda folder: cut(folder / ARRAYS),
        lambda folder: (folder / ARRAYS).unlink(),
        lambda folder: cut(folder / CHECKPOINT),
        lambda folder: (folder / CHECKPOINT).write_text("[]"),
        lambda folder: change(folder / CHECKPOINT, made_with={"width": 6}),
        lambda folder: change(folder / CHECKPOINT, parts=[]),
    ],
    ids=["bit", "cut", "gone", "description cut", "another file", "another shape", "without parts"],
)
def test_a_damaged_checkpoint_is_refused(damage: object, tmp_path: Path) -> None:
    folder = save_checkpoint(Navigator(width=8, settings=SETTINGS), tmp_path / "1")
    assert callable(damage)
    damage(folder)
    with pytest.raises(CheckpointDamaged, match="delete it and go on from an earlier one"):
        load_checkpoint(folder)


def test_nothing_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointDamaged, match="is not a checkpoint that can be used"):
        load_checkpoint(tmp_path / "nowhere")
