"""Fixtures that all tests may use: a tiny random language model and adapters for it, made in seconds without a network."""

from __future__ import annotations

import functools
import gc
import os
import ssl
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from lifelong.core import Adapter

ROOT = Path(__file__).resolve().parents[1]

# Machines are noisy and a first import is slow; how long an example took says nothing about whether it is right.
settings.register_profile("tests", deadline=None)
# For the quick tests (`--hypothesis-profile quick`): the same properties on fewer examples. The slow tests try them on all.
settings.register_profile("quick", deadline=None, max_examples=20)
settings.load_profile("tests")
# What hypothesis remembers between runs lies in the checkout, unless that cannot be written.
if not os.access(ROOT, os.W_OK):
    set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "lifelong-hypothesis")

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def pytest_configure(config: pytest.Config) -> None:
    """Let peft 0.21 ask transformers 5 for an attribute that is deprecated there; nothing of ours can change it."""
    config.addinivalue_line("filterwarnings", "ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[None]:
    """Collect without the garbage collector, and keep what was collected out of its later rounds: modules and tests live to the end.

    Thousands of rewritten modules make many objects and no garbage; looking for some took a third of the collection's time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _certificates_are_read_once() -> Iterator[None]:
    """Every HTTP client reads the authorities' certificates, though all servers here speak plain HTTP; reading takes most of a request."""
    read = ssl.create_default_context
    ssl.create_default_context = functools.cache(read)
    yield
    ssl.create_default_context = read


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a random two-layer Llama (hidden 32) and a byte-level tokenizer, one token a byte."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = special + sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(alphabet)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(special)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token=special[2], pad_token=special[0], chat_template=CHAT_TEMPLATE)
    config = LlamaConfig(
        vocab_size=len(alphabet),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        initializer_range=0.2,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=2,
        pad_token_id=0,
    )
    directory = tmp_path_factory.mktemp("tiny") / "tiny-llama"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def tiny_adapter(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Adapter]:
    """A factory of random adapters for `tiny_model`: `tiny_adapter("lifelong-v0001", rank=4, seed=1)`.

    Both LoRA factors are random, so that every adapter changes the answers; `zero=True` makes one that changes nothing.
    """

    def make(name: str, *, rank: int = 4, seed: int = 0, zero: bool = False, tenant: str = "default") -> Adapter:
        import torch
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM

        from lifelong.serving import seal_adapter

        path = tmp_path_factory.mktemp("adapters") / name
        network = AutoModelForCausalLM.from_pretrained(tiny_model)
        lora = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=zero)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            get_peft_model(network, lora).save_pretrained(path)
        seal_adapter(path)
        return Adapter(name=name, path=str(path), base=str(tiny_model), rank=rank, tenant=tenant)

    return make
