"""Heads that are measured beside the ones the product uses."""
