"""Where results come from: commit, version, packages, machine."""

from __future__ import annotations

import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from lifelong.metrics import provenance
from lifelong.metrics.provenance import git_commit, machine, package_versions, source_version


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "file").write_text("a")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_a_commit_and_whether_files_differ_from_it(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    assert git_commit(repository) == source_version(repository) == commit
    (repository / "file").write_text("b")
    assert git_commit(repository) == f"{commit}-modified"


def test_somebody_elses_repository_is_not_our_commit(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = repository / "site-packages" / "lifelong"
    installed.mkdir(parents=True)
    assert git_commit(installed) == ""
    monkeypatch.setattr(provenance, "_PACKAGE", installed)
    monkeypatch.setattr(metadata, "version", {"lifelong": "1.2.3"}.__getitem__)
    assert source_version() == "1.2.3"


def test_no_git_no_commit(tmp_path: Path) -> None:
    assert git_commit(tmp_path) == source_version(tmp_path) == ""


def test_versions_of_what_is_installed() -> None:
    assert set(package_versions(("numpy", "no-such-package"))) == {"python", "numpy"}
    assert "cores" in machine()
