"""What an episode said, turn by turn: `passages`, each with its speaker and what kind of saying it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ...core import Action, Episode, Observation, ToolResult
from .terms import terms, words

LONGEST = 1200
"""Characters of one passage; a longer turn becomes several."""
MOST = 64
"""Passages of one turn; of a longer one the rest is not indexed."""


class Kind(StrEnum):
    """What kind of saying a passage is. Only a statement says something that its speaker holds to be so."""

    STATEMENT = "statement"
    """A person says that something is so."""
    QUESTION = "question"
    """A person asks, requests or supposes."""
    ANSWER = "answer"
    """The model said it."""
    RESULT = "result"
    """A tool returned it."""


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """A stretch of one turn."""

    step: int
    """Which step of the episode."""
    start: int
    """Where it begins in the step's text, in characters."""
    stop: int
    """Where it ends."""
    speaker: str
    """`user` or the name that the message gives, `assistant`, or the tool's name."""
    kind: Kind
    """What kind of saying it is."""
    text: str
    """What was said."""

    @property
    def read(self) -> str:
        """What an encoder reads: who said it, where that is a name, and what."""
        return f"{self.speaker}: {self.text}" if self.speaker not in ROLES and self.kind in (Kind.STATEMENT, Kind.QUESTION) else self.text


ROLES = frozenset({"user", "assistant", "tool"})
"""Speakers without a name."""


_SENTENCE = re.compile(r"[^.!?。！？؟\n]+[.!?。！？؟]*\s*|\n+")
_QUESTION_END = re.compile(r"[?？؟;]\s*$")
_PLAIN = re.compile(r"\w+")
_REQUEST = frozenset(
    _PLAIN.findall(
        """
        write tell translate shorten explain give show list name make create summarize summarise please rewrite describe find
        compute order book buy send add remove delete set open close start stop run call remind schedule put get take turn check
        search look read update change move copy print calculate generate draft fix convert compare suggest recommend help sort
        count define spell recite sing play draw imagine suppose pretend assume what who when where why how which whose can could
        would should will do does did is are may if
        """
    )
)
"""First words of English sentences that ask, request or suppose; without a question mark too."""
_QUOTED = re.compile(r"```.*?(?:```|\Z)|^[ \t]{0,20}>[^\n]*$|<memory>.*?(?:</memory>|\Z)", re.DOTALL | re.MULTILINE)
"""What a person passes on and does not say: code, quoted lines, a block that some memory put there."""


def passages(episode: Episode) -> list[Utterance]:
    """What the episode's turns said, in their order; what says nothing that could be sought is left out.

    Recalled text is never part of it: what was put into a prompt must not come back as something that was said.
    """
    found: list[Utterance] = []
    for number, step in enumerate(episode.steps):
        if isinstance(step, Observation) and step.role == "user":
            speaker = step.extras.get("name") or "user"
            said = [(start, stop, str(speaker)[:100], _kind(step.text[start:stop])) for start, stop in _spoken(step.text)]
        elif isinstance(step, Action):
            said = [(start, stop, "assistant", Kind.ANSWER) for start, stop in _stretches(step.text)]
        elif isinstance(step, ToolResult):
            said = [(start, stop, step.tool or "tool", Kind.RESULT) for start, stop in _stretches(step.text)]
        else:
            continue
        found += [
            Utterance(step=number, start=start, stop=stop, speaker=speaker, kind=kind, text=step.text[start:stop])
            for start, stop, speaker, kind in said[:MOST]
            if says_something(step.text[start:stop])
        ]
    return found


def says_something(text: str) -> bool:
    """Whether a text could be sought: a greeting, a thank-you, a bare `ok` could not.

    >>> says_something("Thanks a lot!"), says_something("My sister Ada lives in Bern.")
    (False, True)
    """
    return len({term for term in terms(text[:LONGEST]) if term not in _EMPTY}) >= 2


_EMPTY = frozenset(
    _PLAIN.findall(
        """
        thank thanks ok okay hello hi hey yes no pleas sure great good nice bye cool lot much welcom noted got done fine
        """
    )
)


def _spoken(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of a person's own words: what is quoted or pasted is left out."""
    start = 0
    for quoted in _QUOTED.finditer(text):
        yield from _stretches(text, start, quoted.start())
        start = quoted.end()
    yield from _stretches(text, start, len(text))


def _stretches(text: str, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, int]]:
    """Whole sentences together, as many as fit into a passage."""
    stop = len(text) if stop is None else stop
    begin = end = start
    for sentence in _SENTENCE.finditer(text, start, min(stop, start + LONGEST * MOST)):
        while sentence.end() - begin > LONGEST:
            # One sentence that is longer than a passage is cut where the passage is full.
            cut = end if end > begin else begin + LONGEST
            yield begin, cut
            begin = end = cut
        end = sentence.end()
    if end > begin:
        yield begin, end


def _kind(text: str) -> Kind:
    """A statement where any sentence states something; what follows an order is its material and states nothing by itself."""
    sentences = [sentence for sentence in _SENTENCE.findall(text) if sentence.strip()]
    if sentences and words(sentences[0])[:1] and words(sentences[0])[0] in _REQUEST and not _QUESTION_END.search(sentences[0]):
        return Kind.QUESTION
    return Kind.STATEMENT if any(_states(sentence) for sentence in sentences) else Kind.QUESTION


def _states(sentence: str) -> bool:
    said = words(sentence)
    return bool(said) and said[0] not in _REQUEST and not _QUESTION_END.search(sentence) and says_something(sentence)
