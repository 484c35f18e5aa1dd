"""Public contract checks: what a new head, scorer, engine or environment must fulfil, as functions that raise `AssertionError`."""
