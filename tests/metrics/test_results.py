"""The results file keeps every row, and the tables show it."""

import io
import json
import math
from pathlib import Path

import pytest
from rich.console import Console

from lifelong.core import DataMissing
from lifelong.evals import Row, git_commit, markdown_table, package_versions, read_results, results_tables, write_results
from lifelong.metrics.results import results_table

ROWS = (
    Row(case="database", method="no_memory", metric="success_after", value=0.02, ci95=(0.0, 0.06), n=50, seeds=3),
    Row(case="database", method="lifelong", metric="success_after", value=0.6666, ci95=(0.55, 0.77), n=50, seeds=3),
    Row(case="database", method="no_memory", metric="tokens_per_solved", value=math.inf),
    Row(case="database", method="lifelong", metric="tokens_per_solved", value=1234.4),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "loop.json"
    written = write_results(path, "loop", ROWS, {"db.json": "ab" * 32})
    read = read_results(path)
    assert read.results[:2] == ROWS[:2]
    assert math.isnan(read.results[2].value)
    assert (read.suite, read.commit, read.data) == ("loop", written.commit, {"db.json": "ab" * 32})
    plain = json.loads(path.read_text())
    assert set(plain) == {"suite", "commit", "versions", "machine", "data", "results"}
    assert plain["results"][2]["value"] is None
    assert "cores" in plain["machine"]
    assert [entry.name for entry in path.parent.iterdir()] == ["loop.json"]


def test_versions_and_commit() -> None:
    versions = package_versions(("numpy", "no-such-package"))
    assert set(versions) == {"python", "numpy"}
    commit = git_commit()
    assert commit == "" or len(commit.removesuffix("-modified")) == 40


def test_no_git_no_commit(tmp_path: Path) -> None:
    assert git_commit(tmp_path) == ""


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="lifelong bench"):
        read_results(tmp_path / "none.json")
    for text in ("{", "{}", "[]", '{"results": [{"value": 1, "ci95": null}]}'):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(ValueError, match=r"bad\.json is not a results file"):
            read_results(tmp_path / "bad.json")


def test_markdown_has_a_column_a_method(tmp_path: Path) -> None:
    table = markdown_table(write_results(tmp_path / "loop.json", "loop", ROWS), methods=("lifelong", "no_memory"))
    assert table.splitlines() == [
        "| case | metric | lifelong | no_memory |",
        "| --- | --- | --: | --: |",
        "| database | success_after | 0.667 [0.550, 0.770] | 0.020 [0.000, 0.060] |",
        "| database | tokens_per_solved | 1,234 | – |",
    ]


def test_terminal_table_shows_chosen_metrics(tmp_path: Path) -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(results_table(write_results(tmp_path / "loop.json", "loop", ROWS), metrics=("success_after",)))
    text = console.export_text()
    assert "0.667 [0.550, 0.770]" in text
    assert "tokens_per_solved" not in text


def test_many_methods_do_not_stand_side_by_side(tmp_path: Path) -> None:
    for count, tables in ((6, 1), (7, 2)):
        rows = [Row(case=case, method=f"method_{number}", metric="accuracy", value=0.5) for case in ("a", "b") for number in range(count)]
        made = results_tables(write_results(tmp_path / "many.json", "many", rows))
        assert len(made) == tables
        console = Console(width=80, record=True, file=io.StringIO())
        for table in made:
            console.print(table)
        assert console.export_text().count("0.500") == 2 * count
