"""Scores: pure formulas for confidence and novelty, with a class beside each."""

from __future__ import annotations

MEMBERS = {
    "ClassMeanNovelty": ".experimental.scores.gaussian_novelty:ClassMeanNovelty",
    "EnergyConfidence": "confidence:EnergyConfidence",
    "EntropyConfidence": "confidence:EntropyConfidence",
    "MahalanobisNovelty": ".experimental.scores.gaussian_novelty:MahalanobisNovelty",
    "MarginConfidence": "confidence:MarginConfidence",
    "MaximumLogitConfidence": "confidence:MaximumLogitConfidence",
    "NearestNeighbourNovelty": ".experimental.scores.neighbour_novelty:NearestNeighbourNovelty",
    "RelativeMahalanobisNovelty": ".experimental.scores.gaussian_novelty:RelativeMahalanobisNovelty",
    "SoftmaxConfidence": "confidence:SoftmaxConfidence",
    "VirtualLogitNovelty": ".experimental.scores.virtual_logit_novelty:VirtualLogitNovelty",
}
"""Every `Scorer` by its name in `lifelong.perception`; each is made without arguments."""
