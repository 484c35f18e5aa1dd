"""Words for practice: what a parameter of a tool may be given, by words of its name or description.

Many of each, so that copying is learned and no list of values: where few examples are known, more are made after their form.
"""

from __future__ import annotations

import random
import re
import string

_FIRST = (
    "Anna",
    "Liam",
    "Mei",
    "Omar",
    "Sofia",
    "John",
    "Priya",
    "Kofi",
    "Elena",
    "Hugo",
    "Yara",
    "Noah",
    "Ines",
    "Tariq",
    "Greta",
    "Paulo",
)
_LAST = (
    "Berg",
    "Novak",
    "Tanaka",
    "Haddad",
    "Rossi",
    "Carter",
    "Nair",
    "Mensah",
    "Silva",
    "Keller",
    "Okafor",
    "Lindholm",
    "Moreau",
    "Price",
)
_QUALITIES = (
    "Blue",
    "Long",
    "Silent",
    "Golden",
    "Last",
    "Hidden",
    "Broken",
    "Early",
    "Green",
    "Distant",
    "Wild",
    "Second",
    "Paper",
    "Iron",
)
_THINGS = ("River", "Road", "Train", "Lake", "Garden", "Winter", "Harbour", "Mountain", "Letter", "Window", "Forest")
_PLAIN = (
    "alpha", "beta", "gamma", "delta", "omega", "sigma", "apple", "copper", "falcon", "maple", "marble", "meadow", "nickel", "ocean",
    "pixel", "quartz", "raven", "saddle", "silver", "tango", "velvet", "walnut", "willow", "yellow", "zebra", "anchor", "basket", "candle",
)  # fmt: skip
_CITIES = (
    "Paris", "Berlin", "Tokyo", "Madrid", "Oslo", "Boston", "Cairo", "Lima", "Toronto", "Mumbai", "San Francisco", "New York", "Lisbon",
    "Vienna", "Prague", "Nairobi", "Seoul", "Sydney", "Chicago", "Athens", "Warsaw", "Quito", "Bergen", "Lyon", "Naples", "Osaka", "Denver",
)  # fmt: skip
_LISTS: dict[str, tuple[str, ...]] = {
    "city location place destination origin departure arrival": _CITIES,
    "country nation": ("France", "Japan", "Brazil", "Kenya", "Canada", "Norway", "India", "Spain", "Peru", "Ghana", "Italy", "Vietnam"),
    "color colour": ("red", "blue", "green", "black", "white", "yellow", "purple", "orange", "grey", "pink"),
    "language": ("French", "German", "Japanese", "Spanish", "Hindi", "Arabic", "Portuguese", "Swahili"),
    "currency": ("USD", "EUR", "JPY", "GBP", "CHF", "INR", "CAD"),
    "unit": ("kg", "cm", "miles", "hours", "litres", "metres"),
    "team department group": ("sales", "research", "support", "finance", "marketing", "legal", "design"),
    "timezone": ("UTC", "Europe/Paris", "Asia/Tokyo", "America/Lima"),
    "product item goods article device": ("laptop", "desk lamp", "notebook", "bicycle", "printer", "tea kettle", "headset", "phone case"),
    "food dish ingredient crop plant": ("coffee", "rice", "tomatoes", "onions", "honey", "carrots", "lentils", "oranges", "spinach"),
    "subject topic category genre query keyword term text message content description note reason comment": (
        "weekly report", "solar panels", "late delivery", "modern history", "printer jam", "holiday plans", "tax forms", "rain in spring",
        "broken screen", "new contract", "running shoes", "jazz concerts",
    ),
}  # fmt: skip
_MADE = {
    "person customer user author artist employee patient guest recipient sender attendee contact member owner": "person",
    "email mail": "email",
    "title book movie film song album game band": "title",
    "company brand store vendor supplier restaurant hotel cafe venue": "venue",
    "phone": "phone",
    "url link website": "url",
    "file path": "file",
    "street address": "street",
    "id code number identifier key reference": "code",
    "name": "name",
}


def word_for(words: list[str], rng: random.Random) -> str | None:
    """A text for a parameter that is called so; None where these words suggest nothing.

    >>> word_for(["shade"], random.Random(0)) is None, word_for(["departure", "city"], random.Random(0)) in _CITIES
    (True, True)
    """
    for word in (one.removesuffix("s") for one in words):
        for keys, kind in _MADE.items():
            if word in keys.split():
                return _make(kind, rng)
        for keys, values in _LISTS.items():
            if word in keys.split():
                return rng.choice(values)
    return None


def any_word(rng: random.Random) -> str:
    """A text for a parameter of which nothing is known."""
    return rng.choice(_PLAIN) if rng.random() < 0.6 else f"{rng.choice(_PLAIN)} {rng.choice(_PLAIN)}"


def like(example: str, rng: random.Random) -> str:
    """Another text of an example's form, where its form is digits among letters; else the example itself.

    >>> import re
    >>> re.fullmatch("L[0-9]{4}", like("L1042", random.Random(0))) is not None, like("Paris", random.Random(0))
    (True, 'Paris')
    """
    if not re.search(r"\d{2}", example):
        return example
    return re.sub(r"\d", lambda match: rng.choice(string.digits), example)


def _make(kind: str, rng: random.Random) -> str:
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    match kind:
        case "person":
            return f"{first} {last}"
        case "email":
            return f"{first.lower()}.{last.lower()}@example.com"
        case "title":
            return f"{rng.choice(('', '', 'The '))}{rng.choice(_QUALITIES)} {rng.choice(_THINGS)}"
        case "venue":
            return f"{rng.choice(_QUALITIES)} {rng.choice(_THINGS)}"
        case "phone":
            return f"555-01{rng.randrange(100):02d}"
        case "url":
            return f"https://example.com/{rng.choice(_PLAIN)}"
        case "file":
            return f"{rng.choice(_PLAIN)}.{rng.choice(('txt', 'csv', 'md', 'png'))}"
        case "street":
            return f"{rng.choice(_THINGS)} Street {rng.randint(1, 90)}"
        case "code":
            return f"{''.join(rng.choices(string.ascii_uppercase, k=rng.choice((1, 1, 2))))}{rng.randrange(10, 10000)}"
        case _:
            return rng.choice((first, f"{first} {last}", rng.choice(_PLAIN).title()))
