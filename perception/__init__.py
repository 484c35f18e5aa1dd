"""How the house sees a task before anybody acts.

An `Encoder` turns texts into unit vectors: `MiniLMEncoder` by a small sentence model, `HashedEncoder` without any model
file. A `Scorer` gives every sample one number: how sure its class is (`...Confidence`) or how strange it is to all that
is known (`...Novelty`). A `Recogniser` learns which vectors belong to which skill and gives its `Verdict`: the nearest
skill, how sure that is (confidence) and how strange the task is (novelty). An `OutcomeModel` learns from outcomes how
likely this agent is to solve a task. Failure and novelty are two scores, never one: the best score for one is bad for the other.
A `Gate` learns both from many kinds of evidence (heads, neighbours, Gaussians) and says with thresholds that keep a promise when
to act and what is foreign.

A `Discoverer` sorts what is unlabelled into known and new classes, and `estimate_class_count` says how many there are.
A `QueryStrategy` chooses which rows a person is asked about, and `active_discovery` learns from the answers.

Perception only judges. Tasks that it calls foreign wait in memory, as episodes without a skill.
"""

from __future__ import annotations

from .active import ActiveRound, active_discovery, stable_mapping
from .class_count import estimate_class_count
from .class_neighbours import ClassNeighbours, Neighbourhood
from .confidence import (
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
from .discoverer import Discoverer, Discovery
from .encoder import Encoder
from .fusion import Fusion, fused_log_odds
from .gate import Gate, GateDecision, GatePromise, GateScores
from .gaussian_novelty import ClassMeanNovelty, MahalanobisNovelty, RelativeMahalanobisNovelty
from .hashed import HashedEncoder
from .head_ensemble import HeadEnsemble, HeadOutputs
from .held_out_classes import held_out_classes
from .kmeans import SemiSupervisedKMeans, SphericalKMeans
from .known_classes import KnownClasses, Reading
from .local_prompt import LocalPrompt
from .minilm import MiniLMEncoder
from .misclassification_prompt import MisclassificationPrompt
from .moments import ClassMoments
from .neighbour_novelty import NearestNeighbourNovelty
from .novelty_evidence import NoveltyEvidence
from .objectives import (
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
from .outcomes import OutcomeModel, history_chance, neighbour_chance
from .protogcd import ProtoGCD, PrototypeRecipe
from .pseudo_outliers import image_outliers, text_outliers
from .queries import (
    BadgeQuery,
    EntropyQuery,
    KCentreQuery,
    MarginQuery,
    NovelMarginQuery,
    QueryPool,
    QueryStrategy,
    RandomQuery,
)
from .recogniser import Recogniser
from .scorer import Scorer
from .scores import conformal_quantile, leave_one_out_novelty, nearest_neighbour_novelty
from .selective import SelectiveRule, binomial_upper_bound, selective_rule
from .training import FMFP, ClassifierRecipe, prune_smallest, train_classifier
from .trust_lora import Consistency, TrustLoRA, jensen_shannon
from .virtual_logit_novelty import VirtualLogitNovelty
from .vision_language import CLIPEncoder, VisionLanguageEncoder

__all__ = [
    "FMFP",
    "ActiveRound",
    "BadgeQuery",
    "Bootstrapping",
    "CLIPEncoder",
    "ClassMeanNovelty",
    "ClassMoments",
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
    "Fusion",
    "Gate",
    "GateDecision",
    "GatePromise",
    "GateScores",
    "GeneralisedCrossEntropy",
    "HashedEncoder",
    "HeadEnsemble",
    "HeadOutputs",
    "KCentreQuery",
    "KnownClasses",
    "LocalPrompt",
    "MahalanobisNovelty",
    "MarginConfidence",
    "MarginQuery",
    "MaximumLogitConfidence",
    "MiniLMEncoder",
    "MisclassificationPrompt",
    "Mixup",
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
    "Reading",
    "Recogniser",
    "RelativeMahalanobisNovelty",
    "Scorer",
    "SelectiveRule",
    "SemiSupervisedKMeans",
    "SoftmaxConfidence",
    "SphericalKMeans",
    "TrustLoRA",
    "VirtualLogitNovelty",
    "VisionLanguageEncoder",
    "active_discovery",
    "binomial_upper_bound",
    "conformal_quantile",
    "energy_confidence",
    "entropy_confidence",
    "estimate_class_count",
    "fit_temperature",
    "fused_log_odds",
    "generalised_cross_entropy",
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
    "stable_mapping",
    "text_outliers",
    "train_classifier",
]
