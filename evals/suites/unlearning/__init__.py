"""Exact unlearning of analytic heads."""
