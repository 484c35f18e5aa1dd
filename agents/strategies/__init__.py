"""Ways of running a task: the members of `Strategy`."""

from __future__ import annotations

MEMBERS: dict[str, str] = {}
"""Values of `wake.strategy`."""
