"""Clustering baselines, active learning and its query strategies."""
