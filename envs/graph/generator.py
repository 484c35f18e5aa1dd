"""Small knowledge graphs and questions about them, one function a skill."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from .sparql import GraphProblem, Triple, run_trusted

QuestionAndQuery = tuple[str, str]
"""The question in English and the gold query."""


@dataclass(frozen=True, kw_only=True)
class Relation:
    """An edge type, with the English for it."""

    name: str
    """Predicate, local name."""
    subject: str
    """Class of the subject."""
    object: str
    """Class of the object, or INT."""
    verbs: tuple[str, str] = ("", "")
    """What subjects do to `{}`, in the singular and the plural; empty for numbers."""
    noun: str = ""
    """What an object is called in the question."""
    bounds: tuple[int, int] = (0, 0)
    """Range of the numbers."""


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A kind of graph: its classes with their members and its relations."""

    classes: dict[str, tuple[str, str]]
    """Class: its plural and the names of its members."""
    relations: tuple[Relation, ...]
    """Edge types."""

    @property
    def context(self) -> str:
        """One line as an agent is shown it."""
        return "Graph: " + ", ".join(f"{r.subject} :{r.name} {r.object}" for r in self.relations)


def _edge(subject: str, name: str, target: str, singular: str, many: str, noun: str) -> Relation:
    return Relation(name=name, subject=subject, object=target, verbs=(singular, many), noun=noun)


def _number(subject: str, name: str, noun: str, low: int, high: int) -> Relation:
    return Relation(name=name, subject=subject, object="INT", noun=noun, bounds=(low, high))


_NAMES = (
    "Ada Bo Cleo Dev Eli Fay Gus Hal Ivy Jon Kai Liv Max Noa Ola Pia Ray Sue Tim Uma Vic Zoe Amir Bea Carl Dora Emil Finn Greta Hugo "
    "Ines Jade Kurt Lena Milo Nina Oscar Petra Rosa Sven Tara Ugo Vera Wim Yara"
)
_CITIES = "Oslo Lima Cairo Paris Delhi Quito Seoul Rome Accra Berlin Hanoi Kyiv Lisbon Madrid Nairobi Osaka Prague Riga Tunis Vienna"
DOMAINS = (
    Domain(
        classes={
            "Person": ("people", _NAMES),
            "Company": ("companies", "Acme Borel Cyra Dynex Elmo Fonda Gravis Helio Icarus Jolt Kinetic Lumen Nexo Orbis Pylon Quanta"),
            "City": ("cities", _CITIES),
            "Sector": ("sectors", "Energy Retail Media Banking Mining Health Steel Travel"),
        },
        relations=(
            _edge("Person", "worksAt", "Company", "works at {}", "work at {}", "company"),
            _edge("Person", "livesIn", "City", "lives in {}", "live in {}", "home city"),
            _edge("Company", "basedIn", "City", "is based in {}", "are based in {}", "base city"),
            _edge("Company", "sector", "Sector", "is in the {} sector", "are in the {} sector", "sector"),
            _number("Person", "age", "age", 18, 90),
            _number("Company", "founded", "founding year", 1900, 2020),
        ),
    ),
    Domain(
        classes={
            "Film": (
                "films",
                "Orbit Cascade Nightfall Harvest Zenith Mirage Tundra Solace Ember Vertex Lagoon Quartz",
            ),
            "Person": ("people", _NAMES),
            "Genre": ("genres", "Drama Comedy Thriller Western Horror Musical Romance Mystery"),
            "City": ("cities", _CITIES),
        },
        relations=(
            _edge("Film", "director", "Person", "was directed by {}", "were directed by {}", "director"),
            _edge("Film", "genre", "Genre", "has the genre {}", "have the genre {}", "genre"),
            _edge("Film", "setIn", "City", "is set in {}", "are set in {}", "setting"),
            _edge("Person", "bornIn", "City", "was born in {}", "were born in {}", "birth city"),
            _number("Film", "runtime", "runtime", 75, 190),
            _number("Film", "year", "release year", 1960, 2024),
        ),
    ),
    Domain(
        classes={
            "City": (
                "cities",
                "Arden Belmar Corvo Dunes Estra Farrow Gilden Hestia Ilmen Jarva Kesten Lorne Mavro Nessen Ophir Pelham Quarra Rovan",
            ),
            "Country": ("countries", "Norland Vastia Orania Teluria Bravia Cassia Dorne Elvaria Freyland Gotia"),
            "River": ("rivers", "Silva Morne Aldra Peneus Tamra Ister Lethe Nerva Rhona Varda"),
            "Language": ("languages", "Norric Vastian Orish Telur Bravic Cassan Dornish Elvic"),
        },
        relations=(
            _edge("City", "country", "Country", "is in {}", "are in {}", "country"),
            _edge("City", "onRiver", "River", "lies on the {}", "lie on the {}", "river"),
            _edge("Country", "language", "Language", "speaks {}", "speak {}", "language"),
            _number("City", "population", "population", 20, 900),
            _number("City", "altitude", "altitude", 1, 800),
        ),
    ),
    Domain(
        classes={
            "Book": (
                "books",
                "Tides Lantern Hollow Meridian Driftwood Saltmarsh Wintering Embers Thorn Willow Harbor Cinders Aurora",
            ),
            "Author": ("authors", _NAMES),
            "Publisher": ("publishers", "Norvik Kestrel Dunmore Halden Fenwick Altamar Ostara Brightco"),
            "Country": ("countries", "Chile Japan Kenya Norway Spain Brazil Egypt India Peru Poland"),
        },
        relations=(
            _edge("Book", "author", "Author", "was written by {}", "were written by {}", "author"),
            _edge("Book", "publisher", "Publisher", "was published by {}", "were published by {}", "publisher"),
            _edge("Author", "country", "Country", "comes from {}", "come from {}", "home country"),
            _edge("Publisher", "seat", "Country", "has its seat in {}", "have their seat in {}", "seat"),
            _number("Book", "pages", "page count", 80, 900),
            _number("Book", "published", "publication year", 1950, 2024),
        ),
    ),
)


