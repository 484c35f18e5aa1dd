from __future__ import annotations

from scripted import ScriptedEngine

from lifelong.agents import Job, RepairStrategy
from lifelong.core import Action
from lifelong.envs import DatabaseEnvironment


def test_a_refused_name_is_repaired_by_likelihood_and_counts_as_a_try() -> None:
    environment = DatabaseEnvironment()
    task = next(t for t in environment.tasks("train", 20) if "SELECT" in environment.demonstrate(t).actions[-1])
    table = task.context.split("(")[0].removeprefix("Table ")
    engine = ScriptedEngine(lambda _: f"SELECT * FROM {table}s_of_mine")
    [run] = RepairStrategy(engine).act([Job(task=task, environment=environment, tries=2)])
    actions = [step.text for step in run.steps if isinstance(step, Action)]
    # The scripted engine finds the first option likeliest, and the table's own name stands first in the context.
    assert actions == [f"SELECT * FROM {table}s_of_mine", f"SELECT * FROM {table}"]
    assert run.outcome.reason == ""
    [once] = RepairStrategy(engine).act([Job(task=task, environment=environment, tries=1)])
    assert len([step for step in once.steps if isinstance(step, Action)]) == 1
