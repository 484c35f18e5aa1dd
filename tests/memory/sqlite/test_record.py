from __future__ import annotations

from dataclasses import replace

import numpy as np

from lifelong.checks.cue_memory import example_episode
from lifelong.core import (
    Adapter,
    AdapterStatus,
)
from lifelong.memory import Record

VECTOR = np.array([1, 0, 0], dtype=np.float32)


def adapter(record: Record, **values: object) -> Adapter:
    name = record.adapters.next_name()
    return Adapter(name=name, path=f"/adapters/{name}", base="base", rank=4, **values)  # type: ignore[arg-type]


def test_a_renamed_skill_takes_its_route_along_and_joins_one_that_is_there(record: Record) -> None:
    for number in range(4):
        record.episodes.record(replace(example_episode(number), skill="old" if number < 2 else "new"), VECTOR)
    ours, theirs = adapter(record, target="old"), adapter(record)
    record.adapters.publish(ours, ["old"])
    assert record.rename_skill("default", "old", "other") == 2
    assert record.adapters.routes("default") == {"other": ours.name}
    assert record.adapters.get(ours.name).target == "other", "what is rebuilt after an erasure is found by the skill's name"
    record.adapters.publish(theirs, ["new"])
    assert record.rename_skill("default", "other", "new") == 2
    assert record.adapters.routes("default") == {"new": theirs.name}
    assert set(record.episodes.skills(tenant="default")) == {"new"}
    assert record.adapters.get(ours.name).status is AdapterStatus.RETIRED
    assert record.rename_skill("elsewhere", "new", "mine") == 0
    record.rename_skill("default", "new", "")
    assert record.adapters.routes("default") == {}
    assert record.adapters.get(theirs.name).status is AdapterStatus.RETIRED
    assert len(record.episodes.novel("default")) == 4
