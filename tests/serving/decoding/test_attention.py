"""Grouped attention computes what the library's own computes, and is chosen only where that is known."""

from __future__ import annotations

from pathlib import Path

from lifelong.serving import EmbeddedEngine
from lifelong.serving.decoding.attention import attention_for


def test_grouped_attention_equals_eager(tiny_model: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    engine = EmbeddedEngine(tiny_model, dtype="float32", device="cpu")
    eager = AutoModelForCausalLM.from_pretrained(tiny_model, attn_implementation="eager")
    tokens, mask = torch.randint(3, 250, (3, 20)), torch.ones(3, 20, dtype=torch.long)
    mask[0, :7] = 0
    assert engine.network.config._attn_implementation == "grouped"
    with torch.no_grad():
        ours, theirs = engine.network(tokens, attention_mask=mask).logits, eager(tokens, attention_mask=mask).logits
    torch.testing.assert_close(ours[mask.bool()], theirs[mask.bool()], atol=1e-5, rtol=1e-5)


def test_an_unknown_architecture_keeps_the_library_s_attention() -> None:
    assert attention_for("llama", "cpu") == "grouped"
    assert attention_for("gemma2", "cpu") == "eager", "its scores are capped"
    assert attention_for("llama", "cuda") == "sdpa"
