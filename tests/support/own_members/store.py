"""A store that writes down beside its file what every erasure took, in figures."""

from __future__ import annotations

from collections.abc import Iterable

from lifelong.memory import Erased, Record


class AuditedStore(Record):
    """The record, with a line of `erasures.log` for every erasure."""

    def erase(self, episodes: Iterable[str], lessons: Iterable[str] = ()) -> Erased:
        erased = super().erase(episodes, lessons)
        with (self.path.parent / "erasures.log").open("a") as log:
            log.write(f"{erased.episodes} episodes, {len(erased.lessons)} lessons\n")
        return erased
