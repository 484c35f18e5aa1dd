from __future__ import annotations

from pathlib import Path

from scripted import open_scripted

from lifelong.memory.recall.fusion import shipped
from lifelong.orchestrator import LifelongLearner
from lifelong.orchestrator.phases.phase import NightContext, Work
from lifelong.orchestrator.phases.recall import LearnRecall, used_questions
from lifelong.orchestrator.run_state import RecallWeights
from tests.memory.sqlite.turns.test_store import said

BIRDS = ("Pip", "Tweedle", "Columbus", "Socrates")


def heard(learner: LifelongLearner) -> None:
    for number, bird in enumerate(BIRDS):
        said(learner.record, f"The bird of house {number} is called {bird}.", id=f"s{number}", session=f"s{number}", created=10.0 + number)
    for number, bird in enumerate(BIRDS):
        asked = f"What is the bird of house {number} called?"
        said(learner.record, asked, id=f"q{number}", session=f"q{number}", answer=f"It is {bird}.", created=50.0 + number)
    learner._components.turns.finish()


def night_of(learner: LifelongLearner) -> NightContext:
    return NightContext(components=learner._components, environments={}, tenant="default")


def test_an_answer_tells_which_turn_it_made_use_of(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        heard(learner)
        found = used_questions(night_of(learner))
        assert len(found) == len(BIRDS), "what nobody answered teaches nothing"
        assert all(one.used.sum() == 1 for one in found)


def test_a_night_keeps_what_it_learned_and_an_erasure_takes_it_away(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        heard(learner)
        assert LearnRecall().due(night_of(learner), Work())
        learner.sleep()
        kept = learner.record.state.get(RecallWeights, tenant="default")
        assert kept is not None
        assert (kept.signals, kept.questions) == ((), len(BIRDS)), "too few to learn from"
        assert learner._components.turns._weights("default") is shipped()
        learner.record.state.put(RecallWeights(tenant="default", signals=(1.0,) * 35, questions=99, gain=0.1, lowest_gain=0.01))
        assert learner._components.turns._weights("default").signals.tolist() == [1.0] * 35
        assert learner._components.turns._weights("somebody") is shipped()
        learner.forget(episode="s0")
        assert learner.record.state.get(RecallWeights, tenant="default") is None


def test_the_switch_turns_it_off_at_once(tmp_path: Path) -> None:
    with open_scripted(tmp_path, **{"memory.learn_recall": False}) as learner:
        heard(learner)
        learner.record.state.put(RecallWeights(tenant="default", signals=(1.0,) * 35, questions=99, gain=0.1, lowest_gain=0.01))
        assert learner._components.turns._weights("default") is shipped()
        assert not LearnRecall().due(night_of(learner), Work())
