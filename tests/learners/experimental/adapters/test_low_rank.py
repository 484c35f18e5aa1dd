"""A low-rank change that can be taken off or folded in, and the layers it goes to."""

from __future__ import annotations

import copy

import torch
from made.block_encoder import made
from torch import nn

from lifelong.learners import (
    feed_forward_blocks,
)
from lifelong.learners.experimental.adapters.low_rank import fold, low_rank


def test_a_fresh_adapter_changes_nothing_and_a_folded_one_what_it_did(trained: nn.Sequential) -> None:
    network, names, (inputs, _) = copy.deepcopy(trained).requires_grad_(False), feed_forward_blocks(trained), made(8, 2)
    before = network(inputs)
    with low_rank(network, names, rank=2) as groups:
        torch.testing.assert_close(network(inputs), before)
        for matrix in (matrix for group in groups for matrix in group):
            matrix.data.normal_(0, 0.1, generator=torch.Generator().manual_seed(matrix.numel()))
        during = network(inputs).detach()
    assert torch.equal(network(inputs), before), "closed, it is gone"
    fold(network, names, groups)
    torch.testing.assert_close(network(inputs), during)
    assert not torch.allclose(during, before, atol=1e-3)


def test_feed_forward_blocks_of_bert_vit_and_llama() -> None:
    from transformers import BertConfig, BertModel, LlamaConfig, LlamaModel, ViTConfig, ViTModel

    sizes = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    bert = feed_forward_blocks(nn.Sequential(BertModel(BertConfig(vocab_size=9, **sizes)), nn.Linear(8, 99)))
    assert bert[1] == ("0.encoder.layer.1.intermediate.dense", "0.encoder.layer.1.output.dense")
    llama = feed_forward_blocks(LlamaModel(LlamaConfig(vocab_size=9, num_key_value_heads=1, **sizes)))
    assert llama[0] == ("layers.0.mlp.gate_proj", "layers.0.mlp.up_proj", "layers.0.mlp.down_proj")
    vit = feed_forward_blocks(ViTModel(ViTConfig(image_size=8, patch_size=4, **sizes)))
    assert [len(one) for one in (bert, llama, vit)] == [2, 2, 2]
    assert all(len(block) == 2 for block in vit)
