"""Long conversations with questions and the turns that answer them: the project's own, and LoCoMo's."""

from __future__ import annotations

import calendar
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...core import DataMissing

OWN = Path(__file__).with_name("conversations")
"""Conversations of the project's own making, by which the shipped weights are learned."""
LOCOMO = "locomo/locomo7.json"
UNANSWERABLE = 5
"""LoCoMo's category of questions that the conversation does not answer."""


@dataclass(frozen=True, kw_only=True)
class DialogueTurn:
    """One turn of a dialogue."""

    speaker: str
    """Name of who said it."""
    text: str
    """What was said; of a picture its caption too."""
    session: int
    """Number of the session."""
    created: float
    """Seconds since the epoch."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question."""

    text: str
    """The question."""
    evidence: frozenset[int]
    """Numbers of the turns that answer it."""
    category: int
    """1: several turns, 2: time, 3: needs knowledge of the world, 4: one turn, 5: no answer is there."""
    answer: str = ""
    """The right answer, where the data give one."""


@dataclass(frozen=True, kw_only=True)
class Dialogue:
    """A long conversation and what is asked about it."""

    name: str
    """Its name in tables."""
    turns: tuple[DialogueTurn, ...]
    """All turns in their order."""
    questions: tuple[Asked, ...]
    """The questions."""


def own_dialogues() -> list[Dialogue]:
    """The project's own, by name."""
    return [_read_own(path) for path in sorted(OWN.glob("*.txt"))]


def unrelated_requests() -> list[str]:
    """Requests that need nothing that anybody said."""
    return (OWN / "unrelated_requests.lst").read_text(encoding="utf-8").splitlines()


@dataclass(frozen=True, kw_only=True)
class StatementPair:
    """Two statements of one person, the later one second."""

    earlier: str
    """What was said first."""
    later: str
    """What was said afterwards."""
    same_matter: bool
    """Whether the later one takes the place of the earlier one."""


UPDATES = ("updates.lst", "long_updates.lst")
"""Plain statements and what was said afterwards, and the same in the turns of a chat."""


def statement_pairs() -> list[StatementPair]:
    """Statements and what was said afterwards: an update, another thing of the same subject, the same thing of another subject."""
    return [pair for name in UPDATES for pair in _pairs_of((OWN / name).read_text(encoding="utf-8"))]


def _pairs_of(text: str) -> list[StatementPair]:
    lines = [line.split(" | ") for line in text.splitlines()]
    pairs: list[StatementPair] = []
    for place, (stated, update, other, another) in enumerate(lines):
        pairs.append(StatementPair(earlier=stated, later=update, same_matter=True))
        elsewhere = lines[(place + 1) % len(lines)][1]
        apart = [(stated, other), (other, update), (stated, another), (another, update), (stated, elsewhere)]
        pairs += [StatementPair(earlier=one, later=later, same_matter=False) for one, later in apart]
    return pairs


def beginning(dialogue: Dialogue, sessions: int) -> Dialogue:
    """Its first sessions, and the questions that these answer."""
    turns = tuple(turn for turn in dialogue.turns if turn.session < sessions)
    questions = tuple(asked for asked in dialogue.questions if max(asked.evidence, default=0) < len(turns))
    return Dialogue(name=f"{dialogue.name}:{sessions}", turns=turns, questions=questions)


def joined(dialogues: Iterable[Dialogue]) -> Dialogue:
    """Several dialogues as one: what is sought has to be found among what others said."""
    turns: list[DialogueTurn] = []
    questions: list[Asked] = []
    names: list[str] = []
    for one in dialogues:
        shift, sessions = len(turns), max((turn.session for turn in turns), default=-1) + 1
        turns += [DialogueTurn(speaker=t.speaker, text=t.text, session=t.session + sessions, created=t.created) for t in one.turns]
        questions += [
            Asked(text=q.text, evidence=frozenset(e + shift for e in q.evidence), category=q.category, answer=q.answer)
            for q in one.questions
        ]
        names.append(one.name)
    return Dialogue(name="+".join(names), turns=tuple(turns), questions=tuple(questions))


_LINE = re.compile(r"(\w+)(?: \[(\w+)\])?: (.+)")
_ASKED = re.compile(r"\? (\d) \[([\w ]+)\] (.+)")


def _read_own(path: Path) -> Dialogue:
    """A file of the project's own: `@ date`, `Name [mark]: text`, `? category [marks] question`."""
    turns: list[DialogueTurn] = []
    marks: dict[str, int] = {}
    questions: list[Asked] = []
    session, created = -1, 0.0
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("@ "):
            session += 1
            created = float(calendar.timegm(time.strptime(line[2:].strip(), "%Y-%m-%d %H:%M")))
        elif asked := _ASKED.fullmatch(line):
            evidence = frozenset(marks[mark] for mark in asked[2].split())
            questions.append(Asked(text=asked[3], evidence=evidence, category=int(asked[1])))
        elif said := _LINE.fullmatch(line):
            if said[2]:
                marks[said[2]] = len(turns)
            turns.append(DialogueTurn(speaker=said[1], text=said[3], session=session, created=created + len(turns)))
    return Dialogue(name=path.stem, turns=tuple(turns), questions=tuple(questions))


def locomo(data: Path | None) -> list[Dialogue]:
    """LoCoMo's conversations (Maharana et al. 2024, https://arxiv.org/abs/2402.17753). Raises `DataMissing`."""
    path = (data or Path()) / LOCOMO
    if not path.is_file():
        raise DataMissing(f"no {LOCOMO} in {data}; name the folder that holds it with --data or LIFELONG_DATA")
    return [_of_locomo(one) for one in json.loads(path.read_text(encoding="utf-8"))]


def _of_locomo(read: dict[str, object]) -> Dialogue:
    conversation = read["conversation"]
    assert isinstance(conversation, dict)
    turns: list[DialogueTurn] = []
    places: dict[str, int] = {}
    names = sorted((key for key in conversation if re.fullmatch(r"session_\d+", key)), key=lambda key: int(key[8:]))
    for session, name in enumerate(names):
        created = _moment(conversation[f"{name}_date_time"])
        for number, turn in enumerate(conversation[name]):
            places[turn["dia_id"]] = len(turns)
            caption = f" [{turn['blip_caption']}]" if turn.get("blip_caption") else ""
            turns.append(DialogueTurn(speaker=turn["speaker"], text=turn["text"] + caption, session=session, created=created + number))
    questions = read["qa"]
    assert isinstance(questions, list)
    return Dialogue(name=str(read["sample_id"]), turns=tuple(turns), questions=tuple(_question(one, places) for one in questions))


def _question(read: dict[str, object], places: dict[str, int]) -> Asked:
    named = " ".join(str(id) for id in read.get("evidence", []))  # type: ignore[attr-defined]
    # Some ids are written as `D8:6; D9:17`, `D:11:26` or `D30:05`.
    ids = [f"D{session}:{int(turn)}" for session, turn in re.findall(r"D:?(\d+):(\d+)", named)]
    return Asked(
        text=str(read["question"]),
        evidence=frozenset(places[id] for id in ids if id in places),
        category=int(str(read["category"])),
        answer=str(read.get("answer", "")),
    )


def _moment(text: str) -> float:
    return float(calendar.timegm(time.strptime(text, "%I:%M %p on %d %B, %Y")))
