"""Outcomes that nobody gave: what the results of tools show, and what the user's next turn says."""
