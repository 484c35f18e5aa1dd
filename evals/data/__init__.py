"""Data sets, class streams, seeds and worker pools that the suites share."""
