"""What is kept in weights.

A `Sample` is a conversation and the turn that should follow; `train_lora` turns samples and a `Recipe` into an
immutable adapter directory; `decide_publication` is the gate between a candidate and the skills it may serve; `substitute`
varies a sample without making it false. `image_network` is the encoder to train where the tasks are pictures.

A `Head` classifies vectors and learns class after class without the samples of the earlier ones; an
`UnlearningHead` takes samples back exactly, because all it keeps are sums over them. `SkillHead` is the one that waking asks:
a closed form that learns and unlearns task by task, and a refit that sleep makes where it errs less. `unlearn` takes classes back
from a network, approximately.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .adapters.lora import Recipe, TrainingProgress, TrainingReport, holds, made_of, passes, train_lora
    from .adapters.publication import decide_publication
    from .adapters.samples import Sample
    from .adapters.substitution import substitute, vocabulary
    from .experimental.adapters.adapted_encoder import AdaptedEncoder, EncoderRecipe
    from .experimental.adapters.desire import DesireLearner
    from .experimental.adapters.low_rank import feed_forward_blocks
    from .experimental.heads.augmentation import PrototypeAugmentationHead
    from .experimental.heads.cue_head import CueHead
    from .experimental.heads.kernel_lda import KernelLDAHead
    from .experimental.heads.pareto import ParetoHead
    from .experimental.heads.prototype import UNLABELLED, PrototypeHead
    from .experimental.heads.recursive_least_squares import RecursiveLeastSquaresHead
    from .experimental.heads.replay import ReplayHead
    from .experimental.images.distillation import DistillationImageLearner
    from .experimental.images.image_learner import ImageLearner, ImageRecipe
    from .experimental.images.image_network import image_network
    from .experimental.images.prototypes import PrototypeImageLearner
    from .experimental.images.replay import ReplayImageLearner
    from .experimental.images.self_supervised import SelfSupervisedEncoder
    from .experimental.unlearning.objectives import (
        GradientAscent,
        GroupSparse,
        GroupSparseConditioned,
        GroupSparsePrototypes,
        NegativePreference,
        Scrub,
        UnlearningObjective,
    )
    from .experimental.unlearning.unlearning import Unlearned, UnlearningRecipe, UnlearningRequest, unlearn
    from .heads.head import Head, UnlearningHead, load_head, save_head
    from .heads.nearest_mean import NearestMeanHead
    from .heads.ranpac import RanPACHead
    from .heads.ridge import RidgeHead
    from .heads.skill_head import Refit, SkillHead
    from .heads.streaming_lda import StreamingLDAHead

_FACE = {
    "UNLABELLED": "experimental.heads.prototype",
    "AdaptedEncoder": "experimental.adapters.adapted_encoder",
    "CueHead": "experimental.heads.cue_head",
    "DesireLearner": "experimental.adapters.desire",
    "DistillationImageLearner": "experimental.images.distillation",
    "EncoderRecipe": "experimental.adapters.adapted_encoder",
    "GradientAscent": "experimental.unlearning.objectives",
    "GroupSparse": "experimental.unlearning.objectives",
    "GroupSparseConditioned": "experimental.unlearning.objectives",
    "GroupSparsePrototypes": "experimental.unlearning.objectives",
    "Head": "heads.head",
    "ImageLearner": "experimental.images.image_learner",
    "ImageRecipe": "experimental.images.image_learner",
    "KernelLDAHead": "experimental.heads.kernel_lda",
    "NearestMeanHead": "heads.nearest_mean",
    "NegativePreference": "experimental.unlearning.objectives",
    "ParetoHead": "experimental.heads.pareto",
    "TrainingProgress": "adapters.lora",
    "PrototypeAugmentationHead": "experimental.heads.augmentation",
    "PrototypeHead": "experimental.heads.prototype",
    "PrototypeImageLearner": "experimental.images.prototypes",
    "RanPACHead": "heads.ranpac",
    "Recipe": "adapters.lora",
    "RecursiveLeastSquaresHead": "experimental.heads.recursive_least_squares",
    "Refit": "heads.skill_head",
    "ReplayHead": "experimental.heads.replay",
    "ReplayImageLearner": "experimental.images.replay",
    "RidgeHead": "heads.ridge",
    "Sample": "adapters.samples",
    "Scrub": "experimental.unlearning.objectives",
    "SelfSupervisedEncoder": "experimental.images.self_supervised",
    "SkillHead": "heads.skill_head",
    "StreamingLDAHead": "heads.streaming_lda",
    "TrainingReport": "adapters.lora",
    "Unlearned": "experimental.unlearning.unlearning",
    "UnlearningHead": "heads.head",
    "UnlearningObjective": "experimental.unlearning.objectives",
    "UnlearningRecipe": "experimental.unlearning.unlearning",
    "UnlearningRequest": "experimental.unlearning.unlearning",
    "decide_publication": "adapters.publication",
    "feed_forward_blocks": "experimental.adapters.low_rank",
    "holds": "adapters.lora",
    "image_network": "experimental.images.image_network",
    "load_head": "heads.head",
    "made_of": "adapters.lora",
    "passes": "adapters.lora",
    "save_head": "heads.head",
    "substitute": "adapters.substitution",
    "train_lora": "adapters.lora",
    "unlearn": "experimental.unlearning.unlearning",
    "vocabulary": "adapters.substitution",
}

__all__ = [
    "UNLABELLED",
    "AdaptedEncoder",
    "CueHead",
    "DesireLearner",
    "DistillationImageLearner",
    "EncoderRecipe",
    "GradientAscent",
    "GroupSparse",
    "GroupSparseConditioned",
    "GroupSparsePrototypes",
    "Head",
    "ImageLearner",
    "ImageRecipe",
    "KernelLDAHead",
    "NearestMeanHead",
    "NegativePreference",
    "ParetoHead",
    "PrototypeAugmentationHead",
    "PrototypeHead",
    "PrototypeImageLearner",
    "RanPACHead",
    "Recipe",
    "RecursiveLeastSquaresHead",
    "Refit",
    "ReplayHead",
    "ReplayImageLearner",
    "RidgeHead",
    "Sample",
    "Scrub",
    "SelfSupervisedEncoder",
    "SkillHead",
    "StreamingLDAHead",
    "TrainingProgress",
    "TrainingReport",
    "Unlearned",
    "UnlearningHead",
    "UnlearningObjective",
    "UnlearningRecipe",
    "UnlearningRequest",
    "decide_publication",
    "feed_forward_blocks",
    "holds",
    "image_network",
    "load_head",
    "made_of",
    "passes",
    "save_head",
    "substitute",
    "train_lora",
    "unlearn",
    "vocabulary",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562), so that the product never loads a laboratory method."""
    if name in _FACE:
        return getattr(import_module(f".{_FACE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
