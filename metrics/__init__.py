"""Metrics of continual learning, detection and clustering; statistics over seeds; where results came from."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clustering import adjusted_rand_index, clustering_figures, matched, normalised_mutual_information
    from .continual import (
        average_accuracy,
        backward_transfer,
        forgetting,
        forward_transfer,
        max_forgetting,
        mean_forgetting,
        tokens_per_solved,
    )
    from .detection import (
        aupr_in,
        aupr_out,
        auroc,
        excess_aurc,
        expected_calibration_error,
        failure_aurc,
        fpr_at_95_id_tpr,
        macro_f1,
        unified_aurc,
    )
    from .results import Results, Row, git_commit, machine, package_versions, read_results, write_results
    from .statistics import beta_ci95, student_ci95

_FACE = {
    "Results": "results",
    "Row": "results",
    "adjusted_rand_index": "clustering",
    "aupr_in": "detection",
    "aupr_out": "detection",
    "auroc": "detection",
    "average_accuracy": "continual",
    "backward_transfer": "continual",
    "beta_ci95": "statistics",
    "clustering_figures": "clustering",
    "excess_aurc": "detection",
    "expected_calibration_error": "detection",
    "failure_aurc": "detection",
    "forgetting": "continual",
    "forward_transfer": "continual",
    "fpr_at_95_id_tpr": "detection",
    "git_commit": "results",
    "machine": "results",
    "macro_f1": "detection",
    "matched": "clustering",
    "max_forgetting": "continual",
    "mean_forgetting": "continual",
    "normalised_mutual_information": "clustering",
    "package_versions": "results",
    "read_results": "results",
    "student_ci95": "statistics",
    "tokens_per_solved": "continual",
    "unified_aurc": "detection",
    "write_results": "results",
}

__all__ = [
    "Results",
    "Row",
    "adjusted_rand_index",
    "aupr_in",
    "aupr_out",
    "auroc",
    "average_accuracy",
    "backward_transfer",
    "beta_ci95",
    "clustering_figures",
    "excess_aurc",
    "expected_calibration_error",
    "failure_aurc",
    "forgetting",
    "forward_transfer",
    "fpr_at_95_id_tpr",
    "git_commit",
    "machine",
    "macro_f1",
    "matched",
    "max_forgetting",
    "mean_forgetting",
    "normalised_mutual_information",
    "package_versions",
    "read_results",
    "student_ci95",
    "tokens_per_solved",
    "unified_aurc",
    "write_results",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name in _FACE:
        return getattr(import_module(f".{_FACE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
