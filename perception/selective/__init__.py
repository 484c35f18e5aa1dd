"""Selective prediction: thresholds with finite-sample guarantees."""
