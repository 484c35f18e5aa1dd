"""When a perceiver calibrates: beside requests, after an erasure, and not again where a file holds what it found."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scripted import open_scripted
from two_skills import asked, episodes, fill, many

from lifelong.core import Verdict
from lifelong.orchestrator import perceiver as module
from lifelong.orchestrator.skill_heads import state_file
from lifelong.orchestrator.skills import rename_skill
from lifelong.perception import Calibration
from lifelong.perception.recognition.evidence import KnownSkills


@pytest.fixture
def calibrations(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tasks that each calibration was fitted on, as they come."""
    fitted: list[int] = []
    fit = Calibration.fit

    def counted(known: KnownSkills, seed: int) -> Calibration:
        fitted.append(sum(map(len, known.banks)))
        return fit(known, seed)

    monkeypatch.setattr(Calibration, "fit", counted)
    return fitted


def test_a_small_tenant_that_comes_back_is_not_calibrated_again(tmp_path: Path, calibrations: list[int]) -> None:
    with open_scripted(tmp_path) as learner:
        fill(learner, episodes(100))
        learner._components.perceivers.save()
        before = asked(learner, "book a flight to Rome on day 3").verdict
    assert calibrations == [100]
    file = state_file(tmp_path, "default")
    assert file.stat().st_size < 16_384
    for _ in range(2):
        with open_scripted(tmp_path) as learner:
            after = asked(learner, "book a flight to Rome on day 3").verdict
    assert calibrations == [100]
    assert before is not None
    assert after is not None
    assert after.known_chance == pytest.approx(before.known_chance, abs=0.02)
    assert after.skill == before.skill
    with open_scripted(tmp_path) as learner:
        fill(learner, episodes(30, start=200))
        asked(learner, "book a flight to Rome on day 3")
    assert len(calibrations) == 2, "a quarter more tasks are worth a calibration"


@pytest.mark.parametrize("change", ["erased", "filed anew", "another seed", "damaged"])
def test_a_calibration_of_other_tasks_is_not_taken_up(tmp_path: Path, calibrations: list[int], change: str) -> None:
    with open_scripted(tmp_path) as learner:
        fill(learner, episodes(100))
        asked(learner, "book a flight to Rome on day 3")
    file = state_file(tmp_path, "default")
    kept = file.read_bytes()
    if change == "damaged":
        file.write_bytes(kept[: len(kept) // 2])
    with open_scripted(tmp_path, **{"seed": 1} if change == "another seed" else {}) as learner:
        if change == "erased":
            learner.forget(episode="default-3")
            assert not file.exists() or file.read_bytes() != kept
            file.write_bytes(kept)
        if change == "filed anew":
            rename_skill(learner.record, "default", "flights", "journeys")
        asked(learner, "write the recipe of soup for 9 people")
    assert len(calibrations) > 1


def test_a_large_tenant_is_calibrated_beside_its_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CALIBRATED_AT_ONCE", 20)
    with open_scripted(tmp_path) as learner:
        fill(learner, many(160))
        perceiver = learner._components.perceiver("default")
        assert perceiver._follower is not None
        perceiver._follower.join(timeout=60)
        assert perceiver._recogniser.calibration is not None
        learner.forget(skill="skill 2")
        assert perceiver._recogniser.calibration is None or "skill 2" not in perceiver._recogniser.calibration.held_out
        again = learner._components.perceiver("default")
        assert again._follower is not None
        again._follower.join(timeout=60)
        assert again._recogniser.calibration is not None
        assert "skill 2" not in again._recogniser.calibration.shape.names


def test_forgotten_tasks_do_not_come_back_by_a_calibration_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_scripted(tmp_path) as learner:
        fill(learner, many(160))
        perceiver = learner._components.perceiver("default")
        fit, calls = module.Calibration.fit, list[int]()

        def slow(known: Any, seed: int) -> Any:
            calls.append(seed)
            found = fit(known, seed)
            if len(calls) == 1:
                learner.forget(skill="skill 2")
            return found

        monkeypatch.setattr(module.Calibration, "fit", slow)
        with perceiver._lock:
            perceiver._recogniser.adopt(None)
        perceiver._calibrate()
        found = perceiver._recogniser.calibration
        assert found is None or "skill 2" not in found.shape.names, "what was fitted on forgotten tasks is thrown away"


@pytest.mark.parametrize("where", ["before the file's place", "after it"])
def test_a_kill_while_a_calibration_is_written_leaves_nothing_of_a_skill_that_is_then_forgotten(tmp_path: Path, where: str) -> None:
    skill = "the orchard at Zanzibar"
    with open_scripted(tmp_path) as learner:
        some = [replace(episode, skill=skill) if episode.skill == "flights" else episode for episode in episodes(100)]
        fill(learner, some)
    child = os.fork()
    if child == 0:
        if where == "after it":
            os.fsync = lambda _: None
            Path.replace = lambda draft, file: (os.rename(draft, file), os.kill(os.getpid(), signal.SIGKILL))  # type: ignore[assignment,method-assign]
        else:
            os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
        with open_scripted(tmp_path) as learner:
            learner._components.perceiver("default")
            learner._components.perceivers.save()
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    drafts = [file for file in state_file(tmp_path, "default").parent.rglob("*") if skill.encode() in _letters(file)]
    assert drafts, "the child was killed with the name on disk"
    with open_scripted(tmp_path) as learner:
        learner.forget(skill=skill)
        asked(learner, "write the recipe of soup for 9 people")
        holding = {file.name for file in tmp_path.rglob("*") if skill.encode() in _letters(file)}
    # The receipt says what was asked.
    assert not {name for name in holding if not name.startswith("record.sqlite3")}


def _letters(file: Path) -> bytes:
    """A file's bytes with the zero bytes left out, as numpy writes names in four bytes a letter."""
    return file.read_bytes().replace(b"\0", b"") if file.is_file() else b""


def test_eight_threads_on_a_tenant_that_comes_back_calibrate_at_most_once(tmp_path: Path, calibrations: list[int]) -> None:
    with open_scripted(tmp_path) as learner:
        fill(learner, episodes(100))
        before = asked(learner, "book a flight to Rome on day 3").verdict
    with open_scripted(tmp_path) as learner:
        barrier, verdicts = threading.Barrier(8), list[Verdict | None]()

        def ask() -> None:
            barrier.wait()
            verdicts.append(asked(learner, "book a flight to Rome on day 3").verdict)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert calibrations == [100]
    assert len(verdicts) == 8
    for verdict in [before, *verdicts]:
        assert verdict is not None
        assert verdict.known_chance == pytest.approx(before.known_chance if before else 0.0, abs=0.02)
