"""Made-up facts that a person tells in chats, the questions for them, and what else is said: drawn from templates with a fixed seed.

None of the templates and names stands in the texts that the weights of recall were learned by; of the values only common words do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import NamedTuple

from ...numerics.draws import draw

_PLAIN = re.compile(r"[\w-]+")
_NAMES = _PLAIN.findall(
    """
    Ottilie Bram Zora Emeka Ludo Petra Quim Runa Sefton Talia Ulrik Viggo Wanda Xaver Yusra Anselm Signe Corin Dagny Egon
    """
)


class _Template(NamedTuple):
    statement: str
    same_words: str
    other_words: str
    german: str
    update: str
    values: tuple[str, ...]
    """In pairs: what is said first, and what it is changed to."""


_TEMPLATES = (
    _Template(
        "My cousin {name} lives in {value}.",
        "Where does my cousin {name} live?",
        "Which town is {name}'s home?",
        "Wo wohnt meine Cousine {name}?",
        "My cousin {name} has moved to {value}.",
        ("Tromso", "Gdansk", "Coimbra", "Ljubljana"),
    ),
    _Template(
        "{name}, my physiotherapist, has her practice on {value} Street.",
        "On which street is the practice of my physiotherapist {name}?",
        "Where do I have to go for my treatment with {name}?",
        "In welcher Straße hat meine Physiotherapeutin {name} ihre Praxis?",
        "My physiotherapist {name} has moved her practice to {value} Street.",
        ("Juniper", "Lanyard", "Cobbler", "Meridian"),
    ),
    _Template(
        "Our ticket printer at the {place} counter is called {value}.",
        "What is our ticket printer at the {place} counter called?",
        "Which device prints the tickets at the {place} desk?",
        "Wie heißt unser Ticketdrucker am Schalter {place}?",
        "The ticket printer at the {place} counter is called {value} now.",
        ("Gannet", "Pelican", "Fulmar", "Plover"),
    ),
    _Template(
        "I always take the {value} tram to my {place} course.",
        "Which tram do I take to my {place} course?",
        "How do I get to my {place} lessons?",
        "Mit welcher Straßenbahn fahre ich zu meinem Kurs {place}?",
        "To my {place} course I take the {value} tram now.",
        ("purple", "silver", "orange", "turquoise"),
    ),
    _Template(
        "The alarm code of the {place} workshop is {value}.",
        "What is the alarm code of the {place} workshop?",
        "What do I type in to switch off the alarm in the {place} workshop?",
        "Wie lautet der Alarmcode der Werkstatt {place}?",
        "The alarm code of the {place} workshop was changed to {value}.",
        ("58213", "90467", "31879", "74402"),
    ),
    _Template(
        "{name} from accounting only drinks {value} tea.",
        "Which tea does {name} from accounting drink?",
        "What should I brew for {name}?",
        "Welchen Tee trinkt {name} aus der Buchhaltung?",
        "{name} from accounting drinks only {value} tea these days.",
        ("rooibos", "jasmine", "nettle", "fennel"),
    ),
    _Template(
        "Our {place} newsletter goes out every {value}.",
        "When does our {place} newsletter go out?",
        "On which day do readers get the {place} mailing?",
        "Wann erscheint unser Newsletter {place}?",
        "Our {place} newsletter goes out on {value} from now on.",
        ("Wednesday", "Friday", "Monday", "Thursday"),
    ),
    _Template(
        "My nephew {name} collects {value}.",
        "What does my nephew {name} collect?",
        "What could I bring my nephew {name} for his collection?",
        "Was sammelt mein Neffe {name}?",
        "My nephew {name} gave that up and collects {value} now.",
        ("minerals", "stamps", "beetles", "postcards"),
    ),
    _Template(
        "The invoices of the {place} branch are kept in the folder {value}.",
        "In which folder are the invoices of the {place} branch kept?",
        "Where can I look up the bills from the {place} office?",
        "In welchem Ordner liegen die Rechnungen der Filiale {place}?",
        "The invoices of the {place} branch were moved to the folder {value}.",
        ("ledger-alpha", "ledger-omega", "vouchers-north", "vouchers-east"),
    ),
    _Template(
        "I have an appointment with the notary {name} in {value}.",
        "When is my appointment with the notary {name}?",
        "In which month do I see {name} about the contract?",
        "Wann habe ich den Termin bei Notar {name}?",
        "The notary {name} moved our appointment to {value}.",
        ("February", "April", "October", "December"),
    ),
    _Template(
        "{name} broke her {value} while skiing.",
        "What did {name} break while skiing?",
        "Which injury does {name} have from the slopes?",
        "Was hat sich {name} beim Skifahren gebrochen?",
        "It turned out that {name} broke her {value} and nothing else while skiing.",
        ("collarbone", "wrist", "ankle", "elbow"),
    ),
    _Template(
        "The guest network in the {place} building is named {value}.",
        "What is the guest network in the {place} building named?",
        "Which wifi can visitors use in the {place} building?",
        "Wie heißt das Gästenetz im Gebäude {place}?",
        "The guest network in the {place} building was renamed to {value}.",
        ("LanternNet", "HarvestNet", "CopperNet", "WillowNet"),
    ),
    _Template(
        "For {name}'s birthday we ordered a {value} cake.",
        "Which cake did we order for {name}'s birthday?",
        "What will be served when {name} celebrates?",
        "Welchen Kuchen haben wir zum Geburtstag von {name} bestellt?",
        "We changed the order for {name}'s birthday to a {value} cake.",
        ("hazelnut", "rhubarb", "pistachio", "quince"),
    ),
)

_PLACES = _PLAIN.findall(
    """
    Northgate Eastfield Millbrook Saltmarsh Highcliff Oakhurst Ravensdale Fernhill Brightwater Stonebridge
    """
)

_CHATTER = (
    "How do I {verb} a {thing}?",
    "Write a short poem about a {thing}.",
    "What is the difference between a {thing} and a {other}?",
    "Give me three names for a {thing}.",
    "Explain in one sentence how a {thing} works.",
    "I saw a {thing} beside a {other} on my way home.",
    "The {thing} in the window was cheaper than the {other}.",
    "We talked for an hour about the {thing} and laughed.",
    "Thanks, that helped me to {verb} the {thing}.",
    "A colleague told me a joke about a {thing} and a {other}.",
)
_UNRELATED = (
    "How much does a {thing} weigh?",
    "Who invented the {thing}?",
    "Translate the word {thing} into Danish.",
    "Can you write a limerick about a {thing} and a {other}?",
    "Why would anyone {verb} a {thing}?",
    "List the steps to {verb} a {other}.",
)
_THINGS = _PLAIN.findall(
    """
    kettle lantern piano bicycle carpet ladder compass violin hammock toaster umbrella telescope anchor puppet barrel mirror
    suitcase tractor windmill accordion
    """
)
_OTHER_THINGS = _PLAIN.findall(
    """
    volcano pancake glacier trumpet saxophone dolphin cactus parachute submarine chess castle waterfall penguin dictionary thermometer
    bridge cathedral origami comet avocado
    """
)
_VERBS = _PLAIN.findall(
    """
    clean repair paint carry sell wrap measure polish assemble store
    """
)


@dataclass(frozen=True, kw_only=True)
class ChatFact:
    """One made-up fact."""

    statement: str
    """How it is said."""
    value: str
    """What has to be found: no other fact has it."""
    same_words: str
    """A question in its words."""
    other_words: str
    """A question in other words."""
    german: str
    """A question in German."""
    update: str
    """How it is said anew."""
    new_value: str
    """What has to be found then."""


def chat_facts(count: int = 50, seed: int = 0) -> list[ChatFact]:
    """So many facts, each of a subject of its own."""
    names, places = _shuffled(_NAMES, seed, "names"), _shuffled(_PLACES, seed, "places")
    facts: list[ChatFact] = []
    for place, template in enumerate(islice(cycle(_TEMPLATES), count)):
        turn = place // len(_TEMPLATES)
        slots = {"name": names[place % len(names)], "place": places[(place + turn) % len(places)]}
        # The same value may be said of several subjects; which one is asked for decides.
        pairs = list(zip(template.values[::2], template.values[1::2], strict=True))
        value, new_value = pairs[turn % len(pairs)] if turn < len(pairs) else pairs[turn % len(pairs)][::-1]
        texts = {
            field: getattr(template, field).format(value=new_value if field == "update" else value, **slots)
            for field in ("statement", "same_words", "other_words", "german", "update")
        }
        facts.append(ChatFact(value=value, new_value=new_value, **texts))
    return facts


def chatter(count: int = 500, seed: int = 0) -> list[str]:
    """What else is said: requests and remarks."""
    return [_filled(_CHATTER, _THINGS, seed, "chatter", number) for number in range(count)]


def unrelated_questions(count: int = 100, seed: int = 0, *, mentioned: bool = False) -> list[str]:
    """Questions that need nothing that was said; of things that nobody spoke of, or of those that were mentioned in passing."""
    return [_filled(_UNRELATED, _THINGS if mentioned else _OTHER_THINGS, seed, "unrelated", number) for number in range(count)]


def _filled(templates: Sequence[str], things: Sequence[str], seed: int, *place: object) -> str:
    def pick(words: Sequence[str], what: str) -> str:
        return words[int(draw(seed, what, *map(str, place)) * len(words))]

    return pick(templates, "template").format(thing=pick(things, "thing"), other=pick(things, "other"), verb=pick(_VERBS, "verb"))


def _shuffled(words: list[str], seed: int, what: str) -> list[str]:
    return sorted(words, key=lambda word: draw(seed, what, word))
