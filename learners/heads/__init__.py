"""Heads: classifiers of vectors that learn class after class without the samples of earlier classes."""
