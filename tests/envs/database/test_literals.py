from __future__ import annotations

import pytest

from lifelong.envs.database.literals import literals


@pytest.mark.parametrize(
    ("request_text", "number"),
    [
        ("more than 1,000,000 visitors", "1000000"),
        ("increase the fee by 10%", "1.1"),
        ("reduce it by 15%", "0.85"),
        ("starting from the 6th entry", "5"),
        ("starting from the third entry", "2"),
        ("skipping the first two entries", "2"),
        ("a rating of 4.5 or higher", "4.5"),
        ("at least eight requests", "8"),
        ("nothing is counted", "0"),
    ],
)
def test_numbers_that_a_request_names_or_implies(request_text: str, number: str) -> None:
    assert number in literals(request_text).numbers


@pytest.mark.parametrize(
    ("request_text", "text"),
    [
        ("where the status is 'In transit'", "In transit"),
        ('with the name "Echo"', "Echo"),
        ("since June 1, 2023", "2023-06-01"),
        ("before January 2024", "2024-01-01"),
        ("sales made in 2023", "2023-12-31"),
        ("books of John Doe in Berlin", "John Doe"),
        ("pets that are dogs", "Dog"),
        ("those that are complaints", "complaint"),
        ("from all cities", "city"),
        ("part number 'FILTER-789'", "FILTER-789"),
    ],
)
def test_texts_that_a_request_names_or_implies(request_text: str, text: str) -> None:
    assert text in literals(request_text).texts


def test_what_is_no_date_is_none() -> None:
    found = literals("since February 31, 2023, or Smarch 1, 2023").texts
    assert not [text for text in found if text.startswith("2023-02") or "Smarch-" in text]


def test_a_long_request_stays_bounded() -> None:
    found = literals(" ".join(f"word{number} 'quoted {number}'" for number in range(2_000)))
    assert len(found.texts) < 5_000
