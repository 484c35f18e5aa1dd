"""The tiny model and its adapters are what other tests take them for."""

from __future__ import annotations

from pathlib import Path


def test_tiny_model_reads_and_writes_every_byte(tiny_model: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    text = "SELECT 'héllo' FROM t;\n"
    ids = tokenizer(text)["input_ids"]
    assert len(ids) == len(text.encode())
    assert tokenizer.decode(ids) == text


def test_tiny_adapter_changes_the_network_unless_zero(tiny_model: Path, tiny_adapter) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    ids = torch.tensor([[5, 6, 7, 8]])

    def logits(adapter=None) -> torch.Tensor:
        network = AutoModelForCausalLM.from_pretrained(tiny_model)
        if adapter is not None:
            network = PeftModel.from_pretrained(network, adapter.path)
        with torch.no_grad():
            return network(ids).logits

    base = logits()
    assert not torch.allclose(base, logits(tiny_adapter("one", seed=1)), atol=1e-2)
    assert torch.allclose(base, logits(tiny_adapter("zero", zero=True)), atol=1e-6)
