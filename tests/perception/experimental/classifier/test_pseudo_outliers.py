from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lifelong.perception import image_outliers, text_outliers
from lifelong.perception.experimental.classifier.pseudo_outliers import dropped, inverted, jigsaw, pixelated, shuffled, speckled

WORDS = st.lists(st.text("abc", min_size=1, max_size=3), max_size=12)


@given(WORDS, st.integers(0, 99))
def test_shuffling_keeps_the_words_and_dropping_keeps_half_in_order(words: list[str], seed: int) -> None:
    draw = np.random.default_rng(seed)
    assert sorted(shuffled(words, draw).split()) == sorted(words)
    kept = dropped(words, draw).split()
    assert len(kept) == (len(words) + 1) // 2
    rest = iter(words)
    assert all(word in rest for word in kept)


@given(st.lists(st.tuples(st.text(max_size=20), st.integers(0, 2)), max_size=20), st.integers(0, 99))
def test_one_outlier_a_text_and_the_same_again(samples: list[tuple[str, int]], seed: int) -> None:
    texts, labels = [text for text, _ in samples], [label for _, label in samples]
    made = text_outliers(texts, labels, seed)
    assert len(made) == len(texts)
    assert made == text_outliers(texts, labels, seed)


def test_all_three_corruptions_of_texts_happen() -> None:
    texts = ["one two three four", "five six seven eight"] * 30
    made = text_outliers(texts, [0, 1] * 30)
    assert sum(len(text.split()) == 2 for text in made) > 5
    assert sum("two" in text and "seven" in text for text in made) > 5
    assert sum(len(text.split()) == 4 and len({word in "one two three four" for word in text.split()}) == 1 for text in made) > 5
    assert all(len({word in "one two three four" for word in text.split()}) == 1 for text in text_outliers(texts, [0] * 60)[::2])
    with pytest.raises(ValueError, match="one label a text"):
        text_outliers(texts, [0])


def test_corruptions_of_images_golden() -> None:
    draw = np.random.default_rng(0)
    image = torch.arange(16.0).reshape(1, 4, 4) / 15
    assert torch.equal(inverted(image, draw), 1 - image)
    assert torch.allclose(pixelated(image, draw, 2)[0, 0], torch.tensor([2.5, 2.5, 4.5, 4.5]) / 15)
    mixed = jigsaw(image, draw, 2)
    tiles = [mixed[0, row : row + 2, column : column + 2] for row in (0, 2) for column in (0, 2)]
    assert sorted(tile[0, 0].item() * 15 for tile in tiles) == pytest.approx([0, 2, 8, 10])
    torch.testing.assert_close(tiles[0] - tiles[0][0, 0], image[0, :2, :2])
    noisy = speckled(image, draw)
    assert noisy[0, 0, 0] == 0
    assert (noisy - image).abs().max() > 0.1


@pytest.mark.parametrize("shape", [(6, 3, 32, 32), (3, 1, 7, 9), (0, 3, 8, 8)])
def test_image_outliers_keep_shape_range_and_input(shape: tuple[int, ...]) -> None:
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    before = images.clone()
    made = image_outliers(images, seed=3)
    assert made.shape == images.shape
    assert torch.equal(images, before)
    assert torch.equal(made, image_outliers(images, seed=3))
    assert not len(made) or (made.min() >= 0 and made.max() <= 1 and not torch.equal(made, images))
