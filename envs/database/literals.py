"""The values that a request names: numbers, quoted texts, words, dates, as SQL would write them."""

from __future__ import annotations

import calendar
import datetime
import re
from dataclasses import dataclass

_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?=(st|nd|rd|th|%|\b))")
_QUOTED = re.compile(r"'((?:[^']|'(?=[a-z]))*)'|\"([^\"]*)\"")
_DAY = re.compile(r"\b([A-Z][a-z]{2,8})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})\b")
_MONTH = re.compile(r"\b([A-Z][a-z]{2,8}) (\d{4})\b")
_YEAR = re.compile(r"\b(?:19|20)\d{2}\b")
# Not from within a row of signs: a row without a letter would be read once from each of them.
_WORD = re.compile(r"(?<![$@#&./+-])[\w$@#&./+-]*\w[\w%]*")
_CAPITALISED = re.compile(r"[A-Z0-9][\w&./-]*(?: (?:of |and |the )?[A-Z0-9][\w&./-]*)*")
_MONTHS = {name: number for number, name in enumerate(calendar.month_name) if name}
_COUNTED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_RANKED = ("zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
MOST_WORDS = 150
"""Different words of a request that may stand in a text; a longer request is cut."""


@dataclass(frozen=True, kw_only=True)
class Literals:
    """What may stand in a statement in the place of a value."""

    numbers: tuple[str, ...]
    """Numbers as SQL writes them."""
    texts: tuple[str, ...]
    """Contents of strings, unquoted."""


def literals(request: str) -> Literals:
    """The values that a request names, and those that follow from them: a position counted from zero, a share of one, a day of a month.

    >>> found = literals("Raise the fee by 10% for 'Gold' members since June 1, 2023, starting from the third entry.")
    >>> "1.1" in found.numbers, "2" in found.numbers, "Gold" in found.texts, "2023-06-01" in found.texts
    (True, True, True, True)
    """
    numbers = dict.fromkeys(("0", "1", "2"))
    for match in _NUMBER.finditer(request):
        plain = match[0].replace(",", "")
        numbers.update(dict.fromkeys(_following(plain, match[1] or "")))
    for place, word in enumerate(_COUNTED):
        if re.search(rf"\b{word}\b", request, re.IGNORECASE):
            numbers[str(place)] = None
    for place, word in enumerate(_RANKED):
        if place and re.search(rf"\b{word}\b", request, re.IGNORECASE):
            numbers.update({str(place): None, str(place - 1): None})
    return Literals(numbers=tuple(numbers), texts=tuple(_texts(request)))


def _following(number: str, mark: str) -> list[str]:
    found = [number]
    whole = number.lstrip("-").isdecimal()
    if whole and len(number) < 4:
        found.append(str(int(number) - 1) if int(number) > 0 else number)
    if mark == "%":
        share = float(number) / 100
        found += [_plain(share), _plain(1 + share), _plain(1 - share)]
        found += [f"{1 + share:.2f}", f"{1 - share:.2f}"]
    return found


def _plain(number: float) -> str:
    return f"{number:.4f}".rstrip("0").rstrip(".")


def _texts(request: str) -> dict[str, None]:
    quoted = [one or other for one, other in _QUOTED.findall(request)]
    found = dict.fromkeys([*(text for text in quoted if text), "Yes", "No"])
    found.update(dict.fromkeys(_dates(request)))
    for run in _CAPITALISED.findall(request):
        words = run.rstrip(".").split()
        found.update({" ".join(words[begin:end]): None for begin in range(len(words)) for end in range(begin + 1, len(words) + 1)})
    for word in list(dict.fromkeys(_WORD.findall(request)))[:MOST_WORDS]:
        for form in _forms(word.rstrip(".,")):
            found.update(dict.fromkeys((form, form.lower(), form.capitalize(), form.upper())))
    return {text: None for text in found if text and "\n" not in text}


def _forms(word: str) -> list[str]:
    """A word, and its singular where it may be a plural."""
    singular = word[:-3] + "y" if word.endswith("ies") else word[:-1]
    return [word, singular] if len(word) > 3 and word.endswith("s") else [word]


def _dates(request: str) -> list[str]:
    found: list[str] = []
    for month, day, year in _DAY.findall(request):
        if month in _MONTHS and 1 <= int(day) <= calendar.monthrange(int(year), _MONTHS[month])[1]:
            date = datetime.date(int(year), _MONTHS[month], int(day))
            found += [date.isoformat(), (date - datetime.timedelta(days=1)).isoformat(), (date + datetime.timedelta(days=1)).isoformat()]
    for month, year in _MONTH.findall(request):
        if month in _MONTHS:
            last = calendar.monthrange(int(year), _MONTHS[month])[1]
            found += [f"{year}-{_MONTHS[month]:02d}", *(f"{year}-{_MONTHS[month]:02d}-{day:02d}" for day in (1, last))]
    for year in dict.fromkeys(_YEAR.findall(request)):
        found += [f"{year}-01-01", f"{year}-12-31", f"{int(year) + 1}-01-01", f"{int(year) - 1}-12-31", f"{year}-"]
    return found
