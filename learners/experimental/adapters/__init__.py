"""Encoders trained through low-rank adapters, and ways of merging them."""
