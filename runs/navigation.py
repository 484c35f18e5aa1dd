"""`lifelong run --stream navigation`: goal categories stage by stage, awake and asleep, and one of them forgotten at the end.

Awake, the navigator acts on a stage's tasks. It declines goals that it was never taught and gives up where it is unlikely to succeed; the
expert shows what it declines and fails at. Every run is recorded before it counts. Asleep, a candidate learns from the verified runs and
corrections in the record, and is published where it is better at the new categories and not credibly worse at any earlier stage's. A
stage that has ended is kept as a checkpoint, so a run that was killed goes on with the stage it was in.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..agents import Job
from ..agents.strategies.navigate import NAVIGATOR_MODEL, NavigateStrategy, Watcher, show_search
from ..core import Action, Episode, Settings, SettingsError, demonstration_id
from ..core.paths import AnyPath
from ..envs import ObjectNavGridEnvironment
from ..envs.navigation.paths import GridMap, Pose
from ..envs.navigation.scenes import STAGES
from ..envs.navigation.streams import stage_environments
from ..learners.navigation.abstention import Abstention, fit_abstention
from ..learners.navigation.checkpoints import ARRAYS, load_checkpoint, save_checkpoint
from ..learners.navigation.forgetting import rebuild_without
from ..learners.navigation.navigator import Navigator, NavigatorSettings
from ..learners.navigation.trajectories import Trajectory, replayed
from ..memory import Record
from ..memory.artefacts import CHECKPOINT, NAVIGATOR, RUN_HOME, RUN_REPORT, RUN_SUMMARY
from ..metrics.provenance import machine, package_versions, source_version
from ..metrics.tables import print_tables
from ..numerics.intervals import paired_gain_ci95
from ..orchestrator import Progress
from ..perception import HashedEncoder
from .folders import begin_run, find_run, point_latest, write_file
from .navigation_figures import declined_counts, declined_table, hits, measure, success_table
from .navigation_report import PathOnMap, write_navigation_report

SIZES = (320, 60, 40)
"""Tasks of a stage, unseen test tasks of each stage, and validation tasks of each stage for the gate: some minutes on two cores."""
THRESHOLD_TASKS = 3
"""Validation tasks that thresholds are set on for each that the gate looks at: 5 % of good episodes need 19 of them at least."""
BATCH = 16
"""Tasks that run side by side and are recorded at once."""
SLEEP = NavigatorSettings(epochs=10, batch=8)
"""How a stage of `SIZES` is learned; fewer tasks are passed over more often, so that there are as many gradient steps."""
REBUILT = "-rebuilt"
"""End of the name of a checkpoint that is to take another one's place."""
NIGHTS = "nights.json"
"""What came of each stage, beside the checkpoints."""
FORGOTTEN = "forgotten.json"
"""What was forgotten, once all of it is done."""


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """The candidate against the navigator that is live, on validation tasks: differences of success with 95 % intervals."""

    new: tuple[float, float]
    """On the stage's own categories."""
    earlier: tuple[tuple[float, float], ...]
    """On those of each earlier stage."""

    @property
    def published(self) -> bool:
        """Whether it is better at what is new, and at nothing earlier credibly worse."""
        return self.new[0] > 0 and all(high >= 0 for _, high in self.earlier)


