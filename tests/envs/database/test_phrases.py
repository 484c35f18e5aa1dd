"""Wordings of requests, and the SQL that stands beside them."""

from __future__ import annotations

import random
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.envs.database.phrases import RequestDraft, joined, literal, plural, singular
from lifelong.envs.database.schemas import SCHEMAS, Column
from lifelong.envs.database.sqlite import load


def drafted(seed: int) -> RequestDraft:
    rng = random.Random(seed)
    schema = SCHEMAS[rng.choice(sorted(SCHEMAS))]
    table = schema.fill(rng)
    return RequestDraft(rng, schema, table, load([table]))


@pytest.mark.parametrize(
    ("one", "many"),
    [("box", "boxes"), ("city", "cities"), ("day", "days"), ("species", "species"), ("bus", "buses"), ("vote count", "vote counts")],
)
def test_plurals(one: str, many: str) -> None:
    assert plural(one) == many


def test_articles_and_lists() -> None:
    assert (singular("average price"), singular("price")) == ("an average price", "a price")
    assert [joined(list("abc")[:count]) for count in range(4)] == ["", "a", "a and b", "a, b, and c"]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_a_literal_is_read_as_what_it_was(text: str) -> None:
    connection = sqlite3.connect(":memory:")
    assert connection.execute(f"SELECT {literal(text)}").fetchone() == (text,)
    connection.close()


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.booleans(), st.integers(1, 4))
def test_a_condition_takes_some_rows_and_leaves_some(seed: int, compound: bool, least: int) -> None:
    draft = drafted(seed)
    clause = draft.where(compound=compound, least=least)
    assert least <= draft.count(clause.sql) < len(draft.table.rows)
    assert clause.text


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(3, 20))
def test_a_limit_keeps_below_what_there_is(seed: int, most: int) -> None:
    clause = drafted(seed).limit(most)
    words = clause.sql.split()
    size, skip = int(words[1]), int(words[3]) if len(words) > 3 else 0
    assert size >= 1
    assert size + skip <= most
    assert str(size) in clause.text


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_an_order_sorts_as_it_says(seed: int) -> None:
    draft = drafted(seed)
    [column] = draft.rng.sample([one for one in draft.schema.columns if one.kind in ("int", "real")], 1)
    clause = draft.order(keys=[column])
    values = draft.numbers(f"SELECT {column.name} FROM {draft.table.name}{clause.sql}")
    down = "descending" in clause.text or "highest to lowest" in clause.text
    assert values == sorted(values, reverse=down)


def test_dates_are_spelled_out_or_quoted_and_columns_called_by_words_or_identifier() -> None:
    names, dates = set(), set()
    for seed in range(60):
        draft = drafted(seed)
        names.add(draft.name(Column(name="city_id", kind="id")))
        dates.add(draft.spoken("2024-02-09"))
    assert names == {"city_id", "city ID"}
    assert dates == {"'2024-02-09'", "February 9, 2024"}
