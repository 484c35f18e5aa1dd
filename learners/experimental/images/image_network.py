"""`image_network`: a small residual network for images of 32 x 32 pixels, where the encoder itself is to be trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


def image_network(classes: int, *, width: int = 64, blocks: Sequence[int] = (2, 2, 2, 2), stride: int = 1, seed: int = 0) -> nn.Sequential:
    """A residual network, untrained: images `(n, 3, height, width)` to logits `(n, classes)`.

    He et al. 2016, "Deep Residual Learning for Image Recognition", https://arxiv.org/abs/1512.03385, in its form for small images: a 3 x
    3 convolution, then
    stages of basic blocks, of which each but the first halves the picture and doubles the channels, then their mean over the
    picture and a linear head. `blocks` counts the blocks of each stage: (2, 2, 2, 2) at width 64 is ResNet-18, (1, 1, 1) at
    width 16 is ResNet-8. A `stride` of 2 in the first convolution makes everything after it cost a quarter. All but the last
    module, `network[:-1]`, gives the features `(n, width * 2 ** (len(blocks) - 1))`. The weights follow from the seed alone
    (invariant Determinism). Raises `ValueError` for no class, no channel, and a stage without a block.
    """
    import torch
    from torch import nn

    if classes < 1 or width < 1 or not blocks or min(blocks) < 1 or stride < 1:
        raise ValueError(f"classes {classes}, width {width}, each of blocks {tuple(blocks)} and stride {stride} must be at least 1")

    class Residual(nn.Module):
        """`relu(f(x) + x)`, f two convolutions; where the shape changes, x goes through a 1 x 1 convolution."""

        def __init__(self, before: int, after: int, stride: int) -> None:
            super().__init__()
            self.change = nn.Sequential(*_convolution(before, after, 3, stride), nn.ReLU(inplace=True), *_convolution(after, after, 3, 1))
            same = before == after and stride == 1
            self.shortcut = nn.Identity() if same else nn.Sequential(*_convolution(before, after, 1, stride))

        def forward(self, inputs: Tensor) -> Tensor:
            return torch.relu_(self.change(inputs) + self.shortcut(inputs))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        modules: list[nn.Module] = [nn.Sequential(*_convolution(3, width, 3, stride), nn.ReLU(inplace=True))]
        before = width
        for stage, count in enumerate(blocks):
            after = width * 2**stage
            for place in range(count):
                modules.append(Residual(before, after, 2 if stage and not place else 1))
                before = after
        modules.append(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
        return nn.Sequential(*modules, nn.Linear(before, classes))


def _convolution(before: int, after: int, size: int, stride: int) -> tuple[nn.Module, nn.Module]:
    """A convolution and its batch norm, which has the bias."""
    from torch import nn

    weights = nn.Conv2d(before, after, size, stride, size // 2, bias=False)
    nn.init.kaiming_normal_(weights.weight, mode="fan_out", nonlinearity="relu")
    return weights, nn.BatchNorm2d(after)
