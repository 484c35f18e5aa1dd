"""A contract check raises `AssertionError`, whatever the member does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from toy import ToyEnvironment

from lifelong.checks import check_discoverer, check_encoder, check_environment, check_head, check_phase, check_scorer
from lifelong.learners import NearestMeanHead


class Hollow:
    """Has every name that a member may have, and nothing behind any."""

    id = "hollow-v1"
    max_steps = max_answer_tokens = dimensions = 1
    labels = ()

    def __getattr__(self, name: str) -> Any:
        raise IndexError(f"no {name}")


class Failing(NearestMeanHead):
    def learn(self, vectors: Any, labels: Any) -> None:
        raise KeyError("error")


class Silent(ToyEnvironment):
    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        return (*super().step(action)[:4], {})


@pytest.mark.parametrize("check", [check_head, check_encoder, check_scorer, check_discoverer, lambda make: check_environment(make())])
def test_a_hollow_member_breaks_a_rule(check: Callable[[Any], None]) -> None:
    with pytest.raises(AssertionError):
        check(Hollow)


def test_an_error_says_what_the_check_was_doing() -> None:
    with pytest.raises(
        AssertionError,
        match="never predicted; it raised KeyError: 'error'",
    ):
        check_head(Failing)


class Leaving(NearestMeanHead):
    def learn(self, vectors: Any, labels: Any) -> None:
        raise SystemExit(3)


def test_a_member_that_ends_the_process_breaks_a_rule() -> None:
    with pytest.raises(AssertionError, match="never predicted; it raised SystemExit: 3"):
        check_head(Leaving)


class LeavingEnvironment(ToyEnvironment):
    def step(self, action: str) -> Any:
        raise SystemExit(3)


def test_an_environment_that_ends_the_process_breaks_a_rule() -> None:
    with pytest.raises(AssertionError, match="never raises; it raised SystemExit: 3"):
        check_environment(LeavingEnvironment())


class NotSpawning(ToyEnvironment):
    spawn = None  # type: ignore[assignment]


def test_a_member_that_cannot_be_called_is_lacking() -> None:
    with pytest.raises(AssertionError, match="this one lacks spawn"):
        check_environment(NotSpawning())


def test_nothing_is_no_phase() -> None:
    with pytest.raises(AssertionError, match="this one lacks name, scope, due, run"):
        check_phase(None, lambda: (None, None), lambda: None)


def test_a_step_without_its_info_is_named() -> None:
    with pytest.raises(AssertionError, match="the info of every step says 'error' and 'success'"):
        check_environment(Silent())
