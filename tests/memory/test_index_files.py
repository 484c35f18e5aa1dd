"""Where an index keeps its files."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lifelong.memory.index_files import cache_files, discard


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_name_is_a_file_right_in_the_folder_and_different_ones_do_not_meet(one: str, other: str) -> None:
    folder = Path("index")
    files = cache_files(folder, one)
    assert {file.parent for file in files} == {folder}
    assert (files == cache_files(folder, other)) == (one == other)
    assert len({file.name for file in files}) == 2


def test_a_tenants_files_are_named_by_no_word_of_its_name(tmp_path: Path) -> None:
    assert all("alice" not in file.name for file in cache_files(tmp_path, "alice"))


def test_only_the_files_of_the_named_tenants_go(tmp_path: Path) -> None:
    for tenant in ("a", "b"):
        for file in cache_files(tmp_path, tenant):
            file.touch()
    discard(tmp_path, ["a", "never seen"])
    assert set(tmp_path.iterdir()) == set(cache_files(tmp_path, "b"))
