"""Several answers, tried without being judged; the result that most of them agree on is given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...core import Thought, Usage
from ...serving import ChatReply, ChatRequest
from .direct import keep
from .repair import RepairStrategy
from .rollout import Rollout

SAMPLES = 8
"""Answers a run; the first is greedy."""
TEMPERATURE = 0.7
"""Temperature of the others."""
TOP_P = 0.95
"""Their nucleus: without it a small model's tail ruins one answer in a few."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An answer and what it would bring about."""

    reply: ChatReply
    """What the model wrote."""
    result: str
    """What it would bring about; the same text for the same result."""
    error: str = ""
    """Why it would be refused."""
    empty: bool = False
    """Whether it would do nothing."""


class BestOfNStrategy(RepairStrategy):
    """`RepairStrategy` whose answers are chosen by agreement of their results, where the environment has a `preview`; elsewhere it is that.

    Minimum Bayes risk under the zero-one loss over results: Borchmann and Wnuk 2025, "Query and Conquer: Execution-Guided SQL
    Generation", https://arxiv.org/abs/2503.24364, section 2. Nothing is asked of whoever judges. The share of answers that agree is
    written into the run as a thought: it is the confidence in the answer. Where the run is given solved tasks whose forms its answers may
    have, every other answer follows one of these: samples of distinct templates differ where samples of one model repeat each other.
    """

    follows_templates = True
    """Whether `Job.solved` makes a difference."""

    def _ask(self, rollouts: Sequence[Rollout]) -> None:
        several = [rollout for rollout in rollouts if rollout.can_preview]
        super()._ask([rollout for rollout in rollouts if not rollout.can_preview])
        if not several:
            return
        requests = []
        for rollout in several:
            requests += _requests(rollout)
        replies = self._engine.chat(requests)
        for place, rollout in enumerate(several):
            mine = replies[place * SAMPLES : (place + 1) * SAMPLES]
            candidates = _tried(rollout, mine)
            if rollout.done:  # the environment failed at a preview
                continue
            chosen, agreeing = most_agreed(candidates)
            followed = f"; {len(rollout.templates)} forms of solved tasks were followed" if rollout.templates else ""
            rollout.steps.append(Thought(text=f"{agreeing} of {len(mine)} answers agree on the result{followed}"))
            rollout.decide(chosen.reply.text, sum((reply.usage for reply in mine), Usage()), chosen.reply.logprob)
        keep(several)
        for rollout in several:
            rollout.carry_out()
        keep(several)


def most_agreed(candidates: Sequence[Candidate]) -> tuple[Candidate, int]:
    """The first answer with the result that most answers have, and how many have it.

    Refused answers count only where all are refused, those that do nothing only where none does anything; among results with as many
    answers the one with the likeliest answer wins, and then the one that came first.
    """
    useful = [one for one in candidates if not one.error and not one.empty] or [one for one in candidates if not one.error]
    if not useful:
        return candidates[0], 0
    groups: dict[str, list[Candidate]] = defaultdict(list)
    for one in useful:
        groups[one.result].append(one)
    best = max(groups.values(), key=lambda group: (len(group), max(one.reply.logprob for one in group)))
    return best[0], len(best)


def _requests(rollout: Rollout) -> list[ChatRequest]:
    """The greedy answer, and samples; every other one follows a template, the likeliest answer of each before samples of it."""
    first = rollout.request()
    sampled = replace(first, temperature=max(first.temperature, TEMPERATURE), top_p=TOP_P)
    found = [first]
    for number in range(1, SAMPLES):
        one = replace(sampled, seed=first.seed + number)
        if number % 2 and rollout.templates:
            place = number // 2
            one = replace(one, grammar=rollout.templates[place % len(rollout.templates)])
            one = replace(one, temperature=first.temperature) if place < len(rollout.templates) else one
        found.append(one)
    return found


def _tried(rollout: Rollout, replies: Sequence[ChatReply]) -> list[Candidate]:
    found: dict[str, Candidate] = {}
    for reply in replies:
        if reply.text not in found and (seen := rollout.preview(reply.text)) is not None:
            found[reply.text] = Candidate(reply=reply, result=seen.result, error=seen.error, empty=seen.empty)
        if rollout.done:
            return []
    return [replace(found[reply.text], reply=reply) for reply in replies]
