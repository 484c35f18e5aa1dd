"""Answers: what a language model makes of what is shown to it, with no memory, with all that fits, with a plain fusion, with ours."""

from __future__ import annotations

import os
import re
import string
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np

from ....core import Message, Settings
from ....memory.recall.signals import reciprocal_rank
from ....perception import Encoder
from ....serving import ChatRequest, EmbeddedEngine, Engine, OpenAIEngine, locate
from ....serving.engine import context_of
from ...data.dialogues import UNANSWERABLE, Dialogue
from ...results_file import Row
from .asked import Case, turn_vectors
from .chat import MakeRow
from .whole import Whole

SHOWN = 10
"""Turns that fusion and ours show."""
QUESTIONS = 4
"""Of each conversation, drawn with a fixed seed: all that fits takes a minute a question on one core."""
WRITTEN = 32
"""Most tokens of an answer; the right ones have a few words."""
SPARE = 128
"""Tokens left free besides, for the template of the chat."""
ASK = "{shown}Question: {question}\nAnswer with a few words and nothing else."
HEARD = "This is what was said, the date in brackets:\n{lines}\n\n"

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_MARKS = str.maketrans("", "", string.punctuation)


@contextmanager
def model_at(url: str) -> Iterator[Engine]:
    """The model that a server lists first, with the key of `OPENAI_API_KEY`; without a URL the default one in this process."""
    engine = (
        OpenAIEngine("", url=url, api_key=os.environ.get("OPENAI_API_KEY", "")) if url else EmbeddedEngine(locate(Settings().model.name))
    )
    try:
        yield engine
    finally:
        engine.close()


def answer_rows(
    dialogues: Sequence[Dialogue],
    asked: Sequence[Sequence[Case]],
    encoder: Encoder,
    engine: Engine,
    ours: Callable[[Case], Sequence[int]],
    row: MakeRow,
) -> list[Row]:
    """Exact match and F1 of the words of answers, tokens shown and seconds, for the same questions in every arm."""
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    for dialogue, mine in zip(dialogues, asked, strict=True):
        lines = [line_of(dialogue, number) for number in range(len(dialogue.turns))]
        whole = Whole(dialogue, turn_vectors(dialogue, encoder))
        for one in drawn(mine):
            fused = whole.order(reciprocal_rank(whole.bm25(one)) + reciprocal_rank(whole.cosine(one, encoder)))
            arms: dict[str, Sequence[int]] = {
                "no_memory": (),
                "everything_that_fits": fitting(lines, one.asked.text, engine),
                "reciprocal_rank_fusion": fused[:SHOWN],
                "lifelong": ours(one)[:SHOWN],
            }
            for arm, turns in arms.items():
                # In the order in which they were said, as a reader would want them.
                prompt = prompt_of([lines[turn] for turn in sorted(turns)], one.asked.text)
                begun = time.perf_counter()
                [reply] = engine.chat([ChatRequest(messages=(Message(role="user", content=prompt),), max_tokens=WRITTEN)])
                seconds, right = time.perf_counter() - begun, one.asked.answer
                shown = float(engine.count_tokens(prompt))
                found.setdefault(arm, []).append((exact_match(reply.text, right), token_f1(reply.text, right), shown, seconds))
    case, metrics = f"answers of {os.path.basename(engine.model)}", ("exact_match_rate", "token_f1", "tokens_shown", "answer_seconds")
    return [row(case, arm, metric, np.array(each)[:, place]) for arm, each in found.items() for place, metric in enumerate(metrics)]


def drawn(mine: Sequence[Case]) -> list[Case]:
    """Some of a conversation's questions that have an answer, the same ones every time."""
    answerable = [one for one in mine if one.asked.category != UNANSWERABLE and one.asked.evidence and one.asked.answer]
    places = np.random.default_rng(0).permutation(len(answerable))[:QUESTIONS]
    return [answerable[place] for place in sorted(places.tolist())]


def line_of(dialogue: Dialogue, number: int) -> str:
    """A turn as it is shown."""
    said = dialogue.turns[number]
    return f"[{datetime.fromtimestamp(said.created, UTC):%d %B %Y}] {said.speaker}: {said.text}"


def prompt_of(lines: Sequence[str], question: str) -> str:
    """What the model is asked."""
    return ASK.format(shown=HEARD.format(lines="\n".join(lines)) if lines else "", question=question)


def fitting(lines: Sequence[str], question: str, engine: Engine) -> list[int]:
    """The newest turns that the model's context has room for beside the question and its answer."""
    room = context_of(engine) - WRITTEN - SPARE - engine.count_tokens(prompt_of([""], question))
    kept: list[int] = []
    for number in reversed(range(len(lines))):
        room -= engine.count_tokens(lines[number] + "\n")
        if room < 0:
            break
        kept.append(number)
    return kept


def normalised(answer: str) -> list[str]:
    """Words of an answer, without case, punctuation and articles (Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250, section 6.1)."""
    return _ARTICLES.sub(" ", answer.lower().translate(_MARKS)).split()


def exact_match(answer: str, right: str) -> float:
    """1 where the words are the same, in their order.

    >>> exact_match("The Red Door.", "red door")
    1.0
    """
    return float(normalised(answer) == normalised(right))


def token_f1(answer: str, right: str) -> float:
    """Harmonic mean of precision and recall of the words; 1 where both have none.

    >>> token_f1("on the red door", "red door")
    0.8
    """
    said, wanted = normalised(answer), normalised(right)
    if not said or not wanted:
        return float(said == wanted)
    common = (Counter(said) & Counter(wanted)).total()
    return 2 * common / (len(said) + len(wanted))
