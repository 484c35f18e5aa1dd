from __future__ import annotations

import pytest
from made.contrast_batches import made, slopes

from lifelong.learners.contrast.positives import Positives


def test_the_mean_over_tokens_of_successes_by_hand() -> None:
    batch = made([[-1.0, -2.0], [-3.0], [-9.0]], success=[True, True, False], weight=[1.0, 0.5, 1.0])
    loss = Positives().loss(batch)
    assert loss.item() == pytest.approx((1.0 + 2.0 + 0.5 * 3.0) / 2.5)
    assert slopes(batch, loss) == [[-0.4, -0.4], [-0.2, 0.0], [0.0, 0.0]], "failures and padding have no slope"


def test_failures_alone_teach_nothing() -> None:
    assert Positives().loss(made([[-1.0]], success=[False])).item() == 0.0
