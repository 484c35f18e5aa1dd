"""Networks that unlearn: MiniLM with a linear head over intents, SmolLM2 that writes an intent's name; how they are fitted and predict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ....learners.experimental.adapters.low_rank import feed_forward_blocks, low_rank
from ....learners.experimental.unlearning.objectives import IGNORED, sample_losses
from ....serving import locate, quiet_transformers

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

ENCODER = "all-minilm-l6-v2"
LANGUAGE_MODEL = "smollm2-135m-instruct"
PADDING = -1
"""Stands for no token in rows of token numbers."""


@dataclass(frozen=True, kw_only=True)
class TokenizedTexts:
    """Texts as a network reads them."""

    inputs: Tensor
    """Token numbers `(n, length)`, `PADDING` where there is none."""
    labels: Tensor
    """Class numbers `(n,)`, or the tokens of the answer `(n, tokens)`."""
    classes: NDArray[np.int64]
    """Class numbers `(n,)`."""

    def subset(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> TokenizedTexts:
        """Some of them."""
        places = np.arange(len(self.classes))[rows]
        return TokenizedTexts(inputs=self.inputs[places], labels=self.labels[places], classes=self.classes[places])


def intent_classifier(classes: int, device: torch.device) -> nn.Sequential:
    """MiniLM's mean over tokens and a linear layer, zero at first."""
    import torch
    from torch import nn
    from transformers import AutoModel

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            with quiet_transformers():
                self.bert = AutoModel.from_pretrained(
                    locate(ENCODER), dtype=torch.float32, attn_implementation="eager", add_pooling_layer=False, trust_remote_code=False
                )

        def forward(self, tokens: Tensor) -> Tensor:
            tokens = tokens[:, (tokens != PADDING).any(0)]
            there = tokens != PADDING
            states = self.bert(input_ids=tokens.clamp_min(0), attention_mask=there.long()).last_hidden_state
            mean: Tensor = (states * there.unsqueeze(-1)).sum(1) / there.sum(1, keepdim=True)
            return mean

    encoder = Encoder()
    head = nn.Linear(encoder.bert.config.hidden_size, classes)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return nn.Sequential(encoder, head).to(device).eval()


def intent_texts(texts: Sequence[str], classes: NDArray[np.int64], device: torch.device, length: int = 32) -> TokenizedTexts:
    """Texts for `intent_classifier`, padded at their end."""
    import torch

    rows = [ids[:length] for ids in _tokenizer(ENCODER)(list(texts))["input_ids"]]
    inputs = torch.full((len(rows), length), PADDING)
    for place, row in enumerate(rows):
        inputs[place, : len(row)] = torch.tensor(row)
    return TokenizedTexts(inputs=inputs.to(device), labels=torch.from_numpy(classes).to(device), classes=classes)


