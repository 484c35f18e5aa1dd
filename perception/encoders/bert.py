"""`BertModel`: the forward pass of a small BERT with mean pooling, read from its files; the default encoder is one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...numerics.arrays import Vector

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

MODULES = ("Transformer", "Pooling", "Normalize")
"""Modules of a sentence-transformers model that this pass stands for; the last may be missing, since rows are normalised anyway."""
MEAN = "pooling_mode_mean_tokens"
PACKED_FOR = 16
"""Rows, words of a short text, for which a layer's weights are laid out; other numbers of rows cost a little more each."""
HALF = 2**-6
"""By how much a product in bfloat16, of 8 significant bits, may differ, as a share of the largest."""

Linear = Callable[["Tensor"], "Tensor"]


@dataclass(frozen=True, kw_only=True)
class _Layer:
    """One layer, as functions of rows `(n, d)`."""

    attended: Linear
    """Queries, keys and values side by side, `(n, 3 d)`."""
    projected: Linear
    """What the heads say, back in `d` dimensions."""
    widened: Linear
    """The hidden layer, after its GELU."""
    narrowed: Linear
    """Back in `d` dimensions."""
    norms: tuple[Linear, Linear]
    """After attention and after the hidden layer."""


class BertModel:
    """BERT and the mean over its tokens.

    Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers", https://arxiv.org/abs/1810.04805.
    The rows are those of sentence-transformers up to float32 rounding, for half the time on a short text: no module tree is walked,
    and weights lie as oneDNN reads them. Neither that library nor transformers is imported, which takes seconds.
    """

    def __init__(self, path: Path, *, halved: bool = False) -> None:
        """Read a model for which `is_plain_bert` holds. Raises `OSError`, `ValueError`, `KeyError` or `RuntimeError` for damaged files.

        `halved`: linear layers multiply in bfloat16 where the processor has instructions for it, in half the time; what is added up,
        normalised and handed from layer to layer stays float32. Cosines to the float32 rows are at least 0.9999.
        """
        from safetensors.torch import load_file

        settings = json.loads((path / "config.json").read_text(encoding="utf-8"))
        weights = load_file(path / "model.safetensors")
        self.dimensions: int = settings["hidden_size"]
        self._heads: int = settings["num_attention_heads"]
        self._tokenizer = _tokenizer(path, settings["max_position_embeddings"])
        self._words = weights["embeddings.word_embeddings.weight"]
        # The first kind of segment is the only one that a single text has.
        self._places = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
        self._norm = _norm(weights, "embeddings.LayerNorm", settings["layer_norm_eps"])
        numbers = range(settings["num_hidden_layers"])
        linear = _halved if halved and multiplies_halves() else _linear
        self._layers = [_layer(weights, f"encoder.layer.{number}", settings["layer_norm_eps"], linear) for number in numbers]

    def vectors(self, texts: Sequence[str]) -> Vector:
        """Unit rows `(n, d)` of texts, of each as many tokens as the model reads. Thread-safe, and nobody waits for anybody."""
        import torch
        from torch.nn import functional

        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        lengths = torch.tensor([len(one) for one in tokens])
        ids = torch.zeros((len(tokens), int(lengths.max())), dtype=torch.long)
        for row, one in enumerate(tokens):
            ids[row, : len(one)] = torch.tensor(one)
        present = torch.arange(ids.shape[1])[None, :] < lengths[:, None]
        with torch.inference_mode():
            rows = self._forward(ids, None if bool(present.all()) else present)
            # Rows after the end of a text count for nothing.
            means = (rows * present[:, :, None]).sum(1) / lengths[:, None]
            return np.asarray(functional.normalize(means, dim=1).numpy(), dtype=np.float32)

    def _forward(self, ids: Tensor, present: Tensor | None) -> Tensor:
        """Last hidden states `(texts, words, d)`; `present` marks the words that are no padding."""
        from torch.nn import functional

        texts, words = ids.shape
        mask = None if present is None else present[:, None, None, :]
        rows = self._norm(self._words[ids] + self._places[:words]).view(texts * words, self.dimensions)
        for layer in self._layers:
            split = layer.attended(rows).view(texts, words, 3, self._heads, -1).permute(2, 0, 3, 1, 4)
            heard = functional.scaled_dot_product_attention(split[0], split[1], split[2], attn_mask=mask)
            rows = layer.norms[0](rows + layer.projected(heard.transpose(1, 2).reshape(texts * words, self.dimensions)))
            rows = layer.norms[1](rows + layer.narrowed(layer.widened(rows)))
        return rows.view(texts, words, self.dimensions)


