"""A low-rank change of a transformer's feed-forward layers that can be taken off again, or folded into the weights.

Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", https://arxiv.org/abs/2106.09685, equation 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

Blocks = Sequence[Sequence[str]]
"""Names of the linear layers to adapt, block by block."""


def feed_forward_blocks(network: nn.Module) -> tuple[tuple[str, ...], ...]:
    """The feed-forward linear layers of each block of a transformer, such as BERT, ViT or Llama.

    A block is an entry of an outermost module list. Its feed-forward layers are those with its widest side, which is wider than the other.
    Raises `ValueError` where there is none.
    """
    from torch import nn

    lists = [name for name, one in network.named_modules() if isinstance(one, nn.ModuleList)]
    outermost = [name for name in lists if not any(name.startswith(f"{other}.") for other in lists)]
    blocks = []
    for name in outermost:
        for place, block in network.get_submodule(name).named_children():
            sizes = {inner: one.weight.shape for inner, one in block.named_modules() if isinstance(one, nn.Linear)}
            widest = max((max(size) for size in sizes.values()), default=0)
            layers = tuple(f"{name}.{place}.{inner}".rstrip(".") for inner, size in sizes.items() if max(size) == widest > min(size))
            blocks += [layers] if layers else []
    if not blocks:
        raise ValueError(f"{type(network).__name__} has no block with feed-forward linear layers; name the layers with `blocks`")
    return tuple(blocks)


@contextmanager
def low_rank(network: nn.Module, blocks: Blocks, rank: int, seed: int = 0) -> Iterator[list[list[Tensor]]]:
    """While open, layers add `up(down(input))` to what they give; yields each block's matrices: down, up, down, up, ...

    `down` `(rank, in)` is random, `up` `(out, rank)` zero: at first nothing changes. Names must be those of linear layers.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    groups: list[list[Tensor]] = []
    hooks = []
    try:
        for block in blocks:
            groups.append([])
            for layer in (_linear(network, name) for name in block):
                down = (torch.randn(rank, layer.in_features, generator=random) / layer.in_features**0.5).to(layer.weight).requires_grad_()
                up = layer.weight.new_zeros(layer.out_features, rank).requires_grad_()
                groups[-1] += [down, up]
                hooks.append(layer.register_forward_hook(partial(_added, down, up)))
        yield groups
    finally:
        for hook in hooks:
            hook.remove()


def change_norm(group: Sequence[Tensor]) -> float:
    """Frobenius norm of the change of a block's weights."""
    import torch

    with torch.no_grad():
        return sqrt(sum(float((up @ down).square().sum()) for down, up in pairs(group)))


def fold(network: nn.Module, blocks: Blocks, groups: Sequence[Sequence[Tensor]]) -> None:
    """Add the matrices' products to the weights of their layers, in place."""
    import torch

    with torch.no_grad():
        for block, group in zip(blocks, groups, strict=True):
            for name, (down, up) in zip(block, pairs(group), strict=True):
                _linear(network, name).weight.add_(up @ down)


def _added(down: Tensor, up: Tensor, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    from torch.nn.functional import linear

    return output + linear(linear(inputs[0], down), up)


def _linear(network: nn.Module, name: str) -> nn.Linear:
    from torch import nn

    layer = network.get_submodule(name)
    if not isinstance(layer, nn.Linear):
        raise ValueError(f"{name} is a {type(layer).__name__}, no linear layer; leave it out of `blocks`")
    return layer


def pairs(group: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """Of each layer of a block, `down` and `up`."""
    return zip(group[::2], group[1::2], strict=True)
