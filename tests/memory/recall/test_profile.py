from __future__ import annotations

from lifelong.memory import Record, drop_superseded, profile_text, read_profile, write_profile
from lifelong.memory.recall.profile import MOST
from lifelong.memory.recall.standing import Topic
from tests.memory.sqlite.turns.test_store import index, said


def texts(record: Record, tenant: str = "default") -> list[str]:
    return [line.text for line in read_profile(record, tenant)]


def test_a_profile_has_what_stands_with_its_source_and_age(record: Record) -> None:
    said(record, "Our staging server is called heron.", id="a", created=10.0)
    said(record, "I am tired today.", id="b", created=20.0)
    said(record, "How do I boil an egg?", id="c", created=30.0, answer="My name is Bot. I prefer to boil it for six minutes.")
    said(record, "I prefer short answers. What a day!", id="d", created=86_400.0)
    said(record, "My name is Kim.", id="e", created=50.0)
    index(record)
    assert write_profile(record, "default") == 3
    lines = read_profile(record, "default")
    assert [(line.topic, line.text, line.episode) for line in lines] == [
        (Topic.NAME, "My name is Kim.", "e"),
        (Topic.PREFERENCE, "I prefer short answers.", "d"),
        (Topic.FACT, "Our staging server is called heron.", "a"),
    ]
    assert profile_text(lines[1]) == "The user said, 1970-01-02: I prefer short answers."
    assert texts(record, "somebody") == []


def test_only_what_was_said_last_on_a_matter_is_in_it(record: Record) -> None:
    said(record, "Our staging server is called heron. I like tea.", id="a", created=10.0)
    said(record, "Our staging server is called osprey now.", id="b", created=20.0)
    index(record)
    write_profile(record, "default")
    assert texts(record) == ["I like tea.", "Our staging server is called osprey now."]
    assert read_profile(record, "default")[1].since == 20.0


def test_between_two_nights_what_is_said_otherwise_leaves_it(record: Record) -> None:
    said(record, "Our staging server is called heron. I like tea.", id="a", created=10.0)
    index(record)
    write_profile(record, "default")
    said(record, "Our staging server is called osprey now.", id="b", created=20.0)
    index(record)
    drop_superseded(record, "default", record.turns.of_episode("default", "b"))
    assert texts(record) == ["I like tea."]
    drop_superseded(record, "default", [])
    drop_superseded(record, "somebody", [1])
    assert texts(record) == ["I like tea."]


def test_what_is_erased_leaves_it_and_what_is_pinned_comes_first(record: Record) -> None:
    said(record, "The fair opens at nine.", id="a", created=10.0)
    said(record, "My name is Kim.", id="b", created=20.0)
    index(record)
    [fair, name] = record.turns.statements("default", 5)[::-1]
    record.profiles.pin("default", fair, True)
    record.profiles.pin("somebody", name, True)
    write_profile(record, "default")
    assert texts(record) == ["The fair opens at nine.", "My name is Kim."]
    record.turns.clear()
    assert texts(record) == []
    index(record)
    write_profile(record, "default")
    assert texts(record) == ["The fair opens at nine.", "My name is Kim."], "a pin outlasts the index"
    record.erase(["a"])
    assert texts(record) == ["My name is Kim."]
    record.profiles.pin("default", fair, False)
    assert record._database.rows("SELECT * FROM pins") == []


def test_a_profile_is_short(record: Record) -> None:
    subjects = ["boat", "garden", "violin", "cellar", "kitchen", "bicycle", "lamp", "tower", "orchard", "kite"]
    for number in range(3 * MOST):
        beside = subjects[(number * 7 + 3) % 10]
        said(record, f"My {subjects[number % 10]} number {number} is beside the {beside}.", id=str(number), created=float(number))
    index(record)
    assert write_profile(record, "default") <= MOST
