"""Training a LoRA adapter from samples, with peft and trl, into a directory that appears whole or not at all.

Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", https://arxiv.org/abs/2106.09685, equation 3.
"""

from __future__ import annotations

import gc
import hashlib
import json
import math
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from ...core import AdapterRejected, ModelMissing, StoreError
from ...core.extras import require
from ...core.paths import AnyPath
from ...serving import ChatPrompts, adapter_provenance, check_directory, give_back_memory, quiet_transformers, seal_adapter
from .samples import Sample, encode, joined, length_grouped
from .substitution import substitute, vocabulary

TrainingProgress = Callable[[int, int, float], None]
"""Called after every optimiser step with (steps done, steps in all, loss)."""


BATCH = ("input_ids", "attention_mask", "labels")
"""What a training batch holds, each `(n, length)`."""
_SHORT = 512
"""Tokens of rows of which four go through a CPU together."""
REPORT = "training.json"
"""File beside the weights that says how they came about."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides how an adapter comes out, given its samples."""

    base: str
    """Directory of the base model."""
    rank: int = 16
    """LoRA rank; alpha is twice the rank."""
    learning_rate: float = 1e-3
    """Peak learning rate; warmed up over a twentieth of the steps, then cosine to zero."""
    epochs: int = 6
    """Passes over the samples."""
    min_steps: int = 0
    """Fewest optimiser steps; where `epochs` passes are fewer, there are more passes."""
    batch_size: int = 8
    """Samples a step, one for each answer."""
    substitution: float = 0.5
    """Share of composed samples whose copied spans are exchanged anew in each epoch."""
    max_length: int = 1024
    """Most tokens of one sample."""
    seed: int = 0
    """Seed of initialisation, order and substitution."""
    start: str = ""
    """Directory of an adapter to go on from; empty: a fresh one from the base."""


@dataclass(frozen=True, kw_only=True)
class TrainingReport:
    """How a training went."""

    samples: int
    """Samples given."""
    steps: int
    """Optimiser steps."""
    tokens: int
    """Tokens read, padding left out."""
    seconds: float
    """Wall-clock seconds of the training loop."""
    loss: tuple[float, ...]
    """Mean loss of each epoch, in nats a token."""

    @classmethod
    def read(cls, directory: AnyPath) -> TrainingReport:
        """The report that lies in an adapter's directory."""
        directory = Path(directory)
        report = json.loads((directory / REPORT).read_text())["report"]
        return cls(**{**report, "loss": tuple(report["loss"])})


def passes(recipe: Recipe, samples: int) -> int:
    """Passes over so many samples: `epochs`, or more where these would be fewer than `min_steps` steps.

    >>> passes(Recipe(base="", epochs=6, min_steps=30, batch_size=8), 17)
    15
    """
    return max(recipe.epochs, math.ceil(recipe.min_steps * recipe.batch_size / samples))


def made_of(samples: Sequence[Sample], recipe: Recipe, owner: str) -> str:
    """SHA-256 of everything that decides how an adapter comes out, and of whose it is: a directory is trusted by this alone."""
    rows = [{**asdict(sample), "exchangeable": sorted(sample.exchangeable)} for sample in samples]
    return hashlib.sha256(json.dumps([owner, asdict(recipe), rows], sort_keys=True).encode()).hexdigest()


def holds(directory: AnyPath, digest: str) -> bool:
    """Whether a whole adapter lies in `directory` that was made of what `digest` (of `made_of`) names."""
    directory = Path(directory)
    try:
        return adapter_provenance(directory) == digest
    except (AdapterRejected, OSError):
        return False


