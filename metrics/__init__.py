"""Metrics of continual learning, detection, clustering and navigation; statistics over seeds; where results come from and how they look."""

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
    from .navigation import soft_success_weighted_path_length, success_weighted_path_length
    from .numbers import format_value
    from .provenance import machine, package_versions, source_version
    from .statistics import beta_ci95, student_ci95

_FACE = {
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
    "format_value": "numbers",
    "forward_transfer": "continual",
    "fpr_at_95_id_tpr": "detection",
    "machine": "provenance",
    "macro_f1": "detection",
    "matched": "clustering",
    "max_forgetting": "continual",
    "mean_forgetting": "continual",
    "normalised_mutual_information": "clustering",
    "package_versions": "provenance",
    "soft_success_weighted_path_length": "navigation",
    "source_version": "provenance",
    "student_ci95": "statistics",
    "success_weighted_path_length": "navigation",
    "tokens_per_solved": "continual",
    "unified_aurc": "detection",
}

__all__ = [
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
    "format_value",
    "forward_transfer",
    "fpr_at_95_id_tpr",
    "machine",
    "macro_f1",
    "matched",
    "max_forgetting",
    "mean_forgetting",
    "normalised_mutual_information",
    "package_versions",
    "soft_success_weighted_path_length",
    "source_version",
    "student_ci95",
    "success_weighted_path_length",
    "tokens_per_solved",
    "unified_aurc",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name in _FACE:
        return getattr(import_module(f".{_FACE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
