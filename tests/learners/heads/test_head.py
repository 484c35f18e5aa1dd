"""Files of heads."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifelong.checks.scorer import example_samples
from lifelong.learners import (
    NearestMeanHead,
    RidgeHead,
    load_head,
    save_head,
)


def test_another_head_refuses_the_file(tmp_path: Path) -> None:
    vectors, _, labels = example_samples(0)
    head = RidgeHead()
    head.learn(vectors, labels)
    save_head(head, tmp_path / "head.npz")
    with pytest.raises(ValueError, match="holds a RidgeHead"):
        load_head(NearestMeanHead(), tmp_path / "head.npz")
