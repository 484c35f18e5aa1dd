"""What is kept in weights.

A `Sample` is a conversation and the turn that should follow; `train_lora` turns samples and a `Recipe` into an
immutable adapter directory; `examine` is the gate between a candidate and the skills it may serve; `substitute`
varies a sample without making it false. `image_network` is the encoder to train where the tasks are pictures.

A `Head` tells the class of a vector and learns class after class without the samples of the earlier ones; an
`UnlearningHead` takes samples back exactly, because all it keeps are sums over them.
"""

from __future__ import annotations

from .augmentation import PrototypeAugmentationHead
from .cue_head import CueHead
from .gate import examine
from .head import Head, UnlearningHead, load_head, save_head
from .image_distillation import DistillationImageLearner
from .image_learner import ImageLearner, ImageRecipe
from .image_network import image_network
from .image_prototypes import PrototypeImageLearner
from .image_replay import ReplayImageLearner
from .kernel_lda import KernelLDAHead
from .lora import Progress, Recipe, TrainingReport, train_lora
from .nearest_mean import NearestMeanHead
from .pareto import ParetoHead
from .prototype import UNLABELLED, PrototypeHead
from .ranpac import RanPACHead
from .replay import ReplayHead
from .ridge import RidgeHead
from .samples import Sample
from .self_supervised import SelfSupervisedEncoder
from .streaming_lda import StreamingLDAHead
from .substitution import substitute, vocabulary

__all__ = [
    "UNLABELLED",
    "CueHead",
    "DistillationImageLearner",
    "Head",
    "ImageLearner",
    "ImageRecipe",
    "KernelLDAHead",
    "NearestMeanHead",
    "ParetoHead",
    "Progress",
    "PrototypeAugmentationHead",
    "PrototypeHead",
    "PrototypeImageLearner",
    "RanPACHead",
    "Recipe",
    "ReplayHead",
    "ReplayImageLearner",
    "RidgeHead",
    "Sample",
    "SelfSupervisedEncoder",
    "StreamingLDAHead",
    "TrainingReport",
    "UnlearningHead",
    "examine",
    "image_network",
    "load_head",
    "save_head",
    "substitute",
    "train_lora",
    "vocabulary",
]
