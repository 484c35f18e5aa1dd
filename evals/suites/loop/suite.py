"""`lifelong bench loop`: does the loop learn, and does it keep what it learned? Ours beside four baselines."""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ....core import Settings
from ....core.plugins import names, resolve
from ....envs import make_environment
from ....metrics.provenance import source_version
from ....metrics.statistics import pooled_rate_ci95, student_ci95
from ....orchestrator import LifelongLearner
from ....runs.folders import discard_run, mark_run
from ....runs.stream import RunEnvironment, Schedule, run_stream
from ....serving import cache_directory
from ...data.worker_pool import worker_pool
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter


@dataclass(frozen=True, kw_only=True)
class LoopMethod:
    """What a method changes in the one loop that all share."""

    values: Mapping[str, Any] = field(default_factory=dict)
    """Settings that differ from the defaults."""
    sleep: str = "after_each"
    """When it sleeps; see `Schedule`."""
    streams: bool = True
    """Whether the stream can change it at all; False: it is only evaluated."""


ALONE = {"sleep.gate": False, "sleep.per_skill_routing": False, "sleep.held_out": 0.0, "memory.recall": "off"}
METHODS = {
    "lifelong": LoopMethod(values={"sleep.replay": 1.0}),
    "no_memory": LoopMethod(values={"memory.recall": "off"}, sleep="never", streams=False),
    "recall_only": LoopMethod(values={"memory.recall": "latest"}, sleep="never"),
    "naive_lora": LoopMethod(values={**ALONE, "sleep.train_from_base": False, "sleep.replay": 0.0}),
    "joint": LoopMethod(values={**ALONE, "sleep.replay": 100.0}, sleep="at_end"),
}
"""Ours and the baselines: same model, tasks, corrections, tries, epochs and rank.

Ours replays one old sample for each new one, twice the default: near the 1.28 of the cross-validation inside lab-db's
tasks 0 to 149, which compared no other share.
"""

BASE = "no_memory"
"""The method that never learns: it is measured first, as everybody's start."""
SHARED = {"wake.control_share": 0.0, "wake.max_attempts": 3}
"""Settings of all methods. Without a control arm, so that all see all tasks; three tries, the rounds that LifelongAgentBench gives."""
SMALL = {"sleep.epochs": 1, "model.max_tokens": 24}

Sizes = Mapping[str, tuple[int, int]]
"""Tasks of the stream and unseen tasks, by environment."""
FULL: Sizes = {"database": (150, 40), "lab-db": (150, 150)}
QUICK: Sizes = {"database": (10, 8)}


