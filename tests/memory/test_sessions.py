"""Where a request belongs: found from names and from the messages it repeats, over random trees of many people at once."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from properties import examples
from session_tree import Tree, assistant, user

from lifelong.core import Message, tool_call
from lifelong.memory import Hints, PlacementKind, SessionRequest, call_digests, message_hashes, resolve, text_digest


def test_a_conversation_goes_on_where_it_ended() -> None:
    tree = Tree()
    first = tree.ask([user("hi")], assistant("hello"))
    assert (first.kind, first.confidence, first.known) == (PlacementKind.FIRST, 1.0, 0)
    messages = [{"role": "system", "content": "it is ten o'clock"}, user("hi"), assistant(" hello\n"), user("and now?")]
    then = tree.ask(messages, assistant("yes"))
    assert (then.session, then.kind, then.known) == (first.session, PlacementKind.NEXT, 2)


def test_a_run_with_tools_goes_on_and_a_repeated_request_is_a_retry() -> None:
    tree = Tree()
    messages = [user("route it"), assistant("", ("look", '{"id": 1}')), {"role": "tool", "content": "gold", "tool_call_id": "c0"}]
    first = tree.ask(messages[:1], messages[1])
    assert tree.ask(messages, assistant("done")).session == first.session
    again = tree.ask(messages, assistant("done!"))
    assert (again.session, again.kind, again.known) == (first.session, PlacementKind.RETRY, 3)
    spaced = [messages[0], assistant("", ("look", '{ "id":1 }')), messages[2]]
    assert tree.ask(spaced, assistant("x")).kind is PlacementKind.RETRY


def test_the_same_greeting_of_two_people_is_two_sessions() -> None:
    tree = Tree()
    one, other = tree.ask([user("hi")], assistant("hello")), tree.ask([user("hi")], assistant("hello"))
    assert one.session != other.session
    first = tree.ask([user("hi"), assistant("hello"), user("who is Ada?")], assistant("a person"))
    second = tree.ask([user("hi"), assistant("hello"), user("what is a lathe?")], assistant("a machine"))
    assert {first.session, second.session} == {one.session, other.session}
    assert first.confidence < 0.6
    third = tree.ask([user("hi"), assistant("hello"), user("sing")], assistant("la"))
    assert third.session not in (one.session, other.session)
    assert third.confidence < 0.6


def test_what_a_client_adds_to_the_users_words_may_change_when_it_goes_on() -> None:
    tree = Tree()
    reminder = "<system-reminder>skills: {}</system-reminder>\n"
    first = tree.ask([user(reminder.format("all of them") + "fix the build")], assistant("which one?"))
    tree.ask([user(reminder.format("all of them") + "fix the build"), assistant("which one?"), user("mine")], assistant("done"))
    resumed = [user(reminder.format("two") + "fix the build"), assistant("which one?"), user("mine"), assistant("done"), user("thanks")]
    then = tree.ask(resumed, assistant("bye"))
    assert (then.session, then.kind, then.known) == (first.session, PlacementKind.NEXT, 4)


def called(id: str) -> Message:
    return {"role": "assistant", "content": None, "tool_calls": [tool_call("look", "{}", id)]}


def test_the_same_task_of_many_agents_is_told_apart_by_the_ids_of_their_calls() -> None:
    tree = Tree()
    sessions = [tree.ask([user("run the nightly job")], called(f"call-{number}")).session for number in range(6)]
    assert len(set(sessions)) == 6
    for number in (3, 0, 5, 1, 4, 2):
        result: Message = {"role": "tool", "content": "done", "tool_call_id": f"call-{number}"}
        then = tree.ask([user("run the nightly job"), called(f"call-{number}"), result], assistant("fine"))
        assert (then.session, then.confidence, then.rule) == (sessions[number], 0.9, "tool call id")


def test_ids_that_several_sessions_have_tell_nobody_apart() -> None:
    tree = Tree()
    for _ in range(2):
        tree.ask([user("run the nightly job")], called("call-1"))
    result: Message = {"role": "tool", "content": "done", "tool_call_id": "call-1"}
    assert tree.ask([user("run the nightly job"), called("call-1"), result], assistant("fine")).confidence < 0.6


def test_the_same_opening_of_two_people_may_have_several_messages() -> None:
    tree = Tree()
    opening = [user("the date is the first of May"), user("fix the build")]
    first = tree.ask(opening, assistant("done"))
    other = tree.ask(opening, assistant("done"))
    assert (other.kind, other.session != first.session) == (PlacementKind.FIRST, True)


def test_an_edit_is_a_branch_and_an_answer_in_other_words_is_none() -> None:
    tree = Tree()
    long = [user("a"), assistant("b"), user("c"), assistant("d"), user("e")]
    first = tree.ask(long[:1], long[1])
    tree.ask(long[:3], long[3])
    tree.ask(long, assistant("f"))
    edited = tree.ask([*long[:4], user("E")], assistant("F"))
    assert (edited.session, edited.kind, edited.known) == (first.session, PlacementKind.EDIT, 4)
    reworded = tree.ask([*long, assistant("f, shortened by the client"), user("g")], assistant("h"))
    assert (reworded.session, reworded.kind, reworded.known) == (first.session, PlacementKind.EDIT, 6)


def test_a_name_decides_and_a_new_history_under_it_is_a_compaction() -> None:
    tree, named = Tree(), Hints(session="codex-1", rule="session-id", confidence=0.95)
    tree.ask([user("hi")], assistant("hello"))
    first = tree.ask([user("hi")], assistant("hello"), named)
    assert (first.session, first.kind) == ("codex-1", PlacementKind.FIRST)
    assert tree.ask([user("hi"), assistant("hello"), user("x")], assistant("y"), named).kind is PlacementKind.NEXT
    compacted = tree.ask([user("summary: they said hi"), user("go on")], assistant("z"), named)
    assert (compacted.session, compacted.kind, compacted.confidence) == ("codex-1", PlacementKind.COMPACTION, 0.95)


def test_a_sub_agent_is_found_by_the_call_that_began_it() -> None:
    tree = Tree()
    task = "Find every caller of the function parse in the folder core"
    parent = tree.ask([user("refactor")], assistant("", ("spawn", f'{{"prompt": "{task}"}}')))
    child = tree.ask([user(task)], assistant("three callers"))
    assert (child.kind, child.parent) == (PlacementKind.CHILD, parent.session)
    assert child.session != parent.session


def test_only_texts_of_some_length_tell_who_began_a_conversation() -> None:
    assert text_digest("short") is None
    assert text_digest("x" * 100_001) is None
    assert text_digest("find  every caller\nof parse ") == text_digest("find every caller of parse")
    assert call_digests(assistant("", ("spawn", "not json"), ("spawn", "[1]"), ("spawn", '{"n": 1, "p": "short"}'))) == set()


def test_what_stays_with_the_server_is_found_by_the_previous_answer() -> None:
    tree = Tree()
    first = tree.ask([user("hi")], assistant("hello"))
    tree.answers["resp_1"] = tree.newest(first.session)
    hashes, roles = message_hashes([user("go on")], base=tree.answers["resp_1"].hash)
    placed = resolve(SessionRequest(hashes=hashes, roles=roles, hints=Hints(continues="resp_1")), tree)
    assert (placed.session, placed.kind, placed.known) == (first.session, PlacementKind.NEXT, 0)


OPENINGS = ["hi", "hello there", "fix the build"]


class Person:
    """Somebody who talks, edits, asks again and comes back; the truth about one session."""

    def __init__(self, number: int, random_: random.Random) -> None:
        self.number, self.random, self.messages = number, random_, list[Message]()

    def request(self) -> list[Message]:
        r = self.random
        users = [number for number, one in enumerate(self.messages) if one["role"] == "user"]
        move = r.random()
        if len(users) > 2 and move < 0.1:
            at = r.choice(users[2:])
            self.messages = [*self.messages[:at], user(f"edited by {self.number}: {r.random()}")]
        elif len(self.messages) >= 4 and move < 0.2:
            self.messages = self.messages[:-1]  # the newest answer again
        elif self.messages and self.messages[-1].get("tool_calls"):
            self.messages.append({"role": "tool", "content": f"result {r.random()}", "tool_call_id": "c0"})
        else:
            self.messages.append(user(f"{self.number} says {r.random()}" if self.messages else r.choice(OPENINGS)))
        return [{"role": "system", "content": f"now {r.random()}"}, *self.messages]

    def take(self) -> Message:
        r, opening = self.random, len(self.messages) == 1
        calls = (("look", f'{{"q": "{r.random()}"}}'),) if not opening and r.random() < 0.4 else ()
        answer = assistant("hello" if opening else f"answer {r.random()}", *calls)
        self.messages.append(answer)
        return answer


@settings(max_examples=examples(60), deadline=None)
@given(seed=st.integers(0, 10**6), people=st.integers(2, 8))
def test_without_any_name_no_strangers_are_merged_and_nearly_every_turn_is_placed(seed: int, people: int) -> None:
    """Who began with the same words and got the same answer has said nothing of his own yet; from then on each session is one person's."""
    r, tree = random.Random(seed), Tree()
    crowd = [Person(number, r) for number in range(people)]
    owners, turns, placed_well = defaultdict[str, set[int]](set), 0, 0
    session_of: dict[int, set[str]] = defaultdict(set)
    for _ in range(people * 12):
        person = r.choice(crowd)
        messages = person.request()
        placed = tree.ask(messages, person.take())
        if len(person.messages) > 2:
            turns += 1
            owners[placed.session].add(person.number)
            placed_well += placed.session in session_of[person.number] or not session_of[person.number]
            session_of[person.number].add(placed.session)
    assert all(len(numbers) == 1 for numbers in owners.values())
    assert placed_well >= 0.95 * turns


@pytest.mark.parametrize("count", [1, 65, 1000])
def test_hashes_say_nothing_of_system_text_and_everything_of_the_rest(count: int) -> None:
    messages = [user(f"message {number}") for number in range(count)]
    hashes, roles = message_hashes([{"role": "system", "content": "x"}, *messages])
    assert hashes == message_hashes(messages)[0]
    assert len(set(hashes)) == len(roles) == count
    assert message_hashes([*messages[:-1], user("another")])[0][:-1] == hashes[:-1]
    assert message_hashes([*messages[:-1], user("another")])[0][-1] != hashes[-1]
