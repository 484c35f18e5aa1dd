"""`RunJournal`: the steps of our own agent's runs, in the record as they happen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from ..agents import NewSteps
from ..core import Episode, NothingFound, Task
from ..memory import Record
from ..numerics.arrays import Vector


class RunJournal:
    """An `agents.Journal` over the record. A run is opened when the first of its steps is kept."""

    def __init__(self, record: Record, heads: Mapping[str, Callable[[], tuple[Episode, Vector]]], opened: Iterable[str] = ()) -> None:
        """`heads` gives each run's episode without steps, and its embedding, by id; `opened` are those that are open already."""
        self._record = record
        self._heads = heads
        self._opened = set(opened)
        self.erased: set[str] = set()
        """Ids of the runs that were erased while they were under way; of them nothing is kept any more."""

    @property
    def opened(self) -> frozenset[str]:
        """Ids of the runs of which steps were kept."""
        return frozenset(self._opened)

    def keep(self, some: Sequence[NewSteps]) -> None:
        """See `Journal.keep`; all in one transaction."""
        store = self._record.open_runs
        with self._record.transaction():
            for kept in some:
                if kept.run not in self._opened:
                    head, vector = self._heads[kept.run]()
                    store.begin(replace(head, steps=kept.steps, usage=kept.usage), vector)
                    self._opened.add(kept.run)
                elif kept.run not in self.erased:
                    try:
                        store.truncate(kept.run, kept.position)
                        store.append(kept.run, kept.steps, kept.usage)
                    except NothingFound:
                        self.erased.add(kept.run)


def interrupted_runs(record: Record, tasks: Sequence[Task], ids: Sequence[str]) -> dict[str, Episode]:
    """Of the runs that these tasks are to have, those that had begun: their plan and what had happened."""
    begun = record.open_runs.existing(ids)
    runs = [record.open_runs.get(id) for id in ids if id in begun]
    wanted = dict(zip(ids, tasks, strict=True))
    return {run.id: run for run in runs if run.task == wanted[run.id]}
