"""Nothing of one machine, nothing half done."""

from __future__ import annotations

import re
from pathlib import Path

from source_tree import PACKAGES, ROOT, offenders
from source_tree import text as text_of

SUFFIXES = {".py", ".jinja", ".json", ".md", ".sh", ".toml", ".txt"}
FILES = [file for file in sorted(ROOT.iterdir()) if file.is_file() and (file.suffix in SUFFIXES or file.name == "justfile")]
FILES += [
    file
    for package in [*PACKAGES, ROOT / "tests"]
    for file in sorted(package.rglob("*"))
    if file.suffix in SUFFIXES and file != Path(__file__)
]
FILES += [ROOT / ".ci" / "run"]

MACHINE = re.compile(r"(?<![\w.])/(?:root|home|work|opt|mnt|Users)/\w")
REGISTRY = re.compile(r"pythonhosted|\bpypi\.\w|download\.pytorch|artifactory|/simple\b|find-links|\+cpu\b")
HALF_DONE = re.compile(r"\b(?:TODO|FIXME|XXX|NotImplementedError)\b")


def hits(pattern: re.Pattern[str], text: str) -> list[str]:
    """Lines in which the pattern occurs, with their numbers."""
    return [f"{number}: {line.strip()}" for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]


def test_no_file_names_a_machine_or_a_registry_or_something_left_to_do() -> None:
    assert len(FILES) > 500
    assert offenders(FILES, lambda file: [hit for rule in (MACHINE, REGISTRY, HALF_DONE) for hit in hits(rule, text_of(file))]) == {}


def test_the_patterns_see_what_they_forbid() -> None:
    assert hits(MACHINE, "x\nopen('/root/file')\nhttps://example.org/home/page") == ["2: open('/root/file')"]
    assert hits(REGISTRY, "torch==2.13.0+cpu\ntorch==2.13.0") == ["1: torch==2.13.0+cpu"]
    assert hits(HALF_DONE, "raise NotImplementedError\nTodos") == ["1: raise NotImplementedError"]
