"""`lifelong bench` in a pipe."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lifelong.core import DataMalformed
from lifelong.evals import Row, Suite
from lifelong.interfaces.cli import app

ROWS = [Row(case="a case", method=f"a_method_with_a_long_name_{n}", metric="accuracy", value=n / 1000, ci95=(0.0, 1.0)) for n in range(500)]


def test_a_piped_table_has_a_line_for_each_figure_and_says_what_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Suite, "run", lambda self, **_: ROWS)
    result = CliRunner().invoke(app, ["bench", "scoring", "--quick"], env={"COLUMNS": "80"})
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[2] for line in lines if line.startswith("a case")] == [row.method for row in ROWS]
    assert lines[-1].startswith("What was chosen, on which data: Nothing was chosen")


def test_a_reader_that_has_enough_ends_it_without_a_traceback(tmp_path: Path) -> None:
    script = (
        "from lifelong.evals import Row, Suite\n"
        "rows = [Row(case='a', method='m' * 200, metric='accuracy', value=0.5)] * 5000\n"
        "Suite.run = lambda self, **_: rows\n"
        "from lifelong.interfaces.cli import main\nmain()\n"
    )
    (tmp_path / "piped.py").write_text(script)
    command = f"{sys.executable} {tmp_path / 'piped.py'} bench scoring --quick | head -3"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert len(result.stdout.splitlines()) == 3
    assert result.stderr == ""


@pytest.mark.parametrize("suite", ["perception", "continual"])
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a", "Refund"), ("b", "refund")], "labels that differ in case or spaces alone: 'Refund', 'refund'"),
        ([("a", "re fund"), ("b", "re  fund")], "labels that differ in case or spaces alone"),
        ([(f"text {n}", f"class {n}") for n in range(9)], "has 0 classes of at least 5 different texts, of 9 in all"),
        ([(f"text {n}", "only") for n in range(9)], "has 1 classes of at least 5 different texts, of 1 in all"),
        ([(f"text {n}", None) for n in range(9)], "no line of"),
        ([("the same", name) for name in ("one", "two") for _ in range(9)], "has 0 classes"),
        ([("  ", "one"), ("", "two")], "no line of"),
        ([], "no line of"),
    ],
    ids=["case", "spaces", "one text a class", "one class", "no labels", "the same text twice", "empty texts", "empty file"],
)
def test_own_texts_that_cannot_be_measured_end_with_what_to_do(
    tmp_path: Path, suite: str, rows: list[tuple[str, str | None]], message: str
) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows))
    result = CliRunner().invoke(app, ["bench", suite, "--texts", str(file)])
    assert isinstance(result.exception, DataMalformed), "`main` shows it as one line, without a traceback"
    assert message in str(result.exception)


def test_own_texts_that_are_not_there_end_with_status_3(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["bench", "perception", "--texts", str(tmp_path / "none.jsonl")])
    assert result.exit_code == 3
    assert "none.jsonl" in result.output
