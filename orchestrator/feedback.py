"""Feedback: a user's verdict on an episode, and the right answer; what says nothing or contradicts itself is refused."""

from __future__ import annotations

from ..core import Episode, MalformedTask, NothingFound, Outcome
from ..core.visible import visible_text
from ..memory import Record
from .components import Components
from .effects import review
from .skills import skill_by_form


def take_feedback(components: Components, episode_id: str, *, tenant: str, outcome: Outcome, correction: str) -> Episode:
    """Judge a recorded episode. See `LifelongLearner.feedback` and `Runs.judge`."""
    record = components.record
    right = visible_text(correction)
    # What is overruled is read where it is overruled, so that two verdicts at once are not both counted as the first.
    with record.transaction():
        mine = record.episodes.get_many([episode_id], tenant=tenant)
        if not mine:
            raise NothingFound(f"tenant {tenant!r} has no episode {episode_id!r}")
        [episode] = mine
        _check(episode, outcome, correction, right)
        if _judged_finally(episode) and right and not outcome.judge.final:
            outcome = episode.outcome
        judged = record.episodes.judge(episode_id, outcome, correction=right)
        record.lessons.credit(episode.lessons, judged.outcome.success, instead_of=episode.outcome.success)
        make_learnable(record, judged)
    judged = record.episodes.get(episode_id)
    review(components, judged)
    return judged


def make_learnable(record: Record, episode: Episode) -> None:
    """Whoever judges an unknown task makes it one worth learning; it waits under the name of its form."""
    if not episode.skill:
        record.episodes.assign([episode.id], skill_by_form(episode.task))
    record.state.mark_changed([episode.id])


def _judged_finally(episode: Episode) -> bool:
    return episode.outcome.judge.final and episode.outcome.success is not None


def _check(episode: Episode, outcome: Outcome, correction: str, right: str) -> None:
    """Raise `MalformedTask` for feedback that says nothing, or two things at once."""
    success, final = outcome.success, outcome.judge.final
    if correction and not right:
        raise MalformedTask("the correction holds nothing that can be seen; send the right answer as text")
    if success is True and right:
        raise MalformedTask("feedback says both that the answer was right and what it should have been; send one of them")
    if success is None and not right:
        raise MalformedTask("feedback must say success true or false, or give a correction")
    if right and right == episode.answer.strip():
        raise MalformedTask("the correction is the very answer that it calls wrong; send success true, or another answer")
    if success is True and not final and not visible_text(episode.answer):
        raise MalformedTask("the answer is empty, so there is nothing to confirm; send the right answer as a correction")
    if right and not final and _judged_finally(episode) and episode.outcome.success:
        raise MalformedTask(f"the {episode.outcome.judge} {episode.task.environment!r} judged the answer right; it cannot be corrected")
