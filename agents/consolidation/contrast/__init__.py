"""What successes and failures at the same tasks say: which groups are learned from, and where a failure went wrong.

All are pure functions over `TriedAnswer`s, so that a night and a benchmark choose in the same way.
"""