class NavigationRun:
    """A run in its folder: the record, the checkpoints, and what came of the stages so far."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int,
        sizes: tuple[int, int, int],
        learning: NavigatorSettings | None = None,
        progress: Progress | None = None,
        watch: Watcher | None = None,
    ) -> None:
        """Open what the folder holds, or begin; the arguments are as those of `run_navigation`. Raises `SettingsError` for an old run."""
        self.home = folder / RUN_HOME
        self.home.mkdir(mode=0o700, exist_ok=True)
        self.record = Record(self.home / "record.sqlite3")
        self.environments = list(stage_environments().values())
        self.nights: list[dict[str, Any]] = []
        if (file := self.home / NAVIGATOR / NIGHTS).exists():
            self.nights = json.loads(file.read_text(encoding="utf-8"))
        if any("failures" not in night for night in self.nights):
            raise SettingsError(f"the run in {folder} is of a version that measured less; begin another one without --resume")
        self._tidy()
        self._seed, self._sizes, self._learning = seed, sizes, learning or sleep_settings(sizes[0])
        self._show, self._watch = progress or (lambda *_: None), watch
        self._encoder = HashedEncoder()
        self._abstentions: dict[tuple[int, ...], Abstention] = {}
        self._restore()

    @property
    def published(self) -> list[int]:
        """Numbers of the stages that the live navigator has learned, ascending."""
        return [night["stage"] for night in self.nights if night["published"]]

    def live(self) -> Navigator:
        """The navigator that acts. Raises `CheckpointDamaged`."""
        return self.checkpoints()[-1]

    def checkpoints(self) -> list[Navigator]:
        """The untaught navigator and those of `published`."""
        return [Navigator(seed=self._seed, settings=self._learning), *(load_checkpoint(self._folder(k)).navigator for k in self.published)]

    def abstention(self) -> Abstention:
        """What the live navigator declines, from its checkpoints and the record; no file keeps any of it. Raises `CheckpointDamaged`."""
        numbers = tuple(self.published)
        if numbers not in self._abstentions:
            self._abstentions[numbers] = fit_abstention(
                self.checkpoints(),
                [self.trajectories(k) for k in numbers],
                seed=self._seed,
                watched=self._sizes[0],
                held_out=THRESHOLD_TASKS * self._sizes[2] * len(numbers),
            )
        return self._abstentions[numbers]

    def wake(self, stage: int) -> list[Episode]:
        """Act on a stage's tasks that were not acted on yet, and let the expert correct what fails; returns all runs of the stage."""
        environment = self.environments[stage - 1]
        jobs = [
            Job(task=task, environment=environment, id=f"stage-{stage}-{number:04d}")
            for number, task in enumerate(environment.tasks("train", self._sizes[0], seed=self._seed))
        ]
        strategy = NavigateStrategy(self.live(), abstention=self.abstention(), watch=self._watch)
        there = {one.id for one in self.record.episodes.get_many([job.id for job in jobs], tenant="default")}
        waiting = [job for job in jobs if job.id not in there]
        for start in range(0, len(waiting), BATCH):
            self._show(f"stage {stage}: awake", len(there) + start, len(jobs))
            batch = waiting[start : start + BATCH]
            episodes = []
            for job, run in zip(batch, strategy.act(batch), strict=True):
                episodes.append(self._episode(job, job.id, run))
                if not run.outcome.success:
                    episodes.append(self._episode(job, demonstration_id(job.id), show_search(job), demonstration=True))
            vectors = self._encoder.encode([one.task.text for one in episodes])
            self.record.episodes.record_many(zip(episodes, vectors, strict=True))
        self._show(f"stage {stage}: awake", len(jobs), len(jobs))
        return list(self.record.episodes.get_many([job.id for job in jobs], tenant="default"))

    def _episode(self, job: Job, id: str, run: Any, *, demonstration: bool = False) -> Episode:
        category = job.task.goal.removeprefix("Mission: find the ").rstrip(".")
        return Episode(
            id=id,
            task=job.task,
            steps=run.steps,
            outcome=run.outcome,
            skill=category,
            model=NAVIGATOR_MODEL,
            demonstration=demonstration,
            usage=run.usage,
            created=time.time(),
        )

    def verified(self, stage: int) -> list[Episode]:
        """Successful runs and corrections of a stage that the record holds."""
        ids = {f"stage-{stage}-{number:04d}" for number in range(self._sizes[0])}
        ids |= {demonstration_id(id) for id in ids}
        return [one for one in self.record.episodes.find(tenant="default", success=True) if one.id in ids]

    def trajectories(self, stage: int) -> list[Trajectory]:
        """The same with their views."""
        environment = self.environments[stage - 1]
        return [
            replayed(environment, one.task, [step.text for step in one.steps if isinstance(step, Action)]) for one in self.verified(stage)
        ]

    def sleep(self, stage: int, runs: Sequence[Episode]) -> None:
        """Learn a stage from the record, decide, and keep what came of it and of the stage's runs."""
        started, live = time.perf_counter(), self.live()
        self._show(f"stage {stage}: asleep", 0, 2)
        episodes = self.verified(stage)
        candidate = live.learn(self.trajectories(stage))
        self._show(f"stage {stage}: asleep", 1, 2)
        gate = self._decide(live, candidate, stage)
        if gate.published:
            shutil.rmtree(self._folder(stage), ignore_errors=True)  # of a run that was killed before it noted the night
            save_checkpoint(candidate, self._folder(stage), episodes=[one.id for one in episodes])
        night: dict[str, Any] = {
            "stage": stage,
            "categories": list(STAGES[stage - 1]),
            "awake": sum(one.outcome.success is True for one in runs),
            "tasks": self._sizes[0],
            "refused": sum(one.outcome.reason.startswith("unknown goal") for one in runs),
            "given_up": sum(one.outcome.reason.startswith("unlikely to succeed") for one in runs),
            "learned_from": len(episodes),
            "gate": asdict(gate),
            "published": gate.published,
        }
        self.nights.append(night)
        self._show(f"stage {stage}: measured", 0, 1)
        navigator = self.live()
        night |= {"kept_bytes": navigator.nbytes, **self._measure(navigator, self.abstention())}
        night["seconds"] = time.perf_counter() - started
        self._note()
        self._show(f"stage {stage}: measured", 1, 1)

    def _decide(self, live: Navigator, candidate: Navigator, stage: int) -> GateResult:
        intervals = []
        for environment in self.environments[:stage]:
            tasks = environment.tasks("validation", self._sizes[2], seed=self._seed)
            new, old = ([result.success for result in one.act(environment, tasks)] for one in (candidate, live))
            pairs = list(zip(new, old, strict=True))
            wins, losses = pairs.count((True, False)), pairs.count((False, True))
            intervals.append(paired_gain_ci95(wins, losses, len(pairs)))
        return GateResult(new=intervals[-1], earlier=tuple(intervals[:-1]))

    def _measure(self, navigator: Navigator, abstention: Abstention) -> dict[str, Any]:
        return measure(navigator, abstention, self.environments, count=self._sizes[1], seed=self._seed)

    def forget(self, category: str) -> dict[str, Any]:
        """Erase a category's episodes, and rebuild every checkpoint that saw them: exact, as if it had never been taught."""
        if (file := self.home / NAVIGATOR / FORGOTTEN).exists():
            receipt: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return receipt
        environment = ObjectNavGridEnvironment((category,))
        tasks = environment.tasks("test", self._sizes[1], seed=self._seed)
        checkpoints, numbers = self.checkpoints(), self.published
        # A stage that was not published left its episodes in the record, and nothing in a checkpoint.
        first = next((k for k in numbers if category in STAGES[k - 1]), len(STAGES) + 1)
        stages = [self.trajectories(k) for k in numbers]
        rebuilt = rebuild_without(checkpoints, stages, category) if first <= len(STAGES) else checkpoints
        for number, navigator in zip(numbers, rebuilt[1:], strict=True):
            if number >= first:
                self._exchange(number, navigator, [one.id for one in self.verified(number) if one.skill != category])
        # The record last: a run that is killed before it does all of this again.
        erased = self.record.erase([one.id for one in self.record.episodes.find(tenant="default", skill=category)])
        self._abstentions.clear()
        before, after = (navigator.trace(environment, tasks) for navigator in (checkpoints[-1], rebuilt[-1]))
        receipt = {
            "category": category,
            "episodes": erased.episodes,
            "erasure": "exact",
            "rebuilt": [f"stage-{k}" for k in numbers if k >= first],
            "before": hits(before)[0],
            "after": hits(after)[0],
            "tasks": len(tasks),
            "left": len(self.record.episodes.find(tenant="default", skill=category)),
            "refused": declined_counts(rebuilt[-1], self.abstention(), after)["unknown_refused"],
            **self._measure(rebuilt[-1], self.abstention()),
        }
        write_file(file, json.dumps(receipt, indent=1))
        return receipt

    def paths(self) -> list[PathOnMap]:
        """One unseen task of every stage, as the live navigator goes about it."""
        found = []
        for number, environment in enumerate(self.environments, 1):
            frames: list[tuple[GridMap, Pose]] = []
            strategy = NavigateStrategy(self.live(), abstention=self.abstention(), watch=lambda world, _, to=frames: to.append(world.map()))  # type: ignore[misc]
            [task] = environment.tasks("test", 1, seed=self._seed)
            [run] = strategy.act([Job(task=task, environment=environment)])
            found.append(
                PathOnMap(
                    stage=number,
                    category=task.goal.removeprefix("Mission: find the ").rstrip("."),
                    grid_map=frames[0][0],
                    poses=tuple(pose for _, pose in frames),
                    ended="found" if run.outcome.success else run.outcome.reason.split(":")[0] or "not found",
                )
            )
        return found

    def close(self) -> None:
        """Give the record back."""
        self.record.close()

    def _folder(self, stage: int) -> Path:
        return self.home / NAVIGATOR / f"stage-{stage}"

    def _exchange(self, stage: int, navigator: Navigator, episodes: Sequence[str]) -> None:
        """Put another checkpoint in a stage's place; a run that is killed meanwhile has the one or the other."""
        other = self._folder(stage).with_name(f"stage-{stage}{REBUILT}")
        shutil.rmtree(other, ignore_errors=True)
        save_checkpoint(navigator, other, episodes=episodes)
        shutil.rmtree(self._folder(stage))
        other.rename(self._folder(stage))

    def _restore(self) -> None:
        """Learn again what an erasure has deleted the checkpoints of, from what the record still holds: as if the rest had never been."""
        navigator = Navigator(seed=self._seed, settings=self._learning)
        for number in self.published:
            if not self._folder(number).exists():
                self._show(f"stage {number}: learned again", 0, 1)
                stage = self.trajectories(number)
                learned = navigator.learn(stage) if stage else navigator
                save_checkpoint(learned, self._folder(number), episodes=[one.id for one in self.verified(number)])
                for night in self.nights:
                    night["learned_again"] = night.get("learned_again", False) or night["stage"] == number
                self._note()
                self._show(f"stage {number}: learned again", 1, 1)
            navigator = load_checkpoint(self._folder(number)).navigator

    def _tidy(self) -> None:
        """Take up what `_exchange` was killed in."""
        for other in sorted((self.home / NAVIGATOR).glob(f"*{REBUILT}")):
            place = other.with_name(other.name.removesuffix(REBUILT))
            if (place / CHECKPOINT).exists() and (place / ARRAYS).exists():
                shutil.rmtree(other)
            else:
                shutil.rmtree(place, ignore_errors=True)
                other.rename(place)

    def _note(self) -> None:
        (self.home / NAVIGATOR).mkdir(exist_ok=True)
        write_file(self.home / NAVIGATOR / NIGHTS, json.dumps(self.nights, indent=1))


