"""Time in what is asked and said: whether a text speaks of a time or a number, and how well a date fits a question."""

from __future__ import annotations

import re
import time

from .terms import words

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
DAY = 86_400.0

_TIME = re.compile(
    r"\b(?:yesterday|today|tomorrow|tonight|last|next|ago|week|weekend|month|year|recently|since|until|\d{4}|\d{1,2}:\d\d"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|" + "|".join(MONTHS) + r")s?\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|dozen|few|several|couple|twice|once)\b", re.IGNORECASE)
_DAY_OF_MONTH = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)?\b")


LAST = 253_402_300_799.0
"""The end of the year 9999, in seconds since the epoch."""


def moment(created: float, layout: str = "%Y-%m-%d") -> str:
    """A moment as text, in UTC; what a broken clock says beyond the years 1970 to 9999 is shown as their end.

    >>> moment(86_400.0), moment(1e300)
    ('1970-01-02', '9999-12-31')
    """
    return time.strftime(layout, time.gmtime(min(max(created, 0.0), LAST)))


def tells_time(text: str) -> bool:
    """Whether a text says when, in English or in digits."""
    return _TIME.search(text) is not None


def tells_number(text: str) -> bool:
    """Whether a text says how many, in English or in digits."""
    return _NUMBER.search(text) is not None


def asks_time(question: str) -> bool:
    """Whether a question is for a time."""
    asked = words(question[:400])
    return asked[:1] == ["when"] or "long" in asked or "date" in asked


def asks_number(question: str) -> bool:
    """Whether a question is for a number."""
    asked = words(question[:400])
    return "many" in asked or "much" in asked or "often" in asked


def period_of(question: str, now: float) -> tuple[float, float] | None:
    """Start and end, in seconds since the epoch, of the date that a question names; None where it names none.

    A day, a month, a year; `yesterday`, `today`, `last week`, `last month`, `last year`, `this week`; a month without a year is the
    latest one.

    >>> import calendar
    >>> now = calendar.timegm((2026, 11, 28, 12, 0, 0))
    >>> [time.strftime("%Y-%m-%d", time.gmtime(edge)) for edge in period_of("What did I plan in March?", now)]
    ['2026-03-01', '2026-04-01']
    """
    asked = words(question[:400])
    today = now - now % DAY
    text = " ".join(asked)
    for phrase, start, end in (
        ("yesterday", today - DAY, today),
        ("today", today, today + DAY),
        ("last week", today - 14 * DAY, today - 1 * DAY),
        ("this week", today - 7 * DAY, today + DAY),
        ("last month", today - 62 * DAY, today - 14 * DAY),
        ("last year", _instant(time.gmtime(now).tm_year - 1, 1, 1), _instant(time.gmtime(now).tm_year, 1, 1)),
    ):
        if re.search(rf"\b{phrase}\b", text):
            return start, end
    # "may" is a verb far more often than a month, unless a number or "in" stands beside it.
    months = [
        MONTHS.index(word) + 1
        for place, word in enumerate(asked)
        if word in MONTHS
        and (word != "may" or any(near.isdigit() or near in ("in", "of", "since") for near in asked[max(0, place - 1) : place + 2]))
    ]
    years = [int(word) for word in asked if re.fullmatch(r"(?:19|20)\d\d", word)]
    if not months:
        return (_instant(years[0], 1, 1), _instant(years[0] + 1, 1, 1)) if years else None
    month = months[0]
    current = time.gmtime(now)
    year = years[0] if years else current.tm_year - (month > current.tm_mon)
    days = [int(day) for day in _DAY_OF_MONTH.findall(question[:400]) if 1 <= int(day) <= 31]
    if days:
        start = _instant(year, month, days[0])
        return start, start + DAY
    return _instant(year, month, 1), _instant(year + month // 12, month % 12 + 1, 1)


def fit(created: float, period: tuple[float, float] | None) -> float:
    """How well a moment fits a period, in [0, 1]: 1 inside, falling by half in the length of the period after it; what is told is past.

    >>> fit(5.0, (0.0, 10.0)), fit(20.0, (0.0, 10.0)), fit(5.0, None)
    (1.0, 0.5, 0.0)
    """
    if period is None:
        return 0.0
    start, end = period
    length = max(end - start, 3 * DAY) if end - start >= DAY else end - start
    distance = created - end if created >= end else (start - created) * 4 if created < start else 0.0
    return float(0.5 ** (distance / length)) if distance < 20 * length else 0.0


def _instant(year: int, month: int, day: int) -> float:
    import calendar

    return float(calendar.timegm((year, month, day, 0, 0, 0)))
