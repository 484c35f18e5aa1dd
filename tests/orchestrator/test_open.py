"""Opening: a start that fails decides nothing and leaves nothing open."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lifelong.core import Adapter, AdapterRejected, LifelongError, Settings, SettingsError, StoreError, Task
from lifelong.memory import Record
from lifelong.orchestrator import LifelongLearner
from lifelong.orchestrator import open as opening
from lifelong.orchestrator.run_state import HomeStamp


def settings(home: Path, model: Path | str, encoder: str) -> Settings:
    return Settings(home=home).with_values({"model.name": str(model), "memory.encoder": encoder})


def test_a_start_that_fails_does_not_decide_the_encoder(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, closed = tmp_path / "home", []

    class Engine:
        def close(self) -> None:
            closed.append(True)

    with monkeypatch.context() as broken:
        broken.setattr(opening, "create", lambda point, name, **given: Record(**given) if point == "stores" else Engine())
        broken.setattr(opening, "_encoder", lambda settings: (_ for _ in ()).throw(SettingsError("no encoder")))
        with pytest.raises(SettingsError, match="no encoder"):
            LifelongLearner.open(settings(home, tiny_model, "minilm"))
    assert closed == [True]
    with pytest.raises(LifelongError):
        LifelongLearner.open(settings(home, tmp_path / "no-model", "minilm"))
    with Record(home / "record.sqlite3") as record:
        assert record.state.get(HomeStamp) is None
    LifelongLearner.open(settings(home, tiny_model, "hashed")).close()
    with Record(home / "record.sqlite3") as record:
        assert record.state.get(HomeStamp) == HomeStamp(encoder="hashed", adapters_sealed=True)
    with pytest.raises(SettingsError, match="recorded with 'hashed'"):
        LifelongLearner.open(settings(home, tiny_model, "minilm"))


def test_a_home_that_cannot_be_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for home in (tmp_path / "file", tmp_path / "file" / "home", Path("/proc/nowhere/home"), tmp_path / "a\0b"):
        with pytest.raises(StoreError, match="--home"):
            LifelongLearner.open(Settings(home=home))


def test_a_new_home_is_private(tmp_path: Path, tiny_model: Path) -> None:
    LifelongLearner.open(settings(tmp_path / "home", tiny_model, "hashed")).close()
    assert (tmp_path / "home").stat().st_mode & 0o077 == 0


def test_adapters_that_an_older_version_wrote_get_their_manifest_once(
    tmp_path: Path, tiny_model: Path, tiny_adapter: Callable[..., Adapter]
) -> None:
    home = tmp_path / "home"
    trained = tiny_adapter("lifelong-v0001")
    path = home / "adapters" / trained.name
    shutil.copytree(trained.path, path)
    (path / "manifest.json").unlink()
    (path / "training.json").write_text('{"recipe": {}, "report": {}}')
    elsewhere = tiny_adapter("lifelong-v0002")
    (Path(elsewhere.path) / "manifest.json").unlink()
    with Record(home / "record.sqlite3") as record:
        record.state.put(HomeStamp(encoder="hashed"))
        record.adapters.publish(replace(trained, path=str(path)), ["chat"])
        record.adapters.record(elsewhere)
    with LifelongLearner.open(settings(home, tiny_model, "hashed")) as learner:
        assert learner._components.publish(trained.name) == trained.name
        with pytest.raises(AdapterRejected, match="no manifest"):
            learner._components.publish(elsewhere.name)
    (path / "manifest.json").unlink()
    with LifelongLearner.open(settings(home, tiny_model, "hashed")) as learner:
        with pytest.raises(AdapterRejected, match="no manifest"):
            learner._components.publish(trained.name)
        answered = learner.wake(Task(id="1", goal="hello", environment="chat"), max_tokens=8)
        assert answered.adapter == "", "the base model answers in its place"
