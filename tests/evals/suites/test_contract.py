"""Every suite runs `--quick` on made data, through the same function as the command, and its figures are sound."""

from __future__ import annotations

import math
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import quick_figures
from made_data import run_in_process, tiny_sentence_encoder, write_needed

from lifelong.evals import MEMBERS, Results, Row, Suite, read_results, write_results
from lifelong.evals.bench import find_suite, run_suite

QUICK = {"memory", "scoring", "unlearning"}
"""Suites that end within seconds on made data; the others are slow, and are run by the whole suite of tests."""
WRITTEN_TO = "QUICK_FIGURES"
"""Variable that names a folder for the figures of the quick runs, which are then written there and not compared."""
RESULTS = Path(__file__).resolve().parents[3] / "evals" / "results"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the encodings of the data are kept: each is made once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, cache: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Suites in this process, on a hashed encoder, a tiny sentence encoder where one is trained, and a tiny language model."""
    from lifelong.evals.suites.agents import suite as agents
    from lifelong.evals.suites.encoders import texts
    from lifelong.evals.suites.loop import suite as loop
    from lifelong.evals.suites.memory import suite as memory
    from lifelong.evals.suites.networks import networks
    from lifelong.evals.suites.scoring import suite as scoring

    run_in_process(monkeypatch, cache)
    encoder = tiny_sentence_encoder(tmp_path_factory.getbasetemp() / "tiny-encoder")
    for module in (texts, networks):
        monkeypatch.setattr(module, "locate", lambda name: encoder)
    for name, value in {"model.name": str(tiny_model), "memory.encoder": "hashed", "model.max_tokens": 8}.items():
        monkeypatch.setitem(loop.SMALL, name, value)
        monkeypatch.setitem(agents.SMALL, name, value)
    for name, value in {"1k": 150, "10k": 300}.items():
        monkeypatch.setitem(memory.SIZES, name, value)
    monkeypatch.setattr(memory, "SAMPLES", 10)
    monkeypatch.setattr(memory, "QUERIES", 20)
    monkeypatch.setattr(scoring, "QUICK_FIT", 300)
    monkeypatch.setattr(scoring, "QUICK_SCORED", 40)


def suites() -> list[object]:
    return [
        pytest.param(suite, id=suite.name, marks=[] if suite.name in QUICK else [pytest.mark.slow]) for suite in map(find_suite, MEMBERS)
    ]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("suite", suites())
def test_a_quick_run_has_sound_figures(suite: Suite, data: Path, tmp_path: Path) -> None:
    file = tmp_path / f"{suite.name}.json"
    results = run_suite(suite, quick=True, seeds=1, data=write_needed(data, suite.files), file=file)
    assert read_results(file).suite == suite.name
    assert results.selection != "not stated"
    assert has_ours(results)
    check(results)
    if folder := os.environ.get(WRITTEN_TO):
        write_results(Path(folder) / file.name, results)
        return
    kept = quick_figures.FOLDER / file.name
    changes = quick_figures.changes(read_results(kept), results)
    advice = f"where they are right, set {WRITTEN_TO} to a folder, run this test again, and put its files in {quick_figures.FOLDER}"
    assert not changes, "\n".join([f"{kept.name} no longer holds what is measured; {advice}", *changes])


def test_a_figure_that_has_changed_is_seen() -> None:
    """A kept figure that is moved well out of its interval is named, and so is one that is gone; nothing else is."""
    assert {file.stem for file in quick_figures.FOLDER.glob("*.json")} == set(MEMBERS)
    for suite in MEMBERS:
        kept = read_results(quick_figures.FOLDER / f"{suite}.json")
        assert quick_figures.changes(kept, kept) == []
        compared = [row for row in kept.results if not quick_figures.CLOCK.search(row.metric) and not quick_figures.of_peer(row)]
        for row in compared[:: 1 + len(compared) // 40]:
            assert len(quick_figures.changes(kept, exchanged(kept, row, moved(row)))) == 1, row
        assert len(quick_figures.changes(kept, replace(kept, results=kept.results[1:]))) == 1


def moved(row: Row) -> Row:
    """The row with another figure: off by a fifth of itself and by its whole interval."""
    low, high = row.ci95 or (row.value, row.value)
    if quick_figures.ROUNDING.search(row.metric):
        return replace(row, value=100 * max(row.value, 1.0))
    away = 0.2 * abs(row.value) + (high - low) + 0.25 + 2 / row.n
    return replace(row, value=0.0 if math.isnan(row.value) else row.value - away)


def exchanged(kept: Results, old: Row, new: Row) -> Results:
    return replace(kept, results=tuple(new if row is old else row for row in kept.results))


def check(results: Results) -> None:
    """The contract of a row: unique, named in snake_case, with a rate in [0, 1] and an interval that holds its value."""
    keys = [(row.case, row.method, row.metric) for row in results.results]
    assert keys
    assert len(set(keys)) == len(keys)
    for row in results.results:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", row.metric), row
        assert re.fullmatch(r"[a-z][a-z0-9_+]*", row.method), row
        assert row.n >= 1
        assert row.seeds >= 1
        if row.metric.endswith(("accuracy", "auroc", "_share", "recall")):
            assert math.isnan(row.value) or -1e-9 <= row.value <= 1 + 1e-9, row
        if row.ci95 is not None and math.isfinite(row.value):
            assert row.ci95[0] - 1e-9 <= row.value <= row.ci95[1] + 1e-9, row


@pytest.mark.parametrize("file", sorted(RESULTS.glob("*.json")), ids=lambda file: file.stem)
def test_committed_figures_are_sound(file: Path) -> None:
    results = read_results(file)
    assert has_ours(results) or file.stem in PARTLY_MEASURED
    check(results)


PARTLY_MEASURED = {"agents"}
"""Suites of which parts of ours have been measured, and not yet the whole."""


def has_ours(results: Results) -> bool:
    return any(row.method.startswith("lifelong") for row in results.results)


REAL = Path(os.environ.get("LIFELONG_DATA", ""))
COMPARABLE = {"unlearning": ("largest_logit_difference_x1e9",), "memory": ("recall_at_10",)}
"""Metrics of a quick run that are measured in the same way as in the committed, full run; quick sizes differ in the others."""


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.skipif("LIFELONG_DATA" not in os.environ, reason="LIFELONG_DATA names no data directory")
@pytest.mark.parametrize("name", COMPARABLE)
def test_quick_figures_lie_within_the_committed_intervals(name: str) -> None:
    """As good as the committed figures, to within their intervals: errors no larger, recall no smaller."""
    suite = find_suite(name)
    committed = {(row.case, row.method, row.metric): row for row in read_results(RESULTS / f"{name}.json").results}
    quick = run_suite(suite, quick=True, seeds=1, data=REAL, file=None).results
    compared = 0
    for row in quick:
        known = committed.get((row.case, row.method, row.metric))
        if row.metric not in COMPARABLE[name] or known is None:
            continue
        low, high = known.ci95 or (known.value, known.value)
        if row.metric.startswith("recall"):
            assert row.value >= low - 0.01, (row, known)
        else:
            assert row.value <= 10 * max(high, 1.0), (row, known)
        compared += 1
    assert compared >= 2, "cases and methods of the quick run are among the committed ones"
