from __future__ import annotations

from pathlib import Path

import numpy as np

from lifelong.checks.cue_memory import example_episode
from lifelong.memory import Record, compress

VECTOR = np.ones(4, dtype=np.float32)


def test_the_generation_rises_with_everything_but_growth_and_other_processes_see_it(tmp_path: Path) -> None:
    with Record(tmp_path / "r.sqlite3") as record, Record(tmp_path / "r.sqlite3") as other:
        seen = [other.generation("default")]

        def changed() -> bool:
            seen.append(other.generation("default"))
            return seen[-1] > seen[-2]

        record.episodes.record_many([(example_episode(number), VECTOR) for number in range(6)])
        assert not changed(), "growth is seen by the fingerprint"
        record.episodes.assign(["default-0"], "elsewhere")
        assert changed()
        record.episodes.assign(["default-0"], "elsewhere")
        assert not changed()
        record.rename_skill("default", "elsewhere", "nowhere")
        assert changed()
        record.erase(["default-1"])
        assert changed()
        assert compress(record, "default", 3) == 2
        assert changed()
        assert other.generation("somebody else") == 0


def test_skills_are_counted_by_the_transaction_that_files(record: Record) -> None:
    record.episodes.record_many([(example_episode(number), VECTOR) for number in range(4)])
    before = record.episodes.skills(tenant="default")
    assert sum(before.values()) == len(record.episodes.skill_of(tenant="default")) > 0
    record.episodes.assign(["default-0", "default-1"], "b")
    record.episodes.assign(["default-1"], "")
    record.erase(["default-2"])
    filed = record.episodes.skill_of(tenant="default")
    assert record.episodes.skills(tenant="default") == {skill: list(filed.values()).count(skill) for skill in sorted(set(filed.values()))}


def test_labelled_vectors_are_those_of_filed_runs(record: Record) -> None:
    record.episodes.record_many([(example_episode(number), VECTOR + number) for number in range(4)])
    record.episodes.assign(["default-2"], "")
    ids, vectors, skills = record.episodes.labelled_vectors(tenant="default")
    assert dict(zip(ids, skills, strict=True)) == record.episodes.skill_of(tenant="default")
    np.testing.assert_array_equal(vectors, record.episodes.vectors(tenant="default", ids=ids)[1])
    assert record.episodes.labelled_vectors(tenant="default", ids=["default-1"])[0] == ["default-1"]
    assert record.episodes.unjudged("default") == sum(e.outcome.success is None for e in record.episodes.find(tenant="default"))
