"""Prompt learning on vision-language models for failure and novelty detection."""
