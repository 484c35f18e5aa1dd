"""What is predicted of a task before anybody acts.

An `Encoder` turns texts into unit vectors: `MiniLMEncoder` by a small sentence model, `HashedEncoder` without any model
file. A `Scorer` gives every sample one number: how sure its class is (`...Confidence`) or how strange it is to all that
is known (`...Novelty`). A `Recogniser` learns which vectors belong to which skill and gives its `Verdict`: the nearest
skill, how sure that is (confidence) and how strange the task is (novelty). An `OutcomeModel` learns from outcomes how
likely this agent is to solve a task. Failure and novelty are two scores, never one: the best score for one is bad for the other.
A `SelectiveClassifier` learns both from many kinds of evidence (heads, neighbours, Gaussians); its thresholds say, with a finite-sample
guarantee, when to act and what is out of scope.

A `Discoverer` sorts what is unlabelled into known and new classes, and `estimate_class_count` says how many there are;
`group_words` names groups of texts from their own words.
A `QueryStrategy` chooses which rows a person is asked about, and `active_discovery` learns from the answers.

Perception only judges. Tasks that it calls unknown wait in memory, as episodes without a skill.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .discovery.class_count import ClassCount, class_count_interval, estimate_class_count
    from .discovery.discoverer import Discoverer, Discovery
    from .discovery.group_words import group_words
    from .discovery.new_groups import coherent_groups, sort_unknown
    from .discovery.protogcd import ProtoGCD, PrototypeRecipe
    from .discovery.spherical import split_in_two
    from .encoders.encoder import Encoder
    from .encoders.hashed import HashedEncoder
    from .encoders.minilm import MiniLMEncoder
    from .encoders.multilingual import MultilingualEncoder
    from .encoders.recent import RecentEncoder
    from .experimental.classifier.class_neighbours import ClassNeighbours, Neighbourhood
    from .experimental.classifier.evidence_model import EvidenceColumns, EvidenceModel
    from .experimental.classifier.head_ensemble import HeadEnsemble, HeadOutputs
    from .experimental.classifier.held_out import held_out_classes
    from .experimental.classifier.novelty_evidence import NoveltyEvidence
    from .experimental.classifier.pseudo_outliers import image_outliers, text_outliers
    from .experimental.classifier.selective_classifier import SelectiveClassifier, SelectiveDecision, SelectiveGuarantee, SelectiveScores
    from .experimental.discovery.active import ActiveRound, active_discovery, stable_mapping
    from .experimental.discovery.kmeans import SemiSupervisedKMeans, SphericalKMeans
    from .experimental.discovery.queries import (
        BadgeQuery,
        EntropyQuery,
        KCentreQuery,
        MarginQuery,
        NovelMarginQuery,
        QueryPool,
        QueryStrategy,
        RandomQuery,
    )
    from .experimental.prompts.local_prompt import LocalPrompt
    from .experimental.prompts.misclassification_prompt import MisclassificationPrompt
    from .experimental.prompts.vision_language import CLIPEncoder, VisionLanguageEncoder
    from .experimental.scores.gaussian_novelty import ClassMeanNovelty, MahalanobisNovelty, RelativeMahalanobisNovelty
    from .experimental.scores.neighbour_novelty import NearestNeighbourNovelty
    from .experimental.scores.virtual_logit_novelty import VirtualLogitNovelty
    from .experimental.training.classifier_training import FMFP, ClassifierRecipe, prune_smallest, train_classifier
    from .experimental.training.objectives import (
        Bootstrapping,
        CrossEntropy,
        DynamicsAwareLoss,
        GeneralisedCrossEntropy,
        Mixup,
        Objective,
        OpenMix,
        OutlierExposure,
        generalised_cross_entropy,
    )
    from .experimental.training.trust_lora import Consistency, TrustLoRA, jensen_shannon
    from .outcomes import OutcomeModel, history_chance, neighbour_chance
    from .recogniser import Recogniser
    from .recognition.calibration import Calibration
    from .scores.confidence import (
        EnergyConfidence,
        EntropyConfidence,
        MarginConfidence,
        MaximumLogitConfidence,
        SoftmaxConfidence,
        energy_confidence,
        entropy_confidence,
        fit_temperature,
        margin_confidence,
        maximum_logit_confidence,
        softmax_confidence,
    )
    from .scores.neighbours import conformal_quantile, leave_one_out_novelty, nearest_neighbour_novelty
    from .scores.scorer import Scorer
    from .selective.fusion import Fusion, fused_log_odds
    from .selective.selective_rule import SelectiveRule, acceptance_reason, binomial_upper_bound, selective_rule, why_nothing_is_accepted

_FACE = {
    "ActiveRound": "experimental.discovery.active",
    "BadgeQuery": "experimental.discovery.queries",
    "Bootstrapping": "experimental.training.objectives",
    "CLIPEncoder": "experimental.prompts.vision_language",
    "ClassCount": "discovery.class_count",
    "Calibration": "recognition.calibration",
    "ClassMeanNovelty": "experimental.scores.gaussian_novelty",
    "ClassNeighbours": "experimental.classifier.class_neighbours",
    "ClassifierRecipe": "experimental.training.classifier_training",
    "Consistency": "experimental.training.trust_lora",
    "CrossEntropy": "experimental.training.objectives",
    "Discoverer": "discovery.discoverer",
    "Discovery": "discovery.discoverer",
    "DynamicsAwareLoss": "experimental.training.objectives",
    "Encoder": "encoders.encoder",
    "EnergyConfidence": "scores.confidence",
    "EntropyConfidence": "scores.confidence",
    "EntropyQuery": "experimental.discovery.queries",
    "EvidenceColumns": "experimental.classifier.evidence_model",
    "EvidenceModel": "experimental.classifier.evidence_model",
    "FMFP": "experimental.training.classifier_training",
    "Fusion": "selective.fusion",
    "GeneralisedCrossEntropy": "experimental.training.objectives",
    "HashedEncoder": "encoders.hashed",
    "HeadEnsemble": "experimental.classifier.head_ensemble",
    "HeadOutputs": "experimental.classifier.head_ensemble",
    "KCentreQuery": "experimental.discovery.queries",
    "LocalPrompt": "experimental.prompts.local_prompt",
    "MahalanobisNovelty": "experimental.scores.gaussian_novelty",
    "MarginConfidence": "scores.confidence",
    "MarginQuery": "experimental.discovery.queries",
    "MaximumLogitConfidence": "scores.confidence",
    "MiniLMEncoder": "encoders.minilm",
    "MisclassificationPrompt": "experimental.prompts.misclassification_prompt",
    "Mixup": "experimental.training.objectives",
    "MultilingualEncoder": "encoders.multilingual",
    "NearestNeighbourNovelty": "experimental.scores.neighbour_novelty",
    "Neighbourhood": "experimental.classifier.class_neighbours",
    "NovelMarginQuery": "experimental.discovery.queries",
    "NoveltyEvidence": "experimental.classifier.novelty_evidence",
    "Objective": "experimental.training.objectives",
    "OpenMix": "experimental.training.objectives",
    "OutcomeModel": "outcomes",
    "OutlierExposure": "experimental.training.objectives",
    "ProtoGCD": "discovery.protogcd",
    "PrototypeRecipe": "discovery.protogcd",
    "QueryPool": "experimental.discovery.queries",
    "QueryStrategy": "experimental.discovery.queries",
    "RandomQuery": "experimental.discovery.queries",
    "RecentEncoder": "encoders.recent",
    "Recogniser": "recogniser",
    "RelativeMahalanobisNovelty": "experimental.scores.gaussian_novelty",
    "Scorer": "scores.scorer",
    "SelectiveClassifier": "experimental.classifier.selective_classifier",
    "SelectiveDecision": "experimental.classifier.selective_classifier",
    "SelectiveGuarantee": "experimental.classifier.selective_classifier",
    "SelectiveRule": "selective.selective_rule",
    "SelectiveScores": "experimental.classifier.selective_classifier",
    "SemiSupervisedKMeans": "experimental.discovery.kmeans",
    "SoftmaxConfidence": "scores.confidence",
    "SphericalKMeans": "experimental.discovery.kmeans",
    "TrustLoRA": "experimental.training.trust_lora",
    "VirtualLogitNovelty": "experimental.scores.virtual_logit_novelty",
    "VisionLanguageEncoder": "experimental.prompts.vision_language",
    "active_discovery": "experimental.discovery.active",
    "acceptance_reason": "selective.selective_rule",
    "binomial_upper_bound": "selective.selective_rule",
    "class_count_interval": "discovery.class_count",
    "coherent_groups": "discovery.new_groups",
    "conformal_quantile": "scores.neighbours",
    "energy_confidence": "scores.confidence",
    "entropy_confidence": "scores.confidence",
    "estimate_class_count": "discovery.class_count",
    "fit_temperature": "scores.confidence",
    "fused_log_odds": "selective.fusion",
    "generalised_cross_entropy": "experimental.training.objectives",
    "group_words": "discovery.group_words",
    "held_out_classes": "experimental.classifier.held_out",
    "history_chance": "outcomes",
    "image_outliers": "experimental.classifier.pseudo_outliers",
    "jensen_shannon": "experimental.training.trust_lora",
    "leave_one_out_novelty": "scores.neighbours",
    "margin_confidence": "scores.confidence",
    "maximum_logit_confidence": "scores.confidence",
    "nearest_neighbour_novelty": "scores.neighbours",
    "neighbour_chance": "outcomes",
    "prune_smallest": "experimental.training.classifier_training",
    "selective_rule": "selective.selective_rule",
    "softmax_confidence": "scores.confidence",
    "sort_unknown": "discovery.new_groups",
    "split_in_two": "discovery.spherical",
    "stable_mapping": "experimental.discovery.active",
    "text_outliers": "experimental.classifier.pseudo_outliers",
    "train_classifier": "experimental.training.classifier_training",
    "why_nothing_is_accepted": "selective.selective_rule",
}


__all__ = [
    "FMFP",
    "ActiveRound",
    "BadgeQuery",
    "Bootstrapping",
    "CLIPEncoder",
    "Calibration",
    "ClassCount",
    "ClassMeanNovelty",
    "ClassNeighbours",
    "ClassifierRecipe",
    "Consistency",
    "CrossEntropy",
    "Discoverer",
    "Discovery",
    "DynamicsAwareLoss",
    "Encoder",
    "EnergyConfidence",
    "EntropyConfidence",
    "EntropyQuery",
    "EvidenceColumns",
    "EvidenceModel",
    "Fusion",
    "GeneralisedCrossEntropy",
    "HashedEncoder",
    "HeadEnsemble",
    "HeadOutputs",
    "KCentreQuery",
    "LocalPrompt",
    "MahalanobisNovelty",
    "MarginConfidence",
    "MarginQuery",
    "MaximumLogitConfidence",
    "MiniLMEncoder",
    "MisclassificationPrompt",
    "Mixup",
    "MultilingualEncoder",
    "NearestNeighbourNovelty",
    "Neighbourhood",
    "NovelMarginQuery",
    "NoveltyEvidence",
    "Objective",
    "OpenMix",
    "OutcomeModel",
    "OutlierExposure",
    "ProtoGCD",
    "PrototypeRecipe",
    "QueryPool",
    "QueryStrategy",
    "RandomQuery",
    "RecentEncoder",
    "Recogniser",
    "RelativeMahalanobisNovelty",
    "Scorer",
    "SelectiveClassifier",
    "SelectiveDecision",
    "SelectiveGuarantee",
    "SelectiveRule",
    "SelectiveScores",
    "SemiSupervisedKMeans",
    "SoftmaxConfidence",
    "SphericalKMeans",
    "TrustLoRA",
    "VirtualLogitNovelty",
    "VisionLanguageEncoder",
    "acceptance_reason",
    "active_discovery",
    "binomial_upper_bound",
    "class_count_interval",
    "coherent_groups",
    "conformal_quantile",
    "energy_confidence",
    "entropy_confidence",
    "estimate_class_count",
    "fit_temperature",
    "fused_log_odds",
    "generalised_cross_entropy",
    "group_words",
    "held_out_classes",
    "history_chance",
    "image_outliers",
    "jensen_shannon",
    "leave_one_out_novelty",
    "margin_confidence",
    "maximum_logit_confidence",
    "nearest_neighbour_novelty",
    "neighbour_chance",
    "prune_smallest",
    "selective_rule",
    "softmax_confidence",
    "sort_unknown",
    "split_in_two",
    "stable_mapping",
    "text_outliers",
    "train_classifier",
    "why_nothing_is_accepted",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562), so that the product never loads a laboratory method."""
    if name in _FACE:
        return getattr(import_module(f".{_FACE[name]}", __name__), name)
    for tables in ("scores", "discovery"):
        members: dict[str, str] = import_module(f".{tables}", __name__).MEMBERS
        if name in members:
            module, _, attribute = members[name].partition(":")
            return getattr(import_module(f".{module}", f"{__name__}.{tables}"), attribute)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
