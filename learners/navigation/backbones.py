"""Decoders over time behind one interface: a step at a time gives the same as a whole episode at once, with a state of constant size."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn

DecoderState = tuple["Tensor", ...]
"""What a decoder keeps between steps; the first axis of every tensor is the episode."""

WINDOW = 32
"""Steps that the transformer sees back."""
HEADS = 4


class Backbone(Protocol):
    """A module that is called with features `(B, T, D)` and a state, and gives outputs `(B, T, D)` and the state after them."""

    def initial(self, episodes: int) -> DecoderState:
        """The state before the first step of some episodes."""

    def __call__(self, features: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Outputs for further steps, and the state after them."""

    def parameters(self) -> object:
        """Of the module."""


def recurrent(width: int) -> nn.Module:
    """A gated recurrent unit (Cho et al. 2014, https://arxiv.org/abs/1406.1078); state `(B, D)`."""
    import torch
    from torch import nn

    class Recurrent(nn.Module):
        """One layer, with the input added to its output."""

        def __init__(self) -> None:
            super().__init__()
            self.unit = nn.GRU(width, width, batch_first=True)

        def initial(self, episodes: int) -> DecoderState:
            return (torch.zeros(episodes, width),)

        def forward(self, features: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
            outputs, last = self.unit(features, state[0].unsqueeze(0).contiguous())
            return features + outputs, (last[0],)

    return Recurrent()


def transformer(width: int) -> nn.Module:
    """One layer of attention over the last `WINDOW` steps, with a learned bias for each distance.

    State: the steps before, `(B, WINDOW - 1, D)`, and which of them there are, `(B, WINDOW - 1)`.
    Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; biases by distance as in Raffel et al. 2020, https://arxiv.org/abs/1910.10683.
    """
    import torch
    from torch import nn

    class Windowed(nn.Module):
        """Normalised before attention and before the feed-forward layer."""

        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.LayerNorm(width)
            self.mix = nn.Linear(width, 3 * width)
            self.distance = nn.Parameter(torch.zeros(HEADS, WINDOW))
            self.joined = nn.Linear(width, width)
            self.after = _feed_forward(width)

        def initial(self, episodes: int) -> DecoderState:
            return torch.zeros(episodes, WINDOW - 1, width), torch.zeros(episodes, WINDOW - 1)

        def forward(self, features: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
            steps = features.shape[1]
            seen = torch.cat([state[0], features], 1)
            there = torch.cat([state[1], torch.ones(features.shape[:2])], 1)
            query, key, value = (_by_head(part) for part in self.mix(self.norm(seen)).chunk(3, -1))
            scores = query[:, :, -steps:] @ key.transpose(-1, -2) / key.shape[-1] ** 0.5
            # How many steps back each key is from each query; what lies ahead or out of the window is not looked at.
            back = torch.arange(WINDOW - 1, WINDOW - 1 + steps)[:, None] - torch.arange(seen.shape[1])[None]
            allowed = ((back >= 0) & (back < WINDOW))[None] & (there[:, None] > 0)
            scores = scores + self.distance[:, back.clamp(0, WINDOW - 1)]
            weights = scores.masked_fill(~allowed[:, None], float("-inf")).softmax(-1)
            outputs = features + self.joined(_joined(weights @ value))
            return outputs + self.after(outputs), (seen[:, -(WINDOW - 1) :], there[:, -(WINDOW - 1) :])

    return Windowed()


def linear_attention(width: int) -> nn.Module:
    """Attention by a sum over the past; state `(B, heads, d, d)` and `(B, heads, d)`, whatever the episode's length.

    Katharopoulos et al. 2020, "Transformers are RNNs", https://arxiv.org/abs/2006.16236, equations 18 to 20: with phi(x) = elu(x) + 1,
    S_t = S_t-1 + phi(k_t) v_t', z_t = z_t-1 + phi(k_t), y_t = phi(q_t)' S_t / phi(q_t)' z_t.
    """
    import torch
    from torch import nn

    class Linear(nn.Module):
        """Normalised before attention and before the feed-forward layer."""

        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.LayerNorm(width)
            self.mix = nn.Linear(width, 3 * width)
            self.joined = nn.Linear(width, width)
            self.after = _feed_forward(width)

        def initial(self, episodes: int) -> DecoderState:
            size = width // HEADS
            return torch.zeros(episodes, HEADS, size, size), torch.zeros(episodes, HEADS, size)

        def forward(self, features: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
            query, key, value = (_by_head(part) for part in self.mix(self.norm(features)).chunk(3, -1))
            query, key = (nn.functional.elu(part) + 1 for part in (query, key))
            sums = state[0][:, :, None] + (key.unsqueeze(-1) * value.unsqueeze(-2)).cumsum(2)
            totals = state[1][:, :, None] + key.cumsum(2)
            read = (query.unsqueeze(-2) @ sums).squeeze(-2) / (query * totals).sum(-1, keepdim=True)
            outputs = features + self.joined(_joined(read))
            return outputs + self.after(outputs), (sums[:, :, -1], totals[:, :, -1])

    return Linear()


BACKBONES: dict[str, Callable[[int], nn.Module]] = {"gru": recurrent, "transformer": transformer, "linear_attention": linear_attention}
"""Each makes a `Backbone` of a width."""


def _feed_forward(width: int) -> nn.Module:
    from torch import nn

    return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))


def _by_head(rows: Tensor) -> Tensor:
    """`(B, T, D)` to `(B, heads, T, d)`."""
    return rows.reshape(*rows.shape[:-1], HEADS, -1).transpose(1, 2)


def _joined(rows: Tensor) -> Tensor:
    """`(B, heads, T, d)` to `(B, T, D)`."""
    return rows.transpose(1, 2).flatten(-2)