def train_lora(
    samples: Sequence[Sample], recipe: Recipe, directory: AnyPath, progress: TrainingProgress | None = None, *, provenance: str = ""
) -> TrainingReport:
    """Train an adapter and write it to `directory`, which must not exist; the samples stay as they are (invariant Purity).

    The hash of every file is recorded beside the weights, together with `provenance`, any text that says what the adapter was made
    from; engines compare them before they load it. The same samples, recipe and thread count give the same weights on CPU (invariant
    Determinism).
    Raises `ValueError` without samples or when `directory` exists, `ModelMissing` when the base model is not
    there, `AdapterRejected` when `recipe.start` does not fit, and
    `StoreError` when the adapter cannot be written; then nothing of it is left.
    """
    directory = Path(directory)
    if not samples:
        raise ValueError("an adapter cannot learn from no samples; record verified episodes or corrections first")
    if not Path(recipe.base).is_dir():
        raise ModelMissing(
            f"the weights of {recipe.base!r} are not on this machine, so no adapter can be trained; "
            "set model.engine to 'embedded' or 'vllm' and model.name to a model that `lifelong models list` shows or a directory"
        )
    if directory.exists():
        raise ValueError(f"{directory} exists; adapters are immutable, take a new name")
    require("torch", "transformers", "peft", "datasets", "trl")
    import torch
    from transformers import AutoTokenizer, set_seed

    recipe = replace(recipe, epochs=passes(recipe, len(samples)))
    set_seed(recipe.seed)
    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(recipe.base, trust_remote_code=False)
        rows, size = _rows(samples, recipe, tokenizer)
        model = open_network(recipe, torch)
        started = time.perf_counter()
        losses = _fit(model, rows, replace(recipe, batch_size=size), tokenizer, progress)
    report = TrainingReport(
        samples=len(samples),
        steps=len(losses),
        tokens=sum(len(row["input_ids"]) for row in rows),
        seconds=time.perf_counter() - started,
        loss=_by_epoch(losses, recipe.epochs),
    )
    write_adapter(model, report, recipe, directory, provenance)
    del model
    gc.collect()  # the trainer and its network hold each other
    give_back_memory()
    return report


def _rows(samples: Sequence[Sample], recipe: Recipe, tokenizer: Any) -> tuple[list[dict[str, list[int]]], int]:
    """All epochs laid end to end, each with its own substitutions and order, so that one pass trains them all; and rows a step.

    The turns of a run are read as one row where each goes on from the other, so a step has as many answers as `batch_size` says, and
    fewer rows.
    """
    rng = random.Random(recipe.seed)
    prompts = ChatPrompts(tokenizer)
    words = vocabulary(samples)
    rows: list[dict[str, list[int]]] = []
    size = 0
    for number in range(recipe.epochs):
        # Exercises are plentiful: each pass has others of them, beside all that really happened.
        chosen = [sample for place, sample in enumerate(samples) if not sample.practice or place % recipe.epochs == number]
        varied = [substitute(sample, words, rng) if rng.random() < recipe.substitution else sample for sample in chosen]
        epoch = joined([encode(sample, prompts, recipe.max_length, tokenizer.eos_token_id) for sample in varied])
        if not epoch:
            continue
        size = size or max(1, round(recipe.batch_size * len(epoch) / len(varied)))
        rows += [{"input_ids": ids, "labels": labels} for ids, labels in _ordered(epoch, size, rng)]
    return rows, size


def _ordered(epoch: Sequence[tuple[list[int], list[int]]], size: int, rng: random.Random) -> Iterator[tuple[list[int], list[int]]]:
    """An epoch in random batches of rows of similar length."""
    order = rng.sample(range(len(epoch)), len(epoch))
    grouped = length_grouped([len(ids) for ids, _ in epoch], size, order)
    batches = [grouped[start : start + size] for start in range(0, len(grouped), size)]
    # A short batch in the middle would shift all later ones, so it goes last.
    last = [batches.pop()] if len(batches[-1]) < size else []
    rng.shuffle(batches)
    return (epoch[position] for batch in batches + last for position in batch)


