"""The commands of `lifelong`, a module for each group."""
