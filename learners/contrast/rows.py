"""From judged answers to rows of tokens, and from rows to the batches that an objective learns from."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...numerics.sequences import first_divergence
from ..adapters.samples import Sample, encode, length_grouped
from .batch import LearnsFrom
from .group_policy import group_advantages

if TYPE_CHECKING:
    from ...serving import ChatPrompts


@dataclass(frozen=True, kw_only=True)
class JudgedSample:
    """An answer of the agent's own and whether it was right."""

    sample: Sample
    """The answer, and what was asked."""
    success: bool
    """Whether it was confirmed."""
    group: str
    """The task; answers to one are compared with each other."""
    weight: float = 1.0
    """Trust in `success`, in (0, 1]."""
    instead: str = ""
    """Of a failure: the answer of the success that is most like it; empty where there is none."""


@dataclass(frozen=True, kw_only=True)
class AnswerRow:
    """One answer in tokens."""

    ids: tuple[int, ...]
    """Prompt and answer."""
    answer: int
    """How many of them, at the end, are the answer's."""
    success: bool
    """Whether it was confirmed."""
    weight: float
    """Trust in that."""
    advantage: float
    """Against the other answers of its group, in standard deviations."""
    divergence: int
    """The answer's first token that its nearest success does not have, -1 where there is none."""


Unit = tuple[AnswerRow, ...]
"""Rows that must stand in one batch: a single one, or a success before the failure next to it."""


def teaches(one: JudgedSample, learns_from: LearnsFrom) -> bool:
    """Whether an objective of that kind learns from a sample; of a pair, the sample is the failure."""
    return learns_from == "all" or (one.success if learns_from == "successes" else not one.success and bool(one.instead))


def units(samples: Sequence[JudgedSample], learns_from: LearnsFrom, prompts: ChatPrompts, max_length: int, end: int) -> list[Unit]:
    """What an objective learns from, in the order of the samples; a failure without a success beside it is in no pair."""
    advantages = _advantages(samples)
    found: list[Unit] = []
    for one, advantage in zip(samples, advantages, strict=True):
        if not teaches(one, learns_from):
            continue
        row = _row(one, advantage, prompts, max_length, end)
        if learns_from == "pairs":
            right = replace(one, sample=replace(one.sample, answer=one.instead), success=True)
            found.append((_row(right, 0.0, prompts, max_length, end), row))
        else:
            found.append((row,))
    return found


def batches(all_units: Sequence[Unit], size: int, budget: int, epochs: int, seed: int) -> list[list[AnswerRow]]:
    """Batches of about `size` rows, of alike lengths and drawn anew in each pass.

    As many passes as there are `epochs`; where `budget` is not 0, as many batches in place of that as hold that many tokens, padding left
    out, so that objectives with batches of other shapes read as much as each other.
    """
    rng, found, read = random.Random(seed), list[list[AnswerRow]](), 0
    width = max(1, size // max((len(unit) for unit in all_units), default=1))
    passes = 0
    while all_units and (read < budget if budget else passes < epochs):
        passes += 1
        lengths = [max(len(row.ids) for row in unit) for unit in all_units]
        order = length_grouped(lengths, width, rng.sample(range(len(all_units)), len(all_units)))
        parts = [order[start : start + width] for start in range(0, len(order), width)]
        rng.shuffle(parts)
        for part in parts:
            batch = [row for place in part for row in all_units[place]]
            if budget and read >= budget:
                break
            found.append(batch)
            read += sum(len(row.ids) for row in batch)
    return found


def _advantages(samples: Sequence[JudgedSample]) -> list[float]:
    groups: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(samples):
        groups[one.group].append(place)
    found = [0.0] * len(samples)
    for places in groups.values():
        relative = group_advantages([float(samples[place].success) for place in places])
        for place, advantage in zip(places, relative, strict=True):
            found[place] = advantage
    return found


def _row(one: JudgedSample, advantage: float, prompts: ChatPrompts, max_length: int, end: int) -> AnswerRow:
    ids, labels = encode(one.sample, prompts, max_length, end)
    answer = [label for label in labels if label != -100]
    place: int | None = None
    if one.instead and not one.success:
        place = first_divergence(answer, [*prompts.plain_tokens(one.instead), end])
    # Nothing stands before the first token of an answer that fills the whole length, so nothing predicts it.
    unseen = int(len(answer) == len(ids))
    place = -1 if place is None or place >= len(answer) else place - unseen
    return AnswerRow(
        ids=tuple(ids),
        answer=len(answer) - unseen,
        success=one.success,
        weight=one.weight,
        advantage=advantage,
        divergence=max(-1, place),
    )


def tensors(batch: Sequence[AnswerRow], pad: int, torch: Any, device: Any) -> tuple[Any, Any, Any]:
    """Token ids, their mask, and which positions hold a token of the answer, each `(n, longest)`."""
    longest = max(len(row.ids) for row in batch)
    ids = torch.full((len(batch), longest), pad, dtype=torch.long, device=device)
    mask = torch.zeros((len(batch), longest), dtype=torch.long, device=device)
    answered = torch.zeros((len(batch), longest), dtype=torch.bool, device=device)
    for place, row in enumerate(batch):
        ids[place, : len(row.ids)] = torch.tensor(row.ids, device=device)
        mask[place, : len(row.ids)] = 1
        answered[place, len(row.ids) - row.answer : len(row.ids)] = True
    return ids, mask, answered
