"""Training objectives and recipes for classifiers that know when they fail."""
