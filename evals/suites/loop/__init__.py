"""The whole wake-sleep loop on unseen tasks, against baselines."""
