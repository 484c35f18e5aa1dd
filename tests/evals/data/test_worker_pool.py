"""As many workers as cores, one thread each, and one where a GPU does the work."""

from __future__ import annotations

import os

import pytest
import torch

from lifelong.evals.data import worker_pool as module


@pytest.mark.parametrize(("kind", "workers"), [("cpu", os.cpu_count()), ("cuda", 1)])
def test_workers_are_as_many_as_work_side_by_side(monkeypatch: pytest.MonkeyPatch, kind: str, workers: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: kind == "cuda")
    assert module.compute_device().type == kind
    with module.worker_pool() as pool:
        assert pool._max_workers == workers  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_worker_computes_on_one_thread() -> None:
    with module.worker_pool() as pool:
        assert pool.submit(torch.get_num_threads).result(120) == 1
