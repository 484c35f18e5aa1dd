"""Nearest-neighbour index over the recorded vectors, a cache that can be rebuilt."""
