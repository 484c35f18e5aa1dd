"""Sentences of a text: where they end, which of them ask or suppose, and what a text states; for English, partly for other languages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from .terms import terms, words
from .wishes import is_condition, stands, wishes, without_lead

LONGEST = 1200
"""Characters of a text in which it is looked for something that could be sought."""
GAP = " [...] "
"""Stands in an excerpt where sentences were left out."""

_PLAIN = re.compile(r"\w+")
# A dot inside a word, a number or an address ends no sentence.
SENTENCE = re.compile(r"(?:[^.!?。！？؟\n]|[.!?](?=\w))+[.!?。！？؟]*\s*|[.!?。！？؟]+\s*|\n+")
"""One sentence with the space behind it, or a break between lines; together they are the whole text."""
_GREEK = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")
_LABEL = re.compile(r"\s{0,10}(?:update|correction|note|reminder|fyi|edit|change of plans?)\s{0,3}[:,\u2013\u2014-]", re.IGNORECASE)
"""What may stand before a statement and orders nothing."""
_OPENERS = frozenset(
    _PLAIN.findall(
        "hey hi hello so and but ok okay well now also then please oh um btw thanks listen first next finally kindly bitte hallo dann nun"
    )
)
"""Words before the one that says whether a sentence asks."""
_ORDERS = frozenset(
    _PLAIN.findall(
        """
        write tell translate shorten explain give show list name make create summarize summarise rewrite describe find
        compute order book buy send add remove delete set open close start stop run call remind schedule put get take turn check
        search look read update change move copy print calculate generate draft fix convert compare suggest recommend help sort
        count define spell recite sing play draw determine provide retrieve fetch estimate evaluate solve identify locate reserve obtain
        predict analyse analyze extract verify simulate rename cancel confirm submit download upload install insert replace perform
        execute implement optimise optimize visualise visualize classify categorise categorize simplify prove derive proofread assist
        choose select pick multiply divide subtract arrange organise organize prepare
        schreibe schreib ubersetze ubersetz nenne nenn erklare erklar zeige zeig buche finde suche berechne sag gib mach hilf
        stelle stell rechne trage fuge losche offne sende schicke schick bestelle reserviere erstelle prufe vergleiche fasse sortiere
        ermittle bestimme besorge empfiehl erinnere lies plane storniere beschreibe
        ecris traduis explique escribe traduce explica
        """
    )
)
"""First words of sentences that order something."""
_ASKING = frozenset(
    _PLAIN.findall(
        """
        what who when where why how which whose can could would should will do does did is are was were may shall
        wer wo wann warum wie welche welcher welches wieso weshalb woher wohin wieviel kannst konntest konnen konnten wurdest wurden
        hast gibt
        ou quand comment pourquoi qui quel quelle donde cuando cual quien
        """
    )
)
"""First words of sentences that ask, without a question mark too."""
_NAMES = frozenset(_PLAIN.findall("will may order name play list call book run change update show help"))
_CALL_ME = re.compile(r"(?:please )?call me (?!back|at|on|when|if|tomorrow|later|today|tonight|now)\w+(?: \w+)?\W*", re.IGNORECASE)
"""Tells a name and asks for no call."""
_FOLLOWS_A_NAME = frozenset(_PLAIN.findall("is was has had lives works likes and"))
"""`Will is my brother` asks nothing."""
_FOLLOWS_A_SUBJECT = frozenset(_PLAIN.findall("is are was were has had ich wir"))
"""`Order 88 was late` and `Search is slow` order nothing."""
_FOLLOWS_AN_ORDER = frozenset(
    _PLAIN.findall("me us my the a an all what who which that how where when whether if it this these those there")
)
"""`Find who was late` does."""
_SUPPOSES = re.compile(
    r"(?:if|suppose|supposing|imagine|pretend|assume|assuming|hypothetically|maybe|perhaps|wenn|angenommen|imaginons|supongamos"
    r"|let[’']?s\s(?:say|suppose|assume|pretend|imagine)|what\sif|say\swe|(?:i|i[’']?m|i\sam|i\swas)\s(?:just\s)?wonder(?:ing)?\b"
    r"|(?:we\s(?:could|might)|i\smight)(?!\snot|\snever)|not\ssure\s(?:if|whether)|i[’']?m\snot\ssure\s(?:if|whether)|i\swish|do\syou\sthink|for\sexample,?\sif)\b",
    re.IGNORECASE,
)
"""How a sentence begins that holds nothing to be so."""
_EMPTY = frozenset(
    _PLAIN.findall(
        """
        thank thanks ok okay hello hi hey yes no pleas sure great good nice bye cool lot much welcom noted got done fine continu again
        next more stop perfect right correct exact wrong agre yeah yep nope
        """
    )
)


def asks(sentence: str) -> bool:
    """Whether a sentence asks, requests, wishes for something to be done, or supposes, so that it states nothing.

    >>> [asks(one) for one in ("Would Redis help us", "I want to find a hotel.", "I wonder whether Redis would help.", "We use Redis.")]
    [True, True, True, False]
    """
    if ends_in_question_mark(sentence) or requests(sentence) or wishes(sentence):
        return True
    return _SUPPOSES.match(" ".join(_opened(sentence)[:8])) is not None


def ends_in_question_mark(sentence: str) -> bool:
    """Whether the last mark of a sentence asks; a semicolon does in Greek alone."""
    end = sentence.rstrip(" \t\n\r\"'”’)]»")
    return end.endswith(("?", "？", "؟")) or (end.endswith((";", "\u037e")) and _GREEK.search(end) is not None)


def requests(sentence: str) -> bool:
    """Whether a sentence begins as a question or an order does; what follows an order without a question mark is its material.

    >>> requests("Translate: I live in Bern."), requests("Update: I live in Bern.")
    (True, False)
    """
    said = _opened(sentence)
    if not said or said[0] not in _ORDERS | _ASKING:
        said = _opened(without_lead(sentence))
        if not said or said[0] not in _ORDERS:
            return False
    if _CALL_ME.fullmatch(sentence.strip()) or (said[0] in _ORDERS and stands(sentence)):
        return False
    if said[0] in _ORDERS and _begins_with_a_subject(said):
        return False
    return not (said[0] in _NAMES and len(said) > 1 and said[1] in _FOLLOWS_A_NAME)


def _begins_with_a_subject(said: Sequence[str]) -> bool:
    """Whether the first word or the first two are what a sentence is about, and a verb follows."""
    if len(said) > 1 and said[1] in _FOLLOWS_A_SUBJECT:
        return True
    return len(said) > 2 and said[2] in _FOLLOWS_A_SUBJECT and said[1] not in _FOLLOWS_AN_ORDER


def _opened(sentence: str) -> list[str]:
    """Its words from the first that says something of what kind it is."""
    label = _LABEL.match(sentence)
    said = words(sentence[label.end() :] if label else sentence)
    return said[next((place for place, word in enumerate(said) if word not in _OPENERS), len(said)) :]


def says_something(text: str, least: int = 2) -> bool:
    """Whether a text could be sought: it has so many different words that say something. A greeting, a thank-you, a bare `ok` has none.

    >>> says_something("Thanks a lot!"), says_something("My sister Ada lives in Bern.")
    (False, True)
    """
    return len({term for term in terms(text[:LONGEST]) if term not in _EMPTY}) >= least


def stated(text: str) -> str:
    """A text without the sentences that ask or suppose, and without the conditions of a request.

    >>> stated("I moved to Rome. I need a hotel there. It should be quiet.")
    'I moved to Rome.'
    """
    return "".join(stating(SENTENCE.findall(text))).strip()


def stating(sentences: Iterable[str]) -> list[str]:
    """Those of a text's sentences that state something."""
    found: list[str] = []
    asked = False
    for one in sentences:
        asking = asks(one)
        if not asking and not (asked and is_condition(one)):
            found.append(one)
        asked = asked or asking
    return found


