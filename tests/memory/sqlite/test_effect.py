"""The effect of memory, counted in the record."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lifelong.checks.cue_memory import example_episode
from lifelong.core import (
    Judge,
    Outcome,
)
from lifelong.memory import Record, memory_effect

VECTOR = np.array([1, 0, 0], dtype=np.float32)


def test_the_effect_counts_judged_tasks_that_were_offered_help(record: Record) -> None:
    def put(number: int, **values: object) -> None:
        record.episodes.record(replace(example_episode(number), **values), VECTOR)  # type: ignore[arg-type]

    won, lost = Outcome(success=True, judge=Judge.USER), Outcome(success=False, judge=Judge.USER)
    for number in range(3):
        put(number, offered=True, outcome=won)
    put(3, offered=True, outcome=lost)
    put(4, offered=True, control=True, outcome=lost)
    put(5, offered=True, outcome=Outcome(success=True))
    put(6, outcome=lost)
    put(7, offered=True, skill="other", control=True, outcome=won)
    reading = memory_effect(record, "default", "counting")
    assert (reading.treated_successes, reading.treated_total, reading.control_successes, reading.control_total) == (3, 4, 0, 1)
    assert reading.difference == 0.75
    low, high = reading.ci95
    assert low < 0.75 < high
    assert memory_effect(record, "ben").difference is None
    assert memory_effect(record, "default").control_total == 2
