"""The record of what happened and what was made of it: `Episode`, `Lesson`, `Adapter`, `Receipt`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from .plain import plain, standard_json
from .steps import Action, Step, steps_from_json, steps_to_json
from .tasks import Judge, Outcome, Task, Usage, Verdict
from .visible import visible_text

SURE = 0.6
"""Confidence in the place of a run's turns below which nothing is learned from it."""


def demonstration_id(episode: str) -> str:
    """Id under which the demonstration that corrects an episode is recorded.

    >>> demonstration_id("run-7")
    'run-7-demonstration'
    """
    return f"{episode}-demonstration"


@dataclass(frozen=True, kw_only=True)
class Episode:
    """A finished run. Durable before its answer counts as done."""

    id: str
    """Unique; derived from the run and its position where runs must be repeatable."""
    task: Task
    """What was asked."""
    steps: tuple[Step, ...]
    """Everything that happened, in order."""
    outcome: Outcome
    """How it ended; feedback replaces it later."""
    skill: str = ""
    """The skill it was filed under; empty while it waits in the novelty buffer."""
    model: str = ""
    """The base model that acted."""
    adapter: str = ""
    """The adapter that acted, empty for the base alone."""
    demonstration: bool = False
    """Whether an expert acted: a demonstration corrects an episode and is not the agent's own run."""
    lessons: tuple[str, ...] = ()
    """Ids of the lessons that were shown."""
    control: bool = False
    """Whether it ran in the control arm: no memory, no adapter."""
    placebo: bool = False
    """Whether it ran in the placebo arm: no memory, no adapter, and text of equal length that helps nobody in memory's place."""
    offered: bool = False
    """Whether memory or an adapter was there to help; in the other arms it was withheld. The effect of memory is estimated from these."""
    verdict: Verdict | None = None
    """What perception said beforehand."""
    answer_chance: float | None = field(default=None, compare=False)
    """Chance that the answer is right, its likelihood considered, in (0, 1); None where nothing is known of that."""
    correction: str = ""
    """The right answer, given by an expert or a user after a failure; empty if none."""
    previous: str = ""
    """Id of the episode of the same session that it goes on from: what was said there stands before its first step. Empty for none."""
    confidence: float = 1.0
    """How sure it is that its turns belong together, in [0, 1]; below `SURE` nothing is learned from it."""
    usage: Usage = field(default_factory=Usage)
    """Tokens and seconds."""
    other_memories: tuple[str, ...] = ()
    """Other memory layers whose text stood in what it was asked; they may help or harm beside this one."""
    created: float = 0.0
    """Seconds since the epoch."""

    @property
    def answer(self) -> str:
        """The last action, with its tool calls written as text; empty if the agent never acted."""
        return next((step.reply for step in reversed(self.steps) if isinstance(step, Action)), "")

    @property
    def likelihood(self) -> float | None:
        """Of the last action, as the model gave it; None if there is none."""
        return next((step.likelihood for step in reversed(self.steps) if isinstance(step, Action)), None)

    @property
    def trainable(self) -> bool:
        """Whether consolidation may learn from it: an answer that was verified, or a correction (invariant Trust)."""
        right = bool(self.correction) or (self.outcome.verified and bool(visible_text(self.answer)))
        return right and self.confidence >= SURE

    def to_json(self) -> str:
        """One line of JSON that `from_json` reads back to an equal episode."""
        row = {**plain(replace(self, steps=())), "steps": steps_to_json(self.steps)}
        for holder, name in ((row, "previous"), (row["task"], "tools"), (row["outcome"], "evidence"), (row["usage"], "cached_tokens")):
            if not holder[name]:
                del holder[name]
        if self.confidence == 1:
            del row["confidence"]
        for name in ("placebo", "other_memories"):
            if not row[name]:
                del row[name]
        return standard_json(row)

    @classmethod
    def from_json(cls, text: str) -> Episode:
        """The inverse of `to_json`. Raises `ValueError` or `KeyError` on damaged text."""
        row: dict[str, Any] = json.loads(text)
        outcome, verdict, task = row["outcome"], row["verdict"], row["task"]
        # Records of format 2 and before used other names for the same fields.
        for old, new in (("source", "environment"), ("kind", "skill")):
            if old in task:
                task[new] = task.pop(old)
        if verdict and "vouched" in verdict:
            verdict["accepted"] = verdict.pop("vouched")
        if row["model"] == "expert":
            row |= {"model": "", "demonstration": True}
        return cls(
            **{
                **row,
                "task": Task(**task),
                "steps": steps_from_json(row["steps"]),
                "outcome": Outcome(**{**outcome, "judge": Judge(outcome["judge"])}),
                "verdict": Verdict(**verdict) if verdict else None,
                "lessons": tuple(row["lessons"]),
                "other_memories": tuple(row.get("other_memories", ())),
                "usage": Usage(**row["usage"]),
            }
        )