class QuestionDraft:
    """One question in the making: a domain, a fresh graph of it, and the dice."""

    def __init__(self, rng: random.Random, domain: Domain) -> None:
        self.rng = rng
        self.domain = domain
        self.members = {name: rng.sample(names.split(), min(8, len(names.split()))) for name, (_, names) in domain.classes.items()}
        self.triples = tuple(triple for relation in domain.relations for triple in self._triples(relation))

    def edge(self, subject: str | None = None) -> Relation:
        """A relation between things, of a given subject class if any."""
        return self.rng.choice([r for r in self.domain.relations if r.object != "INT" and subject in (None, r.subject)])

    def number(self, subject: str | None = None) -> Relation:
        """A relation to a number."""
        return self.rng.choice([r for r in self.domain.relations if r.object == "INT" and subject in (None, r.subject)])

    def used(self, relation: Relation) -> str:
        """A thing that some subject has this relation to."""
        return str(self.rng.choice([target for _, name, target in self.triples if name == relation.name]))

    def plural(self, name: str) -> str:
        """The plural of a class."""
        return self.domain.classes[name][0]

    def pick(self, *options: str) -> str:
        """One of several wordings."""
        return self.rng.choice(options)

    def _triples(self, relation: Relation) -> list[Triple]:
        subjects = self.members[relation.subject]
        if relation.object == "INT":
            numbers = self.rng.sample(range(*relation.bounds), len(subjects))
            return [(subject, relation.name, number) for subject, number in zip(subjects, numbers, strict=True)]
        # Few targets, so that questions from the target's side have several answers.
        targets = self.rng.sample(self.members[relation.object], min(4, len(self.members[relation.object])))
        return [(subject, relation.name, self.rng.choice(targets)) for subject in subjects]


def neighbour(draft: QuestionDraft) -> QuestionAndQuery:
    """What a thing is related to."""
    relation = draft.rng.choice(draft.domain.relations)
    thing = draft.rng.choice(draft.members[relation.subject])
    goal = draft.pick(
        f"What is the {relation.noun} of {thing}?", f"Give the {relation.noun} of {thing}.", f"Tell me {thing}'s {relation.noun}."
    )
    return goal, f"SELECT ?x WHERE {{ :{thing} :{relation.name} ?x }}"


def inverse(draft: QuestionDraft) -> QuestionAndQuery:
    """What is related to a thing."""
    relation = draft.edge()
    thing = draft.used(relation)
    many, verb = draft.plural(relation.subject), relation.verbs[1].format(thing)
    return draft.pick(f"Which {many} {verb}?", f"List the {many} that {verb}."), f"SELECT ?x WHERE {{ ?x :{relation.name} :{thing} }}"


