"""A night with somebody's own phase, held to the contract first."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from nights import corrected_chats, open_fake

from lifelong.checks import check_phase
from lifelong.orchestrator import PHASES, LifelongLearner
from lifelong.orchestrator.phases import NightContext, Work


def state_of(learner: LifelongLearner) -> Any:
    """Every row of the record and every file of the home, once what was said is indexed, which a thread of its own does."""
    learner._components.turns.finish()
    database = learner.record._database
    tables = [name for (name,) in database.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {table: sorted(map(repr, database.rows(f'SELECT * FROM "{table}"'))) for table in tables}, sorted(
        (str(path), path.stat().st_size) for path in learner.settings.home.glob("*.count")
    )


def sleep(name: str) -> None:
    """Check the phase of that name, sleep, and find that it did its work and no other phase was lost."""
    [phase] = [one for one in PHASES if one.name == name]
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder, open_fake(Path(folder), patch) as learner:
        corrected_chats(learner, 12)
        prepared = NightContext(components=learner._components, environments={}, tenant="default"), Work()
        check_phase(phase, lambda: prepared, lambda: state_of(learner))
        kept = Path(folder) / f"default.{name}"
        kept.unlink()
        [report] = learner.sleep()
        assert report.published, report.reason
        assert kept.read_text() == "12"