def open_network(recipe: Recipe, torch: Any) -> Any:
    """The base model with a fresh adapter, or with the one that the recipe goes on from. Raises `AdapterRejected`."""
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import AutoModelForCausalLM

    on_gpu = torch.cuda.is_available()
    # The fused attention's backward pass is slow on CPU (a fifth of the step); plain matrix products are not.
    base = AutoModelForCausalLM.from_pretrained(
        recipe.base,
        dtype=precision(torch),
        attn_implementation="sdpa" if on_gpu else "eager",
        device_map="cuda" if on_gpu else None,
        trust_remote_code=False,
        use_safetensors=True,
    )
    if recipe.start:
        check_directory(Path(recipe.start))
        try:
            return PeftModel.from_pretrained(base, recipe.start, is_trainable=True)
        except (ValueError, RuntimeError, OSError) as error:
            raise AdapterRejected(f"cannot go on from {recipe.start}: {error}") from error
    config = LoraConfig(r=recipe.rank, lora_alpha=2 * recipe.rank, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(base, config)


def precision(torch: Any) -> Any:
    """The type that matrix products are fastest in here."""
    if torch.cuda.is_available() or torch.backends.cpu.get_cpu_capability() == "AVX512":
        return torch.bfloat16
    return torch.float32


def _fit(model: Any, rows: list[dict[str, list[int]]], recipe: Recipe, tokenizer: Any, progress: TrainingProgress | None) -> list[float]:
    import tempfile

    import torch
    from datasets import Dataset
    from peft.helpers import disable_input_dtype_casting
    from torch.utils.data import SequentialSampler
    from transformers import PrinterCallback, TrainerCallback
    from trl import SFTTrainer

    losses: list[float] = []
    mixed = precision(torch) is torch.bfloat16

    class Report(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            if logs and "loss" in logs:
                losses.append(float(logs["loss"]))
                if progress:
                    progress(state.global_step, state.max_steps, losses[-1])

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            give_back_memory()

    class InOrder(SFTTrainer):
        def _get_train_sampler(self, *args: Any, **kwargs: Any) -> Any:
            return SequentialSampler(rows)

        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None) -> Any:
            # The trainer's own chunked head works in float32 and for the frozen head's gradient too: half a step on CPU.
            with torch.autocast(inputs["input_ids"].device.type, torch.bfloat16, enabled=mixed):
                loss = answer_loss(model.get_base_model(), **{name: inputs[name] for name in BATCH}, items=num_items_in_batch)
            return (loss, None) if return_outputs else loss

    with tempfile.TemporaryDirectory() as scratch:
        part = (
            rows_at_once(recipe.batch_size, max(len(row["input_ids"]) for row in rows))
            if not torch.cuda.is_available()
            else recipe.batch_size
        )
        config = _configuration(recipe, scratch, part=part, steps=len(rows) // recipe.batch_size, mixed=mixed)
        trainer = InOrder(model=model, args=config, train_dataset=Dataset.from_list(rows), processing_class=tokenizer, callbacks=[Report()])
        trainer.remove_callback(PrinterCallback)
        with disable_input_dtype_casting(model):
            trainer.train()
    return losses


def rows_at_once(batch_size: int, longest: int) -> int:
    """How many rows of a step go through together on a CPU: four are as fast as more, and a long row takes the memory of four short ones.

    The memory of attention grows with the square of the length, so four rows of 512 tokens are one of 1024.

    >>> rows_at_once(8, 300), rows_at_once(6, 300), rows_at_once(8, 700), rows_at_once(8, 4000)
    (4, 3, 2, 1)
    """
    most = max(1, min(4, 4 * _SHORT**2 // longest**2))
    return max(rows for rows in range(1, most + 1) if batch_size % rows == 0)


def _configuration(recipe: Recipe, directory: str, *, part: int, steps: int, mixed: bool) -> Any:
    import torch
    from trl import SFTConfig

    return SFTConfig(
        output_dir=directory,
        per_device_train_batch_size=part,
        gradient_accumulation_steps=recipe.batch_size // part,
        num_train_epochs=1,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=max(1, steps // 20),
        weight_decay=0.0,
        adam_beta2=0.99,
        max_grad_norm=1.0,
        bf16=mixed,
        use_cpu=not torch.cuda.is_available(),
        activation_checkpointing=False,
        gradient_checkpointing=None,  # type: ignore[arg-type]  # the older name, deprecated; its default would be True
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        seed=recipe.seed,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )


def answer_loss(network: Any, input_ids: Any, attention_mask: Any, labels: Any, items: Any = None) -> Any:
    """Mean cross-entropy in nats over the answer's tokens, of a batch `(n, length)`; -100 marks what is not answer.

    Where the batch is a part of a larger one, `items` is the number of answer tokens in the whole. The output head, a
    fifth of a small model's work, is applied to the positions before answer tokens alone.
    """
    from torch.nn.functional import cross_entropy

    hidden = network.base_model(input_ids=input_ids, attention_mask=attention_mask, use_cache=False).last_hidden_state
    targets = labels[:, 1:]
    answered = targets != -100
    logits = network.get_output_embeddings()(hidden[:, :-1][answered])
    return cross_entropy(logits.float(), targets[answered], reduction="sum") / (answered.sum() if items is None else items)


def _by_epoch(losses: Sequence[float], epochs: int) -> tuple[float, ...]:
    bounds = [round(epoch * len(losses) / epochs) for epoch in range(epochs + 1)]
    parts = [losses[low:high] for low, high in pairwise(bounds)]
    return tuple(sum(part) / len(part) for part in parts if part)


def write_adapter(model: Any, report: TrainingReport, recipe: Recipe, directory: Path, provenance: str) -> None:
    """Write beside the target, then rename: a directory of that name is always a whole adapter (invariant Durability)."""
    from safetensors import SafetensorError

    partial = directory.with_name(f".{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        model.save_pretrained(str(partial))
        (partial / REPORT).write_text(json.dumps({"recipe": asdict(recipe), "report": asdict(report)}, indent=1))
        seal_adapter(partial, provenance)
        partial.rename(directory)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StoreError(
            f"adapter {directory.name} could not be written to {directory.parent}: {error}; free disk space and sleep again"
        ) from error
