"""The three arms of the running experiment: treated, control and placebo, drawn by session."""

from __future__ import annotations

import time
from enum import StrEnum

from ...core import Recall, Task
from ...core.settings import Settings
from ...numerics.draws import draw

NEUTRAL = (
    "Water boils sooner on a mountain than at the sea. A week has seven days and most months have thirty or thirty-one. "
    "Bread rises because of yeast, and paper is mostly made from wood. The wind often turns in the evening near a coast. "
    "Many trees lose their leaves in autumn and grow new ones in spring. A circle has no corners, and a square has four of them. "
    "Tea is made from leaves and coffee from roasted seeds. Snow reflects most of the light that falls on it. "
)
"""True sentences that help with no task anybody brings."""


class Arm(StrEnum):
    """What a run is given."""

    TREATED = "treated"
    """Memory and adapter, where there are any."""
    CONTROL = "control"
    """Neither."""
    PLACEBO = "placebo"
    """Neither, and text of equal length in memory's place."""


def arm_of(settings: Settings, task: Task, episode: str) -> Arm:
    """The arm of a task: drawn for its session and day, or for its episode where it has no session.

    Never for its text: a question that was corrected would go on being answered without the correction for ever.
    """
    unit = (task.session, time.strftime("%Y-%m-%d", time.gmtime())) if task.session else (episode,)
    place = draw(settings.seed, "control", task.tenant, *unit)
    if place < settings.wake.control_share:
        return Arm.CONTROL
    # From the other end, so that who is in the control arm does not depend on the share of the placebo.
    return Arm.PLACEBO if place >= 1 - settings.wake.placebo_share else Arm.TREATED


def neutral_text(length: int) -> str:
    """About `length` characters that help nobody, cut between two words.

    >>> neutral_text(30)
    'Water boils sooner on a'
    """
    text = (NEUTRAL * (length // len(NEUTRAL) + 1))[: length + 1]
    return text.rpartition(" ")[0]


def is_placebo(text: str) -> bool:
    """Whether a text that was shown is a placebo."""
    return NEUTRAL[:20] in text


def placebo_of(recall: Recall | None) -> Recall | None:
    """What stands in the place of recalled text in the placebo arm; it cites nothing."""
    text = neutral_text(len(recall.text)) if recall is not None else ""
    return Recall(text=text) if text else None
