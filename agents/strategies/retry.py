"""Answers that the environment refuses are written anew, sampled, up to `Job.tries`."""

from __future__ import annotations

from ..strategy import Job
from .direct import DirectStrategy


class RetryStrategy(DirectStrategy):
    """`DirectStrategy` with several attempts at a composed answer while the environment refuses it.

    A refused answer is not shown to the model again; later attempts are sampled, so that they differ.
    """

    def attempts(self, job: Job) -> int:
        return job.tries
