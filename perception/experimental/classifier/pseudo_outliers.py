"""Outliers made of known samples by corrupting them: near enough to teach a boundary, and at no cost.

Ma et al. 2024, "Towards Trustworthy Dataset Distillation" (TrustDD), https://arxiv.org/abs/2307.09165: pseudo-outliers for images by
jigsaw, inversion, pixelation and speckle; for texts the same idea
with words. All draw from a seed alone (invariant Determinism) and leave their input as it is (invariant Purity).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


def text_outliers(texts: Sequence[str], labels: Sequence[object], seed: int = 0) -> list[str]:
    """One corrupted text for each: words shuffled, half of them dropped, or the first half of it joined to the last half of
    a text of another class. Where there is no other class, words are shuffled instead.

    Raises `ValueError` when the lengths differ.
    """
    if len(texts) != len(labels):
        raise ValueError(f"{len(texts)} texts and {len(labels)} labels; one label a text is needed")
    draw = np.random.default_rng(seed)
    made: list[str] = []
    for text, label in zip(texts, labels, strict=True):
        words = text.split()
        kind = int(draw.integers(3))
        if kind == 0:
            made.append(dropped(words, draw))
        elif kind == 1 and (other := _of_another_class(texts, labels, label, draw)) is not None:
            made.append(spliced(words, other.split()))
        else:
            made.append(shuffled(words, draw))
    return made


def shuffled(words: Sequence[str], draw: np.random.Generator) -> str:
    """The words in another order, where there is one."""
    return " ".join(words[place] for place in draw.permutation(len(words)))


def dropped(words: Sequence[str], draw: np.random.Generator) -> str:
    """Half of the words (rounded up) in their order."""
    kept = np.sort(draw.permutation(len(words))[: (len(words) + 1) // 2])
    return " ".join(words[place] for place in kept)


def spliced(words: Sequence[str], others: Sequence[str]) -> str:
    """The first half of one text (rounded up) and the last half of another (rounded down).

    >>> spliced("what is my balance".split(), "play a song".split())
    'what is song'
    """
    return " ".join([*words[: (len(words) + 1) // 2], *others[(len(others) + 1) // 2 :]])


def _of_another_class(texts: Sequence[str], labels: Sequence[object], label: object, draw: np.random.Generator) -> str | None:
    # Nearly always the first try is of another class; where all are of one, a few tries tell.
    places = [int(place) for place in draw.integers(len(texts), size=16)]
    return next((texts[place] for place in places if labels[place] != label), None)


def image_outliers(images: Tensor, seed: int = 0) -> Tensor:
    """One corrupted image for each of `(n, channels, height, width)` in [0, 1], by a corruption drawn for each."""
    draw = np.random.default_rng(seed)
    corruptions: tuple[Callable[[Tensor, np.random.Generator], Tensor], ...] = (jigsaw, inverted, pixelated, speckled)
    made = images.clone()
    for place, image in enumerate(images):
        made[place] = corruptions[int(draw.integers(len(corruptions)))](image, draw)
    return made


def jigsaw(image: Tensor, draw: np.random.Generator, pieces: int = 4) -> Tensor:
    """`pieces` x `pieces` tiles of an image `(channels, height, width)` in another order; a rest at the edge stays."""
    high, wide = image.shape[1] // pieces, image.shape[2] // pieces
    mixed = image.clone()
    for place, source in enumerate(draw.permutation(pieces * pieces)):
        (to_row, to_column), (row, column) = divmod(place, pieces), divmod(int(source), pieces)
        mixed[:, to_row * high : (to_row + 1) * high, to_column * wide : (to_column + 1) * wide] = image[
            :, row * high : (row + 1) * high, column * wide : (column + 1) * wide
        ]
    return mixed


def inverted(image: Tensor, draw: np.random.Generator) -> Tensor:
    """One minus the image."""
    return 1 - image


def pixelated(image: Tensor, draw: np.random.Generator, size: int = 4) -> Tensor:
    """Means over squares of `size` pixels."""
    from torch.nn.functional import avg_pool2d, interpolate

    coarse = avg_pool2d(image[None], size, ceil_mode=True, count_include_pad=False)
    return interpolate(coarse, scale_factor=size, mode="nearest")[0, :, : image.shape[1], : image.shape[2]]


def speckled(image: Tensor, draw: np.random.Generator, strength: float = 0.5) -> Tensor:
    """Noise in proportion to the brightness: `clip(x + strength x e)`, e standard normal."""
    import torch

    noise = torch.from_numpy(draw.normal(size=tuple(image.shape))).to(image)
    return (image + strength * image * noise).clamp(0, 1)
