"""What rests on an episode: the lessons that cite it and the adapters that saw it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from .database import Database, listed

if TYPE_CHECKING:
    from .record import Record


class Closure(NamedTuple):
    """Everything derived from a set of episodes."""

    lessons: tuple[str, ...]
    """Ids of the lessons that cite one of them, sorted."""
    adapters: tuple[str, ...]
    """Names of the adapters that learned from one, from such a lesson, or from a run in whose prompt either was shown; sorted."""


def closure(record: Record, episode_ids: Iterable[str]) -> Closure:
    """What has to go when these episodes go."""
    return derived(record.database, episode_ids)


def derived(database: Database, episodes: Iterable[str], lessons: Iterable[str] = ()) -> Closure:
    """`closure`, starting from episodes and lessons."""
    episodes = list(episodes)
    cite = (
        "SELECT lesson FROM lesson_episodes WHERE episode IN (SELECT value FROM json_each(?)) "
        "UNION SELECT id FROM lessons WHERE id IN (SELECT value FROM json_each(?))"
    )
    found = {lesson for (lesson,) in database.rows(cite, (listed(episodes), listed(lessons)))}
    saw = database.rows(
        """WITH gone AS (SELECT value AS id FROM json_each(?)),
        touched AS (SELECT id FROM gone UNION SELECT episode FROM shown WHERE cited IN gone)
        SELECT adapter FROM adapter_episodes WHERE episode IN touched
        UNION SELECT adapter FROM adapter_lessons WHERE lesson IN gone""",
        (listed({*episodes, *found}),),
    )
    return Closure(lessons=tuple(sorted(found)), adapters=tuple(sorted(adapter for (adapter,) in saw)))


def readers(database: Database, ids: Iterable[str]) -> list[str]:
    """Ids of the episodes in whose prompts one of these episodes or lessons was shown."""
    rows = database.rows("SELECT DISTINCT episode FROM shown WHERE cited IN (SELECT value FROM json_each(?))", (listed(ids),))
    return [episode for (episode,) in rows]
