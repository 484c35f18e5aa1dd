"""The results file keeps every row with where it came from and what was chosen."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from lifelong.core import DataMalformed, DataMissing
from lifelong.evals import Results, Row, make_results, read_results, write_results
from lifelong.evals.results_file import updated

RESULTS = Path(__file__).resolve().parents[2] / "evals" / "results"
ROWS = (
    Row(case="database", method="no_memory", metric="success_after", value=0.02, ci95=(0.0, 0.06), n=50, seeds=3),
    Row(case="database", method="lifelong", metric="success_after", value=0.6666, ci95=(0.55, 0.77), n=50, seeds=3),
    Row(case="database", method="no_memory", metric="tokens_per_solved", value=math.inf),
)


def written(path: Path) -> Results:
    results = make_results("loop", ROWS, selection="Nothing was chosen.", data_hashes={"db.json": "ab" * 32})
    write_results(path, results)
    return results


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "loop.json"
    made, read = written(path), read_results(path)
    assert read.results[:2] == ROWS[:2]
    assert math.isnan(read.results[2].value)
    assert (read.suite, read.commit, read.data) == ("loop", made.commit, {"db.json": "ab" * 32})
    assert read.selection == "Nothing was chosen."
    plain = json.loads(path.read_text())
    assert set(plain) == {"suite", "commit", "versions", "machine", "selection", "data", "results"}
    assert plain["commit"]
    assert plain["results"][2]["value"] is None
    assert [entry.name for entry in path.parent.iterdir()] == ["loop.json"]


def test_a_file_from_before_the_selection_was_recorded_is_read(tmp_path: Path) -> None:
    written(tmp_path / "loop.json")
    plain = json.loads((tmp_path / "loop.json").read_text())
    del plain["selection"]
    (tmp_path / "loop.json").write_text(json.dumps(plain))
    assert read_results(tmp_path / "loop.json").selection == ""


@pytest.mark.parametrize("file", sorted(RESULTS.glob("*.json")), ids=lambda file: file.stem)
def test_every_committed_results_file_is_read(file: Path) -> None:
    results = read_results(file)
    assert results.suite == file.stem
    assert results.commit
    assert results.results


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="lifelong bench"):
        read_results(tmp_path / "none.json")
    for text in ("{", "{}", "[]", '{"results": [{"value": 1, "ci95": null}]}'):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(ValueError, match=r"bad\.json is not a results file"):
            read_results(tmp_path / "bad.json")


def test_an_update_keeps_what_was_not_measured_again_with_its_commit(tmp_path: Path) -> None:
    def results(commit: str, rows: list[Row], data: str = "a") -> Results:
        return replace(make_results("letters", rows, data_hashes={"file": data}), commit=commit)

    first, second = Row(case="a", method="plain", metric="accuracy", value=0.5), Row(case="b", method="plain", metric="accuracy", value=0.6)
    again = Row(case="a", method="plain", metric="accuracy", value=0.7)
    ours = Row(case="a", method="lifelong", metric="accuracy", value=0.8)
    whole = updated(results("old", [first, second]), results("new", [ours, again]))
    assert [(row.case, row.method, row.value, row.commit) for row in whole.results] == [
        ("a", "plain", 0.7, ""),
        ("a", "lifelong", 0.8, ""),
        ("b", "plain", 0.6, "old"),
    ]
    write_results(tmp_path / "letters.json", whole)
    assert read_results(tmp_path / "letters.json") == whole
    newest = updated(whole, results("newest", [again]))
    assert [row.commit for row in newest.results] == ["", "new", "old"]
    with pytest.raises(DataMalformed, match=r"other data files \(file\)"):
        updated(results("old", [first]), results("new", [ours], data="b"))


def test_a_file_that_a_suite_reads_only_now_changes_nothing_of_what_was_measured() -> None:
    row = Row(case="a", method="plain", metric="accuracy", value=0.5)
    old = make_results("letters", [row], data_hashes={"file": "a"})
    more = make_results("letters", [replace(row, case="b")], data_hashes={"file": "a", "second": "b"})
    assert dict(updated(old, more).data) == {"file": "a", "second": "b"}
    with pytest.raises(DataMalformed, match=r"other data files \(second\)"):
        updated(more, old)
    with pytest.raises(DataMalformed, match="of the suite letters, not of digits"):
        updated(old, replace(more, suite="digits"))
