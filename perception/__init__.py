"""How the house sees a task before anybody acts.

An `Encoder` turns texts into unit vectors: `MiniLMEncoder` by a small sentence model, `HashedEncoder` without any model
file. A `Scorer` gives every sample one number: how sure its class is (`...Confidence`) or how strange it is to all that
is known (`...Novelty`). A `Recogniser` learns which vectors belong to which skill and gives its `Verdict`: the nearest
skill, how sure that is (confidence), how strange the task is (novelty), and the chance that the agent solves it. Failure
and novelty are two scores, never one: the best score for one is bad for the other.

A `Discoverer` sorts what is unlabelled into known and new classes, and `estimate_class_count` says how many there are.
A `QueryStrategy` chooses which rows a person is asked about, and `active_discovery` learns from the answers.

Perception only judges. Tasks that it calls foreign wait in memory, as episodes without a skill.
"""

from __future__ import annotations

from .active import ActiveRound, active_discovery, stable_mapping
from .class_count import estimate_class_count
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
from .gaussian_novelty import ClassMeanNovelty, MahalanobisNovelty, RelativeMahalanobisNovelty
from .hashed import HashedEncoder
from .kmeans import SemiSupervisedKMeans, SphericalKMeans
from .minilm import MiniLMEncoder
from .moments import ClassMoments
from .neighbour_novelty import NearestNeighbourNovelty
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
from .virtual_logit_novelty import VirtualLogitNovelty

__all__ = [
    "FMFP",
    "ActiveRound",
    "BadgeQuery",
    "Bootstrapping",
    "ClassMeanNovelty",
    "ClassMoments",
    "ClassifierRecipe",
    "CrossEntropy",
    "Discoverer",
    "Discovery",
    "DynamicsAwareLoss",
    "Encoder",
    "EnergyConfidence",
    "EntropyConfidence",
    "EntropyQuery",
    "GeneralisedCrossEntropy",
    "HashedEncoder",
    "KCentreQuery",
    "MahalanobisNovelty",
    "MarginConfidence",
    "MarginQuery",
    "MaximumLogitConfidence",
    "MiniLMEncoder",
    "Mixup",
    "NearestNeighbourNovelty",
    "NovelMarginQuery",
    "Objective",
    "OpenMix",
    "OutlierExposure",
    "ProtoGCD",
    "PrototypeRecipe",
    "QueryPool",
    "QueryStrategy",
    "RandomQuery",
    "Recogniser",
    "RelativeMahalanobisNovelty",
    "Scorer",
    "SelectiveRule",
    "SemiSupervisedKMeans",
    "SoftmaxConfidence",
    "SphericalKMeans",
    "VirtualLogitNovelty",
    "active_discovery",
    "binomial_upper_bound",
    "conformal_quantile",
    "energy_confidence",
    "entropy_confidence",
    "estimate_class_count",
    "fit_temperature",
    "generalised_cross_entropy",
    "image_outliers",
    "leave_one_out_novelty",
    "margin_confidence",
    "maximum_logit_confidence",
    "nearest_neighbour_novelty",
    "prune_smallest",
    "selective_rule",
    "softmax_confidence",
    "stable_mapping",
    "text_outliers",
    "train_classifier",
]
