"""A user's own file: what is read, what is left out with a note, and what is refused with an error that says what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lifelong.core import DataMalformed, DataMissing
from lifelong.evals.data.own_texts import EACH, read_own_texts, split_own_texts


@pytest.fixture(autouse=True)
def hashed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from made_data import run_in_process

    run_in_process(monkeypatch, tmp_path / "cache")


def write(folder: Path, rows: list[Any]) -> Path:
    file = folder / "own.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return file


def rows(label: str, count: int = 6, form: str = "{label} number {number}") -> list[dict[str, str]]:
    return [{"text": form.format(label=label, number=number), "label": label} for number in range(count)]


def test_a_plain_file_is_read_whole_and_split_class_by_class(tmp_path: Path) -> None:
    own = read_own_texts(write(tmp_path, [*rows("parcel", 10), *rows("refund", 10), {"text": "Sing!"}, {"text": "Jump", "label": None}]))
    assert (len(own.texts), own.unlabelled, own.notes) == (20, ("Sing!", "Jump"), ())
    data = split_own_texts(own, 0)
    assert data.names == ("parcel", "refund")
    assert [np.bincount(part.labels).tolist() for part in (data.train, data.validation, data.test)] == [[6, 6], [2, 2], [2, 2]]
    assert not set(data.train.texts) & {*data.validation.texts, *data.test.texts}
    assert (len(data.outliers_validation), len(data.outliers_test)) == (1, 1)
    assert split_own_texts(own, 0).train.texts == data.train.texts != split_own_texts(own, 1).train.texts


def test_labels_may_be_numbers_and_the_smallest_class_is_in_every_split(tmp_path: Path) -> None:
    numbered = [{"text": f"class {label}, text {number}", "label": label} for label in (1, 2) for number in range(EACH)]
    data = split_own_texts(read_own_texts(write(tmp_path, numbered)), 0)
    assert data.names == ("1", "2")
    assert all(set(part.labels) == {0, 1} for part in (data.train, data.validation, data.test))


def test_labels_that_differ_in_case_or_spaces_are_refused(tmp_path: Path) -> None:
    for other in ("Refund", "refund ", "re  fund"):
        first = "re fund" if "  " in other else "refund"
        with pytest.raises(DataMalformed, match="differ in case or spaces alone"):
            read_own_texts(write(tmp_path, [*rows(first), *rows(other)]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"text": f"text {number}"} for number in range(20)], "no line of .* has a label"),
        ([], "no line of .* has a label"),
        (rows("only"), "has 1 classes of at least 5 different texts, of 1 in all"),
        ([{"text": f"text {number}", "label": f"class {number}"} for number in range(9)], "has 0 classes .*, of 9 in all"),
        (["not json"], "line 1 of .* is not JSON"),
        (['["text", "label"]'], "line 1 of .* has no text"),
        ([{"label": "refund"}], "line 1 of .* has no text"),
        ([{"text": 7, "label": "refund"}], "line 1 of .* has no text"),
        ([{"text": "a", "label": ["refund"]}], "the label on line 1 of .* is \\['refund'\\]"),
        ([{"text": "a", "label": True}], "the label on line 1 of .* is True"),
        (["[" * 100_000], "line 1 of .* is not JSON"),
    ],
)
def test_what_cannot_be_measured_is_refused(tmp_path: Path, content: list[Any], message: str) -> None:
    with pytest.raises(DataMalformed, match=message):
        read_own_texts(write(tmp_path, content))


def test_no_file_and_a_file_of_bytes_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="there is no file"):
        read_own_texts(tmp_path / "none.jsonl")
    (tmp_path / "bytes.jsonl").write_bytes(b'{"text": "\xff"}')
    with pytest.raises(DataMalformed, match="not UTF-8"):
        read_own_texts(tmp_path / "bytes.jsonl")


def test_duplicates_empty_texts_and_small_classes_are_left_out_with_a_note(tmp_path: Path) -> None:
    both = {"text": "same words"}
    own = read_own_texts(
        write(
            tmp_path,
            [
                *rows("parcel"),
                *rows("refund"),
                *rows("parcel")[:2],
                {**both, "label": "parcel"},
                {**both, "label": "refund"},
                {"text": " \n", "label": "parcel"},
                *rows("rare", 2),
            ],
        )
    )
    assert sorted(set(own.labels)) == ["parcel", "refund"]
    assert "same words" not in own.texts
    assert len(own.texts) == len(set(own.texts)) == 12
    assert [note.split(" ", 1)[0] for note in own.notes] == ["1", "3", "1", "1"]
    assert "rare" in own.notes[-1]


def test_huge_texts_and_mixed_languages_are_texts(tmp_path: Path) -> None:
    languages = ["Wo ist mein Paket {}?", "我的包裹在哪里 {}", "أين طردي {}", "Où est mon colis {}", "Где моя посылка {}"]
    mixed = [{"text": form.format(number), "label": "parcel"} for form in languages for number in range(2)]
    huge = [{"text": f"refund {number} " + "please " * 30_000, "label": "refund"} for number in range(5)]
    data = split_own_texts(read_own_texts(write(tmp_path, [*mixed, *huge])), 0)
    assert len(data.train) == 6 + 3
    assert np.isfinite(data.train.vectors).all()


def test_more_than_a_thousand_classes_are_split(tmp_path: Path) -> None:
    many = [{"text": f"class {label} text {number}", "label": f"c{label}"} for label in range(1100) for number in range(EACH)]
    data = split_own_texts(read_own_texts(write(tmp_path, many)), 0)
    assert len(data.names) == 1100
    assert len(data.train) == 3 * 1100
