from __future__ import annotations

import math

import pytest
import torch

from lifelong.learners.contrast.guards import Guards, broken, mean_divergence


def test_each_bound_is_named() -> None:
    guards = Guards(max_drift=0.5, max_fall=0.5)
    assert broken(guards, 0.4, [0.2, 0.7]) == ""
    assert broken(guards, 0.6, []).startswith("drift: 0.6 nats a token")
    assert broken(guards, 0.0, [0.4, 0.8]).startswith("collapse: confirmed answers lost 0.6 nats")
    assert broken(guards, math.nan, []).startswith("divergence")
    assert broken(guards, 0.0, [math.inf]).startswith("divergence")


def test_the_divergence_of_two_distributions_by_hand() -> None:
    now, before = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.75, 0.25]]).log()
    assert mean_divergence(now, before) == pytest.approx(0.14384, abs=1e-5)
    assert mean_divergence(now, now) == 0.0
    assert mean_divergence(now[:0], now[:0]) == 0.0
