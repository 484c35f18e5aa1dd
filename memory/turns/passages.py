"""What an episode said, turn by turn: `passages`, each with its speaker and what kind of saying it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ...core import Action, Episode, Observation, ToolResult
from .other_memories import LISTED
from .sentences import LONGEST, SENTENCE, asks, ends_in_question_mark, last_question, requests, says_something, stating
from .terms import terms

__all__ = ["LONGEST", "MOST", "ROLES", "SHORT", "Kind", "Utterance", "answering", "own_words", "passages"]

SHORT = 3
"""Terms up to which a statement is read together with the question that it answers."""
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
    asked: str = ""
    """The assistant's question that it answers, where it is too short to be understood alone."""

    @property
    def read(self) -> str:
        """What an encoder reads: what was asked, who said it, where that is a name, and what."""
        named = self.speaker not in ROLES and self.kind in (Kind.STATEMENT, Kind.QUESTION)
        said = f"{self.speaker}: {self.text}" if named else self.text
        return f"{self.asked} {said}" if self.asked else said

    @property
    def needs_context(self) -> bool:
        """Whether it is a few words of a person, which may answer a question."""
        return self.kind is Kind.STATEMENT and len(terms(self.text[:LONGEST])) <= SHORT


ROLES = frozenset({"user", "assistant", "tool"})
"""Speakers without a name."""


LEAST = 1
"""Words that say something, of a statement: a name alone answers a question."""
_OF_ONESELF = re.compile(r"\b(?:I|my|me|mine|ich|mein|meine|je|mon|ma|mes|yo|mi|mis)\b|[我私]")
_QUOTED = re.compile(
    r"```.*?(?:```|\Z)|^[ \t]{0,20}>[^\n]*$|<memory>.*?(?:</memory>|\Z)|^Earlier, \d{4}-\d\d-\d\d, [^\n]*$", re.DOTALL | re.MULTILINE
)
"""What a person passes on and does not say: code, quoted lines, a block that some memory put there, or a line of it."""
_TAG = re.compile(r"<([A-Za-z][\w-]{2,40})>")
_OWN_TAGS = frozenset({"task", "user_message", "user_query", "feedback", "answer", "message"})
"""Elements in which a client puts what the person typed; what it puts into others is its own."""


def passages(episode: Episode) -> list[Utterance]:
    """What the episode's turns said, in their order; what says nothing that could be sought is left out.

    Recalled text is never part of it: what was put into a prompt must not come back as something that was said.
    """
    found: list[Utterance] = []
    for number, step in enumerate(episode.steps):
        if isinstance(step, Observation) and step.role == "user":
            speaker = step.extras.get("name") or "user"
            spoken = list(_spoken(step.text))[:MOST]
            kinds = _kinds([step.text[start:stop] for start, stop in spoken])
            said = [(start, stop, str(speaker)[:100], kind) for (start, stop), kind in zip(spoken, kinds, strict=True)]
        elif isinstance(step, Action):
            said = [(start, stop, "assistant", Kind.ANSWER) for start, stop in _stretches(step.text)]
        elif isinstance(step, ToolResult):
            said = [(start, stop, step.tool or "tool", Kind.RESULT) for start, stop in _stretches(step.text)]
        else:
            continue
        found += [
            Utterance(step=number, start=start, stop=stop, speaker=speaker, kind=kind, text=step.text[start:stop])
            for start, stop, speaker, kind in said[:MOST]
            if says_something(step.text[start:stop], LEAST if kind is Kind.STATEMENT else 2)
        ]
    return [
        answering(one, found[place - 1].text) if place and found[place - 1].kind is Kind.ANSWER else one for place, one in enumerate(found)
    ]


def answering(said: Utterance, before: str) -> Utterance:
    """A few words of a person with the question that the assistant's turn before them ends with; any other passage as it is."""
    return replace(said, asked=last_question(before)) if said.needs_context else said


def own_words(text: str) -> str:
    r"""What a person says in a turn: without what is quoted, pasted or added by the client; the whole where nothing else is there.

    >>> own_words("> It is late.\nWhen does the shop close?").strip()
    'When does the shop close?'
    """
    said = "".join(text[start:stop] for start, stop in _spoken(text))
    return said if said.strip() else text


def _spoken(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of a person's own words: what is quoted or pasted is left out."""
    start = 0
    quoted = [
        found.span() for pattern, may in ((_QUOTED, _may_quote), (LISTED, _may_list)) if may(text) for found in pattern.finditer(text)
    ]
    for begin, end in sorted([*quoted, *_elements(text)]):
        if end > start:
            yield from _stretches(text, start, max(start, begin))
            start = end
    yield from _stretches(text, start, len(text))


def _may_quote(text: str) -> bool:
    """Whether `_QUOTED` may find anything: looking for its marks takes a hundredth of the time that it takes to find nothing."""
    return any(mark in text for mark in ("```", ">", "Earlier, "))


def _may_list(text: str) -> bool:
    """Whether `LISTED` may find anything."""
    return "memor" in text.lower()


def _elements(text: str) -> Iterator[tuple[int, int]]:
    """Where elements begin and end that a client adds to what a person typed; one that is never closed is none."""
    end, unclosed = 0, set[str]()
    for tag in _TAG.finditer(text):
        name = tag[1]
        if tag.start() < end or name.lower() in _OWN_TAGS or name in unclosed:
            continue
        close = text.find(f"</{name}>", tag.end())
        if close < 0:
            # Looked for once: the time stays linear in the text.
            unclosed.add(name)
            continue
        end = close + len(name) + 3
        yield tag.start(), end


def _stretches(text: str, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, int]]:
    """Whole sentences together, as many as fit into a passage."""
    stop = len(text) if stop is None else stop
    begin = end = start
    for sentence in SENTENCE.finditer(text, start, min(stop, start + LONGEST * MOST)):
        while sentence.end() - begin > LONGEST:
            # One sentence that is longer than a passage is cut where the passage is full.
            cut = end if end > begin else begin + LONGEST
            yield begin, cut
            begin = end = cut
        end = sentence.end()
    if end > begin:
        yield begin, end


def _kinds(texts: Sequence[str]) -> list[Kind]:
    """Of each stretch of a person's turn, in order. What comes with an order is its material, and states nothing by itself."""
    kinds = [_kind(text) for text in texts]
    if sum(map(len, texts)) <= LONGEST:
        return kinds
    # A long text that begins or ends with an order or a question was most likely pasted for it, but for what tells of oneself.
    first, last = (_sentences(texts[place]) for place in (0, -1))
    if not (first and last and (asks(first[0]) or asks(last[-1]))):
        return kinds
    return [kind if _OF_ONESELF.search(text) and not _orders(first) else Kind.QUESTION for kind, text in zip(kinds, texts, strict=True)]


def _kind(text: str) -> Kind:
    """A statement where any sentence states something; what follows an order is its material and states nothing by itself."""
    sentences = _sentences(text)
    if _orders(sentences):
        return Kind.QUESTION
    return Kind.STATEMENT if any(says_something(one, LEAST) for one in stating(sentences)) else Kind.QUESTION


def _orders(sentences: Sequence[str]) -> bool:
    return bool(sentences) and requests(sentences[0]) and not ends_in_question_mark(sentences[0])


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in SENTENCE.findall(text) if sentence.strip()]
