"""A record opens as a table."""

from __future__ import annotations

from pathlib import Path

from scripted import open_scripted
from toy import ToyEnvironment

from lifelong.core import Task
from lifelong.memory import Record, to_frame


def test_a_record_named_by_a_text_opens_as_a_table(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        for number, tenant in enumerate(("ann", "ben", "ann")):
            learner.wake(Task(id=str(number), goal=f"goal {number}", tenant=tenant))
    with Record(str(tmp_path / "record.sqlite3")) as record:
        assert to_frame(record)["goal"].tolist() == ["goal 0", "goal 1", "goal 2"]
        own = to_frame(record, "ann")
        assert own["tenant"].tolist() == ["ann", "ann"]
        assert {"success", "skill", "tokens", "created"} <= set(own.columns)
        assert to_frame(record, "nobody").empty


def test_what_an_expert_answered_is_told_apart_from_the_agents_own_runs(tmp_path: Path) -> None:
    lamps = ToyEnvironment()
    with open_scripted(tmp_path) as learner:
        [failed] = learner.wake_many(lamps.tasks("train", 1), lamps, ids=["own"])
        learner.correct(failed, lamps)
        table = to_frame(learner.record)
    assert table["success"].tolist() == [False, True]
    assert table["demonstration"].tolist() == [False, True]
