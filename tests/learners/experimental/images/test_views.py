from __future__ import annotations

import numpy as np
import pytest
import torch

from lifelong.learners.experimental.images.views import checked_images, distorted, network_inputs, shifted, turned, turned_places


def test_shifted_images_are_windows_of_the_padded_one_or_of_its_mirror() -> None:
    image = torch.arange(2 * 5 * 5, dtype=torch.float32).reshape(1, 2, 5, 5) + 1
    padded = torch.nn.functional.pad(image, (4, 4, 4, 4))[0]
    windows = [padded[:, row : row + 5, column : column + 5] for row in range(9) for column in range(9)]
    allowed = {window.numpy().tobytes() for one in windows for window in (one, one.flip(2).contiguous())}
    found = shifted(image.expand(200, -1, -1, -1), np.random.default_rng(0))
    assert found.shape == (200, 2, 5, 5)
    kinds = {one.contiguous().numpy().tobytes() for one in found}
    assert kinds <= allowed
    assert len(kinds) > 60
    torch.testing.assert_close(shifted(image, np.random.default_rng(3)), shifted(image, np.random.default_rng(3)))


def test_inputs_have_channels_first_and_lie_between_minus_two_and_two() -> None:
    pixels = np.zeros((1, 2, 3, 3), dtype=np.uint8)
    pixels[0, 1, 2, 0] = 255
    found = network_inputs(pixels)
    assert found.shape == (1, 3, 2, 3)
    assert found[0, 0, 1, 2] == 2
    assert found.sum() == 2 - 2 * 17
    assert pixels.sum() == 255


def test_turned_golden() -> None:
    image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    found = turned(image.expand(4, -1, -1, -1), torch.arange(4))
    assert found[:, 0].tolist() == [[[1, 2], [3, 4]], [[2, 4], [1, 3]], [[4, 3], [2, 1]], [[3, 1], [4, 2]]]
    assert image.flatten().tolist() == [1, 2, 3, 4]


def test_places_golden() -> None:
    assert turned_places(torch.tensor([0, 1, 2]), torch.tensor([3, 0, 1])).tolist() == [3, 4, 9]


def test_what_is_not_square_cannot_be_turned() -> None:
    with pytest.raises(ValueError, match="2 x 3"):
        turned(torch.zeros(1, 3, 2, 3), torch.ones(1))


def test_distorted_views_differ_keep_their_input_and_follow_the_draw() -> None:
    images = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    before = images.clone()
    first, again, other = (distorted(images, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)
    assert torch.equal(images, before)
    assert torch.isfinite(first).all()


def test_a_uniform_grey_image_stays_uniform_and_grey() -> None:
    found = distorted(torch.full((20, 3, 8, 8), 0.5), np.random.default_rng(0))
    assert (found.amax((1, 2, 3)) - found.amin((1, 2, 3))).max() < 1e-5
    assert found.mean((1, 2, 3)).std() > 0.1


@pytest.mark.parametrize("wrong", [np.zeros((2, 8, 8, 3)), np.zeros((8, 8, 3), np.uint8), np.zeros((2, 3, 8, 8), np.uint8)])
def test_other_arrays_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8 of"):
        checked_images(wrong)


def test_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="one size"):
        checked_images(np.zeros((1, 8, 8, 3), np.uint8), (16, 16, 3))
