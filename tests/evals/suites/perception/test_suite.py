"""The suite of perception: its cases, and what it needs."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

from lifelong.core import DataMissing
from lifelong.evals.suites.perception import suite as module


def test_without_data_it_says_what_to_name() -> None:
    with pytest.raises(DataMissing, match=r"clinc150 and banking77 \(lifelong bench --list\); name their directory"):
        module.run(quick=True, seeds=1, data=None)


@pytest.mark.parametrize("case", module.CASES)
def test_every_case_is_a_module_that_takes_what_the_suite_gives(case: str) -> None:
    run = import_module(f"{module.__package__}.{case}").run
    assert {"quick", "seeds", "data"} <= inspect.signature(run).parameters.keys()
