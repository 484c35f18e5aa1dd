"""Runs that are seen from outside: what is recalled for them, and what is written down of them."""

from __future__ import annotations

from pathlib import Path

from scripted import open_scripted

from lifelong.core import Action, Answer, Observation, Usage
from lifelong.orchestrator.observed import ObservedRequest, Observer

QUESTION = "Which colour has the lid of the vault?"


def asked(*texts: str, tenant: str = "ann") -> ObservedRequest:
    roles = ("user", "assistant")
    turns = tuple({"role": roles[number % 2], "content": text} for number, text in enumerate(texts))
    return ObservedRequest(messages=({"role": "system", "content": "Be brief."}, *turns), tenant=tenant)  # type: ignore[arg-type]


def answer(text: str) -> Answer:
    return Answer(id="x", message={"role": "assistant", "content": text}, usage=Usage(prompt_tokens=3, completion_tokens=2))


def test_a_turn_is_recorded_with_what_came_before_it(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        observer = Observer(learner._components)
        request = asked("Hello", "Hello!", QUESTION)
        prepared = observer.prepare(request)
        assert learner.record.episodes.find() == [], "looking writes nothing"
        with observer.transaction():
            observer.record(request, prepared, answer("It is plum."), prepared.episode)
        [episode] = learner.record.episodes.find()
        assert (episode.id, episode.task.goal, episode.task.instructions) == (prepared.episode, QUESTION, "Be brief.")
        assert episode.task.tenant == "ann"
        assert isinstance(episode.steps[-1], Action)
        assert episode.steps[-1].text == "It is plum."
        assert [step.text for step in episode.steps if isinstance(step, Observation)][-1] == episode.task.text
        assert episode.outcome.success is None
        assert episode.usage == Usage(prompt_tokens=3, completion_tokens=2)


def test_what_was_corrected_is_recalled_beside_the_newest_message_of_the_same_tenant_alone(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        observer = Observer(learner._components)
        first = observer.prepare(asked(QUESTION))
        observer.record(asked(QUESTION), first, answer("It is green."), first.episode)
        learner.feedback(first.episode, success=False, correction="It is plum.", tenant="ann")
        again = observer.prepare(asked("Hello", "Hello!", QUESTION))
        assert list(again.blocks) == [3]
        assert "It is plum." in again.blocks[3]
        assert observer.prepare(asked(QUESTION, tenant="bob")).blocks == {}


def test_a_request_that_goes_on_with_a_tools_result_is_neither_a_task_nor_recorded(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        observer = Observer(learner._components)
        request = ObservedRequest(messages=({"role": "tool", "content": "7", "tool_call_id": "c"},), tenant="ann")
        prepared = observer.prepare(request)
        assert (prepared.plan, prepared.blocks) == (None, {})
        observer.record(request, prepared, answer("Seven."), prepared.episode)
        assert learner.record.episodes.find() == []


def test_an_answer_is_recorded_though_nothing_was_prepared_in_time(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        Observer(learner._components).record(asked(QUESTION), None, answer("It is plum."), "late")
        [episode] = learner.record.episodes.find()
        assert (episode.id, episode.skill, episode.offered) == ("late", "", False)
