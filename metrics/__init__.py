"""Metrics of continual learning, detection and clustering; statistics over seeds; where results came from."""
