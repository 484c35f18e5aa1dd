"""`lifelong bench navigation`: object navigation in which goal categories are taught stage by stage (C-NAV's protocol).

Every method has the same network, expert, episodes, passes and seeds; they differ in what they do against forgetting (`METHODS`). After
each stage the navigator looks for all categories so far in test scenes. `random_walk` is a control that learns nothing. Further cases
look at what the navigator of C-NAV makes of it: whether it knows goals and scenes, when it gives up, and what forgetting takes away.
The same protocol in three dimensions has a case of its own, for some of the methods; a quick run measures it only where it is named.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ....core import PackageMissing
from ....envs.navigation.rooms_3d import NoRenderer
from ....learners.navigation.methods import METHODS
from ...data.seeded import Measurement, Measurements, rows_of
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from . import awareness, forgotten, orders
from .plot import plot
from .stages import FULL, QUICK, QUICK_ROOMS, RANDOM_WALK, ROOMS, NavigationScale, StageData, Taught, figures_of, stage_data, taught, walked

CASE = "objectnav-grid"
CASE_3D = "objectnav-3d"
METHODS_3D = (RANDOM_WALK, "fine_tuning", "data_replay", "lifelong_cnav", "joint")
"""Measured in three dimensions."""
OURS = "lifelong_cnav"
CASES: Mapping[str, tuple[Callable[[Taught], Measurements], Sequence[str]]] = {
    "objectnav-grid, goals never taught": (awareness.goals, (OURS, "policy_confidence")),
    "objectnav-grid, new scenes": (awareness.scenes, ("lifelong", "seen_views")),
    "objectnav-grid, early stop": (awareness.early_stop, ("lifelong", "number_of_steps")),
    "objectnav-grid, forget a category": (forgotten.category, ("before", "lifelong_reset", "lifelong_rebuilt")),
    "objectnav-grid, recurring categories": (orders.recurring, orders.METHODS),
    "objectnav-grid, no reset": (orders.no_reset, (OURS, "fresh_state")),
}
"""What is measured of the navigator of C-NAV besides, and the methods that are compared there."""


def run(*, quick: bool, seeds: int, data: Path | None, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Every method under every seed, which draws scenes, weights and all orders; then every further case."""
    del data
    scale = QUICK if quick else FULL
    methods = [name for name in (RANDOM_WALK, *METHODS) if only.wants_method(name)] if only.wants_case(CASE) else []
    cases = [name for name, (_, compared) in CASES.items() if only.wants_case(name) and only.wants_any(compared)]
    measured: dict[str, list[Measurements]] = {CASE: [], **{name: [] for name in cases}}
    for seed in range(seeds if methods or cases else 0):
        material = stage_data(scale, "test", seed)
        figures, ours = of_methods(methods, scale, material, seed, CASE)
        measured[CASE].append(figures)
        if cases:
            ours = ours or taught(OURS, scale, material, seed)[0]
        for name in cases:
            assert ours is not None, "a navigator was just taught"
            measured[name].append(CASES[name][0](ours))
            print(f"{name}, seed {seed}", file=sys.stderr, flush=True)
    n = scale.tested * scale.stages
    rows = [row for name, one in measured.items() if any(one) for row in rows_of(name, one, n=n)]
    return only.rows([*rows, *rooms(quick=quick, seeds=seeds, only=only)])


def rooms(*, quick: bool, seeds: int, only: RowFilter) -> list[Row]:
    """Stages in three dimensions; none where nothing can be drawn, which is said."""
    methods = [name for name in METHODS_3D if only.wants_method(name)] if only.wants_case(CASE_3D) else []
    if not methods or (quick and not only.cases):
        return []
    scale = QUICK_ROOMS if quick else ROOMS
    try:
        measured = [of_methods(methods, scale, stage_data(scale, "test", seed), seed, CASE_3D)[0] for seed in range(seeds)]
    except (NoRenderer, PackageMissing) as problem:
        print(f"{CASE_3D} is left out: {problem}", file=sys.stderr, flush=True)
        return []
    return rows_of(CASE_3D, measured, n=scale.tested * scale.stages)


def of_methods(
    methods: Sequence[str], scale: NavigationScale, data: StageData, seed: int, case: str
) -> tuple[dict[tuple[str, str], Measurement], Taught | None]:
    """The figures of every method under one seed, and what the navigator of C-NAV has become, where it is one of them."""
    figures: dict[tuple[str, str], Measurement] = {}
    ours = None
    for name in methods:
        if name == RANDOM_WALK:
            result = walked(data, seed, scale.environment())
        else:
            navigator, result = taught(name, scale, data, seed)
            ours = navigator if name == OURS else ours
        figures.update({(name, metric): value for metric, value in figures_of(result).items()})
        print(f"{case}, {name}, seed {seed}: {figures[name, 'last_success']}", file=sys.stderr, flush=True)
    return figures, ours


def plots(rows: Sequence[Row]) -> dict[str, str]:
    """Success after each stage, where there are two at least."""
    drawn = plot([row for row in rows if row.case == CASE])
    return {} if drawn is None else {"stages": drawn}
