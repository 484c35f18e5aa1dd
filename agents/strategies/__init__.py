"""Ways of running a task: the members of `Strategy`."""

from __future__ import annotations

MEMBERS = {
    "direct": "direct:DirectStrategy",
    "retry": "retry:RetryStrategy",
    "repair": "repair:RepairStrategy",
    "revise": "revise:ReviseStrategy",
    "best_of_n": "best_of_n:BestOfNStrategy",
}
"""Values of `wake.strategy`; each is made with `engine`."""
