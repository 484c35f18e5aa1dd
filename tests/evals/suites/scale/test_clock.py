from __future__ import annotations

import numpy as np

from lifelong.evals.suites.scale.clock import resident, timed


def test_work_is_done_once_and_timed() -> None:
    done: list[int] = []
    seconds, worked = timed(lambda: done.extend(range(10**5)))
    assert len(done) == 10**5
    assert worked > 0
    assert seconds > 0


def test_what_is_held_counts() -> None:
    before = resident()
    held = np.ones(1 << 24, dtype=np.uint8)
    assert before == 0 or resident() - before > len(held) // 2
