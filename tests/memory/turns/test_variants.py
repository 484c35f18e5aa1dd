from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest

from lifelong.memory import Record, search
from lifelong.memory.index.turn_index import TurnIndex
from lifelong.memory.recall import search as searching
from lifelong.memory.turns.turn import Lists, Postings
from lifelong.memory.turns.variants import endings, is_german, parts, widened
from tests.memory.sqlite.turns.test_store import ENCODER, index, said

PAIRS = [
    ("Meine Hunde heißen Rex und Lux.", "Wie heißt mein älterer Hund?"),
    ("Unser Haus steht in der Lindengasse.", "Wo sind unsere Häuser?"),
    ("Ich wohne seit März in Fulda.", "In welcher Stadt wohnst du?"),
    ("Die Katzen bekommen abends Nassfutter.", "Was frisst die Katze?"),
    ("Meine Kinder gehen in die Waldschule.", "In welche Schule geht mein Kind?"),
    ("Die Schwestern meiner Frau leben in Graz.", "Wo lebt die Schwester meiner Frau?"),
    ("Der rote Koffer gehört Opa.", "Wem gehören die roten Koffer?"),
    ("Im Keller liegen alte Bücher über Pilze.", "Welches Buch liegt im Keller?"),
    ("Ich spiele dienstags Geige im Orchester.", "Wann spielt das Orchester?"),
    ("Die Blumen gießt der Nachbar.", "Wer kümmert sich um die Blume?"),
    ("Der Schlüssel hängt am Haken neben der Tür.", "Wo hängen die Schlüsseln?"),
    ("Meine Tanten backen zu Ostern einen Zopf.", "Was backt meine Tante?"),
    ("Die Fenster im Büro klemmen.", "Welches Fensters Rahmen klemmt?"),
    ("Der Drucker im Flur braucht Toner.", "Was braucht der Flurdrucker?"),
    ("Das Fahrrad steht im Schuppen.", "Wo stehen die Fahrräder?"),
    ("Der Schuppen hat ein neues Schloss.", "Was ist neu am Fahrradschuppen?"),
    ("Mein Zahnarzt heißt Doktor Kunz.", "Wie heißen meine Zahnärzte?"),
    ("Die Tomaten stehen auf dem Balkon.", "Wo steht die Tomate?"),
    ("Unsere Hühner legen braune Eier.", "Welche Farbe hat das Ei unseres Huhns?"),
    ("Die Rechnung zahlt die Firma.", "Wer zahlt die Rechnungen?"),
    ("Der Wein lagert bei Onkel Veit.", "Wo lagern die Weine?"),
    ("Die Probe beginnt um sieben.", "Wann beginnen die Proben?"),
    ("Das Passwort wechseln wir monatlich.", "Wie oft wechselt man die Passwörter?"),
    ("Die Lampe im Bad flackert.", "Welche Badlampe flackert?"),
]


def standing(*turns: int) -> Postings:
    return Postings(turns=np.array(turns, dtype=np.int64), counts=np.ones(len(turns), dtype=np.int64))


def lists(**found: tuple[int, ...]) -> Lists:
    return Lists(
        terms=tuple(found),
        weights=tuple(1.0 / (1 + len(one)) for one in found.values()),
        postings=tuple(standing(*one) for one in found.values()),
        average_length=3.0,
    )


def test_another_form_stands_for_a_word_that_nobody_has_said_and_parts_for_a_compound() -> None:
    asked: list[list[str]] = []

    def look_up(terms: Sequence[str]) -> Lists:
        asked.append(list(terms))
        there = {"kinder": (4, 7), "flur": (2,), "drucker": (2, 9)}
        return lists(**{term: there.get(term, ()) for term in terms})

    found = widened(lists(kindern=(), flurdrucker=(), garten=(5,)), look_up)
    assert [one.turns.tolist() for one in found.postings] == [[4, 7], [2, 9], [5]]
    assert found.postings[1].counts.tolist() == [2, 1]
    assert found.terms == ("kindern", "flurdrucker", "garten")
    assert found.weights[0] == pytest.approx(1 / 3), "as the form weighs that stands there"
    assert len(asked) == 2
    assert "garten" not in asked[0] + asked[1]


def test_what_stands_is_not_looked_up_again() -> None:
    def look_up(terms: Sequence[str]) -> Lists:
        raise AssertionError(terms)

    same = lists(garten=(5,))
    assert widened(same, look_up) is same
    assert endings("ab") == parts("garten") == endings("x" * 99) == parts("3gb/s-drive") == []


@pytest.mark.parametrize(
    ("question", "german"),
    [
        ("Wo steht das Rad?", True),
        ("Kennst du den Namen und das Alter?", True),
        ("Where is the bike?", False),
        ("What was the hat in the den?", False),
        ("An old man am I", False),
        ("", False),
    ],
)
def test_german_questions_are_told_from_others(question: str, german: bool) -> None:
    assert is_german(question) is german


def found_of(record: Record) -> tuple[int, int]:
    """How many of the statements come first for their questions, and how many are among the first four by at least the usual floor."""
    first = shown = 0
    for statement, asked in PAIRS:
        hits = search(record, TurnIndex(), asked, ENCODER.encode([asked])[0], tenant="default", limit=4, now=1e9)
        first += bool(hits) and hits[0].text == statement
        shown += any(one.text == statement and one.probability >= 0.15 for one in hits)
    return first, shown


def test_german_statements_are_found_in_other_forms_of_their_words(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, (statement, _) in enumerate(PAIRS):
        said(record, statement, id=str(number), session=str(number))
    index(record)
    first, shown = found_of(record)
    monkeypatch.setattr(searching, "is_german", lambda question: False)
    first_before, shown_before = found_of(record)
    assert shown >= shown_before + 3
    assert first >= first_before


def test_the_longest_word_costs_little() -> None:
    started = time.process_time()
    for word in ("a" * 10**6, "en" * 15, "s" * 30):
        endings(word)
        parts(word)
    assert time.process_time() - started < 1
