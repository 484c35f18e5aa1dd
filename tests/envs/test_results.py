from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.envs.results import MAX_TEXT, RuleBroken, plain_text, read_choices, read_reset, read_step


@pytest.mark.parametrize(
    ("given_", "text"),
    [
        ("plain", "plain"),
        (b"caf\xc3\xa9 \xff", "café �"),
        (None, ""),
        ({"door": "open", "keys": [1, 2]}, '{"door": "open", "keys": [1, 2]}'),
        (np.float32(1.5), '"1.5"'),
        ("lone \udcff", "lone ?"),
    ],
)
def test_observations_become_text(given_: Any, text: str) -> None:
    assert plain_text(given_) == text


def test_a_long_text_is_cut_with_a_mark() -> None:
    text = plain_text("x" * 1_000_000)
    assert len(text) < MAX_TEXT + 100
    assert text.endswith(f"[{1_000_000 - MAX_TEXT} of 1000000 characters cut]")
    assert plain_text("x" * MAX_TEXT) == "x" * MAX_TEXT


@given(st.recursive(st.none() | st.floats() | st.text() | st.binary() | st.integers(), lambda inner: st.lists(inner) | st.tuples(inner)))
def test_any_value_becomes_text_that_can_be_stored(value: Any) -> None:
    assert isinstance(json.dumps(plain_text(value).encode().decode()), str)


def test_numpy_numbers_and_flags_are_read() -> None:
    result = read_step((b"done", np.float32(0.5), np.bool_(True), np.array(False), {"success": np.bool_(True), "error": None}))
    assert (result.text, result.reward, result.terminated, result.truncated, result.success, result.error) == (
        "done",
        0.5,
        True,
        False,
        True,
        False,
    )
    assert type(result.reward) is float
    assert type(result.success) is bool


def test_success_is_what_the_environment_says_and_not_the_score() -> None:
    assert read_step(("", 0.3, True, False, {"success": True})).success
    assert not read_step(("", 1.0, True, False, {"success": False})).success
    assert not read_step(("", 0.9, True, False, {})).success
    assert read_step(("", 1.0, True, False, None)).success
    assert not read_step(("", 1.0, False, False, {})).success


@pytest.mark.parametrize(
    ("result", "rule"),
    [
        (("old", 1.0, True, {}), "five values.*a tuple of 4"),
        (None, "five values.*NoneType"),
        (("", float("nan"), True, False, {}), "finite number; got nan"),
        (("", np.inf, True, False, {}), "finite number; got inf"),
        (("", None, True, False, {}), "reward must be a number; got NoneType"),
        (("", "much", True, False, {}), "reward must be a number; got str"),
        (("", np.array([1.0, 2.0]), True, False, {}), "reward must be a number"),
        (("", 1.0, "no", False, {}), "terminated must be true or false"),
        (("", 1.0, np.array([True, False]), False, {}), "terminated must be true or false"),
        (("", 1.0, True, False, {"success": "yes"}), "success.*must be true or false"),
        (("", 1.0, True, False, {"success": float("nan")}), "success.*must be true or false; got float 'nan'"),
        (("", 1.0, True, False, {"success": np.float32("nan")}), "success.*must be true or false"),
        (("", 1.0, True, False, {"success": 0.5}), "success.*must be true or false"),
        (("", 1.0, True, False, {"success": {"it": "is"}}), "success.*must be true or false"),
        (("", 1.0, True, False, {"error": 2}), "error.*must be true or false"),
        (("", 1.0, float("nan"), False, {}), "terminated must be true or false"),
        (("", 1.0, True, False, "info"), "info must be a mapping"),
    ],
)
def test_what_cannot_be_read_names_its_rule(result: Any, rule: str) -> None:
    with pytest.raises(RuleBroken, match=rule):
        read_step(result)


def test_reset_and_choices() -> None:
    assert read_reset(({"room": 1}, {})) == '{"room": 1}'
    with pytest.raises(RuleBroken, match="two values"):
        read_reset("only text")
    assert read_choices(np.array(["left", "right"])) == ("left", "right")
    with pytest.raises(RuleBroken, match="sequence of texts"):
        read_choices("left")
