"""Tables for a terminal, where they may be drawn, and for a pipe, where a line is a row and no word is broken: `print_tables`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from ..core import printable

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """A table of texts."""

    title: str
    """Printed above it."""
    header: tuple[str, ...]
    """Column names."""
    rows: tuple[tuple[str, ...], ...]
    """Cells, as many in each row as there are columns."""
    left: tuple[int, ...] = (0,)
    """Columns that are aligned to the left, by position; the others hold figures and are aligned to the right."""

    def as_text(self) -> str:
        """Aligned columns, as wide as they need to be; the title is a line that begins with `#`."""
        lines = [tuple(_cell(cell) for cell in line) for line in (self.header, *self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]
        texts = []
        for line in lines:
            cells = (
                cell.ljust(width) if i in self.left else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            texts.append("  ".join(cells).rstrip())
        return "\n".join([f"# {_cell(self.title)}", *texts])

    def as_rich(self) -> Table:
        """The same drawn by rich, which fits it into the terminal's width."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, title=Text(printable(self.title, keep="\n")), title_justify="left")
        for index, name in enumerate(self.header):
            # A figure whose digits are cut off would mislead, so figures are folded where they do not fit.
            table.add_column(Text(printable(name, keep="\n")), justify="left" if index in self.left else "right", overflow="fold")
        for row in self.rows:
            table.add_row(*(Text(printable(cell, keep="\n")) for cell in row))
        return table


def is_terminal(stream: TextIO | None = None) -> bool:
    """Whether what is written to `stream` (standard output unless given) is read on a terminal and not in a file or pipe."""
    return (stream or sys.stdout).isatty()


def print_tables(tables: Iterable[TextTable], notes: Sequence[str] = ()) -> None:
    """Print to standard output: drawn on a terminal, as plain aligned columns elsewhere; then the notes, a line each."""
    drawn = is_terminal()
    for number, table in enumerate(tables):
        if drawn:
            from rich.console import Console

            Console().print(table.as_rich())
        else:
            print(("\n" if number else "") + table.as_text())
    if notes:
        print("\n" * (not drawn) + "\n".join(printable(note, keep="\n") for note in notes))


def _cell(text: str) -> str:
    """The text on one line, so that a row stays a line, and without what a terminal would obey."""
    return printable(text.replace("\n", " "))
