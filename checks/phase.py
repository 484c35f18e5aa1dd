"""Contract check for phases of sleep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .failures import asserting

SCOPES = ("tenant", "skill")
"""What one run of a phase may cover."""


@asserting
def check_phase(phase: Any, prepare: Callable[[], tuple[Any, Any]], state: Callable[[], Any]) -> None:
    """Raise `AssertionError` for the first rule of `lifelong.orchestrator.phases.Phase` that a phase breaks.

    `prepare` gives a night and the work before the phase, and may be called again for the same night, as after a crash. `state`
    gives something comparable that changes whenever the record or the files do.
    """
    missing = [name for name in ("name", "scope", "due", "run") if not hasattr(phase, name)]
    assert not missing, f"a phase has every member of the protocol; this one lacks {', '.join(missing)}"
    assert str(phase.name).isidentifier(), f"a phase's name is a word, got {phase.name!r}"
    assert phase.scope in SCOPES, f"{phase.name}: scope is {phase.scope!r}; it must be one of {SCOPES}"
    night, work = prepare()
    before = state()
    due = phase.due(night, work)
    assert isinstance(due, bool), f"{phase.name}: due says True or False, got {due!r}"
    assert phase.due(night, work) is due, f"{phase.name}: due says the same twice"
    assert state() == before, f"{phase.name}: due changes nothing"
    if not due:
        return
    done = phase.run(night, work)
    assert type(done) is type(work), f"{phase.name}: run returns the work with more filled in, got {type(done).__name__}"
    after = state()
    night, work = prepare()
    # A process that dies right after a phase repeats it: what was done is found and kept (invariant Durability).
    again = phase.run(night, work) if phase.due(night, work) else done
    assert state() == after, f"{phase.name}: a second run, as after a crash, changes nothing"
    assert _decision(again) == _decision(done), f"{phase.name}: a second run comes to the same result"


def _decision(work: Any) -> tuple[Any, ...]:
    return getattr(work, "candidate", None), getattr(work, "gate", None), getattr(work, "state", None), getattr(work, "reason", None)
