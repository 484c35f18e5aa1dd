"""Selective prediction, out-of-scope detection, class discovery, queries and label noise."""
