"""Scorers of a table, and ones that somebody names besides."""

from __future__ import annotations

import pytest

from lifelong.core import PluginError
from lifelong.evals.row_filter import ALL_ROWS, RowFilter
from lifelong.evals.suites.perception.own_scorers import novelty_sign, wanted_scorers
from lifelong.perception import ClassMeanNovelty, NearestNeighbourNovelty, Scorer, SoftmaxConfidence

TABLE: dict[str, type[Scorer]] = {"class_mean": ClassMeanNovelty, "neighbours": NearestNeighbourNovelty}


def test_the_wanted_ones_of_the_table_and_what_is_named_besides() -> None:
    assert wanted_scorers(TABLE, ALL_ROWS, ()) == TABLE
    assert list(wanted_scorers(TABLE, RowFilter(methods=("neighbours", "another_method")), ["another_method"])) == ["neighbours"]
    own = wanted_scorers(TABLE, RowFilter(methods=("lifelong.perception:ClassMeanNovelty",)), ())
    [(name, make)] = own.items()
    assert name == "lifelong.perception:ClassMeanNovelty"
    assert type(make()) is ClassMeanNovelty


def test_a_class_that_is_not_there_is_refused_by_name() -> None:
    [make] = wanted_scorers(TABLE, RowFilter(methods=("lifelong.perception:Nothing",)), ()).values()
    with pytest.raises(PluginError, match="Nothing"):
        make()


def test_larger_is_stranger_times_the_sign() -> None:
    assert (novelty_sign(ClassMeanNovelty()), novelty_sign(SoftmaxConfidence())) == (1, -1)
