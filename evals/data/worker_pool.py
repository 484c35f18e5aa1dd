"""As many measurements at once as there are cores, one thread each, so that none waits for another's threads."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def worker_pool() -> ProcessPoolExecutor:
    """One process a core, each on one thread; a single one where a GPU does the work."""
    return ProcessPoolExecutor(max_workers=_workers(), mp_context=get_context("spawn"), initializer=_one_thread)


def compute_device() -> torch.device:
    """The GPU where there is one, else the processor."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _workers() -> int:
    return 1 if compute_device().type == "cuda" else os.cpu_count() or 1


def _one_thread() -> None:
    import torch
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

    torch.set_num_threads(1)
    threadpool_limits(1)
