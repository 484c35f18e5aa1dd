"""`lifelong bench` in a pipe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

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
