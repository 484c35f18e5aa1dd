"""Running a part of a suite: some of its methods, some of its cases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..core import NothingFound
from ..core.plugins import Point, names
from .results_file import Row


@dataclass(frozen=True, kw_only=True)
class RowFilter:
    """Which rows of a suite are wanted; all of them where nothing is named."""

    methods: tuple[str, ...] = ()
    """Methods as the suite's table names them; where a suite takes members of an extension point, also their names or `module:Class`."""
    cases: tuple[str, ...] = ()
    """A case is wanted if it contains one of these texts, or if it is of a module of the suite with that name."""

    def wants_method(self, method: str) -> bool:
        """Whether a method's rows are wanted."""
        return not self.methods or method in self.methods

    def wants_case(self, case: str) -> bool:
        """Whether a case's rows are wanted."""
        return not self.cases or any(text in case for text in self.cases)

    def wants_any(self, methods: Iterable[str]) -> bool:
        """Whether the rows of one of these methods are wanted."""
        return not self.methods or not set(self.methods).isdisjoint(methods)

    def own(self, point: Point, known: Iterable[str]) -> list[str]:
        """Methods that are named, that no table knows, and that stand for a member of an extension point: its name or `module:Class`."""
        members = {*names(point)}
        return [method for method in self.methods if method not in set(known) and (":" in method or method in members)]

    def within(self, module: str, modules: Iterable[str]) -> RowFilter:
        """What is wanted of a module of the suite: all its cases where it was named, the named cases where no module was."""
        cases = () if module in self.cases else tuple(case for case in self.cases if case not in set(modules))
        return replace(self, cases=cases)

    def rows(self, rows: Iterable[Row]) -> list[Row]:
        """The wanted rows."""
        return [row for row in rows if self.wants_method(row.method) and self.wants_case(row.case)]


ALL_ROWS = RowFilter()


def refuse_empty(rows: Iterable[Row], only: RowFilter, known: Iterable[Row], suite: str) -> None:
    """Raise `NothingFound` where no row is wanted; `known` are the rows of an earlier run, whose names the error lists."""
    if any(True for _ in rows) or only == ALL_ROWS:
        return
    there = list(known)
    methods, cases = (", ".join(dict.fromkeys(names)) for names in ([row.method for row in there], [row.case for row in there]))
    hint = f"; methods: {methods}; cases: {cases}" if there else ""
    wanted = " and ".join(f"{what} {', '.join(names)}" for what, names in (("method", only.methods), ("case", only.cases)) if names)
    raise NothingFound(f"suite {suite} has no row of {wanted}{hint}")
