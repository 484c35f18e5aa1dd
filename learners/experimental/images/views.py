"""Images as a network reads them, and what chance and turning make of them; all by whole batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

TURNS = 4
"""Quarter turns of an image."""
RED_GREEN_BLUE = (0.299, 0.587, 0.114)
"""Shares of the channels in brightness (ITU-R BT.601)."""


def checked_images(pixels: NDArray[np.uint8], shape: tuple[int, ...] | None = None) -> NDArray[np.uint8]:
    """`pixels` as they are. Raises `ValueError` unless they are uint8 `(n, height, width, 3)`, of this shape `(height, width, 3)`."""
    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3:
        raise ValueError(f"pixels are {pixels.dtype} of the shape {pixels.shape}; uint8 of (n, height, width, 3) is needed")
    if shape is not None and pixels.shape[1:] != shape:
        raise ValueError(f"images have the shape {pixels.shape[1:]}, earlier ones had {shape}; bring all to one size")
    return pixels


def network_inputs(pixels: NDArray[np.uint8]) -> Tensor:
    """`(n, height, width, 3)` as `(n, 3, height, width)`, float32 in [-2, 2], the channels of a place side by side in memory."""
    import torch

    return (torch.from_numpy(np.ascontiguousarray(pixels)).float().div_(63.75).sub_(2)).permute(0, 3, 1, 2)


def shifted(images: Tensor, draw: np.random.Generator, margin: int = 4) -> Tensor:
    """Every image `(n, channels, height, width)` cut out of itself with a margin of zeros, and every other one mirrored, at random."""
    import torch
    from torch.nn.functional import pad

    count, _, height, width = images.shape
    down, right = (torch.from_numpy(draw.integers(2 * margin + 1, size=(count, 1))) for _ in range(2))
    mirrored = torch.from_numpy(draw.integers(2, size=(count, 1))).bool()
    across = torch.arange(width)
    rows, columns = down + torch.arange(height), right + torch.where(mirrored, across.flip(0), across)
    places = [index.to(images.device) for index in (torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :])]
    padded = pad(images, (margin, margin, margin, margin)).permute(0, 2, 3, 1)
    return padded[places[0], places[1], places[2]].permute(0, 3, 1, 2)


def turned(images: Tensor, turns: Tensor) -> Tensor:
    """Every square image `(n, channels, side, side)` turned left by its number of quarter turns, 0 to 3. Raises `ValueError` otherwise."""
    import torch

    if images.shape[2] != images.shape[3]:
        raise ValueError(f"images of {images.shape[2]} x {images.shape[3]} pixels change their shape when turned; cut them square")
    made = images.clone()
    for turn in range(1, TURNS):
        chosen = turns == turn
        made[chosen] = torch.rot90(images[chosen], turn, (2, 3))
    return made


def turned_places(places: Tensor, turns: Tensor) -> Tensor:
    """The column of a class and a turn: K classes become 4 K, class by class (PASS, "label augmentation")."""
    return TURNS * places + turns


def distorted(images: Tensor, draw: np.random.Generator, least: float = 0.3) -> Tensor:
    """A view for self-supervision: a part of the image, scaled up and perhaps mirrored, in other colours or in grey.

    The part has `least` to all of the area; brightness, contrast and saturation change by up to 40 % each, and one image in five
    is grey. After Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations",
    https://arxiv.org/abs/2002.05709, without blur and hue.
    """
    import torch
    from torch.nn.functional import affine_grid, grid_sample

    count = len(images)

    def drawn(low: float, high: float) -> Tensor:
        return torch.from_numpy(draw.uniform(low, high, size=count).astype(np.float32)).to(images.device)

    side = drawn(least, 1).sqrt()
    mirror = torch.where(drawn(-1, 1) < 0, -1.0, 1.0)
    still = torch.zeros_like(side)
    across, down = ((1 - side) * drawn(-1, 1) for _ in range(2))
    lines = torch.stack([side * mirror, still, across, still, side, down], dim=1).view(count, 2, 3)
    grid = affine_grid(lines, list(images.shape), align_corners=False)
    made = grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    brightness, contrast, saturation = (drawn(0.6, 1.4).view(-1, 1, 1, 1) for _ in range(3))
    saturation = torch.where(drawn(0, 1).view(-1, 1, 1, 1) < 0.2, torch.zeros_like(saturation), saturation)
    made = (made + 2) * brightness - 2
    mean = made.mean((1, 2, 3), keepdim=True)
    made = (made - mean) * contrast + mean
    grey = (made * torch.tensor(RED_GREEN_BLUE, device=images.device).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return (made - grey) * saturation + grey
