"""Unlearning requests to networks, compared with retraining."""
