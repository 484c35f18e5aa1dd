"""Failure and novelty detection on images, where the encoder is trained."""
