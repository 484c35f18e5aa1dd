"""What agents add to a person's words is left out, in time that grows with the text alone."""

from __future__ import annotations

import time

import pytest

from lifelong.core import without_client_text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("", ""),
        ("fix it", "fix it"),
        ("<system-reminder>a</system-reminder>fix <b>it</b>", "fix <b>it</b>"),
        ("one<environment_details>a<system-reminder>b</system-reminder>c</environment_details>two", "onetwo"),
        ("<environment_details>all</environment_details>", ""),
        ("<system-reminder>never closed, so it may be a person's", "<system-reminder>never closed, so it may be a person's"),
        ("</system-reminder>a<system-reminder>b</system-reminder>c</system-reminder>", "</system-reminder>ac</system-reminder>"),
        ("a<system_reminder>1</system_reminder>b<system_reminder>2</system_reminder>c", "abc"),
    ],
)
def test_what_is_left(text: str, left: str) -> None:
    assert without_client_text(text) == left


def test_many_elements_cost_no_more_each() -> None:
    seconds = []
    for count in (2_000, 20_000):
        text = "<system-reminder>x</system-reminder>" * count + "<system-reminder>" * count
        started = time.process_time()
        assert without_client_text(text) == "<system-reminder>" * count
        seconds.append(time.process_time() - started)
    assert seconds[1] < 60 * max(seconds[0], 1e-3)
