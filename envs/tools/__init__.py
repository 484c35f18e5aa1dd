"""Worlds that are worked with tools, over several turns: what a tool says is needed for the next action."""
