from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from lifelong.memory import Memory, Record, search
from lifelong.memory.index.turn_index import TurnIndex
from lifelong.memory.recall import search as searching
from lifelong.memory.recall.signals import SATURATION
from lifelong.memory.sqlite.turns import store
from lifelong.memory.turns.passages import Kind
from lifelong.memory.turns.turn import Lists, Postings
from tests.memory.sqlite.turns.test_store import ENCODER, index, said, steps_of

DAY = 86_400.0
NOW = 1_790_000_000.0


def found(record: Record, question: str, **named: Any) -> list[Memory]:
    given = {"tenant": "default", "limit": 5, "now": NOW} | named
    return search(record, TurnIndex(), question, ENCODER.encode([question])[0], **given)


@pytest.fixture
def heard(record: Record) -> Record:
    said(record, "My sister Ada lives in Bern.", id="a", session="one", created=NOW - 9 * DAY, answer="Bern is a fine town.")
    said(record, "Our staging server is called heron.", id="b", session="two", created=NOW - 8 * DAY)
    said(record, "The harbour has many ships.", id="c", session="three", created=NOW - 7 * DAY)
    said(record, "Where does the heron nest in winter?", id="d", session="four", created=NOW - 6 * DAY)
    index(record)
    return record


def test_the_right_turn_comes_first_with_its_reason_and_source(heard: Record) -> None:
    first = found(heard, "Where does my sister Ada live?")[0]
    assert first.text == "My sister Ada lives in Bern."
    assert (first.episode, first.session, first.speaker, first.kind) == ("a", "one", "user", Kind.STATEMENT)
    assert "sister" in first.why


def test_nothing_is_found_of_another_tenant_or_in_an_empty_record(heard: Record) -> None:
    assert found(heard, "Where does my sister Ada live?", tenant="somebody") == []
    assert found(heard, "🙂", tenant="somebody") == []


def test_kinds_and_sessions_can_be_left_out(heard: Record) -> None:
    kinds = {one.kind for one in found(heard, "heron nest", kinds=(Kind.STATEMENT,))}
    assert kinds == {Kind.STATEMENT}
    assert all(one.session != "two" for one in found(heard, "staging server heron", exclude_session="two"))


def test_as_of_shows_what_was_known_then(heard: Record) -> None:
    said(heard, "My sister Ada lives in Rome now.", id="e", session="five", created=NOW - DAY)
    index(heard)
    texts = [one.text for one in found(heard, "Where does my sister Ada live?", as_of=NOW - 5 * DAY)]
    assert "My sister Ada lives in Bern." in texts
    assert "My sister Ada lives in Rome now." not in texts


def test_what_was_said_later_on_the_same_matter_stands_first(heard: Record) -> None:
    said(heard, "My sister Ada lives in Rome now.", id="e", session="five", created=NOW - DAY)
    index(heard)
    [first, *others] = found(heard, "Where does my sister Ada live?")
    assert (first.text, first.superseded) == ("My sister Ada lives in Rome now.", False)
    assert [one.superseded for one in others if "Bern" in one.text and one.kind is Kind.STATEMENT] == [True]


def test_copies_of_one_sentence_take_one_place(heard: Record) -> None:
    for number in range(30):
        said(heard, "The spare key lies under the blue pot.", id=f"k{number}", session=f"k{number}", created=NOW - number)
    index(heard)
    hits = found(heard, "Where is the spare key?")
    assert sum("spare key" in one.text for one in hits) == 1
    assert hits[0].created == NOW


def test_a_floor_shows_nothing_where_nothing_is_needed(heard: Record) -> None:
    assert found(heard, "What is 23 times 19?", floor=0.999) == []


@pytest.mark.parametrize(
    "query", ["GB/s", "pre-edit", "don't", '"quoted" OR NOT (x*)', "a AND b NEAR/2 c", "-", "*", "\x00", "我", "🙂" * 50, "x" * 10**6]
)
def test_any_query_has_a_result(heard: Record, query: str) -> None:
    assert len(found(heard, query)) <= 5


@pytest.mark.slow
def test_what_a_request_reads_does_not_grow_with_the_record(record: Record) -> None:
    def cost(turns: int) -> int:
        with record.transaction():
            for number in range(record.turns.count("default"), turns):
                said(record, f"The garden of house {number} has {number % 7} roses.", id=str(number), session=str(number % 11), created=NOW)
            index(record)
        turn_index = TurnIndex()
        turn_index.nearest(record, "default", ENCODER.encode(["roses"])[0], 5)
        rows: list[int] = []
        original = record._database.rows
        asker = threading.get_ident()

        def counted(sql: str, values: Any = ()) -> list[Any]:
            read = original(sql, values)
            # The index takes up new turns in a thread of its own, which no request waits for.
            if threading.get_ident() == asker:
                rows.append(len(read))
            return read

        record.turns.forget()
        record._database.rows = counted  # type: ignore[method-assign]
        search(record, turn_index, "How many roses in the garden?", ENCODER.encode(["roses"])[0], tenant="default", limit=4, now=NOW)
        record._database.rows = original  # type: ignore[method-assign]
        return sum(rows)

    small, large = cost(2500), cost(5000)
    # The lists of two frequent words, and the candidates: bounded, however many turns there are.
    assert large <= 2 * store.POSTINGS + 4 * 5 * (searching.BY_WORDS + searching.BY_MEANING)
    assert large < 1.1 * small


