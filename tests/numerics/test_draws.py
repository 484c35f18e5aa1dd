from __future__ import annotations

import numpy as np
import pytest

from lifelong.numerics.draws import draw


def test_a_draw_depends_on_seed_and_key_alone() -> None:
    # The control arm, held-out tasks and replay of homes on disk hang on these very numbers.
    assert draw(0, "control", "task-1") == pytest.approx(0.6913593072027703)
    assert draw(0, "a", "b") != draw(0, "ab")


def test_draws_are_spread_evenly() -> None:
    drawn = [draw(3, "key", n) for n in range(4000)]
    assert np.histogram(drawn, bins=4, range=(0, 1))[0] == pytest.approx([1000] * 4, rel=0.1)
