"""Branches beside convolutions: what is learned later lies in a kernel of its own until it is folded into the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from torch import Tensor, nn


def branched(convolution: nn.Conv2d, size: int) -> nn.Module:
    """A frozen convolution and beside it a new one of a kernel of `size`, at first zero: their sum is what the old one gave.

    Liu et al. 2024, "Branch-Tuning: Balancing Stability and Plasticity for Continual Self-Supervised Learning",
    https://arxiv.org/abs/2403.18266 (reconstructed).
    Raises `ValueError` where `size` is not odd or larger than the old kernel, so that the branch would not fold into it.
    """
    from torch import nn

    whole = convolution.kernel_size[0]
    if size % 2 == 0 or size > whole:
        raise ValueError(f"a branch of {size} x {size} does not fold into a kernel of {whole} x {whole}; it must be odd and no larger")

    class Branched(nn.Module):
        """`old(x) + branch(x)`."""

        def __init__(self) -> None:
            super().__init__()
            self.old = convolution.requires_grad_(False)
            before, after, stride = convolution.in_channels, convolution.out_channels, cast("Any", convolution.stride)
            self.branch = nn.Conv2d(before, after, size, stride, size // 2, bias=False).to(convolution.weight.device)
            nn.init.zeros_(self.branch.weight)

        def forward(self, inputs: Tensor) -> Tensor:
            return cast("Tensor", self.old(inputs) + self.branch(inputs))

    return Branched()


def folded_kernel(kernel: Tensor, branch: Tensor) -> Tensor:
    """One kernel `(out, in, k, k)` for both: the smaller one `(out, in, s, s)` is added to the middle of the larger."""
    from torch.nn.functional import pad

    margin = (kernel.shape[2] - branch.shape[2]) // 2
    return kernel + pad(branch, (margin,) * 4)


def expand(network: nn.Module, size: int = 3) -> nn.Module:
    """Put a branch beside every convolution, in place; one smaller than `size` gets a branch as large as itself."""
    from torch import nn

    for name, child in network.named_children():
        if isinstance(child, nn.Conv2d):
            setattr(network, name, branched(child, min(size, child.kernel_size[0])))
        else:
            expand(child, size)
    return network


def fold(network: nn.Module) -> nn.Module:
    """Fold all branches into their convolutions, in place: the network computes the same and has its old shape, all of it trainable."""
    import torch
    from torch import nn

    for name, child in network.named_children():
        if isinstance(branch := getattr(child, "branch", None), nn.Conv2d):
            old = cast("nn.Conv2d", child.old)
            with torch.no_grad():
                old.weight.copy_(folded_kernel(old.weight, branch.weight))
            setattr(network, name, old.requires_grad_(True))
        else:
            fold(child)
    return network


def freeze_norms(network: nn.Module, *, weights: bool = False) -> None:
    """Batch norms keep their statistics until the next `train()`, and with `weights` their scales and shifts for good."""
    from torch.nn.modules.batchnorm import _BatchNorm

    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.eval()
            module.requires_grad_(not weights)