def test_clocks_that_run_backwards_and_equal_moments_are_no_fault(record: Record) -> None:
    for number, created in enumerate((5.0, 5.0, 1.0, -3.0, NOW * 2)):
        said(record, f"The meeting room is number {number}.", id=str(number), session="s", created=created)
    index(record)
    assert len(found(record, "Which meeting room?", now=time.time())) >= 1


def test_what_a_search_reads_does_not_grow_with_the_record(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"POSTINGS": 20, "POSTINGS_IN_ALL": 60}.items():
        monkeypatch.setattr(store, name, value)
    for name in ("BY_WORDS", "BY_MEANING"):
        monkeypatch.setattr(searching, name, 8)
    questions = ("What colour has the door of house 77?", "Is the wet garden near the harbour " + " ".join(map(str, range(60))) + "?")
    turns, costs = TurnIndex(), []
    for count in (120, 600):
        for number in range(record.turns.count("default"), count):
            text = f"The door of house {number} near the wet garden is {('red', 'blue', 'green')[number % 3]}."
            said(record, text, id=str(number), session=str(number // 10))
        index(record)
        turns.nearest(record, "default", ENCODER.encode(["door"])[0], 1)
        record.turns.forget()
        with steps_of(record) as steps:
            for question in questions:
                search(record, turns, question, ENCODER.encode([question])[0], tenant="default", limit=5, now=NOW)
        costs.append(len(steps))
    assert costs[1] <= 1.15 * costs[0]


@pytest.mark.parametrize(
    ("chances", "anew", "order"),
    [
        # The newer one is not much less probable: it comes right before the older, and nothing else moves.
        ((0.8, 0.6, 0.5, 0.1), {0: [2]}, [2, 0, 1, 3]),
        # It hardly answers the question: the older one, which does, keeps its place.
        ((0.8, 0.6, 0.5, 0.1), {0: [3]}, [0, 1, 2, 3]),
        # It stands before already.
        ((0.8, 0.6, 0.5, 0.1), {2: [0]}, [0, 1, 2, 3]),
        # Said three times: the newest first.
        ((0.8, 0.7, 0.6, 0.5), {0: [2, 3], 2: [3]}, [3, 2, 0, 1]),
    ],
)
def test_what_was_said_anew_stands_before_what_it_supersedes_and_nothing_moves_back(
    chances: tuple[float, ...], anew: dict[int, list[int]], order: list[int]
) -> None:
    assert searching._newer_first(range(4), anew, dict(enumerate(chances))) == order


def test_words_bring_the_same_turns_by_either_way_of_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    for case in range(60):
        standing = [np.sort(draw.choice(400, size=draw.integers(0, 200), replace=False)) + 7 for _ in range(draw.integers(0, 8))]
        postings = tuple(Postings(turns=turns, counts=draw.integers(1, 4, size=len(turns))) for turns in standing)
        weights = tuple(draw.choice([0.5, 1.0, 2.0], size=len(postings)).tolist())
        lists = Lists(terms=tuple(map(str, range(len(postings)))), weights=weights, postings=postings, average_length=1.0)
        worth: dict[int, float] = {}
        for one, weight in zip(postings, weights, strict=True):
            for turn, count in zip(one.turns.tolist(), one.counts.tolist(), strict=True):
                worth[turn] = worth.get(turn, 0.0) + weight * count / (count + SATURATION)
        expected = set(sorted(worth, key=lambda turn: (-worth[turn], -turn))[: searching.BY_WORDS])
        for span in (1, 1 << 16):
            monkeypatch.setattr(searching, "SPAN", span)
            assert searching._by_words(lists) == expected, case


def test_what_is_sought_of_a_question_is_found_once(heard: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = searching.sought_part
    monkeypatch.setattr(searching, "sought_part", lambda question: asked.append(question) or original(question))
    question = "> a quoted line\nWhich server is heron?"
    vector = ENCODER.encode([original(question)])[0]
    whole = search(heard, TurnIndex(), question, vector, tenant="default", limit=5, now=NOW)
    assert asked == [question]
    assert whole == search(heard, TurnIndex(), question, vector, tenant="default", limit=5, now=NOW, sought=original(question))
    assert asked == [question]
