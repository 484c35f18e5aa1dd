"""Contrast failed with successful runs, and write lessons that cite them."""