def is_plain_bert(path: Path) -> bool:
    """Whether a sentence-transformers model is a BERT with mean pooling and no peculiarity, so that `BertModel` computes the same."""
    settings, pooling = _json(path / "config.json"), _json(path / "1_Pooling" / "config.json")
    modules = [str(module["type"]).rpartition(".")[2] for module in _json(path / "modules.json") or ()]
    usual = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute", "is_decoder": False}
    others = [value for name, value in pooling.items() if name.startswith("pooling_mode_") and name != MEAN]
    return (
        all(settings.get(name, value) == value for name, value in usual.items())
        and "model_type" in settings
        and (path / "model.safetensors").is_file()
        and (path / "tokenizer.json").is_file()
        and tuple(modules) in (MODULES, MODULES[:2])
        and bool(pooling.get(MEAN))
        and not any(others)
        and not _json(path / "sentence_bert_config.json").get("do_lower_case")
        and not _json(path / "config_sentence_transformers.json").get("default_prompt_name")
    )


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _tokenizer(path: Path, most: int) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
    tokenizer.enable_truncation(min(most, _json(path / "sentence_bert_config.json").get("max_seq_length") or most))
    tokenizer.no_padding()
    return tokenizer


def _layer(weights: dict[str, Tensor], name: str, epsilon: float, linear: Callable[..., Linear]) -> _Layer:
    import torch

    parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
    return _Layer(
        attended=linear(*(torch.cat([weights[f"{part}.{kind}"] for part in parts]) for kind in ("weight", "bias"))),
        projected=linear(*_named(weights, f"{name}.attention.output.dense")),
        widened=linear(*_named(weights, f"{name}.intermediate.dense"), gelu=True),
        narrowed=linear(*_named(weights, f"{name}.output.dense")),
        norms=(_norm(weights, f"{name}.attention.output.LayerNorm", epsilon), _norm(weights, f"{name}.output.LayerNorm", epsilon)),
    )


def _named(weights: dict[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]


def _norm(weights: dict[str, Tensor], name: str, epsilon: float) -> Linear:
    from torch.nn import functional

    weight, bias = _named(weights, name)
    return lambda rows: functional.layer_norm(rows, weight.shape, weight, bias, epsilon)


def multiplies_halves() -> bool:
    """Whether the processor multiplies bfloat16 by itself; elsewhere that would be emulated, and slow."""
    import torch

    asked = (getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile"))
    return any(ask is not None and ask() for ask in asked)


def _halved(weight: Tensor, bias: Tensor, *, gelu: bool = False) -> Linear:
    """`_linear` with products and rows `(n, d)` of bfloat16; the one in float32 where there is no such operator."""
    import torch

    exact = _linear(weight, bias, gelu=gelu)
    name, algorithm = ("gelu", "none") if gelu else ("none", "")
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight(weight.bfloat16(), PACKED_FOR)
        apply, offset = torch.ops.mkldnn._linear_pointwise, bias.bfloat16()

        def halved(rows: Tensor) -> Tensor:
            out: Tensor = apply(rows.bfloat16(), packed, offset, name, [], algorithm)
            return out

        example = torch.linspace(-1, 1, 2 * weight.shape[1]).view(2, -1)
        right = exact(example)
        return halved if torch.allclose(halved(example).float(), right, atol=HALF * float(right.abs().max())) else exact
    except (AttributeError, RuntimeError):
        return exact


def _linear(weight: Tensor, bias: Tensor, *, gelu: bool = False) -> Linear:
    """`x W' + b`, then GELU where wanted: by oneDNN with weights in the order in which it reads them, else as it comes."""
    import torch
    from torch.nn import functional

    def plain(rows: Tensor) -> Tensor:
        out = functional.linear(rows, weight, bias)
        return functional.gelu(out) if gelu else out

    name, algorithm = ("gelu", "none") if gelu else ("none", "")
    try:
        # The operators that `torch.compile` puts in the place of a frozen linear layer; they are not in every build.
        packed = torch.ops.mkldnn._reorder_linear_weight(weight, PACKED_FOR)
        apply = torch.ops.mkldnn._linear_pointwise

        def fused(rows: Tensor) -> Tensor:
            out: Tensor = apply(rows, packed, bias, name, [], algorithm)
            return out

        example = torch.linspace(-1, 1, 2 * weight.shape[1]).view(2, -1)
        return fused if torch.allclose(fused(example), plain(example), atol=1e-4) else plain
    except (AttributeError, RuntimeError):
        return plain
