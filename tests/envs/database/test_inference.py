from __future__ import annotations

import pytest

from lifelong.envs.database.inference import schema_of
from lifelong.envs.database.sqlite import Table, Value


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("order_id", (1, 2, 3, 4), "id"),
        ("customer_id", (1, 1, 2, 2), "ref"),
        ("is_open", (0, 1, 1, 0), "ref"),
        ("tax_year", (2021, 2022, 2022, 2023), "year"),
        ("amount", (10, 20, 20, 35), "int"),
        ("rate", (1.5, 2, 2.5, 3), "real"),
        ("status", ("open", "open", "closed", "open"), "pick"),
        ("owner", ("Ann", "Ben", "Eve", "Joe"), "person"),
        ("due_date", ("2023-01-01", "2023-01-02", "2023-01-03", "2023-01-04"), "date"),
        ("note", (None, None, "x", "y"), "person"),
    ],
)
def test_kind_of_a_column(name: str, values: tuple[Value, ...], kind: str) -> None:
    table = Table(name="orders", columns=(("key", "INT"), (name, "")), rows=tuple(enumerate(values)))
    assert schema_of(table).columns[1].kind == kind


@pytest.mark.parametrize(
    ("table", "noun"), [("tax_records", "tax record"), ("city_facilities", "city facility"), ("news", "new"), ("class", "class")]
)
def test_noun_of_a_table(table: str, noun: str) -> None:
    assert schema_of(Table(name=table, columns=(("a", "INT"),), rows=((1,), (2,)))).noun == noun
