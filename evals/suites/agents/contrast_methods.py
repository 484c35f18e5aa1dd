"""Ways of learning from a night's attempts, and how much of everything they are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ....agents.consolidation.contrast.groups import TriedAnswer, agreed, distinct, is_informative, learnable
from ....agents.consolidation.judged import judged_samples
from ....core import Task
from ....envs.templates import template_of
from ....learners.contrast.batch import ContrastObjective
from ....learners.contrast.group_policy import GroupRelativePolicy
from ....learners.contrast.portability import PortableAnchor
from ....learners.contrast.positives import Positives
from ....learners.contrast.preference import DirectPreference
from ....learners.contrast.prospect import KahnemanTversky
from ....learners.contrast.rows import JudgedSample
from ....learners.contrast.unlikelihood import FirstDivergenceUnlikelihood


@dataclass(frozen=True, kw_only=True)
class ContrastMethod:
    """How a night's attempts are learned from."""

    objective: ContrastObjective
    """What is minimised."""
    keep: Callable[[Sequence[TriedAnswer]], bool] = is_informative
    """Which groups are learned from."""
    soft_prompt: bool = False
    """Whether vectors before the prompt are trained in the place of an adapter."""
    by_agreement: bool = False
    """Whether the environment's verdicts are hidden, and what most attempts at a task bring about is held right."""


METHODS: Mapping[str, ContrastMethod] = {
    "positives": ContrastMethod(objective=Positives()),
    "positives_unlikelihood": ContrastMethod(objective=FirstDivergenceUnlikelihood()),
    "dpo": ContrastMethod(objective=DirectPreference()),
    "kto": ContrastMethod(objective=KahnemanTversky()),
    "grpo": ContrastMethod(objective=GroupRelativePolicy()),
    "rif_rft": ContrastMethod(objective=GroupRelativePolicy(), keep=learnable),
    "rdb_cl": ContrastMethod(objective=PortableAnchor()),
    "agreement": ContrastMethod(objective=Positives(), by_agreement=True),
    "evosc": ContrastMethod(objective=Positives(), soft_prompt=True),
}
"""A row for each; `rif_rft` is `grpo` with another choice of groups. Weights are those of the papers or of trl; none was tuned."""
START = "start"
"""The control: the adapter that all methods go on from, trained no further."""
TEMPLATES = 2
"""Successes, and failures, of different templates that are kept of a task."""
LEARNING_RATE = 2e-4
"""Peak learning rate of every adapter: a fifth of a fresh one's, since training goes on from one."""
SOFT_LEARNING_RATE = 1e-2
"""Of a soft prompt, whose vectors are few and far from what they shall be."""


@dataclass(frozen=True, kw_only=True)
class ContrastScale:
    """How much is practised, attempted, read and tested."""

    environment: str
    """Where tasks come from."""
    practised: int
    """Exercises that the first adapter has practised on."""
    tasks: int
    """Tasks that are attempted."""
    attempts: int
    """Sampled answers to each, beside the greedy one."""
    tested: int
    """Unseen tasks."""
    budget: int
    """Tokens that each method reads in training, those of its reference included."""


SCALES: Mapping[str, ContrastScale] = {
    "contrast-generated": ContrastScale(environment="database", practised=448, tasks=48, attempts=4, tested=64, budget=16_000),
    "contrast-lab": ContrastScale(environment="lab-db", practised=448, tasks=150, attempts=4, tested=150, budget=60_000),
}
"""By case."""
QUICK_SCALES: Mapping[str, ContrastScale] = {
    "contrast-generated": ContrastScale(environment="database", practised=8, tasks=3, attempts=1, tested=3, budget=1_000)
}


def chosen(tasks: Sequence[Task], groups: Sequence[Sequence[TriedAnswer]], method: ContrastMethod) -> list[JudgedSample]:
    """What a method learns from: the distinct attempts of the groups that it keeps."""
    found: list[JudgedSample] = []
    for task, tried in zip(tasks, groups, strict=True):
        group = agreed([replace(one, success=None) for one in tried]) if method.by_agreement else tried
        if method.keep(group):
            found += judged_samples(task, distinct(group, template_of, TEMPLATES))
    return found
