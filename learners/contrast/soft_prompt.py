"""A soft prompt in the place of an adapter: a few vectors before the conversation, the model itself frozen."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ...core.extras import require
from ...core.paths import AnyPath
from ...serving import give_back_memory, quiet_transformers
from ..adapters.lora import Recipe
from ..adapters.samples import Sample
from .batch import ContrastObjective
from .guards import Guards
from .rows import JudgedSample
from .training import DEFAULT_GUARDS, ContrastData, ContrastReport, fit, opened, set_seeds

if TYPE_CHECKING:
    from torch import Tensor

LENGTH = 20
"""Vectors: EvoSC's number."""


def train_soft_prompt(
    samples: Sequence[JudgedSample],
    objective: ContrastObjective,
    recipe: Recipe,
    directory: AnyPath,
    *,
    length: int = LENGTH,
    budget: int = 0,
    guards: Guards = DEFAULT_GUARDS,
    probes: Sequence[Sample] = (),
) -> ContrastReport:
    """Train `length` vectors before the prompt and write a whole model that begins every conversation with them.

    EvoSC's parametric consolidation (Yu et al. 2026, "Self-Consolidation for Self-Evolving Agents", https://arxiv.org/abs/2602.01966):
    20 vectors, the model frozen; by prompt tuning (Lester et al. 2021, https://arxiv.org/abs/2104.08691, with vectors drawn from the
    vocabulary to begin with). There a teacher that sees many runs in its context writes the answers; here the environment has confirmed
    them, since a small model cannot read runs. The adapter `recipe.start` is merged into the frozen model.

    Vectors become tokens of the written model's vocabulary, which its chat template puts first: any engine loads it as a model of its
    own. Raises `NothingToLearn`, and `ValueError` where `directory` exists.
    """
    directory = Path(directory)
    if directory.exists():
        raise ValueError(f"{directory} exists; take a new name")
    require("torch", "transformers", "peft")
    set_seeds(recipe.seed)
    found = ContrastData.of(samples, objective, recipe, probes)
    model = PromptedModel(opened(recipe).merge_and_unload(), length)
    report = fit(model, found, objective, recipe, budget=budget, guards=guards, progress=None)
    _write_model(model, recipe, directory)
    del model
    gc.collect()
    give_back_memory()
    return report


class PromptedModel:
    """A frozen network with trainable vectors before whatever it reads, seen as the training loop sees an adapted one."""

    def __init__(self, network: Any, length: int) -> None:
        """The vectors begin as those of `length` tokens drawn from the vocabulary."""
        import torch

        self.network = network
        for parameter in network.parameters():
            parameter.requires_grad_(False)
        vocabulary = network.get_input_embeddings().weight
        drawn = torch.randint(len(vocabulary), (length,), device=vocabulary.device)
        self.vectors = torch.nn.Parameter(vocabulary[drawn].detach().float().clone())
        self.get_output_embeddings = network.get_output_embeddings

    @property
    def device(self) -> Any:
        """Where it computes."""
        return self.network.device

    def parameters(self) -> Iterator[Any]:
        """What is trained."""
        yield self.vectors

    def train(self) -> None:
        """Nothing in the frozen network differs between training and use."""
        self.network.eval()

    eval = train

    def get_base_model(self) -> PromptedModel:
        """Itself: it has no adapter to take away."""
        return self

    def base_model(self, *, input_ids: Tensor, attention_mask: Tensor, use_cache: bool) -> SimpleNamespace:
        """What the network's last layer says at the given positions; the vectors stand before them."""
        import torch

        words = self.network.get_input_embeddings()(input_ids)
        before = self.vectors.to(words.dtype).expand(len(input_ids), -1, -1)
        mask = torch.cat([attention_mask.new_ones(len(input_ids), len(self.vectors)), attention_mask], dim=1)
        read = self.network.base_model(inputs_embeds=torch.cat([before, words], dim=1), attention_mask=mask, use_cache=use_cache)
        return SimpleNamespace(last_hidden_state=read.last_hidden_state[:, len(self.vectors) :])


def _write_model(model: PromptedModel, recipe: Recipe, directory: Path) -> None:
    """Write beside the target, then rename, so that a directory of that name is always a whole model (invariant Durability)."""
    import torch
    from transformers import AutoTokenizer

    partial = directory.with_name(f".{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(recipe.base, trust_remote_code=False)
    names = [f"<|soft_{place}|>" for place in range(len(model.vectors))]
    known = model.network.get_input_embeddings().weight.shape[0]
    tokenizer.add_special_tokens({"additional_special_tokens": names})
    tokenizer.chat_template = "".join(names) + tokenizer.chat_template
    network = model.network
    head = network.get_output_embeddings().weight.detach().clone()
    network.resize_token_embeddings(max(known, len(tokenizer)), mean_resizing=False)
    with torch.no_grad():
        words = network.get_input_embeddings().weight.detach().clone()
        words[tokenizer.convert_tokens_to_ids(names)] = model.vectors.to(words.dtype)
        # A head of its own, so that the vectors are read and never written: their logits are the vocabulary's mean.
        written = head.mean(0, keepdim=True).repeat(len(words), 1)
        written[: len(head)] = head
        network.config.tie_word_embeddings = False
        network.get_input_embeddings().weight = torch.nn.Parameter(words)
        network.get_output_embeddings().weight = torch.nn.Parameter(written)
    network.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    partial.rename(directory)