def intersection(draft: QuestionDraft) -> QuestionAndQuery:
    """What is related to two things at once."""
    one = draft.edge()
    other = draft.rng.choice([r for r in draft.domain.relations if r.object != "INT" and r.subject == one.subject])
    first, second = draft.used(one), draft.used(other)
    many = draft.plural(one.subject)
    goal = draft.pick(
        f"Which {many} {one.verbs[1].format(first)} and {other.verbs[1].format(second)}?",
        f"List the {many} that both {one.verbs[1].format(first)} and {other.verbs[1].format(second)}.",
    )
    return goal, f"SELECT ?x WHERE {{ ?x :{one.name} :{first} . ?x :{other.name} :{second} }}"


def count(draft: QuestionDraft) -> QuestionAndQuery:
    """How many things are related to a thing."""
    relation = draft.edge()
    thing = draft.used(relation)
    many, verb = draft.plural(relation.subject), relation.verbs[1].format(thing)
    goal = draft.pick(f"How many {many} {verb}?", f"Count the {many} that {verb}.")
    return goal, f"SELECT (COUNT(?x) AS ?n) WHERE {{ ?x :{relation.name} :{thing} }}"


def extreme(draft: QuestionDraft) -> QuestionAndQuery:
    """The thing with the largest or smallest number, among all or among those related to a thing."""
    number = draft.number()
    highest = draft.rng.random() < 0.5
    word, direction = ("highest", "DESC") if highest else ("lowest", "ASC")
    many = draft.plural(number.subject)
    scope, pattern = "", ""
    if draft.rng.random() < 0.5:
        relation = draft.edge(number.subject)
        thing = draft.used(relation)
        scope, pattern = f" that {relation.verbs[1].format(thing)}", f"?x :{relation.name} :{thing} . "
    goal = draft.pick(
        f"Which of the {many}{scope} has the {word} {number.noun}?", f"Among the {many}{scope}, find the one with the {word} {number.noun}."
    )
    return goal, f"SELECT ?x WHERE {{ {pattern}?x :{number.name} ?v }} ORDER BY {direction}(?v) LIMIT 1"


def compare(draft: QuestionDraft) -> QuestionAndQuery:
    """The things with a number over or under a bound."""
    number = draft.number()
    bound = draft.used(number)
    operator, words = draft.rng.choice(((">", "above"), (">", "greater than"), ("<", "below"), ("<", "less than")))
    many, article = draft.plural(number.subject), "an" if number.noun[0] in "aeiou" else "a"
    goal = draft.pick(
        f"Which {many} have {article} {number.noun} {words} {bound}?", f"List the {many} with {article} {number.noun} {words} {bound}."
    )
    return goal, f"SELECT ?x WHERE {{ ?x :{number.name} ?v . FILTER(?v {operator} {bound}) }}"


def two_hop(draft: QuestionDraft) -> QuestionAndQuery:
    """What is related to something that is related to a thing."""
    pairs = [(a, b) for a in draft.domain.relations for b in draft.domain.relations if a.object == b.subject and b.object != "INT"]
    first, second = draft.rng.choice(pairs)
    thing = draft.used(second)
    noun = first.object.lower()
    many, middle = draft.plural(first.subject), f"{'an' if noun[0] in 'aeiou' else 'a'} {noun} that {second.verbs[0].format(thing)}"
    verb = first.verbs[1].format(middle)
    goal = draft.pick(f"Which {many} {verb}?", f"List the {many} that {verb}.")
    return goal, f"SELECT ?x WHERE {{ ?x :{first.name} ?y . ?y :{second.name} :{thing} }}"


SKILLS: dict[Callable[[QuestionDraft], QuestionAndQuery], int] = {
    neighbour: 14,
    inverse: 14,
    intersection: 16,
    count: 14,
    extreme: 16,
    compare: 12,
    two_hop: 14,
}
"""Skills with their weights."""


def make_problem(rng: random.Random) -> GraphProblem | None:
    """A fresh graph and a question about it; None when the draw has no answer, or asks one relation twice."""
    draft = QuestionDraft(rng, rng.choice(DOMAINS))
    goal, gold = rng.choices(list(SKILLS), weights=list(SKILLS.values()))[0](draft)
    rows = run_trusted(draft.triples, gold)
    predicates = [word for word in gold.split() if word.startswith(":") and word[1].islower()]
    if not rows or rows == (("0",),) or len(set(predicates)) < len(predicates):
        return None
    return GraphProblem(context=draft.domain.context, goal=goal, gold=gold, triples=draft.triples)
