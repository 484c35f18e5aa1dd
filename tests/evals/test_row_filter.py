"""A part of a suite's rows."""

from __future__ import annotations

import pytest

from lifelong.core import NothingFound
from lifelong.core.plugins import names
from lifelong.evals import Row
from lifelong.evals.row_filter import ALL_ROWS, RowFilter, refuse_empty


def row(case: str, method: str) -> Row:
    return Row(case=case, method=method, metric="accuracy", value=0.5)


ROWS = [row("clinc150 10x15", "ridge"), row("clinc150 10x15", "replay"), row("banking77 7x11", "ridge")]


def test_methods_are_named_whole_and_cases_by_a_part() -> None:
    assert ALL_ROWS.rows(ROWS) == ROWS
    assert RowFilter(methods=("ridge",)).rows(ROWS) == [ROWS[0], ROWS[2]]
    assert RowFilter(methods=("rid",)).rows(ROWS) == []
    assert RowFilter(cases=("clinc",)).rows(ROWS) == ROWS[:2]
    assert RowFilter(methods=("ridge",), cases=("7x11", "nothing")).rows(ROWS) == [ROWS[2]]


def test_a_module_that_is_named_brings_all_its_cases() -> None:
    modules = ("streams", "growth")
    named = RowFilter(cases=("streams",), methods=("replay",))
    assert named.within("streams", modules).rows(ROWS) == [ROWS[1]]
    assert RowFilter(cases=("streams",)).within("streams", modules).rows(ROWS) == ROWS
    assert RowFilter(cases=("clinc",)).within("streams", modules).rows(ROWS) == ROWS[:2]


def test_methods_that_the_suite_does_not_know_are_members_of_an_extension_point() -> None:
    only = RowFilter(methods=("ridge", "mine:Head", "nothing_like_it"))
    assert only.own("heads", ["ridge", "replay"]) == ["mine:Head"]
    assert only.own("heads", []) == [name for name in ("ridge", "mine:Head") if ":" in name or name in names("heads")]
    assert ALL_ROWS.own("heads", ["ridge"]) == []


def test_any_of_several_methods() -> None:
    assert ALL_ROWS.wants_any([])
    assert RowFilter(methods=("a",)).wants_any(["a", "b"])
    assert not RowFilter(methods=("a",)).wants_any(["b"])


def test_no_row_at_all_is_refused_with_what_there_is() -> None:
    only = RowFilter(methods=("rdge",), cases=("x",))
    with pytest.raises(
        NothingFound, match=r"suite s has no row of method rdge and case x; methods: ridge, replay; cases: clinc150 10x15, "
    ):
        refuse_empty([], only, ROWS, "s")
    with pytest.raises(NothingFound, match=r"no row of method rdge and case x$"):
        refuse_empty([], only, [], "s")
    refuse_empty(ROWS, only, ROWS, "s")
    refuse_empty([], ALL_ROWS, ROWS, "s")
