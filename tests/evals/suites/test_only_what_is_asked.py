"""A part of a suite costs a part of its time: what is not asked for is not measured, and members of one's own are."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from made_data import run_in_process, tiny_sentence_encoder, write_needed

from lifelong.core import PluginError
from lifelong.evals.bench import find_suite
from lifelong.evals.row_filter import RowFilter

SUITES = "lifelong.evals.suites"
ASKED = [
    # suite, what measures one thing, methods, cases, how often that runs
    ("unlearning", "unlearning.suite:erased", ("lifelong_ridge",), ("erase 10 of",), 1),
    ("memory", "memory.suite:_measure", ("lifelong",), ("1k",), 1),
    ("scoring", "scoring.suite:compare", ("lifelong",), ("energy",), 1),
    ("continual", "continual.streams:run_stream", ("ridge",), ("streams",), 2),
    ("continual", "continual.streams:run_stream", ("lifelong_rls",), (), 0),
    ("continual", "continual.regret:made_figures", ("lifelong_rls",), (), 2),
    ("continual", "continual.growth:cost", ("ridge",), (), 0),
    ("perception", "perception.rejection:fitted_classifier", ("knn1",), ("rejection",), 0),
    ("perception", "perception.rejection:linear_head", ("knn1",), ("rejection",), 2),
    pytest.param("perception", "perception.noise:choose", ("cross_entropy",), (), 1, marks=pytest.mark.slow),
    ("perception", "perception.promise:_measure", ("knn1",), ("promise",), 0),
    pytest.param("perception", "perception.promise:_measure", ("knn1",), (), 0, marks=pytest.mark.slow),
    pytest.param("encoders", "encoders.texts:run_stream", ("frozen_ranpac",), ("texts",), 1, marks=pytest.mark.slow),
    pytest.param("encoders", "encoders.images:run_stream", ("naive",), ("images",), 1, marks=pytest.mark.slow),
    pytest.param("images", "images.suite:_trained", ("mixup",), (), 2, marks=pytest.mark.slow),
    pytest.param("networks", "networks.suite:forgotten", ("scrub",), ("half of the classes missing",), 1, marks=pytest.mark.slow),
]
MINE = [
    ("unlearning", "heads", "ridge", ("erase 10 of",)),
    ("continual", "heads", "flip.head:ClassMeanHead", ("streams",)),
    ("scoring", "scorers", "own_members.scorer:GapConfidence", ()),
    ("perception", "scorers", "own_members.scorer:GapConfidence", ("rejection", "wake")),
    pytest.param("encoders", "encoders", "flip.encoder:LetterEncoder", ("texts",), marks=pytest.mark.slow),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the encodings of the data are kept: each is made once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    run_in_process(monkeypatch, cache)
    encoder = tiny_sentence_encoder(tmp_path_factory.getbasetemp() / "tiny-encoder")
    for name in ("encoders.texts", "networks.networks"):
        monkeypatch.setattr(import_module(f"{SUITES}.{name}"), "locate", lambda name: encoder)
    memory, scoring = (import_module(f"{SUITES}.{name}.suite") for name in ("memory", "scoring"))
    for name, value in {"1k": 150, "10k": 300}.items():
        monkeypatch.setitem(memory.SIZES, name, value)
    for module, values in ((memory, {"SAMPLES": 10, "QUERIES": 20}), (scoring, {"QUICK_FIT": 300, "QUICK_SCORED": 40})):
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)


@pytest.mark.parametrize(("suite", "place", "methods", "cases", "times"), ASKED)
def test_only_what_is_asked_for_is_measured(
    suite: str, place: str, methods: tuple[str, ...], cases: tuple[str, ...], times: int, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _, function = place.partition(":")
    module, ran = import_module(f"{SUITES}.{name}"), []
    real = getattr(module, function)

    def counted(*values: Any, **named: Any) -> Any:
        ran.append(values)
        return real(*values, **named)

    monkeypatch.setattr(module, function, counted)
    found = find_suite(suite)
    only = RowFilter(methods=methods, cases=cases)
    rows = found.run(quick=True, seeds=1, data=write_needed(data, found.files), only=only)
    assert len(ran) == times
    assert {row.method for row in rows} <= set(methods)
    assert rows or not times


@pytest.mark.parametrize(("suite", "point", "name", "cases"), MINE)
def test_a_member_of_ones_own_is_measured_alone(
    suite: str, point: str, name: str, cases: tuple[str, ...], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "plugin_package"))
    found = find_suite(suite)
    rows = found.run(quick=True, seeds=1, data=write_needed(data, found.files), only=RowFilter(methods=(name,), cases=cases))
    assert rows, point
    assert {row.method.removesuffix("_retrained") for row in rows} == {name}


def test_a_head_that_cannot_unlearn_is_refused_by_name(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "plugin_package"))
    found = find_suite("unlearning")
    only, folder = RowFilter(methods=("flip.head:ClassMeanHead",)), write_needed(data, found.files)
    with pytest.raises(PluginError, match="has no method unlearn"):
        found.run(quick=True, seeds=1, data=folder, only=only)


def test_the_loop_takes_an_environment_an_engine_and_a_strategy_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = import_module(f"{SUITES}.loop.suite")
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "plugin_package"))
    ran: list[tuple[str, list[str], dict[str, Any]]] = []

    def recorded(name: str, seed: int, sizes: Any, data: Any, home: Any, *, quick: bool, untrained: Any) -> dict[str, Any]:
        ran.append((name, list(sizes), dict((loop.METHODS.get(name) or loop.own_method(name)).values)))
        metrics = {"matrix": [[0.5]]}
        return {"method": name, "seed": seed, "environments": ["flip"], "metrics": metrics, "seconds": 0.0, "evaluations": []}

    monkeypatch.setattr(loop, "run_method", recorded)
    monkeypatch.setattr(loop, "rows_of", lambda method, runs: [])
    engine, strategy, environment = "flip.engine:FlipEngine", "flip.strategy:CalmStrategy", "flip.environment:FlipEnvironment"
    loop.run(quick=True, seeds=1, data=None, only=RowFilter(methods=(engine, strategy, "recall_only"), cases=(environment,)))
    assert [(name, environments) for name, environments, _ in ran] == [
        ("no_memory", [environment]),
        ("recall_only", [environment]),
        (engine, [environment]),
        (strategy, [environment]),
    ]
    assert ran[2][2]["model.engine"] == engine
    assert ran[3][2]["wake.strategy"] == strategy
