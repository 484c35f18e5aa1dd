"""What an adapter learns from: `Sample`, a conversation and the turn that should follow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from ...core import Message, ToolSpecification

if TYPE_CHECKING:
    from ...serving import ChatPrompts


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One training example, with the episode it came from (invariant Provenance)."""

    messages: tuple[Message, ...]
    """The conversation, as the served model would see it."""
    answer: str
    """The turn that should follow."""
    tools: tuple[ToolSpecification, ...] = field(default=(), hash=False)
    """Tools that the answer may call, as the served model would see them."""
    skill: str
    """The skill it teaches."""
    episode: str
    """Id of the episode that proves it."""
    practice: bool = False
    """Whether it is an exercise that was made up over what that episode showed; False where it really happened. An exercise is seen in
    one pass over the samples alone, so that many can be practised in the place of few many times."""
    composed: bool = True
    """Whether the answer is free text; False where it was picked from given options."""
    exchangeable: frozenset[str] = frozenset()
    """Which copied spans may be exchanged on both sides without making it false (`names`, `numbers`, `quoted`); an environment
    says so, and of free text nothing is known to be exchangeable."""


def encode(sample: Sample, prompts: ChatPrompts, max_length: int, end: int) -> tuple[list[int], list[int]]:
    """Token ids of the whole conversation, and labels that are -100 everywhere but on the answer; `end` is the token that ends it.

    The prompt is what the embedded engine would read; a control token that somebody wrote into the answer is plain text.
    A conversation too long for `max_length` loses its beginning, never its answer.
    """
    prompt_ids = prompts.tokens(sample.messages, sample.tools)
    answer_ids = [*prompts.plain_tokens(sample.answer), end]
    answer_ids = answer_ids[:max_length]
    prompt_ids = prompt_ids[max(0, len(prompt_ids) + len(answer_ids) - max_length) :]
    return prompt_ids + answer_ids, [-100] * len(prompt_ids) + answer_ids


def joined(encoded: Sequence[tuple[list[int], list[int]]]) -> list[tuple[list[int], list[int]]]:
    """Token ids and labels in which a conversation takes along the answers of those that it goes on from.

    A run of many turns has one sample a turn, each prompt a beginning of the next: read once, it costs as its longest, not the square
    of its turns. A causal model sees the same before every answer as it would alone; every answer is learned from as often as it was
    given. What goes on from no other stays as it is.

    >>> joined([([1, 2], [-100, 2]), ([1, 2, 3, 4], [-100, -100, -100, 4]), ([1, 5], [-100, 5])])
    [([1, 2, 3, 4], [-100, 2, -100, 4]), ([1, 5], [-100, 5])]
    """
    # In lexical order a beginning stands before what goes on from it, and the first of them right after it.
    order = sorted(range(len(encoded)), key=lambda place: encoded[place][0])
    taken: set[int] = set()
    rows = [(ids, list(labels)) for ids, labels in encoded]
    for place, following in pairwise(order):
        (ids, labels), (longer, answers) = rows[place], rows[following]
        both = list(zip(labels, answers, strict=False))
        if len(ids) < len(longer) and longer[: len(ids)] == ids and all(-100 in pair for pair in both):
            answers[: len(labels)] = [max(pair) for pair in both]
            taken.add(place)
    return [row for place, row in enumerate(rows) if place not in taken]


def length_grouped(lengths: Sequence[int], batch_size: int, order: Sequence[int]) -> list[int]:
    """A permutation of positions in which every batch holds samples of similar length.

    `order` is a shuffled permutation; windows of 16 batches of it are sorted by length, so little is lost to
    padding and the order stays close to random.
    """
    window = 16 * batch_size
    grouped: list[int] = []
    for start in range(0, len(order), window):
        grouped += sorted(order[start : start + window], key=lambda position: lengths[position])
    return grouped