def intent_writer(device: torch.device, answer: int) -> nn.Sequential:
    """SmolLM2 up to its last layer, at the last `answer` tokens before the end, and that layer."""
    import torch
    from torch import nn
    from transformers import AutoModelForCausalLM

    with quiet_transformers():
        model = AutoModelForCausalLM.from_pretrained(
            locate(LANGUAGE_MODEL),
            dtype=torch.float32,
            attn_implementation="eager" if device.type == "cpu" else "sdpa",
            trust_remote_code=False,
        )

    class States(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model.base_model

        def forward(self, tokens: Tensor) -> Tensor:
            tokens = tokens[:, (tokens != PADDING).any(0)]
            states = self.model(input_ids=tokens.clamp_min(0), attention_mask=(tokens != PADDING).long(), use_cache=False).last_hidden_state
            kept: Tensor = states[:, -answer - 1 : -1]
            return kept

    return nn.Sequential(States(), model.get_output_embeddings()).to(device).eval()


def written_texts(
    texts: Sequence[str], classes: NDArray[np.int64], names: Sequence[str], answer: int, device: torch.device, length: int = 40
) -> TokenizedTexts:
    """Texts and the names of their classes for `intent_writer`: text, colon, name, end; padded before the text, so that all end alike."""
    import torch

    tokenizer = _tokenizer(LANGUAGE_MODEL)
    end = tokenizer.eos_token_id
    written = [[*tokenizer(f" {name.replace('_', ' ')}")["input_ids"][: answer - 1], end] for name in names]
    inputs, labels = torch.full((len(texts), length), PADDING), torch.full((len(texts), answer), IGNORED)
    for place, (text, number) in enumerate(zip(texts, classes, strict=True)):
        name = written[number]
        row = tokenizer(text[:120] + " :")["input_ids"][-(length - answer) :] + name
        inputs[place, length - len(row) :] = torch.tensor(row)
        labels[place, answer - len(name) :] = torch.tensor(name)
    return TokenizedTexts(inputs=inputs.to(device), labels=labels.to(device), classes=classes)


def fine_tune(network: nn.Sequential, material: TokenizedTexts, *, epochs: int, learning_rate: float, seed: int, batch: int = 16) -> None:
    """Train in place all weights but the token vectors: AdamW, linear to zero, bfloat16 products, batches of texts of like length."""
    import torch
    from torch import nn

    network.requires_grad_(True)
    for layer in network.modules():
        if isinstance(layer, nn.Embedding):
            layer.requires_grad_(False)
    head = [one for one in network[-1].parameters() if one.requires_grad]
    body = [one for one in network[:-1].parameters() if one.requires_grad]
    groups = [{"params": body, "factor": 1.0}] + ([{"params": head, "factor": 20.0}] if head else [])
    optimiser = torch.optim.AdamW(groups, lr=learning_rate, fused=True)
    draw = np.random.default_rng(seed)
    order = [rows for _ in range(epochs) for rows in _batches(material, batch, draw)]
    for step, rows in enumerate(order):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate * group["factor"] * (1 - step / len(order))
        with torch.autocast(material.inputs.device.type, torch.bfloat16):
            logits = network(material.inputs[rows])
        loss = sample_losses(logits, material.labels[rows]).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(body + head, 1.0)
        optimiser.step()
    network.requires_grad_(False)


def relearning_steps(network: nn.Sequential, material: TokenizedTexts, limit: int, learning_rate: float = 3e-3) -> int:
    """Steps of a fresh adapter on all the texts until 90 % of them are answered rightly; `limit` where that does not happen earlier."""
    import torch

    names = feed_forward_blocks(network)
    with low_rank(network, names, rank=8) as groups:
        optimiser = torch.optim.AdamW([one for group in groups for one in group], lr=learning_rate)
        for step in range(limit):
            with torch.autocast(material.inputs.device.type, torch.bfloat16):
                logits = network(material.inputs)
            hits = (logits.argmax(-1) == material.labels) | (material.labels == IGNORED)
            if hits.view(len(hits), -1).all(1).float().mean() >= 0.9:
                return step
            optimiser.zero_grad()
            sample_losses(logits, material.labels).mean().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return limit


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What a network predicts for texts."""

    correct: NDArray[np.bool_]
    """Whether every token of the answer, or the class, is the likeliest `(n,)`."""
    losses: NDArray[np.float64]
    """Cross-entropy in nats `(n,)`."""
    chances: NDArray[np.float32]
    """Of each class `(n, classes)`, or of each first token of the answer `(n, tokens)`."""


def predict(network: nn.Sequential, material: TokenizedTexts, batch: int = 64) -> Predictions:
    """Ask all texts."""
    import torch

    lengths = (material.inputs != PADDING).sum(1).cpu().numpy()
    order = np.argsort(lengths, kind="stable")
    parts: list[tuple[Any, Any, Any]] = []
    with torch.no_grad():
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            with torch.autocast(material.inputs.device.type, torch.bfloat16):
                logits = network(material.inputs[rows])
            labels = material.labels[rows]
            hits = (logits.argmax(-1) == labels) | (labels == IGNORED)
            first = logits if labels.dim() == 1 else logits[torch.arange(len(rows)), (labels != IGNORED).int().argmax(1)]
            parts.append((hits.view(len(hits), -1).all(1).cpu(), sample_losses(logits, labels).cpu(), first.float().softmax(-1).cpu()))
    back = np.argsort(order, kind="stable")
    correct, losses, chances = (torch.cat(some).numpy()[back] for some in zip(*parts, strict=True))
    return Predictions(correct=correct, losses=losses.astype(np.float64), chances=chances)


def _batches(material: TokenizedTexts, size: int, draw: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    lengths = (material.inputs != PADDING).sum(1).cpu().numpy()
    order = np.lexsort((draw.random(len(lengths)), lengths))
    starts = draw.permutation(range(0, len(order), size))
    for start in starts:
        yield order[start : start + size]


def _tokenizer(name: str) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(locate(name), trust_remote_code=False)
