"""Approximate unlearning of classes from networks."""
