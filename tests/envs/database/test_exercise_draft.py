from __future__ import annotations

import random
from contextlib import closing

import pytest

from lifelong.envs.database.exercise_draft import ExerciseDraft, _rounded, listed, named, spoken_list
from lifelong.envs.database.sqlite import Table, load

TABLE = Table(
    name="road_trips",
    columns=(("trip_id", "INT"), ("driver_name", "TEXT"), ("region", "TEXT"), ("distance", "INT")),
    rows=tuple((number, f"Driver {number}", ("North", "South")[number % 2], 100 * number) for number in range(1, 13)),
)


@pytest.mark.parametrize(("value", "rounded"), [(7, 7), (7.25, 7.2), (12.6, 13), (1234, 1200), (98_765, 99_000), (0, 0), (-1234, -1200)])
def test_bounds_are_numbers_that_people_use(value: float, rounded: float) -> None:
    assert _rounded(value) == rounded


def test_conditions_figures_and_bounds_run_and_say_their_values() -> None:
    with closing(load([TABLE])) as connection:
        for seed in range(60):
            draft = ExerciseDraft(random.Random(seed), TABLE, connection)
            where = draft.filtered()
            assert 0 <= draft.count(where.sql.removeprefix(" WHERE ")) <= len(TABLE.rows)
            keys = draft.keys()
            figure = draft.figure()
            bound = draft.bound(figure, keys, have=seed % 2 == 0)
            groups = ", ".join(key.name for key in keys)
            draft.numbers(f"SELECT 1 FROM road_trips GROUP BY {groups} HAVING {bound.sql}")
            assert bound.sql.startswith(figure.sql)
            number = bound.sql.rpartition(" ")[2]
            assert number in bound.text.replace(",", ""), f"{bound.text} | {bound.sql}"
            sort, cut = draft.sorted_by(named(draft, draft.schema.columns)), draft.limited()
            connection.execute(f"SELECT * FROM road_trips{sort.sql}{cut.sql}")


def test_lists_in_sql_and_in_words() -> None:
    with closing(load([TABLE])) as connection:
        draft = ExerciseDraft(random.Random(1), TABLE, connection)
        columns = named(draft, draft.schema.columns[:2])
        assert (listed(columns), spoken_list(columns)) == ("trip_id, driver_name", "trip ID and driver name")
