"""The SPARQL worker without its refusals: what is left is that its process can reach nothing."""

from __future__ import annotations

from typing import Any

from lifelong.envs.graph import sparql_worker
from lifelong.envs.graph.sparql_worker import SAMPLE

__all__ = ["SAMPLE", "answer"]


def answer(request: dict[str, Any]) -> dict[str, Any]:
    sparql_worker._refusal = lambda query: ""
    return sparql_worker.answer(request)
