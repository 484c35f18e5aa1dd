from __future__ import annotations

from lifelong.agents import Run
from lifelong.agents.consolidation.contrast.groups import TriedAnswer
from lifelong.agents.consolidation.judged import judged_samples, tried_answer
from lifelong.core import Action, Judge, Observation, Outcome, Task, Usage
from lifelong.envs import DatabaseEnvironment

TASK = Task(id="t", goal="how many?", environment="database", skill="counting")


def test_a_failure_names_the_nearest_success_and_unjudged_answers_are_left_out() -> None:
    attempts = [
        TriedAnswer(answer="SELECT COUNT(*) FROM a", success=True),
        TriedAnswer(answer="DELETE FROM b", success=True),
        TriedAnswer(answer="SELECT COUNT(x) FROM a", success=False, weight=0.5),
        TriedAnswer(answer="?", success=None),
    ]
    found = judged_samples(TASK, attempts)
    assert [(one.success, one.instead, one.weight) for one in found] == [
        (True, "", 1.0),
        (True, "", 1.0),
        (False, "SELECT COUNT(*) FROM a", 0.5),
    ]
    assert {(one.group, one.sample.episode, one.sample.skill) for one in found} == {("t", "t", "counting")}
    assert "how many?" in str(found[0].sample.messages)


def test_a_run_becomes_what_it_answered_and_what_became_of_it() -> None:
    steps = (Observation(text="?"), Action(text="SELECT 1", likelihood=-0.5))
    run = Run(steps=steps, outcome=Outcome(success=False, judge=Judge.ENVIRONMENT), usage=Usage())
    assert tried_answer(run) == TriedAnswer(answer="SELECT 1", success=False, likelihood=-0.5)


def test_with_an_environment_that_previews_the_result_is_known() -> None:
    environment = DatabaseEnvironment()
    [task] = environment.tasks("train", 1)

    def tried(answer: str) -> TriedAnswer:
        steps = (Observation(text="?"), Action(text=answer))
        return tried_answer(Run(steps=steps, outcome=Outcome(success=False, judge=Judge.ENVIRONMENT), usage=Usage()), task, environment)

    assert tried("SELECT 1").result == tried("SELECT 3 - 2").result != ""
    assert tried("SELECT nothing FROM nowhere").result == "", "a refused answer has none"