def run(*, quick: bool, seeds: int, data: Path | None, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Every method over every seed; rates have Wilson's interval over the tasks of all seeds, other figures Student's.

    On CPU, as many runs at once as there are cores, one thread each. A full run that was killed goes on where it stopped
    when the same commit is asked again. The untrained agent is always measured first.
    Raises `DataMissing` when the full suite has no data directory.
    """
    sizes, methods = wanted_sizes(quick, only), wanted_methods(only)
    for environment in sizes:
        make_environment(environment, data)
    with _scratch(keep=not quick) as scratch, worker_pool() as pool:
        one = partial(_one, sizes=sizes, data=data, quick=quick, scratch=scratch)
        untrained = list(map(_tell, pool.map(one, [(BASE, seed, ()) for seed in range(seeds)])))
        jobs = [(name, seed, start["evaluations"]) for seed, start in enumerate(untrained) for name in methods if name != BASE]
        summaries = list(map(_tell, pool.map(one, jobs)))
    runs = {BASE: untrained, **{name: [one for one in summaries if one["method"] == name] for name in methods if name != BASE}}
    return [row for name in methods for row in rows_of(name, runs[name]) if only.wants_method(name)]


def wanted_sizes(quick: bool, only: RowFilter) -> Sizes:
    """The environments that are named, or those of the table; one that the table has not is somebody's own, by its id or `module:Class`."""
    table = QUICK if quick else FULL
    own = {name: next(iter(table.values())) for name in only.cases if name != "stream" and not any(name in known for known in table)}
    return {name: size for name, size in table.items() if only.wants_case(name) or "stream" in only.cases} | own


def wanted_methods(only: RowFilter) -> dict[str, LoopMethod]:
    """Those of the table that are wanted, and ours with an engine or a strategy of somebody else that is named as a method."""
    own = dict.fromkeys([*only.own("engines", METHODS), *only.own("strategies", METHODS)])
    return {name: method for name, method in METHODS.items() if only.wants_method(name)} | {name: own_method(name) for name in own}


def own_method(name: str) -> LoopMethod:
    """Ours on the engine, or with the strategy, of that name or `module:Class`: what has `chat` is an engine."""
    is_engine = name in names("engines") or (name not in names("strategies") and hasattr(resolve("engines", name), "chat"))
    return LoopMethod(values={**METHODS["lifelong"].values, "model.engine" if is_engine else "wake.strategy": name})


@contextmanager
def _scratch(*, keep: bool) -> Iterator[Path]:
    """Where the runs have their homes until all of them have ended: a folder of our own in the cache, which a killed run leaves there."""
    commit = source_version()
    if keep and commit and not commit.endswith("-modified"):
        folder = cache_directory().parent / "bench" / f"loop-{commit[:10]}"
        mark_run(folder, {"suite": "loop", "commit": commit})
        yield folder
        discard_run(folder)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            yield Path(temporary)


def _one(job: tuple[str, int, Sequence[dict[str, Any]]], *, sizes: Sizes, data: Path | None, quick: bool, scratch: Path) -> dict[str, Any]:
    name, seed, untrained = job
    return run_method(name, seed, sizes, data, scratch / f"{name}-{seed}", quick=quick, untrained=untrained)


def _tell(summary: dict[str, Any]) -> dict[str, Any]:
    """A line for who waits: what a run reached on its last pass over each environment."""
    reached = ", ".join(
        f"{environment} {rate:.0%}" for environment, rate in zip(summary["environments"], summary["metrics"]["matrix"][-1], strict=True)
    )
    print(f"{summary['method']}, seed {summary['seed']}: {reached} ({summary['seconds']:.0f} s)", file=sys.stderr, flush=True)
    return summary


def run_method(
    name: str,
    seed: int,
    sizes: Sizes,
    data: Path | None,
    home: Path,
    *,
    quick: bool = False,
    untrained: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """One method under one seed, in a home of its own; returns the run's summary."""
    method = METHODS.get(name) or own_method(name)
    environments = tuple(
        RunEnvironment(environment=make_environment(environment, data), train=train if method.streams else 0, test=test)
        for environment, (train, test) in sizes.items()
    )
    corrections = max(train for train, _ in sizes.values())
    schedule = Schedule(
        environments=environments, corrections=corrections, sleep=method.sleep, evaluate="seen" if method.streams else "start"
    )
    settings = Settings(home=home, seed=seed).with_values({**SHARED, **method.values, **(SMALL if quick else {})})
    with LifelongLearner.open(settings) as learner:
        return run_stream(learner, schedule, method=name, untrained=untrained)


def rows_of(method: str, runs: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The figures of one method, from its summaries, one a seed."""
    rows: list[Row] = []
    for environment in runs[0]["environments"]:
        tasks = next(e["tasks"] for e in runs[0]["evaluations"] if e["environment"] == environment)
        for metric in ("success_before", "success_after", "success_final"):
            values = [run["metrics"][metric][environment] for run in runs]
            if method == BASE or None in values:
                # Without a night of its own, an environment is the untrained agent's before, and what the stream left after.
                row = 0 if metric == "success_before" else -1
                values = [run["metrics"]["matrix"][row][run["environments"].index(environment)] for run in runs]
            rows.append(_rate(environment, method, metric, values, tasks))
        rows.append(_mean(environment, method, "forgetting", [run["metrics"]["forgetting"][environment] or 0.0 for run in runs], tasks))
    for metric, pick in (("average_accuracy", _last("average_accuracy")), ("tokens_per_solved", _tokens), ("seconds", _last_seconds)):
        rows.append(_mean("stream", method, metric, [pick(run) for run in runs], sum(e["tasks"] for e in runs[0]["evaluations"][-2:])))
    return rows


def _last(name: str) -> Any:
    return lambda run: run["metrics"][name]


def _tokens(run: Mapping[str, Any]) -> float:
    """Tokens a solved task on the final pass over all unseen tasks; NaN when none was solved."""
    last = run["metrics"]["tokens_per_solved"][-1]
    return math.nan if last is None else float(last)


def _last_seconds(run: Mapping[str, Any]) -> float:
    return float(run["seconds"])


def _rate(case: str, method: str, metric: str, values: Sequence[float], tasks: int) -> Row:
    mean, interval = sum(values) / len(values), pooled_rate_ci95(values, tasks)
    return Row(case=case, method=method, metric=metric, value=mean, ci95=interval, n=tasks * len(values), seeds=len(values))


def _mean(case: str, method: str, metric: str, values: Sequence[float], tasks: int) -> Row:
    known = [value for value in values if not math.isnan(value)]
    mean = sum(known) / len(known) if known else math.nan
    interval = student_ci95(known) if len(known) > 1 else None
    return Row(case=case, method=method, metric=metric, value=mean, ci95=interval, n=tasks * len(values), seeds=len(values))
