"""Promised rates and their exact bounds."""

from __future__ import annotations

from lifelong.evals.suites.perception import promise as perception_promise


def test_the_bound_of_a_promise_is_exact() -> None:
    from scipy.stats import hypergeom

    rate, calibrated, counted, rank = 0.2, 19, 30, 16
    above = round(perception_promise._bound(rate, calibrated, counted) * counted)

    def more_than(number: int) -> float:
        # More than `number` of the counted lie above the rank-th calibration score exactly when `rank` calibration scores or more
        # are among the lowest `rank + counted - number - 1` of all.
        return float(hypergeom.sf(rank - 1, calibrated + counted, calibrated, rank + counted - number - 1))

    assert more_than(above) <= 0.05 < more_than(above - 1)
