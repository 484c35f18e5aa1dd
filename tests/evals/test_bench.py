"""A suite is found, its data are checked before anything runs, and the README shows what was measured."""

from __future__ import annotations

import hashlib
import inspect
import json
from importlib import import_module
from pathlib import Path

import pytest

from lifelong.core import DataMalformed, DataMissing, PluginError
from lifelong.evals import MEMBERS, SUITES, Row, Suite
from lifelong.evals.bench import find_suite, hash_files, run_suite
from lifelong.evals.row_filter import ALL_ROWS

ROOT = Path(__file__).resolve().parents[2]
SUITE = Suite(name="letters", shows="letters", needs="letters", module="nowhere", files=("sub/letters.txt",))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "letters.txt").write_text("abc")
    return tmp_path


@pytest.mark.parametrize("suite", list(map(find_suite, MEMBERS)), ids=lambda suite: suite.name)
def test_every_suite_can_be_run_and_says_what_it_is(suite: Suite) -> None:
    run = import_module(f".{suite.module}", suite.package).run
    signature = inspect.signature(run)
    assert {"quick", "seeds", "data"} <= set(signature.parameters)
    assert {one.kind for one in signature.parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}
    assert signature.return_annotation == "list[Row]"
    assert min(len(text) for text in (suite.shows, suite.needs, suite.selection)) > 5
    if suite.files and suite.name not in ("agents", "loop", "recall"):  # their quick runs need none
        with pytest.raises(DataMissing, match="LIFELONG_DATA"):
            run(quick=True, seeds=1, data=None)


def test_suites_are_found_under_the_name_that_they_say() -> None:
    assert [find_suite(name).name for name in MEMBERS] == list(MEMBERS)
    assert len(MEMBERS) >= len(SUITES)


def test_an_unknown_suite_is_refused_with_the_names_there_are() -> None:
    assert find_suite("memory") is SUITES[0]
    with pytest.raises(PluginError, match="the suite is 'numbers'; it must be one of memory, "):
        find_suite("numbers")


def test_data_files_are_hashed(data: Path) -> None:
    assert hash_files(SUITE, data) == {"sub/letters.txt": hashlib.sha256(b"abc").hexdigest()}


def test_missing_data_are_said_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="LIFELONG_DATA"):
        run_suite(SUITE, quick=False, seeds=1, data=None, file=None)
    with pytest.raises(DataMissing, match=r"sub/letters\.txt, which is not in"):
        run_suite(SUITE, quick=True, seeds=1, data=tmp_path, file=None)


def test_a_quick_run_without_a_data_directory_is_left_to_its_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Row(case="a", method="lifelong", metric="success_after", value=0.5)]
    monkeypatch.setattr(Suite, "run", lambda self, **asked: rows if asked["data"] is None else [])
    results = run_suite(SUITE, quick=True, seeds=1, data=None, file=None)
    assert (results.data, results.results) == ({}, tuple(rows))


def test_a_run_is_written_with_its_data_and_commit(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Row(case="a", method="lifelong", metric="success_after", value=0.5, ci95=(0.4, 0.6), n=10, seeds=2)]
    given = {"quick": True, "seeds": 2, "data": data, "only": ALL_ROWS, "texts": None, "model_url": ""}
    monkeypatch.setattr(
        Suite,
        "run",
        lambda self, **asked: rows if asked == given else [],
    )
    monkeypatch.setattr(Suite, "plots", lambda self, rows: {"curve": f"<svg>{len(rows)}</svg>"})
    file = tmp_path / "letters.json"
    results = run_suite(SUITE, quick=True, seeds=2, data=data, file=file)
    plain = json.loads(file.read_text())
    assert set(plain) == {"suite", "commit", "versions", "machine", "selection", "data", "results"}
    assert plain["data"] == results.data == hash_files(SUITE, data)
    assert plain["results"][0]["value"] == 0.5
    assert (tmp_path / "letters-curve.svg").read_text() == "<svg>1</svg>"
    assert run_suite(SUITE, quick=True, seeds=2, data=data, file=None).results == results.results


def test_figures_of_other_data_are_refused_before_anything_is_measured(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, measured = tmp_path / "letters.json", list[int]()
    rows = [Row(case="a", method="lifelong", metric="success_after", value=0.5)]
    monkeypatch.setattr(Suite, "run", lambda self, **asked: measured.append(1) or rows)
    monkeypatch.setattr(Suite, "plots", lambda self, rows: {})
    run_suite(SUITE, quick=True, seeds=1, data=data, file=file)
    (data / SUITE.files[0]).write_text("other letters")
    with pytest.raises(DataMalformed, match="other data"):
        run_suite(SUITE, quick=True, seeds=1, data=data, file=file, update=True)
    assert measured == [1]


def test_a_suite_without_plots_draws_none() -> None:
    assert find_suite("scoring").plots([]) == {}
