"""Whether the figures of a quick run are still those that are kept: `changes` says which are not, one line each."""

from __future__ import annotations

import math
import re
from pathlib import Path

from lifelong.evals import Results, Row

FOLDER = Path(__file__).resolve().parents[2] / "evals" / "results" / "quick"
"""A file for each suite: its quick run on made data, as `test_contract` runs and writes it."""
CLOCK = re.compile(r"(^|_)(seconds?|milliseconds|ms|mb)(_|$)|times_faster|resident|in_time")
"""Metrics of this machine's speed and memory: that they are there is compared, and not how large they are."""
ROUNDING = re.compile(r"difference_x1e9$")
"""Metrics of nothing but rounding, which no two processors do alike: they may be ten times as large, and one billionth in any case."""
RATE = re.compile(r"accuracy|auroc|recall|rate|share|success|coverage|fpr|_f1|information|error")
"""Metrics that are fractions, or differences of fractions."""
SAMPLES, RATE_SLACK, RATIO = 2, 0.02, 1.15
"""What another processor's rounding may change: a rate by as many samples and by as much more, another figure by a factor."""


PEERS = ("pytorch_ood", "litellm", "mem0", "langmem")
"""Libraries and servers that are measured where they are installed: rows that name one may be missing."""


def of_peer(row: Row) -> bool:
    return any(peer in row.method + row.metric for peer in PEERS)


def changes(kept: Results, fresh: Results) -> list[str]:
    """Rows that only one of both has, and figures that lie neither in the kept interval nor within what rounding may change."""
    before, after = ({(row.case, row.method, row.metric): row for row in one.results if not of_peer(row)} for one in (kept, fresh))
    found = [f"{'no longer' if key in before else 'not yet'} among the figures: {', '.join(key)}" for key in before.keys() ^ after.keys()]
    for key in before.keys() & after.keys():
        if not CLOCK.search(key[2]) and not agrees(before[key], after[key].value):
            found.append(f"{', '.join(key)}: {after[key].value:.6g}, kept are {before[key].value:.6g} {before[key].ci95 or ''}")
    return sorted(found)


def agrees(kept: Row, value: float) -> bool:
    if math.isnan(kept.value) or math.isnan(value):
        return math.isnan(kept.value) and math.isnan(value)
    if ROUNDING.search(kept.metric):
        return value <= 10 * max(kept.value, 1.0)
    if kept.ci95 is not None and kept.ci95[0] <= value <= kept.ci95[1]:
        return True
    if RATE.search(kept.metric) and abs(kept.value) <= 1:
        return abs(value - kept.value) <= RATE_SLACK + SAMPLES / kept.n
    low, high = sorted((kept.value / RATIO, kept.value * RATIO))
    return low - 1e-3 <= value <= high + 1e-3
