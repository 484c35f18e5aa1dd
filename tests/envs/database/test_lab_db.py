from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lifelong.core import DataMissing, MalformedTask, Task
from lifelong.envs import LabDatabaseEnvironment

DATA = Path(os.environ.get("LIFELONG_DATA", Path(__file__).parents[3] / ".." / "shared" / "data"))
present = pytest.mark.skipif(
    not (DATA / "lifelongagentbench" / "db_bench.json").is_file(), reason=f"LifelongAgentBench is not under {DATA}; set LIFELONG_DATA"
)


@present
def test_298_of_300_gold_statements_solve_their_task() -> None:
    environment = LabDatabaseEnvironment(DATA)
    failed = []
    for task in (*environment.tasks("train", 150), *environment.tasks("test", 150)):
        environment.reset(options={"task": task})
        if environment.step(environment.demonstrate(task).actions[0])[1] != 1.0:
            failed.append(task.id)
    assert failed == ["lab-db-81", "lab-db-270"]


@present
def test_doing_nothing_solves_nothing() -> None:
    environment = LabDatabaseEnvironment(DATA)
    for task in environment.tasks("test", 150):
        table = task.context.removeprefix("Table ").split("(")[0]
        environment.reset(options={"task": task})
        assert environment.step(f"DELETE FROM {table} WHERE 1 = 0")[1] == 0.0


@present
def test_splits_in_index_order() -> None:
    environment = LabDatabaseEnvironment(DATA)
    assert [task.id for task in environment.tasks("test", 2, seed=7)] == ["lab-db-150", "lab-db-151"]
    with pytest.raises(ValueError, match="150 test tasks"):
        environment.tasks("test", 151)


def test_missing_data_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"db_bench\.json is not there"):
        LabDatabaseEnvironment(tmp_path).tasks("train", 1)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"0": {"table_info": 3}}'])
def test_damaged_data_is_said(tmp_path: Path, text: str) -> None:
    _write(tmp_path, text)
    with pytest.raises(DataMissing, match="fetch it again"):
        LabDatabaseEnvironment(tmp_path).tasks("train", 1)


def _write(directory: Path, text: str) -> None:
    (directory / "lifelongagentbench").mkdir()
    (directory / "lifelongagentbench" / "db_bench.json").write_text(text, encoding="utf-8")


def test_a_gold_that_does_not_run_falls_back_to_the_stored_rows(tmp_path: Path) -> None:
    info = {"name": "t", "column_info_list": [{"name": "x", "type": "INT"}], "row_list": [[1], [2]]}
    row = {
        "table_info": info,
        "instruction": "What is the spread?",
        "answer_info": {"direct": [[0.7071]], "sql": "SELECT NOSUCH(x) FROM t"},
    }
    _write(tmp_path, json.dumps({str(index): row for index in range(300)}))
    environment = LabDatabaseEnvironment(tmp_path)
    task = environment.tasks("train", 1)[0]
    rewards = []
    for answer in ("SELECT 0.70711", "SELECT 0.5", "DELETE FROM t"):
        environment.reset(options={"task": task})
        rewards.append(environment.step(answer)[1])
    assert rewards == [1.0, 0.0, 0.0]
    with pytest.raises(MalformedTask):
        environment.reset(options={"task": Task(id="lab-db-0", goal="Another question")})
