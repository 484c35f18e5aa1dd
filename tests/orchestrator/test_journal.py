"""Our own agent's runs: each step is in the record as it happens, and a killed run goes on where it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from scripted import ScriptedEngine, open_scripted
from tickets import next_command

from lifelong.core import Action, Observation, ToolResult, Usage
from lifelong.envs.tools.environment import TicketEnvironment
from lifelong.serving import ChatReply, ChatRequest

AGENT = """
    import json, os, signal, sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from scripted import ScriptedEngine, open_scripted
    from lifelong.core import Task

    folder = Path(sys.argv[1])
    ledger = folder / "ledger"

    class Ledger:
        id, max_steps, max_answer_tokens = "ledger-v1", 200, 8

        def reset(self, *, seed=None, options=None):
            return options["task"].text, {}

        def step(self, action):
            with ledger.open("a") as file:
                file.write(action + "\\n")
            number = len(ledger.read_text().split())
            if number == 151 and not (folder / "killed").exists():
                (folder / "killed").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return f"{action} is done", float(number == 200), number == 200, False, {"error": False, "success": number == 200}

        def restore(self, task, actions):
            done = ledger.read_text().split() if ledger.exists() else []
            return "", float(len(done) == 200), len(done) == 200, False, {"error": False, "success": len(done) == 200}

        def admissible(self): return ()
        def tasks(self, split, count, *, seed=0): return []
        def demonstrate(self, task): raise AssertionError
        def spawn(self): return Ledger()
        def close(self): pass

    def answer(request):
        return f"action-{sum(message['role'] == 'assistant' for message in request.messages)}"

    with open_scripted(folder / "home") as learner:
        learner._components.engine = engine = ScriptedEngine(answer)
        engine.context = 100_000
        task = Task(id="t", goal="work for long", environment="ledger-v1", skill="ledger")
        [episode] = learner.wake_many([task], Ledger(), ids=["long"])
        print(json.dumps({"success": episode.outcome.success, "asked": len(engine.requests)}), flush=True)
"""


@pytest.mark.slow
def test_a_run_that_is_killed_at_step_151_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(AGENT), str(tmp_path), str(Path(__file__).parents[1] / "support")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    killed = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with open_scripted(tmp_path / "home") as learner:
        [run] = learner.runs.open()
        kept = [step for step in run.steps if isinstance(step, ToolResult)]
        assert [step.text for step in kept] == [f"action-{number} is done" for number in range(150)]
        assert run.steps[-1].text == "action-150", "what was about to be done was on disk before it was done"
        assert learner.record.episodes.count() == 0
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    ledger = (tmp_path / "ledger").read_text().split()
    assert ledger == [f"action-{number}" for number in range(200)], "each action once, in order"
    assert json.loads(done.stdout) == {"success": True, "asked": 49}, "no finished step is asked for again"
    with open_scripted(tmp_path / "home") as learner:
        episode = learner.record.episodes.get("long")
        assert episode.outcome.success
        assert len([step for step in episode.steps if isinstance(step, Action)]) == 200
        assert learner.runs.open() == []


class Stops(ScriptedEngine):
    """Fails from the fifth request on."""

    def chat(self, requests: object) -> list[ChatReply]:
        if len(self.requests) >= 4:
            raise RuntimeError("out of order")
        return super().chat(requests)  # type: ignore[arg-type]


def test_a_run_that_the_engine_interrupts_goes_on_under_its_id(tmp_path: Path) -> None:
    environment = TicketEnvironment()
    [task] = environment.tasks("train", 1)
    with open_scripted(tmp_path) as learner:
        learner._components.engine = Stops(next_command)
        with pytest.raises(RuntimeError):
            learner.wake(task, environment, id="mine")
        assert sum(isinstance(step, ToolResult) for step in learner.runs.get("mine").steps) == 4
        learner._components.engine = engine = ScriptedEngine(next_command)
        episode = learner.wake(task, environment, id="mine")
        assert episode.outcome.success
        actions = sum(isinstance(step, Action) for step in episode.steps)
        assert len(engine.requests) == actions - 4
        assert episode.usage == Usage(prompt_tokens=10 * actions, completion_tokens=2 * actions)
        assert learner.wake(task, environment, id="mine") == episode
        assert learner.runs.open() == []


def test_a_run_without_an_id_that_is_interrupted_is_recorded_with_the_reason(tmp_path: Path) -> None:
    environment = TicketEnvironment()
    [task] = environment.tasks("train", 1)
    with open_scripted(tmp_path) as learner:
        learner._components.engine = Stops(next_command)
        with pytest.raises(RuntimeError):
            learner.wake(task, environment)
        [episode] = learner.record.episodes.find()
        assert (episode.outcome.success, episode.outcome.reason) == (None, "the run ended with RuntimeError: out of order")
        assert sum(isinstance(step, ToolResult) for step in episode.steps) == 4
        assert learner.runs.open() == []


def test_single_steps_cost_no_further_transaction(tmp_path: Path) -> None:
    class Short(TicketEnvironment):
        max_steps = 1

    with open_scripted(tmp_path) as learner:
        kept: list[object] = []
        learner.record.open_runs.begin = lambda *values: kept.append(values)  # type: ignore[method-assign, assignment, func-returns-value]
        episodes = learner.wake_many(Short().tasks("train", 3), Short(), ids=["a", "b", "c"])
        assert [len(episode.steps) for episode in episodes] == [4, 4, 4]
        assert kept == []


def test_what_is_erased_while_it_runs_does_not_come_back(tmp_path: Path) -> None:
    environment = TicketEnvironment()
    [task] = environment.tasks("train", 1)
    with open_scripted(tmp_path) as learner:

        def answer(request: ChatRequest) -> str:
            if len(engine.requests) == 4:
                learner.forget(episode="mine")
            return next_command(request)

        learner._components.engine = engine = ScriptedEngine(answer)
        learner.wake(task, environment, id="mine")
        assert learner.record.episodes.count() == 0
        assert learner.runs.open() == []


def test_runs_that_stopped_are_ended(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        from lifelong.core import Task

        run = learner.runs.begin(Task(id="t", goal="g"), id="idle")
        run.act("I begin.")
        assert learner.runs.end_idle(60) == []
        [episode] = learner.runs.end_idle(-1)
        assert (episode.id, episode.outcome.success, episode.outcome.reason) == ("idle", None, "nothing happened for -1 seconds")
        assert isinstance(episode.steps[0], Observation)
