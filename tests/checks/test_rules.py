"""A rule of a contract names itself, whatever breaks it."""

from __future__ import annotations

import sys

import pytest

from lifelong.checks.rules import rule


def test_what_keeps_the_rule_passes() -> None:
    with rule("two and two are four"):
        assert 2 + 2 == 4


@pytest.mark.parametrize(
    ("breaking", "words"),
    [
        (lambda: 1 / 0, "it adds up; it raised ZeroDivisionError: division by zero"),
        (lambda: sys.exit(2), "it adds up; it raised SystemExit: 2"),
    ],
)
def test_anything_that_is_raised_becomes_a_broken_rule(breaking: object, words: str) -> None:
    with pytest.raises(AssertionError, match=words) as caught, rule("it adds up"):
        breaking()  # type: ignore[operator]
    assert caught.value.__cause__ is not None


def test_an_assertion_keeps_its_own_words() -> None:
    with pytest.raises(AssertionError, match=r"^of its own$"), rule("it adds up"):
        raise AssertionError("of its own")


def test_whoever_interrupts_a_check_is_obeyed() -> None:
    with pytest.raises(KeyboardInterrupt), rule("it adds up"):
        raise KeyboardInterrupt
