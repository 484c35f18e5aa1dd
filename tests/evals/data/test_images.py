"""An archive of images is decoded once, and a damaged one is named."""

from __future__ import annotations

import io
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from lifelong.core import DataMissing
from lifelong.evals.data import images as _images
from lifelong.evals.data.images import CIFAR10, Images, cifar10, read_images

COLOURS = {"bird": (200, 30, 30), "cat": (30, 200, 30)}


def write_archive(file: Path, count: int = 3, splits: tuple[str, ...] = ("train", "test")) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(file, "w") as archive:
        archive.writestr("README", "tiny")
        for split in splits:
            for name, colour in COLOURS.items():
                for number in range(count):
                    content = io.BytesIO()
                    Image.new("RGB", (8, 8), colour).save(content, "JPEG", quality=95)
                    archive.writestr(f"{split}/{name}/{number:04}.jpg", content.getvalue())
    return file


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIFELONG_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_images_are_read_with_the_classes_of_their_folders(cached: Path) -> None:
    names, images = read_images(write_archive(cached / "tiny.zip"), "train")
    assert names == ("bird", "cat")
    assert images.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert (images.pixels.shape, images.pixels.dtype) == ((6, 8, 8, 3), np.uint8)
    np.testing.assert_allclose(images.pixels[0, 4, 4], COLOURS["bird"], atol=6)
    np.testing.assert_allclose(images.pixels[-1, 4, 4], COLOURS["cat"], atol=6)
    assert images.subset(images.labels == 1).labels.tolist() == [1, 1, 1]


def test_they_are_decoded_once_and_another_archive_has_another_place(cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_archive(cached / "tiny.zip")
    first = read_images(file, "test")[1]
    monkeypatch.setattr(_images, "_decoded", lambda *_: pytest.fail("decoded again"))
    np.testing.assert_array_equal(read_images(file, "test")[1].pixels, first.pixels)
    with pytest.raises(pytest.fail.Exception, match="decoded again"):
        read_images(write_archive(cached / "tiny.zip", count=4), "test")


def test_a_data_set_has_both_splits(cached: Path) -> None:
    cifar10.cache_clear()
    write_archive(cached / "data" / CIFAR10)
    found = cifar10(cached / "data")
    assert (found.names, len(found.train), len(found.test)) == (("bird", "cat"), 6, 6)
    assert isinstance(found.test, Images)


def test_what_cannot_be_read_is_named(cached: Path) -> None:
    with pytest.raises(DataMissing, match=r"none\.zip cannot be read"):
        read_images(cached / "none.zip", "train")
    (cached / "broken.zip").write_bytes(b"no archive")
    with pytest.raises(DataMissing, match="fetch it again"):
        read_images(cached / "broken.zip", "train")
    with pytest.raises(DataMissing, match="no images of the split 'test'"):
        read_images(write_archive(cached / "half.zip", splits=("train",)), "test")
    with ZipFile(cached / "spoiled.zip", "w") as archive:
        archive.writestr("train/bird/0000.jpg", b"no picture")
    with pytest.raises(DataMissing, match="cannot be read"):
        read_images(cached / "spoiled.zip", "train")
