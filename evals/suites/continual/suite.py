"""`lifelong bench continual`: classes that come one after another; accuracy, bytes and time, ours beside the baselines.

Honesty of the choice: the code and every setting of `lifelong` (cues, kernel, perceptron, for each data set and each budget) were
frozen before the class orders that are measured here (`_class_stream.FIRST_ORDER` and those after it) were run for the first time.
They were chosen on CLINC150's validation split, on fifths of BANKING77's training texts, and on class orders from 2093 on. An earlier
form of the cue head had been settled with test accuracies of the orders 1993 to 1997 in sight. RanPAC's regularisation is chosen on
a held-out fifth of what it has seen; the other baselines' hyper-parameters come from their papers.
Streams on which the encoder trains as well are in `encoders_suite`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ....core import DataMissing
from ...cases import run_cases
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from . import budgets, growth, own

CASES: tuple[str, ...] = (
    "streams",
    "budgets",
    "inversion",
    "peers",
    "wake",
    "regret",
    "growth",
)
"""Modules of this package with `run(*, quick, seeds, data) -> list[Row]`, in the order of the table."""


def run(*, quick: bool, seeds: int, data: Path | None, only: RowFilter = ALL_ROWS, texts: Path | None = None) -> list[Row]:
    """Every case, one after another; each measures its seeds side by side; or the user's own `texts` in the place of all cases.

    Raises `DataMissing` where no data directory is named, and as `read_own_texts`.
    """
    if texts is not None:
        return own.run(quick=quick, seeds=seeds, texts=texts, only=only)
    if data is None:
        raise DataMissing(
            "suite continual reads clinc150 and banking77 (lifelong bench --list); name their directory with --data or LIFELONG_DATA"
        )
    return run_cases(__package__, CASES, quick=quick, seeds=seeds, data=data, only=only)


def plots(rows: Sequence[Row]) -> dict[str, str]:
    """Accuracy against bytes, and the cost of one more class against the number of classes."""
    drawn = {"bytes": budgets.plot(rows), "cost": growth.plot(rows)}
    return {name: one for name, one in drawn.items() if one is not None}
