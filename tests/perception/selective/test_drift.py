from __future__ import annotations

import numpy as np
import pytest

from lifelong.perception.selective.drift import ALARM, WINDOW, DriftMonitor


def test_a_stream_like_the_reference_is_rarely_called_drifting() -> None:
    alarms = 0
    for seed in range(60):
        draw = np.random.default_rng(seed)
        monitor = DriftMonitor(draw.normal(size=1000))
        for score in draw.normal(size=400):
            monitor.add(score)
            alarms += monitor.drifted
            if monitor.drifted:
                break
    assert alarms <= 3


@pytest.mark.parametrize("shift", [-1.0, 1.0])
def test_a_shift_is_noticed_either_way_and_late(shift: float) -> None:
    draw = np.random.default_rng(3)
    monitor = DriftMonitor(draw.normal(size=1000))
    for score in draw.normal(size=300):
        monitor.add(score)
    assert not monitor.drifted
    for score in draw.normal(size=200) + shift:
        monitor.add(score)
        if monitor.drifted:
            break
    assert monitor.wealth >= ALARM
    assert len(monitor.recent) < 380


def test_one_step_by_hand() -> None:
    monitor = DriftMonitor(np.array([0.0, 1.0, 2.0]))
    assert monitor.wealth == pytest.approx(1)
    monitor.add(3.0)
    # The rank is 3.5 / 4, so the bets of slope -1, 0 and 1 on a third each become 1/3 times 0.625, 1 and 1.375.
    assert monitor.wealth == pytest.approx(1)
    monitor.add(3.0)
    assert monitor.wealth > 1


def test_the_memory_is_bounded_and_no_reference_is_refused() -> None:
    monitor = DriftMonitor(np.zeros(1))
    for score in range(WINDOW + 10):
        monitor.add(float(score))
    assert len(monitor.recent) == WINDOW
    assert monitor.recent[-1] == WINDOW + 9
    with pytest.raises(ValueError, match="no reference"):
        DriftMonitor(np.zeros(0))
