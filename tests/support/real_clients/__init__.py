"""Agents and libraries that people use, run against `lifelong serve` with a scripted model behind it."""
