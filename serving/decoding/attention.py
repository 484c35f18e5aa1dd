"""Grouped-query attention without repeated keys, for inference on a CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_PLAIN = frozenset({"llama", "mistral", "qwen2", "qwen3", "smollm3"})
"""Architectures whose attention is softmax(q k / sqrt(d) + mask) v and nothing else; others may cap or sink their scores."""


def attention_for(model_type: str, device: str) -> str:
    """The name of the fastest attention that computes this architecture rightly on this device."""
    if device != "cpu":
        return "sdpa"
    if model_type not in _PLAIN:
        return "eager"
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    AttentionInterface.register("grouped", grouped_attention)
    AttentionMaskInterface.register("grouped", eager_mask)
    return "grouped"


def grouped_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """What transformers' eager attention computes, with each key read once for all the query heads that share it.

    Shapes: query (batch, heads, length, width), key and value (batch, groups, total, width), mask (batch, 1, length, total);
    returns (batch, length, heads, width). Eager attention first copies every key and value once per query head; without
    the copies a decoding step of SmolLM2 with 16 rows takes about a quarter less processor time. Ainslie et al. 2023,
    "GQA", https://arxiv.org/abs/2305.13245, section 2.2.
    """
    import torch

    batch, heads, length, width = query.shape
    groups, total = key.shape[1], key.shape[2]
    shared = heads // groups
    scores = torch.matmul(query.reshape(batch, groups, shared * length, width), key.transpose(2, 3)) * scaling
    if attention_mask is not None:
        scores = scores.view(batch, groups, shared, length, total) + attention_mask[:, :, None, :, :total]
    weights = scores.softmax(-1, dtype=torch.float32).to(query.dtype).view(batch, groups, shared * length, total)
    weights = torch.nn.functional.dropout(weights, p=dropout, training=module.training)
    return torch.matmul(weights, value).view(batch, heads, length, width).transpose(1, 2).contiguous(), None
