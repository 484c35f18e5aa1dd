"""Episodes of two skills, flights and recipes, or of four, for a learner that needs no model."""

from __future__ import annotations

from lifelong.core import Action, Episode, Judge, Outcome, Task
from lifelong.orchestrator import LifelongLearner
from lifelong.perception import HashedEncoder

KINDS = {"flights": "book a flight to {} on day {}", "recipes": "write the recipe of {} for {} people"}
THINGS = ("Rome", "Oslo", "Lima", "soup", "cake", "bread", "seven", "green")


def episodes(count: int, tenant: str = "default", start: int = 0) -> list[Episode]:
    made: list[Episode] = []
    for number in range(start, start + count):
        skill = sorted(KINDS)[number % 2]
        task = Task(id=str(number), goal=KINDS[skill].format(THINGS[number % 8], number), tenant=tenant, environment="chat")
        outcome = Outcome(success=number % 3 > 0, score=0.0, judge=Judge.USER)
        made.append(Episode(id=f"{tenant}-{number}", task=task, steps=(Action(text="done"),), outcome=outcome, skill=skill))
    return made


def fill(learner: LifelongLearner, some: list[Episode]) -> None:
    vectors = HashedEncoder().encode([episode.task.text for episode in some])
    learner.record.episodes.record_many(list(zip(some, vectors, strict=True)))


def asked(learner: LifelongLearner, text: str, tenant: str = "default") -> Episode:
    return learner.wake(Task(id=text, goal=text, tenant=tenant, environment="chat"))


def many(count: int, tenant: str = "default", start: int = 0) -> list[Episode]:
    """Episodes of four skills, as many of each."""
    forms = (
        "book a flight to {} on day {}",
        "write the recipe of {} for {} people",
        "is the shop in {} open at {}",
        "play {} at volume {}",
    )
    made: list[Episode] = []
    for number in range(start, start + count):
        kind = number % 4
        task = Task(id=str(number), goal=forms[kind].format(THINGS[number // 4 % 8], number), tenant=tenant, environment="chat")
        outcome = Outcome(success=True, score=1.0, judge=Judge.USER)
        made.append(Episode(id=f"{tenant}-{number}", task=task, steps=(Action(text="done"),), outcome=outcome, skill=f"skill {kind}"))
    return made
