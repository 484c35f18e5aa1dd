"""A manifest names every file, and whatever differs from it is said."""

from pathlib import Path

import pytest

from lifelong.serving.manifest import MANIFEST, changed_file, is_stamped, read_manifest, write_manifest, write_stamp


def test_every_kind_of_change_is_said(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "sub" / "b.txt").write_text("two")
    write_manifest(tmp_path, {"name": "x"})
    files = read_manifest(tmp_path, ("name",))["files"]
    assert set(files) == {"a.txt", "sub/b.txt"}
    assert changed_file(tmp_path, files, hashes=True) == ""
    assert not is_stamped(tmp_path, files)
    write_stamp(tmp_path, files)
    assert is_stamped(tmp_path, files)
    (tmp_path / "a.txt").write_text("eno")
    assert not is_stamped(tmp_path, files)
    assert changed_file(tmp_path, files, hashes=False) == ""
    assert changed_file(tmp_path, files, hashes=True) == "a.txt has the right size and the wrong SHA-256"
    (tmp_path / "a.txt").write_text("longer")
    assert changed_file(tmp_path, files, hashes=False) == "a.txt has 6 bytes instead of 3"
    (tmp_path / "sub" / "b.txt").unlink()
    (tmp_path / "a.txt").write_text("one")
    assert changed_file(tmp_path, files, hashes=True) == "sub/b.txt is missing"
    assert not is_stamped(tmp_path, files)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"files": []}', '{"files": {"a": 1}}', '{"files": {"/etc/x": {"bytes": 1, "sha256": ""}}}']
)
def test_what_is_no_manifest_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(ValueError, match=r"."):
        read_manifest(tmp_path)
