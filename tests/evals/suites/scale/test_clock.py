from __future__ import annotations

import mmap

from lifelong.evals.suites.scale.clock import resident, timed


def test_work_is_done_once_and_timed() -> None:
    done: list[int] = []
    seconds, worked = timed(lambda: done.extend(range(10**5)))
    assert len(done) == 10**5
    assert worked > 0
    assert seconds > 0


def test_what_is_held_counts() -> None:
    before = resident()
    # Pages that no earlier test has left to the allocator.
    with mmap.mmap(-1, 1 << 24) as held:
        held.write(b"1" * len(held))
        assert before == 0 or resident() - before > len(held) // 2
