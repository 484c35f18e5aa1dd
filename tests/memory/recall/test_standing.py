from __future__ import annotations

import pytest

from lifelong.memory.recall.standing import Topic, standing, topic_of


@pytest.mark.parametrize(
    ("sentence", "topic"),
    [
        ("My name is Hedda.", Topic.NAME),
        ("Please call me Kim.", Topic.NAME),
        ("Ich heiße Jörg.", Topic.NAME),
        ("I prefer short answers.", Topic.PREFERENCE),
        ("I don't eat celery.", Topic.PREFERENCE),
        ("I'm allergic to nuts.", Topic.PREFERENCE),
        ("My favourite colour is ochre.", Topic.PREFERENCE),
        ("My aunt Gudrun lives in Ulm.", Topic.FACT),
        ("Our staging server is called heron.", Topic.FACT),
        ("We deploy with ship.sh.", Topic.FACT),
        ("I work as a baker.", Topic.FACT),
        ("Mein Hund heißt Rübe.", Topic.FACT),
        ("I am tired today.", None),
        ("I went to the market.", None),
        ("I'm going to the market.", None),
        ("It rains.", None),
        ("The fair opens at nine.", None),
        ("Do I live in Ulm?", None),
        ("Maybe I prefer tea.", None),
        ("I live " + "far " * 100, None),
    ],
)
def test_what_stands_and_what_passes(sentence: str, topic: Topic | None) -> None:
    assert topic_of(sentence) is topic


def test_of_a_statement_the_sentences_that_stand_are_taken() -> None:
    found = standing("What a day! My name is Kim. It rained. I live in Ulm.")
    assert found == [(Topic.NAME, "My name is Kim."), (Topic.FACT, "I live in Ulm.")]
    assert standing("It rained all day.") == []
