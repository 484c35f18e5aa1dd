"""Recall: what the answers of a tenant made use of decides what is put first from now on, where that finds more."""

from __future__ import annotations

import numpy as np

from ...core import Episode
from ...memory.recall.fusion import shipped
from ...memory.recall.search import candidates
from ...memory.recall.signals import signals
from ...memory.recall.use import LearnedRecall, UsedQuestion, learn_from_use, used_turns
from ...memory.turns.passages import Kind
from ..run_state import RecallWeights
from ..skills import CHAT
from .phase import NightContext, Scope, Work

QUESTIONS = 1000
"""Answers learned from, the newest."""


class LearnRecall:
    """Learn the weights of recall from use; where that fails, those before serve on.

    Nothing is kept of single answers: all is computed from the episodes that are there, so that what was erased has no part in it.
    """

    name = "recall"
    scope = Scope.TENANT

    def due(self, night: NightContext, work: Work) -> bool:
        return night.components.settings.memory.learn_recall and night.components.record.turns.count(night.tenant) > 0

    def run(self, night: NightContext, work: Work) -> Work:
        learned = night.components.guarded("recall", lambda: learn_from_use(used_questions(night), shipped()), None)
        if learned is not None:
            night.components.record.state.put(_state(night.tenant, learned))
        return work


def used_questions(night: NightContext) -> list[UsedQuestion]:
    """The newest questions with what their answers, or a person's corrections of them, made use of."""
    components, tenant = night.components, night.tenant
    components.turns.finish()
    found: list[UsedQuestion] = []
    for episode in components.record.episodes.find(tenant=tenant, environment=CHAT, newest_first=True, limit=QUESTIONS):
        night.check()
        if night.out_of_time:
            break
        right = episode.correction or (episode.answer if episode.outcome.success is not False else "")
        if right and (one := _question(night, episode, right)) is not None:
            found.append(one)
    return found


def _question(night: NightContext, episode: Episode, answer: str) -> UsedQuestion | None:
    """The turns of other conversations that the question found when it was asked; None where it found none."""
    turns_of, tenant = night.components.turns, night.tenant
    question = episode.task.goal
    vector = night.components.encoder.encode([question])[0]
    turns, lists = turns_of.gather(question, vector, tenant=tenant, as_of=episode.created)
    turns = [turn for turn in turns if turn.session != (episode.task.session or episode.id) and turn.created <= episode.created]
    if not turns:
        return None
    texts = night.components.record.turns.texts(tenant, [turn.number for turn in turns])
    used = used_turns(question, answer, [texts.get(turn.number, ("", ""))[1] for turn in turns])
    # What the model said elsewhere, and the same question, are no sources of an answer.
    source = np.array([float(turn.kind in (Kind.STATEMENT, Kind.RESULT)) for turn in turns])
    return UsedQuestion(values=signals(candidates(question, vector, turns, lists, episode.created)), used=used * source)


def _state(tenant: str, learned: LearnedRecall) -> RecallWeights:
    return RecallWeights(
        tenant=tenant, signals=learned.signals, questions=learned.questions, gain=learned.gain, lowest_gain=learned.lowest_gain
    )
