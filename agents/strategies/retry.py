"""Answers that the environment refuses are written anew, sampled, up to `Job.tries`."""

from __future__ import annotations

from ..strategy import Job
from .direct import DirectStrategy


class RetryStrategy(DirectStrategy):
    """`DirectStrategy` with several attempts at a composed answer while the environment refuses it.

    Where the environment's `history` does not show refused answers, later attempts are sampled, so that they differ.
    """

    def attempts(self, job: Job) -> int:
        return job.tries
