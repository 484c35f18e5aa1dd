"""What is kept in weights.

A `Sample` is a conversation and the turn that should follow; `train_lora` turns samples and a `Recipe` into an
immutable adapter directory; `examine` is the gate between a candidate and the skills it may serve; `substitute`
varies a sample without making it false. `image_network` is the encoder to train where the tasks are pictures.

A `Head` tells the class of a vector and learns class after class without the samples of the earlier ones; an
`UnlearningHead` takes samples back exactly, because all it keeps are sums over them. `SkillHead` is the one that waking asks:
a closed form that learns and unlearns task by task, and a refit that sleep makes where it errs less. `unlearn` takes classes back
from a network, approximately.
"""

from __future__ import annotations

from .adapted_encoder import AdaptedEncoder, EncoderRecipe
from .augmentation import PrototypeAugmentationHead
from .cue_head import CueHead
from .desire import DesireLearner
from .gate import examine
from .head import Head, UnlearningHead, load_head, save_head
from .image_distillation import DistillationImageLearner
from .image_learner import ImageLearner, ImageRecipe
from .image_network import image_network
from .image_prototypes import PrototypeImageLearner
from .image_replay import ReplayImageLearner
from .kernel_lda import KernelLDAHead
from .lora import Progress, Recipe, TrainingReport, train_lora
from .low_rank import feed_forward_blocks
from .nearest_mean import NearestMeanHead
from .pareto import ParetoHead
from .prototype import UNLABELLED, PrototypeHead
from .ranpac import RanPACHead
from .recursive_least_squares import RecursiveLeastSquaresHead
from .replay import ReplayHead
from .ridge import RidgeHead
from .samples import Sample
from .self_supervised import SelfSupervisedEncoder
from .skill_head import Refit, SkillHead
from .streaming_lda import StreamingLDAHead
from .substitution import substitute, vocabulary
from .unlearning import Unlearned, UnlearningRecipe, UnlearningRequest, unlearn
from .unlearning_objectives import (
    GradientAscent,
    GroupSparse,
    GroupSparseConditioned,
    GroupSparsePrototypes,
    NegativePreference,
    Scrub,
    UnlearningObjective,
)

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
    "Progress",
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
    "TrainingReport",
    "Unlearned",
    "UnlearningHead",
    "UnlearningObjective",
    "UnlearningRecipe",
    "UnlearningRequest",
    "examine",
    "feed_forward_blocks",
    "image_network",
    "load_head",
    "save_head",
    "substitute",
    "train_lora",
    "unlearn",
    "vocabulary",
]
