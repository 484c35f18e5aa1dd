"""Every example in a docstring runs."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

from source_tree import SOURCES, module_name, offenders, text

EXAMPLES = [file for file in SOURCES if ">>> " in text(file)]


def failures(file: Path) -> str:
    """What is wrong with a module's examples: those that failed are printed, and a module that shows some must have some."""
    result = doctest.testmod(import_module(module_name(file)), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    return "" if result.attempted and not result.failed else f"{result.failed} of {result.attempted} examples failed"


def test_examples_run() -> None:
    assert offenders(EXAMPLES, failures) == {}
