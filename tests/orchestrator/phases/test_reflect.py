"""Reflection in a night."""

from __future__ import annotations

from pathlib import Path

import pytest
from nights import corrected_chats, open_fake


def test_a_reflector_that_fails_costs_its_wording_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(prompt: str) -> str:
        raise OSError("500 Internal Server Error")

    with open_fake(tmp_path, monkeypatch) as learner:
        learner._components.writer = refuses
        corrected_chats(learner, 12)
        [report] = learner.sleep()
        assert report.published
        assert report.lessons > 0
        assert learner.status().faults["reflector"] > 0
