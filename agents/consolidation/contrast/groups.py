"""Attempts at one task side by side: which groups tell anything apart, and which of their answers are learned from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class TriedAnswer:
    """One answer to a task, and what is known of it."""

    answer: str
    """What was answered."""
    success: bool | None
    """Whether the environment confirmed it; None where nobody judged."""
    result: str = ""
    """What it brought about; the same text for the same result, empty where nothing is known of it or it was refused."""
    likelihood: float = float("-inf")
    """Mean natural-log probability of its tokens when it was written."""
    weight: float = 1.0
    """Trust in `success`, in (0, 1]: 1 where it was judged."""
    run: str = ""
    """Id of the recorded run that gave it; empty where none is recorded."""


def is_informative(attempts: Sequence[TriedAnswer]) -> bool:
    """Whether some attempts at a task succeeded and some failed.

    A group that is all right or all wrong has a group-relative advantage of zero. Xiong et al. 2025, "A Minimalist Approach to LLM
    Reasoning: from Rejection Sampling to Reinforce", https://arxiv.org/abs/2504.11343, section 4 (Reinforce-Rej), finds that most of
    what such algorithms gain over plain policy gradients comes from leaving these groups out.
    """
    verdicts = {attempt.success for attempt in attempts}
    return {True, False} <= verdicts


def one_of_each(items: Iterable[T], kind: Callable[[T], Hashable]) -> list[T]:
    """The first item of each kind, in their order.

    >>> one_of_each(["LIMIT 1", "LIMIT 2", "ORDER"], lambda text: text[:5])
    ['LIMIT 1', 'ORDER']
    """
    found: dict[Hashable, T] = {}
    for item in items:
        found.setdefault(kind(item), item)
    return list(found.values())


def distinct(attempts: Sequence[TriedAnswer], template_of: Callable[[str], str], most: int) -> list[TriedAnswer]:
    """Attempts that differ in more than their values: the likeliest of each template, at most `most` successes and as many failures.

    Of an answer that is sampled often only one is learned from, so that what is frequent does not crowd out what is rare (the loss of
    pass@N under training on successes alone: Zhu et al. 2025, https://arxiv.org/abs/2506.01347). A success and a failure
    may share a template: then their values are what tells them apart. Those that nobody judged are left out.
    """
    ordered = sorted(attempts, key=lambda attempt: attempt.likelihood, reverse=True)
    kept: list[TriedAnswer] = []
    for verdict in (True, False):
        judged = (attempt for attempt in ordered if attempt.success is verdict)
        kept += one_of_each(judged, lambda attempt: template_of(attempt.answer))[:most]
    return kept


def learnable(attempts: Sequence[TriedAnswer]) -> bool:
    """Whether a task is within reach: at least one attempt earned something.

    The rollout-based instance filter of RIF-RFT (Lai et al. 2025, "Reinforcement Fine-Tuning Naturally Mitigates Forgetting in Continual
    Post-Training", https://arxiv.org/abs/2507.05386): instances are kept where the policy's own rollouts earn a reward. Read from the
    abstract ("focusing on learnable samples"); unlike `is_informative` it keeps groups in which every attempt succeeds.
    """
    return any(attempt.success for attempt in attempts)


def agreed(attempts: Sequence[TriedAnswer], min_share: float = 0.5) -> list[TriedAnswer]:
    """Attempts with verdicts where nobody judged: the largest class of equal results is held right, the others wrong.

    They are weak: all have that class's share of the attempts as their weight. Nothing where the share is below `min_share`, where
    another class is as large, or where only one attempt was made; those with an empty result belong to no class. Minimum Bayes risk
    under the zero-one loss over results: Borchmann and Wnuk 2025, "Query and Conquer", https://arxiv.org/abs/2503.24364, section 2. A
    judged group comes back as it is.
    """
    if any(attempt.success is not None for attempt in attempts):
        return list(attempts)
    sizes: dict[str, int] = {}
    for attempt in attempts:
        if attempt.result:
            sizes[attempt.result] = sizes.get(attempt.result, 0) + 1
    largest = max(sizes.values(), default=0)
    share = largest / len(attempts) if attempts else 0.0
    winners = [result for result, size in sizes.items() if size == largest]
    if largest < 2 or share < min_share or len(winners) > 1:
        return []
    return [replace(attempt, success=attempt.result == winners[0], weight=share) for attempt in attempts]
