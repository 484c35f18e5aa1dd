"""The grammar of a task accepts what solves it, refuses what is no statement, and knows which names are there."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from lifelong.core import Task
from lifelong.envs import DatabaseEnvironment, Environment, LabDatabaseEnvironment
from lifelong.envs.database.grammar import sql_grammar
from lifelong.envs.practice import declared_grammar
from lifelong.serving import grammar_accepts, grammar_error

DATA = Path(os.environ.get("LIFELONG_DATA", Path(__file__).parents[3] / ".." / "shared" / "data"))
present = pytest.mark.skipif(
    not (DATA / "lifelongagentbench" / "db_bench.json").is_file(), reason=f"LifelongAgentBench is not under {DATA}; set LIFELONG_DATA"
)
CONTEXT = "Table shifts(shift_id INT, worker_name TEXT, hours_worked INT, shift_date TEXT)"
GOAL = "Which workers have a total of more than 40 hours worked since June 1, 2023 in the 'Night' group? Limit the results to 5 entries."


def normal(statement: str) -> str:
    """A statement with one blank where SQL needs one, and constants in capitals; strings stay as they are."""
    parts = re.split(r"('(?:[^']|'')*')", " ".join(statement.strip().rstrip(";").split()))
    for place in range(0, len(parts), 2):
        text = re.sub(r"\s*,\s*", ", ", parts[place])
        text = re.sub(r"\s*(>=|<=|<>|!=|(?<![<>!])=|<(?![=>])|>(?!=)|(?<=[)\w])[-+*/](?=[\w( ]))\s*", r" \1 ", text)
        text = text.replace("(* )", "(*)").replace("( * )", "(*)").replace("SELECT *  FROM", "SELECT * FROM")
        parts[place] = re.sub(r"\b(true|false|null)\b", lambda match: match[0].upper(), text)
    return re.sub(r"  +", " ", "".join(parts)).strip()


def refused(environment: Environment, tasks: list[Task]) -> list[str]:
    """Reference answers that solve their task and that its grammar does not accept."""
    found = []
    for task in tasks:
        answer = environment.demonstrate(task).actions[0]
        environment.reset(options={"task": task})
        solves = environment.step(answer)[4]["success"]
        if solves and not grammar_accepts(declared_grammar(environment, task), normal(answer)):
            found.append(f"{task.goal} | {normal(answer)}")
    return found


@pytest.mark.parametrize("seed", [0, 1])
def test_what_solves_a_generated_task_is_accepted(seed: int) -> None:
    environment = DatabaseEnvironment()
    assert refused(environment, list(environment.tasks("train", 60, seed=seed))) == []


@present
def test_what_solves_a_task_of_the_benchmark_is_accepted() -> None:
    environment = LabDatabaseEnvironment(DATA)
    assert refused(environment, list(environment.tasks("train", 150))) == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT worker_name, SUM(hours_worked) FROM shifts WHERE shift_date >= '2023-06-01' GROUP BY worker_name "
        "HAVING SUM(hours_worked) > 40 ORDER BY SUM(hours_worked) DESC LIMIT 5",
        "SELECT worker_name, SUM(hours_worked) AS total FROM shifts GROUP BY worker_name ORDER BY total DESC",
        "SELECT worker_name FROM shifts WHERE hours_worked > (SELECT AVG(v) FROM (SELECT MAX(hours_worked) AS v FROM shifts))",
        "UPDATE shifts SET hours_worked = hours_worked + 5 WHERE worker_name = 'Night'",
        "DELETE FROM shifts WHERE shift_id IN (SELECT shift_id FROM shifts GROUP BY shift_id HAVING COUNT(*) > 1)",
        "INSERT INTO shifts (shift_id, worker_name) VALUES (40, 'Night')",
        "INSERT INTO shifts VALUES (40, 'Night', 5, '2023-06-01')",
        "INSERT INTO shifts (shift_id, worker_name) VALUES (40, 'Night'), (5, 'Night')",
        "SELECT * FROM shifts;",
    ],
)
def test_accepted(statement: str) -> None:
    assert grammar_accepts(sql_grammar(CONTEXT, GOAL), statement)


@pytest.mark.parametrize(
    "statement",
    [
        "",
        "Here is the query: SELECT * FROM shifts",
        "SELECT * FROM shifts; DROP TABLE shifts",
        "DROP TABLE shifts",
        "PRAGMA table_info(shifts)",
        "SELECT name FROM shifts",  # no such column
        "SELECT worker_name FROM workers",  # no such table
        "SELECT worker_name FROM shifts WHERE hours_worked > 41",  # no number of the request
        "SELECT worker_name FROM shifts WHERE worker_name = 'Day'",  # no text of it
        "SELECT worker_name FROM shifts WHERE SUM(hours_worked) > 40",  # an aggregate where SQL has none
        "SELECT worker_name FROM shifts GROUP BY worker_name ORDER BY total",  # a name that the statement did not make up
        "SELECT worker_name FROM shifts WHERE",
        "INSERT INTO shifts (shift_id, worker_name) VALUES (40)",  # a value is missing
        "INSERT INTO shifts (shift_id) VALUES (40, 'Night')",  # a column is missing
        "INSERT INTO shifts VALUES (40, 'Night')",
    ],
)
def test_refused(statement: str) -> None:
    assert not grammar_accepts(sql_grammar(CONTEXT, GOAL), statement)


def test_names_that_are_no_identifiers_are_quoted() -> None:
    grammar = sql_grammar('Table my "table"(group by INT, ünit TEXT)', "All of it.")
    assert grammar_error(grammar) == ""
    assert grammar_accepts(grammar, 'SELECT "group by", "ünit" FROM "my ""table"""')


def test_words_of_a_request_are_not_taken_for_parts_of_the_grammar() -> None:
    grammar = sql_grammar(CONTEXT, "Who has the status LISTED, JOINED, MORE or KIND?")
    assert all(
        grammar_accepts(grammar, f"DELETE FROM shifts WHERE worker_name = '{word}'") for word in ("LISTED", "JOINED", "MORE", "KIND")
    )


def test_lists_end() -> None:
    grammar = sql_grammar(CONTEXT, GOAL)
    assert grammar_accepts(grammar, f"SELECT {', '.join(['shift_id'] * 4)} FROM shifts")
    assert not grammar_accepts(grammar, f"SELECT {', '.join(['shift_id'] * 40)} FROM shifts")


def test_without_tables_nothing_is_constrained() -> None:
    assert sql_grammar("A room with a door.", "Open it.") == ""