class LessonStatus(StrEnum):
    """A lesson's life. It is shown for certain only when active."""

    PROBATION = "probation"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A principle drawn from contrasted runs, with the evidence that proves it."""

    id: str
    """Unique; a hash of skill, tenant and text, so that the same lesson is never written twice."""
    tenant: str
    """Whose lesson it is."""
    skill: str
    """Where it applies."""
    text: str
    """The principle, in words a model can follow."""
    episodes: tuple[str, ...]
    """Ids of the episodes that prove it (invariant Provenance)."""
    helped: int = 0
    """Tasks solved with it shown."""
    harmed: int = 0
    """Tasks failed with it shown."""
    status: LessonStatus = LessonStatus.PROBATION
    """Where it is in its life."""
    author: str = "evidence"
    """Who wrote the text: `evidence` (computed) or a model's name."""


class AdapterStatus(StrEnum):
    """An adapter's life."""

    CANDIDATE = "candidate"
    LIVE = "live"
    REJECTED = "rejected"
    RETIRED = "retired"
    ERASED = "erased"


@dataclass(frozen=True, kw_only=True)
class SkillGate:
    """The gate's figures for one skill: candidate against live on the same held-out tasks."""

    skill: str
    """Which skill."""
    tasks: int
    """How many held-out tasks."""
    live: float
    """Success rate of what serves now."""
    candidate: float
    """Success rate of the candidate."""
    gain_ci95: tuple[float, float]
    """95 % interval of candidate minus live, paired over tasks."""
    serves: bool = False
    """Whether the candidate goes live for this skill."""


@dataclass(frozen=True, kw_only=True)
class GateReport:
    """Why a candidate was published or not. A rejected candidate is a result."""

    accepted: bool
    """Whether it was published."""
    target: str
    """The skill it was trained for."""
    skills: tuple[SkillGate, ...]
    """One row a skill."""
    reason: str
    """The decision in one sentence."""


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """An immutable, versioned LoRA."""

    name: str
    """Versioned name, such as `lifelong-v0003`; never used twice."""
    path: str
    """Its own directory, written once."""
    base: str
    """The base model it fits."""
    rank: int
    """LoRA rank."""
    tenant: str = "default"
    """Whose episodes it learned from; no other tenant is served by it."""
    status: AdapterStatus = AdapterStatus.CANDIDATE
    """Where it is in its life."""
    target: str = ""
    """The skill it was trained for."""
    episodes: tuple[str, ...] = ()
    """Ids of the episodes it learned from (invariant Provenance)."""
    practised: tuple[str, ...] = ()
    """Those of them over which exercises were made up and whose own answers it did not learn from."""
    lessons: tuple[str, ...] = ()
    """Ids of the lessons it carries."""
    recipe: dict[str, Any] = field(default_factory=dict)
    """Everything that is needed to train it again, seed included."""
    gate: GateReport | None = None
    """The gate's report, once it was examined."""

    def with_status(self, status: AdapterStatus) -> Adapter:
        """A copy in another stage of life."""
        return replace(self, status=status)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The record of an erasure.

    An erasure is *exact* where everything that tasks are recognised and answered by equals what it would be had the erased episodes
    never been: adapters and recognisers are made of the rest alone, and the head that names skills has unlearned to within rounding.
    It is *approximate* where something made with their help stays; `traces` says what. Counts (how often a lesson helped, how many
    held-out tasks a gate has run) are not rolled back. What repeats an erased text in other words in a conversation that nothing links
    to it is not found, and is no trace.
    """

    id: str
    """Unique."""
    asked: str
    """What was requested, in the caller's words: `episode=...`, `tenant=...`, `skill=...`."""
    episodes: int
    """Episodes removed."""
    lessons: int
    """Lessons removed because an erased episode was part of their evidence."""
    adapters_erased: tuple[str, ...]
    """Adapters that had seen the data and are gone."""
    adapters_rebuilt: tuple[str, ...]
    """What was trained instead, without the data."""
    probe: dict[str, float]
    """What a search for the erased data finds afterwards; zero everywhere when it worked."""
    erasure: str = ""
    """`exact` or `approximate`; empty in a receipt written by an older version."""
    head_difference: float | None = None
    """Largest difference of any logit between the head that has unlearned and one that never saw the erased episodes, on the newest
    tasks that are left; None where no head knew them."""
    cues_lost: int = 0
    """Other episodes beyond the budget whose cues went too, because they could not be distinguished from those of the erased ones."""
    traces: tuple[str, ...] = ()
    """What was made with the erased episodes' help and stays, in words; empty for an exact erasure."""
    derived: int = 0
    """Of the episodes removed, those that nobody named and that quote an erased answer in their own request."""
    rewritten: int = 0
    """Other episodes that stay, without what they were shown, quoted or repeated of the erased, and without
    what they answered with it in the prompt."""
    documents: tuple[str, ...] = ()
    """Files beside the home of a run that quoted its episodes, and checkpoints of a navigator that had learned from them: they were
    deleted, and `lifelong run --resume` makes them anew."""
    searched: dict[str, int] = field(default_factory=dict)
    """What the audit read afterwards: `files` and `bytes` of the home and of a run's folder around it, and how many `texts` (ids and
    names among them) it looked for."""
    found: tuple[str, ...] = ()
    """Files, relative to the home, in which the audit still found one of them; empty for an exact erasure."""
    finished: bool = True
    """Whether nothing is left to do; otherwise the erasure stays pending, and whoever opens the home next goes on with it."""
    created: float = 0.0
    """Seconds since the epoch."""
