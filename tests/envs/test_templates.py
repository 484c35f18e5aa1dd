"""Templates with typed holes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.core import reply_text, tool_call
from lifelong.envs.templates import HoleValue, Template, fill, mine, template_of

WORDS = st.sampled_from(["order", "orders", "5", "5.5", "15", "due_date", "due date", "Ana", "<0>", "\\1", "t"])
TEXTS = st.lists(WORDS | st.text(max_size=5), max_size=8).map(" ".join)
VALUES = st.lists(st.builds(HoleValue, type=st.sampled_from(["number", "column", "text"]), said=WORDS, written=WORDS), max_size=6)


@given(TEXTS, TEXTS, VALUES)
def test_a_template_filled_with_what_it_was_made_of_is_the_pair(request: str, answer: str, values: list[HoleValue]) -> None:
    template, found = mine(request, answer, values)
    assert fill(template, found) == (request, answer)
    assert tuple(one.type for one in found) == template.types
    assert set(found) <= set(values)
    # Every hole stands in both texts.
    assert {piece for piece in template.request if isinstance(piece, int)} == set(range(len(found)))
    assert {piece for piece in template.answer if isinstance(piece, int)} == set(range(len(found)))


@given(TEXTS, TEXTS, VALUES, st.sampled_from(["zebra", "quagga"]))
def test_pairs_that_differ_in_values_alone_have_equal_templates(request: str, answer: str, values: list[HoleValue], new: str) -> None:
    template, found = mine(request, answer, values)
    others = [HoleValue(type=one.type, said=f"{new}{number}", written=f"{new.upper()}{number}") for number, one in enumerate(found)]
    assert mine(*fill(template, others), others) == (template, tuple(others))


def test_the_template_of_a_statement() -> None:
    request = "Show the name of orders where the quantity exceeds 5, ordered by due date."
    answer = "SELECT name FROM orders WHERE quantity > 5 ORDER BY due_date"
    values = [
        HoleValue(type="column TEXT", said="name", written="name"),
        HoleValue(type="column INT", said="quantity", written="quantity"),
        HoleValue(type="column DATE", said="due date", written="due_date"),
        HoleValue(type="table", said="orders", written="orders"),
        HoleValue(type="number", said="5", written="5"),
    ]
    template, found = mine(request, answer, values)
    assert template.name == "SELECT <column TEXT> FROM <table> WHERE <column INT> > <number> ORDER BY <column DATE>"
    assert template.request[:2] == ("Show the ", 0)
    changed = [HoleValue(type="column TEXT", said="city", written="city"), *found[1:]]
    assert fill(template, changed)[1] == "SELECT city FROM orders WHERE quantity > 5 ORDER BY due_date"


def test_the_template_of_a_call() -> None:
    answer = reply_text("", [tool_call("book", {"city": "Paris", "guests": 2}, "")])
    values = [HoleValue(type="string book.city", said="Paris", written="Paris"), HoleValue(type="integer", said="2", written="2")]
    template, found = mine("Book a table for 2 in Paris.", answer, values)
    assert template.name == '<tool_call>\n{"name": "book", "arguments": {"city": "<string book.city>", "guests": <integer>}}\n</tool_call>'
    assert [one.said for one in found] == ["2", "Paris"]


@pytest.mark.parametrize(
    ("request_", "answer", "values"),
    [
        ("5 of 15", "f(15)", [("5", "5")]),
        ("over 5.5", "f(5)", [("5", "5")]),
        ("at 5 or five", "f(5)", [("5", "5"), ("five", "5")]),
        ("at 5", "f(5, five)", [("5", "5"), ("5", "five")]),
        ("the order", "orders", [("order", "order")]),
        ("nothing", "at all", [("", ""), (" ", " ")]),
    ],
)
def test_what_is_no_whole_word_or_not_clear_is_no_hole(request_: str, answer: str, values: list[tuple[str, str]]) -> None:
    found = mine(request_, answer, [HoleValue(type="x", said=said, written=written) for said, written in values])
    assert found == (Template(request=(request_,), answer=(answer,), types=()), ())


def test_holes_are_filled_with_their_own_type_alone() -> None:
    template, _ = mine("a 5", "b 5", [HoleValue(type="number", said="5", written="5")])
    for values in ([], [HoleValue(type="string", said="x", written="x")], [HoleValue(type="number", said="6", written="6")] * 2):
        with pytest.raises(ValueError, match="the holes are of the types"):
            fill(template, values)


def test_calls_of_one_form_differ_in_values_alone() -> None:
    def call(name: str, arguments: dict[str, object]) -> str:
        return reply_text("", [tool_call(name, arguments, "")])

    one = template_of(call("book", {"city": "Paris", "guests": 2}))
    assert one == template_of(call("book", {"guests": 3, "city": "Rome"}))
    assert one != template_of(call("cancel", {"city": "Paris", "guests": 2}))
    assert one != template_of(call("book", {"city": "Paris"}))
    assert template_of(call("tag", {"names": ["a", "b"]})) == template_of(call("tag", {"names": ["c"]}))
    assert template_of(call("book", {})) != one
