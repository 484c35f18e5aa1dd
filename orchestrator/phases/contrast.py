"""After training on what was right a night may go on with what was wrong beside it: `sleep.contrast` names the objective."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ...agents.consolidation.plan import TRAINING_SHARE
from ...agents.consolidation.recorded import recorded_contrasts
from ...core import NothingFound
from ...core.plugins import load_table
from ...learners import Recipe, Sample, TrainingReport
from ...learners.contrast import MEMBERS
from ...learners.contrast import __name__ as OBJECTIVES
from ...learners.contrast.batch import ContrastObjective
from ...learners.contrast.rows import JudgedSample, teaches
from ...learners.contrast.training import train_contrast
from ..held_out import HeldOut, Key, is_held_out, key
from .phase import NightContext, NightStopped, OutOfTime

TOKEN_SHARE = 0.25
"""Tokens that the contrast reads at most, as a share of those that the training before it has read."""
LEARNING_RATE_SHARE = 0.2
"""Its learning rate, as a share of the night's: it goes on from an adapter that has learned already."""
CHARACTERS_OF_A_TOKEN = 3.0
"""Fewer than most texts have, so that more tokens are counted than are read."""
PROBES = 6
"""Samples that it does not learn from, on which drift is measured."""


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """What a night goes on with."""

    objective: str = "off"
    """A name of `learners.contrast.MEMBERS`, or `off`."""
    samples: tuple[JudgedSample, ...] = ()
    """Judged answers; empty where there is nothing that the objective learns from."""

    def digest(self, training: str) -> str:
        """SHA-256 of what the training before it was made of and of this; without samples that of the training alone."""
        if not self.samples:
            return training
        rows = [{**asdict(one), "sample": {**asdict(one.sample), "exchangeable": sorted(one.sample.exchangeable)}} for one in self.samples]
        return hashlib.sha256(json.dumps([training, self.objective, rows], sort_keys=True).encode()).hexdigest()

    @property
    def summary(self) -> str:
        """What the plan says of it; empty where it is off."""
        if self.objective == "off":
            return ""
        if not self.samples:
            return f"no contrast ({self.objective}), no task has the right and the wrong answers that it needs"
        tasks = len({one.group for one in self.samples})
        return f"contrast ({self.objective}) of {len(self.samples)} right and wrong answers to {tasks} task{'' if tasks == 1 else 's'}"


NO_CONTRAST = Contrast()
"""Nothing to go on with."""


def gathered(night: NightContext, skill: str, held_out: HeldOut, without: Collection[Key] = ()) -> Contrast:
    """The contrasts of a skill in the record; tasks that are kept apart are left out as from `training_data`."""
    components, settings = night.components, night.components.settings.sleep
    if settings.contrast == "off":
        return NO_CONTRAST
    judged_in_turn = bool(held_out.folds)
    episodes = [
        episode
        for episode in components.record.episodes.find(tenant=night.tenant, skill=skill)
        if key(episode) not in without and (judged_in_turn or not is_held_out(episode, components.settings.seed, settings.held_out))
    ]
    objective = objective_of(settings.contrast)
    samples = [replace(one, sample=replace(one.sample, skill=skill)) for one in recorded_contrasts(episodes)]
    useful = any(teaches(one, objective.learns_from) for one in samples)
    return Contrast(objective=settings.contrast, samples=tuple(samples) if useful else ())


def objective_of(name: str) -> ContrastObjective:
    """The objective of a name."""
    [make] = load_table(OBJECTIVES, {name: MEMBERS[name]})
    made: ContrastObjective = make()
    return made


def go_on(
    night: NightContext,
    first: Path,
    directory: Path,
    contrast: Contrast,
    data: Sequence[Sample],
    recipe: Recipe,
    *,
    provenance: str,
    step: Callable[[int, int, float], None],
) -> str:
    """Train on from the adapter in `first` and write what comes of it to `directory`; why it ended early, empty where it did not.

    A failure costs the contrast and not the night: `first` then takes the place of `directory` (invariant Fail open).
    Raises `NightStopped`, `NothingFound` where the night's episodes were erased meanwhile, and `OutOfTime`.
    """
    if night.out_of_time:
        raise OutOfTime
    budget = affordable_tokens(TrainingReport.read(first), night.seconds_left)
    learned = {one.group for one in contrast.samples} | {one.sample.episode for one in contrast.samples}
    probes = [sample for sample in data if sample.episode not in learned][:PROBES]
    share = replace(recipe, start=str(first), learning_rate=LEARNING_RATE_SHARE * recipe.learning_rate)
    try:
        objective = objective_of(contrast.objective)
        samples = within(contrast.samples, budget // 2)
        report = train_contrast(samples, objective, share, directory, budget=budget, probes=probes, progress=step, provenance=provenance)
    except (NightStopped, NothingFound):
        raise
    except Exception as error:
        night.components.note_fault("contrast", error)
        shutil.rmtree(directory, ignore_errors=True)
        first.rename(directory)
        return f"it failed and was left out: {type(error).__name__}: {error}"
    shutil.rmtree(first, ignore_errors=True)
    return report.stopped


def affordable_tokens(training: TrainingReport, seconds_left: float) -> int:
    """Tokens that a contrast may read: a share of what the training has read, fewer where the night's budget of seconds is short.

    >>> affordable_tokens(TrainingReport(samples=8, steps=4, tokens=4000, seconds=40.0, loss=()), seconds_left=10.0)
    500
    """
    most = TOKEN_SHARE * training.tokens
    if training.seconds > 0:
        most = min(most, TRAINING_SHARE * seconds_left * training.tokens / training.seconds)
    return max(1, int(most))


def within(samples: Sequence[JudgedSample], tokens: int) -> list[JudgedSample]:
    """The samples of as many tasks as hold about so many tokens, at least those of one; the tasks that were met last come first.

    An objective that compares with where it began reads each of them once more before its first step.
    """
    groups: dict[str, list[JudgedSample]] = {}
    for one in samples:
        groups.setdefault(one.group, []).append(one)
    found: list[JudgedSample] = []
    read = 0.0
    for group in reversed(list(groups.values())):
        read += sum(len(str(one.sample.messages)) + len(one.sample.answer) for one in group) / CHARACTERS_OF_A_TOKEN
        if found and read > tokens:
            break
        found += group
    return found
