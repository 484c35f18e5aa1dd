"""How the house sees a task before anybody acts.

An `Encoder` turns texts into unit vectors: `MiniLMEncoder` by a small sentence model, `HashedEncoder` without any model
file. A `Recogniser` learns which vectors belong to which skill and gives its `Verdict`: the nearest skill, how sure that
is (confidence), how strange the task is (novelty), and the chance that the agent solves it. Failure and novelty are two
scores, never one: the best score for one is bad for the other.

Perception only judges. Tasks that it calls foreign wait in memory, as episodes without a skill.
"""

from __future__ import annotations

from .encoder import Encoder
from .hashed import HashedEncoder
from .minilm import MiniLMEncoder
from .recogniser import Recogniser
from .scores import conformal_quantile, leave_one_out_novelty, maximum_softmax_probability, nearest_neighbour_novelty

__all__ = [
    "Encoder",
    "HashedEncoder",
    "MiniLMEncoder",
    "Recogniser",
    "conformal_quantile",
    "leave_one_out_novelty",
    "maximum_softmax_probability",
    "nearest_neighbour_novelty",
]