def run_navigation(
    settings: Settings,
    *,
    out: AnyPath,
    sizes: tuple[int, int, int] | None = None,
    forgotten: str = "",
    resume: bool = False,
    learning: NavigatorSettings | None = None,
    progress: Progress | None = None,
    watch: Watcher | None = None,
) -> Path:
    """Run all stages in a folder below `out` and leave `summary.json` and `report.html` there; returns that folder.

    `sizes` are as `SIZES`. With `resume` the latest run goes on where it stopped. Raises `SettingsError` for a category to forget that no
    stage teaches, for sizes without tasks, and as `begin_run` and `find_run` do; `CheckpointDamaged`.
    """
    known = [name for stage in STAGES for name in stage]
    if forgotten and forgotten not in known:
        raise SettingsError(f"{forgotten!r} is no category of a stage; choose one of: {', '.join(known)}")
    sizes = sizes or SIZES
    if min(sizes) < 1:
        raise SettingsError(f"--tasks is {sizes}; a stage needs at least one task of each kind")
    plan = {"stream": "navigation", "tasks": list(sizes), "forget": forgotten, "seed": settings.seed}
    folder = find_run(Path(out), plan) if resume else begin_run(Path(out), plan)
    point_latest(folder)
    run = NavigationRun(folder, seed=settings.seed, sizes=sizes, learning=learning, progress=progress, watch=watch)
    try:
        for stage in range(len(run.nights) + 1, len(STAGES) + 1):
            run.sleep(stage, run.wake(stage))
        receipt = run.forget(forgotten) if forgotten else None
        summary = {
            "stream": "navigation",
            "seed": settings.seed,
            "commit": source_version(),
            "versions": package_versions(),
            "machine": machine(),
            "tasks": list(sizes),
            "nights": run.nights,
            "forgotten": receipt,
        }
        write_file(folder / RUN_SUMMARY, json.dumps(summary, indent=1))
        write_navigation_report(summary, run.paths(), folder / RUN_REPORT)
    finally:
        run.close()
    print_tables(
        [success_table(run.nights), declined_table(run.nights)], [*_closing(run.nights, receipt), f"report: {folder / RUN_REPORT}"]
    )
    return folder


def sleep_settings(tasks: int) -> NavigatorSettings:
    """How a stage of so many tasks is learned."""
    return replace(SLEEP, epochs=max(SLEEP.epochs, math.ceil(SLEEP.epochs * SIZES[0] / tasks)))


def _closing(nights: Sequence[dict[str, Any]], receipt: dict[str, Any] | None) -> list[str]:
    unpublished = [night["stage"] for night in nights if not night["published"]]
    lines = [
        f"stage {number} was not published: no credible gain, or a loss at an earlier stage; more tasks (--tasks) may show one"
        for number in unpublished
    ]
    if again := [str(night["stage"]) for night in nights if night.get("learned_again")]:
        lines.append(f"after an erasure, learned again without it: stage {', '.join(again)}; the figures above are from before")
    if receipt:
        was, now, tasks = receipt["before"], receipt["after"], receipt["tasks"]
        erased = f"forgot {receipt['category']}: {receipt['episodes']} episodes erased"
        refused = "{} of {} refused as unknown".format(*receipt["refused"])
        lines.append(f"{erased}, success {was}/{tasks} before and {now}/{tasks} after, {refused}")
    return lines
