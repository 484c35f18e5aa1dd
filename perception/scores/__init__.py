"""Scores: pure formulas for confidence and novelty, with a class beside each."""
