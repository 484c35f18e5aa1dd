from __future__ import annotations

import calendar
import time

import pytest

from lifelong.memory.turns.times import asks_number, asks_time, fit, period_of, tells_number, tells_time

NOW = float(calendar.timegm((2026, 11, 28, 12, 0, 0)))


def days(edges: tuple[float, float] | None) -> tuple[str, str] | None:
    if edges is None:
        return None
    start, end = (time.strftime("%Y-%m-%d", time.gmtime(edge)) for edge in edges)
    return start, end


@pytest.mark.parametrize(
    ("question", "period"),
    [
        ("What did I do yesterday?", ("2026-11-27", "2026-11-28")),
        ("What did I plan in March?", ("2026-03-01", "2026-04-01")),
        ("What did I plan in December?", ("2025-12-01", "2026-01-01")),
        ("What happened on 3 May 2025?", ("2025-05-03", "2025-05-04")),
        ("What happened in 2024?", ("2024-01-01", "2025-01-01")),
        ("May I eat fish?", None),
        ("What did I eat in May?", ("2026-05-01", "2026-06-01")),
        ("Where do I live?", None),
        ("What happened on 31 February 2025?", ("2025-03-03", "2025-03-04")),
    ],
)
def test_the_period_that_a_question_names(question: str, period: tuple[str, str] | None) -> None:
    assert days(period_of(question, NOW)) == period


def test_a_turn_fits_best_inside_the_period_and_better_after_it_than_before() -> None:
    period = period_of("in March", NOW)
    assert period is not None
    inside, month = period[0] + 86_400, period[1] - period[0]
    assert fit(inside, period) == 1.0
    assert 0 < fit(period[0] - month / 4, period) < fit(period[1] + month / 4, period) < 1
    assert fit(period[0] - 100 * month, period) == 0.0


def test_what_tells_and_what_asks() -> None:
    assert tells_time("I went there last week")
    assert tells_time("at 7:42")
    assert not tells_time("I like tea")
    assert tells_number("I have two dogs")
    assert not tells_number("I have dogs")
    assert asks_time("When is my train?")
    assert not asks_time("Where is my train?")
    assert asks_number("How many dogs do I have?")
