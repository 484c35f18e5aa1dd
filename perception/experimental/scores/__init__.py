"""Confidence and novelty scores that are measured beside the ones the product uses."""
