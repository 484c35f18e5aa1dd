"""Classes as callers name them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.core import spelling
from lifelong.perception.experimental.classifier.class_names import ClassNames


def test_whole_numbers_stay_what_they_are() -> None:
    names = ClassNames()
    assert names.learn([7, 3, 7]).tolist() == [7, 3, 7]
    assert names.named(np.array([3, 7])).tolist() == [3, 7]
    assert names.learn([]).dtype == np.int64


def test_texts_are_numbered_in_alphabetical_order_and_later_ones_behind() -> None:
    names = ClassNames()
    assert names.learn(["pay", "card", "pay"]).tolist() == [1, 0, 1]
    assert names.learn(["block", "pay"]).tolist() == [2, 1]
    assert names.named(np.array([2, 0])).tolist() == ["block", "card"]


def test_other_kinds_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"whole numbers or texts.*float64 such as"):
        ClassNames().learn([0.5])  # type: ignore[list-item]
    names = ClassNames()
    names.learn(["a"])
    with pytest.raises(ValueError, match="texts, as the classes before"):
        names.learn([1])
    with pytest.raises(ValueError, match=r"\['b', 'c'\] are not known"):
        names.find(["c", "a", "b"])
    assert names.named(names.find(["a"])).tolist() == ["a"], "a refusal learns nothing"


@pytest.mark.parametrize("other", ["Refund", "refund ", " reFUND"])
def test_classes_that_differ_in_case_or_spaces_alone_are_refused(other: str) -> None:
    names = ClassNames()
    names.learn(["refund"])
    for batch in ([other], ["parcel", other]):
        with pytest.raises(ValueError, match="differ in case or spaces alone"):
            names.learn(batch)
    assert names.learn(["parcel"]).tolist() == [1], "a refusal learns nothing"


def test_a_name_that_numpy_would_shorten_is_refused() -> None:
    names = ClassNames()
    names.learn(["a"])
    for name in ("a\0", "\0"):
        with pytest.raises(ValueError, match="NUL"):
            names.learn([name])
    with pytest.raises(ValueError, match="NUL"):
        names.find(["a\0"])
    assert names.learn(["\0a"]).tolist() == [1]


@given(st.lists(st.lists(st.text(max_size=3).map(lambda text: text.rstrip("\0")), max_size=6), max_size=4))
def test_every_text_comes_back(batches: list[list[str]]) -> None:
    names, spelled = ClassNames(), dict[str, str]()
    batches = [[text for text in batch if spelled.setdefault(spelling(text), text) == text] for batch in batches]
    numbers = [names.learn(batch) for batch in batches]
    for batch, given_ in zip(batches, numbers, strict=True):
        assert names.named(given_).tolist() == batch or not batch
        assert np.array_equal(names.find(batch), given_)
