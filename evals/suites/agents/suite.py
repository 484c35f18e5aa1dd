"""`lifelong bench agents`: what is learned from nothing but the environment's yes or no, each part alone and left out."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ....core import PackageMissing, Settings
from ....envs import make_environment
from ....serving import EmbeddedEngine, cache_directory, locate
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .arm_rows import rows_of
from .contrast_methods import METHODS, QUICK_SCALES, SCALES, START, ContrastMethod, ContrastScale
from .contrasts import ContrastNight, contrast_rows
from .function_calls import CASE, function_call_rows
from .nights import Agent, LearningArm
from .ten_nights import CASE as TEN_NIGHTS
from .ten_nights import plot, ten_nights_rows

ARMS: Mapping[str, LearningArm] = {
    "no_learning": LearningArm(grammar=False),
    "grammar": LearningArm(),
    "grammar_best_of_n": LearningArm(strategy="best_of_n"),
    "grammar_templates_best_of_n": LearningArm(strategy="best_of_n", templates=True),
    "practice": LearningArm(nights=1, attempts=False, grammar=False),
    "practice_grammar": LearningArm(nights=1, attempts=False),
    "practice_grammar_best_of_n": LearningArm(nights=1, attempts=False, strategy="best_of_n"),
    "practice_grammar_templates_best_of_n": LearningArm(nights=1, attempts=False, strategy="best_of_n", templates=True),
    "random_practice_grammar": LearningArm(nights=1, attempts=False, shuffled=True),
    "lifelong": LearningArm(nights=3),
    "lifelong_without_grammar": LearningArm(nights=3, grammar=False),
    "lifelong_without_practice": LearningArm(nights=3, practice=False),
    "lifelong_without_attempts": LearningArm(nights=3, attempts=False),
    "lifelong_best_of_n": LearningArm(nights=3, strategy="best_of_n"),
    "lifelong_templates_best_of_n": LearningArm(nights=3, strategy="best_of_n", templates=True),
    "lifelong_with_unlikelihood": LearningArm(nights=3, contrast="positives_unlikelihood"),
    "lifelong_with_dpo": LearningArm(nights=3, contrast="dpo"),
    "joint_grammar": LearningArm(nights=1, shown=True),
}
"""Ours, each of its parts alone, ours without each, and ours with a contrast of its failures after each night's training.

`random_practice_grammar` is a control whose exercises have wrong answers, `joint_grammar` an upper bound that is shown the right answers to
all tasks; no other arm is shown one. `grammar` is also the control of an untrained adapter, which changes nothing.
Arms with `templates` follow the forms of what the agent itself has solved of the train tasks; those of the same name without that are the
same without forms. All have the same model, tasks, exercises a night, passes, rank and attempts a task.
"""
SIZES: Mapping[str, tuple[int, int, int]] = {"database": (150, 150, 448), "lab-db": (150, 150, 448), "reasoning-products": (40, 40, 0)}
"""Tasks that are attempted awake and at night, unseen tasks, and exercises a night."""
OUTSIDE: Mapping[str, str] = {"reasoning-products": "lifelong.envs.reasoning_gym:products"}
"""Cases whose environment is made by a path: data sets that this project did not write. They make no exercises, so that nights learn from
confirmed attempts alone."""
OUTSIDE_ARMS = ("no_learning", "grammar", "lifelong_without_practice")
"""What such a case is measured with."""
QUICK: Mapping[str, tuple[int, int, int]] = {"database": (6, 6, 16)}
QUICK_ARMS = ("no_learning", "grammar", "practice_grammar", "lifelong")
SMALL: dict[str, Any] = {"sleep.epochs": 2, "sleep.attempts": 1, "model.max_tokens": 24}


def run(*, quick: bool, seeds: int, data: Path | None, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Every arm over every seed; rates have Wilson's interval over the tasks of all seeds. Raises `DataMissing` for lab-db without data."""
    rows: list[Row] = []
    for case, sizes in (QUICK if quick else SIZES).items():
        if only.wants_case(case):
            rows += _case(case, sizes, quick, seeds, data, only)
    if only.wants_case(CASE) or any(CASE in case for case in only.cases):
        rows += function_call_rows(quick=quick, seeds=seeds, data=data, only=only, values=SMALL if quick else {})
    if only.wants_case(TEN_NIGHTS):
        rows += ten_nights_rows(quick=quick, seeds=seeds, only=only, values=SMALL if quick else {})
    for case, scale in (QUICK_SCALES if quick else SCALES).items():
        methods = {name: method for name, method in METHODS.items() if only.wants_method(name)}
        if only.wants_case(case) and (methods or only.wants_method(START)):
            rows += _contrasts(case, scale, methods, quick, seeds, data, only)
    return rows


def plots(rows: Sequence[Row]) -> dict[str, str]:
    """Success after each of ten nights, where two at least were measured."""
    drawn = plot(rows)
    return {} if drawn is None else {"nights": drawn}


def _contrasts(
    case: str,
    scale: ContrastScale,
    methods: Mapping[str, ContrastMethod],
    quick: bool,
    seeds: int,
    data: Path | None,
    only: RowFilter,
) -> list[Row]:
    environment, found = make_environment(scale.environment, data), []
    for seed in range(seeds):
        settings = Settings(seed=seed).with_values(SMALL if quick else {})
        engine = EmbeddedEngine(locate(settings.model.name))
        folder = cache_directory().parent / "agents"
        try:
            found.append(ContrastNight(scale, environment, engine, settings, folder).run(methods, control=only.wants_method(START)))
        finally:
            engine.close()
    return contrast_rows(case, found)


def _case(case: str, sizes: tuple[int, int, int], quick: bool, seeds: int, data: Path | None, only: RowFilter) -> list[Row]:
    wanted = QUICK_ARMS if quick else OUTSIDE_ARMS if case in OUTSIDE else tuple(ARMS)
    arms = {name: ARMS[name] for name in wanted if only.wants_method(name)}
    try:
        environment = make_environment(OUTSIDE.get(case, case), data)
    except PackageMissing as error:
        print(f"{case} is passed over: {error}", file=sys.stderr, flush=True)
        return []
    train_size, test_size, count = sizes
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, arm in arms.items():
            results = []
            for seed in range(seeds):
                settings = Settings(seed=seed).with_values(SMALL if quick else {})
                train, test = environment.tasks("train", train_size, seed=seed), environment.tasks("test", test_size, seed=seed)
                engine = EmbeddedEngine(locate(settings.model.name))
                try:
                    results.append(Agent(arm, environment, engine, settings, Path(folder)).run(train, test, count))
                finally:
                    engine.close()
                solved = ", ".join(f"{sum(each)}" for each in results[-1].successes)
                print(f"{case}, {name}, seed {seed}: {solved} of {test_size}", file=sys.stderr, flush=True)
            rows += rows_of(case, name, arm, results)
    return rows
