"""Exercises over tables that were only seen: every kind runs and does something, and the request has its values."""

from __future__ import annotations

import random

import pytest

from lifelong.envs import DatabaseEnvironment
from lifelong.envs.database.exercises import TEMPLATES, draw_exercise
from lifelong.envs.database.grammar import sql_grammar
from lifelong.envs.database.sqlite import Table, asks_for_order, execute
from lifelong.serving import grammar_accepts

COLUMNS = (("visit_id", "INT"), ("clinic", "TEXT"), ("vet_id", "INT"), ("cost", "INT"), ("weight", "REAL"), ("visit_date", "TEXT"))
ROWS = tuple(
    (number, ("North", "South", "East")[number % 3], 10 + number % 4, 40 + 13 * number % 97, 2.5 + number, f"2023-{1 + number % 12:02d}-15")
    for number in range(1, 21)
)
TABLE = Table(name="vet_visits", columns=COLUMNS, rows=ROWS)


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_kind_runs_does_something_and_is_in_the_grammar(template: str) -> None:
    rng = random.Random(template)
    for _ in range(12):
        drawn = draw_exercise(TABLE, template, rng)
        assert drawn is not None
        goal, statement = drawn
        result = execute([TABLE], statement)
        assert result.rows or result.state["vet_visits"] != ROWS, "it returns something, or changes something"
        assert grammar_accepts(sql_grammar(TABLE.schema, goal), statement), f"{goal} | {statement}"
        assert asks_for_order(statement) == ("order" in goal.lower().replace("reverse alphabetical order", "")), goal


def test_the_same_seed_draws_the_same_exercise() -> None:
    assert draw_exercise(TABLE, "having", random.Random(3)) == draw_exercise(TABLE, "having", random.Random(3))


@pytest.mark.parametrize(
    "table",
    [
        Table(name="t", columns=(("a", "INT"),), rows=((1,),)),
        Table(name="t", columns=COLUMNS, rows=()),
        Table(name="t", columns=COLUMNS, rows=((None,) * 6,) * 3),
        Table(name="t", columns=(("a", "TEXT"), ("b", "TEXT"), ("c", "TEXT")), rows=(("x", "y", "z"),) * 4),
        Table(name='odd "name"', columns=(("x y", "INT"), ("z-1", "TEXT"), ("select", "INT")), rows=((1, "a", 2), (2, "b", 3))),
    ],
    ids=["narrow", "empty", "nulls", "alike", "quoted"],
)
def test_tables_of_which_nothing_can_be_made_give_none_and_no_error(table: Table) -> None:
    drawn = [draw_exercise(table, template, random.Random(number)) for number, template in enumerate(TEMPLATES)]
    assert all(one is None or execute([table], one[1]) for one in drawn)


def test_requests_of_the_held_out_split_are_not_made() -> None:
    environment = DatabaseEnvironment()
    tests = {task.goal for task in environment.tasks("test", 50)}
    made = environment.exercises(environment.tasks("train", 10), 100, weights={}, seed=0)
    assert not tests & {one.task.goal for one in made}