def last_question(text: str) -> str:
    """The question with which a text ends; empty where it ends without one.

    >>> last_question("How nice! What is it called?")
    'What is it called?'
    """
    sentences = [one.strip() for one in SENTENCE.findall(text[-LONGEST:]) if one.strip()]
    return sentences[-1] if sentences and ends_in_question_mark(sentences[-1]) else ""


def excerpt(text: str, sought: Collection[str], most: int) -> str:
    """At most about so many characters of a text: the sentences that hold most of the terms sought, in their order.

    >>> excerpt("It rained. My dog is Rex. We ate. The key lies under the pot.", {"dog", "key"}, 45)
    '[...] My dog is Rex. [...] The key lies under the pot.'
    """
    text = text.strip()
    if len(text) <= most:
        return text
    sentences = [one.strip() for one in SENTENCE.findall(text)]
    held = [len(set(sought) & set(terms(one))) for one in sentences]
    kept: set[int] = set()
    room = most
    for place in sorted(range(len(sentences)), key=lambda place: (-held[place], place)):
        if sentences[place] and len(sentences[place]) <= room:
            kept.add(place)
            room -= len(sentences[place]) + 1
    if not kept:
        return text[:most].rstrip() + GAP.rstrip()
    pieces: list[str] = []
    for place in range(len(sentences)):
        if place in kept:
            pieces.append(sentences[place])
        elif sentences[place] and (not pieces or pieces[-1] != GAP.strip()):
            pieces.append(GAP.strip())
    return " ".join(pieces)
