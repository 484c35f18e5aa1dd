"""Labelled images that suites measure on: CIFAR-10, decoded once a machine."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from ...core import DataMissing
from ...serving import cache_directory

CIFAR10 = "cifar10/cifar10_jpeg.zip"


@dataclass(frozen=True, kw_only=True)
class Images:
    """Images and their classes."""

    pixels: NDArray[np.uint8]
    """`(n, height, width, 3)`."""
    labels: NDArray[np.int64]
    """Class numbers `(n,)`."""

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Images:
        """Some of them, by a mask or by their places."""
        return Images(pixels=self.pixels[rows], labels=self.labels[rows])


@dataclass(frozen=True, kw_only=True)
class ImageData:
    """A data set in its official splits."""

    names: tuple[str, ...]
    """Class names in the order of their numbers."""
    train: Images
    """To learn from."""
    test: Images
    """To be measured on, never chosen with."""


@cache
def cifar10(data: Path) -> ImageData:
    """CIFAR-10, ten classes of 32 x 32 pixels (Krizhevsky 2009), of an archive of JPEG files. Raises as `read_images` does."""
    file = data / CIFAR10
    train, test = read_images(file, "train"), read_images(file, "test")
    if train[0] != test[0]:
        raise DataMissing(f"{file} holds other classes to learn than to test: {train[0]} and {test[0]}; fetch it again")
    return ImageData(names=train[0], train=train[1], test=test[1])


def read_images(file: Path, split: str) -> tuple[tuple[str, ...], Images]:
    """Class names and images of one split of an archive with entries `SPLIT/CLASS/NUMBER.jpg`, all of one size.

    The pixels are decoded once and kept in the cache directory, under the archive's hash. Raises `DataMissing` for no archive,
    for one that cannot be read, and for one without this split.
    """
    try:
        with ZipFile(file) as archive:
            entries = sorted(name for name in archive.namelist() if name.startswith(f"{split}/") and name.endswith(".jpg"))
            names = tuple(sorted({entry.split("/")[1] for entry in entries}))
            if not entries:
                raise DataMissing(f"{file} holds no images of the split {split!r}; fetch it again")
            with file.open("rb") as content:
                key = hashlib.file_digest(content, "sha256").hexdigest()[:24]
            kept = cache_directory().parent / "images" / f"{key}-{split}.npy"
            if not kept.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                draft = kept.with_suffix(".draft.npy")
                np.save(draft, _decoded(archive, entries))
                draft.replace(kept)
    except (OSError, BadZipFile) as error:
        raise DataMissing(f"{file} cannot be read as an archive of images ({error}); fetch it again") from error
    labels = np.array([names.index(entry.split("/")[1]) for entry in entries], dtype=np.int64)
    return names, Images(pixels=np.load(kept), labels=labels)


def _decoded(archive: ZipFile, entries: list[str]) -> NDArray[np.uint8]:
    from PIL import Image

    return np.stack([np.asarray(Image.open(io.BytesIO(archive.read(entry))).convert("RGB")) for entry in entries])


def sample_images(images: Images, classes: NDArray[np.int64], count: int, draw: np.random.Generator) -> Images:
    """So many images of each of these classes, drawn; all of a class where there are fewer."""
    places = [draw.permutation(np.flatnonzero(images.labels == one))[:count] for one in classes]
    return images.subset(np.concatenate(places) if places else np.zeros(0, dtype=np.int64))
