"""The comparison on a tiny random model: what methods share, that they learn from the same answers, and what is pooled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lifelong.agents.consolidation.contrast.groups import TriedAnswer
from lifelong.core import Settings
from lifelong.envs import DatabaseEnvironment
from lifelong.evals.data.seeded import Rate
from lifelong.evals.suites.agents.contrast_methods import METHODS, START, ContrastScale
from lifelong.evals.suites.agents.contrasts import ContrastNight, SeedFigures, SharedNight, contrast_rows, tidy
from lifelong.serving import EmbeddedEngine

SETTINGS = Settings().with_values({"sleep.epochs": 1, "sleep.rank": 2, "model.max_tokens": 4, "wake.grammar": False})
SCALE = ContrastScale(environment="database", practised=4, tasks=2, attempts=1, tested=3, budget=600)


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> EmbeddedEngine:
    return EmbeddedEngine(tiny_model, dtype="float32", device="cpu")


def group(*answers: tuple[str, bool]) -> tuple[TriedAnswer, ...]:
    return tuple(TriedAnswer(answer=answer, success=success) for answer, success in answers)


def made_night(tested: int) -> SharedNight:
    wrong = tuple(TriedAnswer(answer="", success=False) for _ in range(tested))
    groups = (group(("SELECT a", True), ("SELECT b", False)), group(("SELECT c", True), ("SELECT c", True)))
    return SharedNight(groups=groups, tested=wrong, tokens=10, seconds=1.0)


@pytest.mark.slow
def test_methods_learn_from_the_same_answers_and_a_model_that_solves_nothing_learns_nothing(engine: EmbeddedEngine, tmp_path: Path) -> None:
    night = ContrastNight(SCALE, DatabaseEnvironment(), engine, SETTINGS, tmp_path)
    found = night.run(METHODS, control=True)
    assert found.figures[START, "success"] == Rate(hits=0, trials=3)
    assert all(found.figures[name, "learned_share"] == 0.0 for name in METHODS)
    assert found.changes == {}
    [kept] = tmp_path.glob("night-*.json")
    before = kept.read_bytes()
    again = ContrastNight(SCALE, DatabaseEnvironment(), engine, SETTINGS, tmp_path).run({}, control=True)
    assert again.figures.items() <= found.figures.items(), "what is shared is kept, its seconds too"
    assert kept.read_bytes() == before


@pytest.mark.slow
def test_each_method_trains_within_the_budget(engine: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ContrastNight, "_shared", lambda self: made_night(3))
    some = {name: METHODS[name] for name in ("positives", "dpo", "rif_rft", "evosc")}
    found = ContrastNight(SCALE, DatabaseEnvironment(), engine, SETTINGS, tmp_path).run(some, control=False)
    for name in some:
        assert found.figures[name, "learned_share"] == 1.0
        assert SCALE.budget <= float(found.figures[name, "training_tokens"]) < SCALE.budget + 8 * 300  # type: ignore[arg-type]
        assert found.changes[name] == (0, 0, 3)
    assert (START, "success") not in found.figures
    assert not list(tmp_path.glob("contrast-*")), "the adapters are gone when they have been tried"


def test_gains_are_paired_and_pooled_over_seeds() -> None:
    seeds = [
        SeedFigures(figures={("dpo", "success"): Rate(hits=5, trials=10)}, changes={"dpo": (3, 1, 10)}),
        SeedFigures(figures={("dpo", "success"): Rate(hits=7, trials=10)}, changes={"dpo": (5, 0, 10)}),
    ]
    rows = {row.metric: row for row in contrast_rows("contrast-generated", seeds)}
    assert rows["success"].value == pytest.approx(0.6)
    assert rows["success_gain_over_start"].value == pytest.approx(7 / 20)
    assert (rows["success_gain_over_start"].n, rows["success_gain_over_start"].seeds) == (20, 2)
    assert rows["success_gain_over_start"].ci95 is not None


def test_old_nights_and_adapters_are_deleted(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"night-{number}.json").write_text("{}")
        os.utime(tmp_path / f"night-{number}.json", (number, number))
        (tmp_path / f"{number}abc").mkdir()
        (tmp_path / f"{number}abc" / "adapter_config.json").write_text("{}")
        os.utime(tmp_path / f"{number}abc" / "adapter_config.json", (number, number))
    (tmp_path / "readme").write_text("stays")
    tidy(tmp_path, kept=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2abc", "3abc", "night-2.json", "night-3.json", "readme"]
    tidy(tmp_path / "nowhere")
