"""Vectors of many classes kept as short entropy-coded cues."""
