"""What learning from use adds: questions of some conversations teach, and those of others, which nobody learned from, are asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....memory.recall.fusion import shipped
from ....memory.recall.use import UsedQuestion, learn_from_use, used_turns, with_signals
from ...data.dialogues import UNANSWERABLE, Dialogue
from ...results_file import Row
from .asked import Case, recall_at
from .chat import MakeRow

QUESTIONS = (200, 1000)
"""Questions that were answered before."""
PARTS = 5
"""Parts of the conversations; each is asked with what the others taught."""
DEPTHS = (1, 5, 10)
"""Turns looked at."""


def use_rows(dialogues: Sequence[Dialogue], asked: Sequence[Sequence[Case]], case: str, row: MakeRow, *, seed: int = 0) -> list[Row]:
    """Evidence found by the shipped weights, by those learned from so many used questions, and from as many with feedback that is noise.

    What was used is told as the product tells it, by what an answer holds beyond its question; by the evidence where no answer is given.
    """
    answerable = [[one for one in mine if one.asked.category != UNANSWERABLE and one.asked.evidence] for mine in asked]
    pool = [(place % PARTS, used_question(dialogues[place], one)) for place, mine in enumerate(answerable) for one in mine]
    order = np.random.default_rng(seed).permutation(len(pool))
    found: dict[tuple[str, str], list[float]] = {}
    for part in range(min(PARTS, len(dialogues))):
        others = [pool[place][1] for place in order.tolist() if pool[place][0] != part]
        unseen = [one for place, mine in enumerate(answerable) if place % PARTS == part for one in mine]
        ways: dict[str, tuple[float, ...]] = {"lifelong": ()}
        for count in QUESTIONS:
            if len(others) >= count:
                ways[f"lifelong_{count}_used"] = learn_from_use(others[:count], shipped()).signals
                ways[f"lifelong_{count}_noise"] = learn_from_use(
                    [noisy(one, seed + place) for place, one in enumerate(others[:count])], shipped()
                ).signals
        for method, signals in ways.items():
            weights = with_signals(shipped(), signals)
            if method != "lifelong":
                found.setdefault((method, "changed_rate"), []).append(float(bool(signals)))
            for one in unseen:
                best = [one.turns[place] for place in np.argsort(-weights.score(one.values), kind="stable")[: max(DEPTHS)].tolist()]
                for depth in DEPTHS:
                    found.setdefault((method, f"evidence_recall_at_{depth}"), []).append(recall_at(best, one.asked, depth))
    return [row(case, method, metric, values) for (method, metric), values in found.items()]


def used_question(dialogue: Dialogue, one: Case) -> UsedQuestion:
    """A question with the candidates that its answer made use of."""
    if not one.asked.answer:
        return UsedQuestion(values=one.values, used=one.needed)
    texts = [dialogue.turns[turn].text for turn in one.turns]
    return UsedQuestion(values=one.values, used=used_turns(one.asked.text, one.asked.answer, texts))


def noisy(one: UsedQuestion, seed: int) -> UsedQuestion:
    """The same question, as many candidates called used, any ones."""
    return UsedQuestion(values=one.values, used=np.random.default_rng(seed).permutation(one.used))
