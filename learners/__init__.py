"""What is kept in weights.

A `Sample` is a conversation and the turn that should follow; `train_lora` turns samples and a `Recipe` into an
immutable adapter directory; `examine` is the gate between a candidate and the skills it may serve; `substitute`
varies a sample without making it false. `image_network` is the encoder to train where the tasks are pictures.
"""

from __future__ import annotations

from .gate import examine
from .image_network import image_network
from .lora import Progress, Recipe, TrainingReport, train_lora
from .samples import Sample
from .substitution import substitute, vocabulary

__all__ = ["Progress", "Recipe", "Sample", "TrainingReport", "examine", "image_network", "substitute", "train_lora", "vocabulary"]
