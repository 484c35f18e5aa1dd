"""The forward pass of a small BERT gives what the library gives, for any mixture of lengths; other models are left to the library."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lifelong.perception import MiniLMEncoder
from lifelong.perception.encoders import bert
from lifelong.perception.encoders.bert import BertModel, is_plain_bert

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", *(f"##{letter}" for letter in "abcdefghij")]
TEXTS = ["a b c", "", "x", "a b c d e f g h i j", "[SEP] a", "z z z"]


def write_model(path: Path) -> Path:
    """A BERT with random weights, as sentence-transformers saves one."""
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig
    from transformers import BertModel as Library

    torch.manual_seed(0)
    size = {"hidden_size": 24, "num_attention_heads": 3, "num_hidden_layers": 2, "intermediate_size": 48, "max_position_embeddings": 32}
    Library(BertConfig(vocab_size=len(WORDS), initializer_range=0.5, **size), add_pooling_layer=False).save_pretrained(path)
    BertWordPieceTokenizer(vocab={word: number for number, word in enumerate(WORDS)}).save(str(path / "tokenizer.json"))
    modules = [{"type": f"sentence_transformers.models.{kind}"} for kind in ("Transformer", "Pooling", "Normalize")]
    (path / "modules.json").write_text(json.dumps(modules))
    (path / "1_Pooling").mkdir()
    (path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}))
    (path / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 8}))
    return path


def expected(path: Path) -> np.ndarray:
    import torch
    from tokenizers import Tokenizer
    from transformers import BertModel as Library

    tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
    tokenizer.enable_truncation(8)
    model = Library.from_pretrained(path, add_pooling_layer=False).eval()
    rows = []
    for text in TEXTS:
        with torch.no_grad():
            rows.append(model(torch.tensor([tokenizer.encode(text).ids])).last_hidden_state[0].mean(0).numpy())
    return np.stack([row / np.linalg.norm(row) for row in rows])


@pytest.mark.parametrize("packed", [True, False], ids=["packed weights", "plain weights"])
def test_its_rows_are_those_of_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool) -> None:
    if not packed:

        class Missing:
            def __getattr__(self, name: str) -> object:
                raise AttributeError(name)

        monkeypatch.setattr("torch.ops.mkldnn", Missing())
    path = write_model(tmp_path)
    rows = expected(path)
    model = BertModel(path)
    np.testing.assert_allclose(model.vectors(TEXTS), rows, atol=1e-5)
    np.testing.assert_allclose(np.concatenate([model.vectors([text]) for text in TEXTS]), rows, atol=1e-5)


def test_the_encoder_takes_it_without_importing_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_model(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    assert MiniLMEncoder(path).dimensions == 24
    np.testing.assert_allclose(MiniLMEncoder(path).encode(TEXTS), expected(path), atol=1e-5)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", {"model_type": "mpnet"}),
        ("config.json", {"hidden_act": "relu"}),
        ("config.json", {"position_embedding_type": "relative_key"}),
        ("modules.json", [{"type": "sentence_transformers.models.Transformer"}]),
        ("modules.json", [{"type": f"sentence_transformers.models.{kind}"} for kind in ("Transformer", "Pooling", "Dense")]),
        ("1_Pooling/config.json", {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}),
        ("1_Pooling/config.json", {"pooling_mode_mean_tokens": False}),
        ("sentence_bert_config.json", {"do_lower_case": True}),
        ("config_sentence_transformers.json", {"default_prompt_name": "query"}),
    ],
)
def test_a_model_that_computes_something_else_is_left_to_the_library(tmp_path: Path, file: str, content: object) -> None:
    path = write_model(tmp_path)
    assert is_plain_bert(path)
    known = json.loads((path / file).read_text()) if (path / file).exists() else {}
    (path / file).write_text(json.dumps({**known, **content} if isinstance(content, dict) else content))
    assert not is_plain_bert(path)


def test_packed_weights_are_used_only_where_they_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    weight, bias, rows = torch.randn(4, 3), torch.randn(4), torch.randn(2, 3)
    right = torch.nn.functional.linear(rows, weight, bias)

    class Wrong:
        _reorder_linear_weight = staticmethod(lambda weight, _: weight)
        _linear_pointwise = staticmethod(lambda rows, *_: torch.zeros(len(rows), 4))

    monkeypatch.setattr("torch.ops.mkldnn", Wrong())
    torch.testing.assert_close(bert._linear(weight, bias)(rows), right)


@pytest.mark.parametrize("supported", [True, False])
def test_products_of_half_the_precision_give_nearly_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, supported: bool) -> None:
    """Where the processor has no instructions for them the rows are the exact ones; emulated they would be slow."""
    monkeypatch.setattr(bert, "multiplies_halves", lambda: supported)
    path = write_model(tmp_path)
    rows, exact = BertModel(path, halved=True).vectors(TEXTS), BertModel(path).vectors(TEXTS)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.all((rows * exact).sum(axis=1) > 0.999)
    np.testing.assert_array_equal(BertModel(path, halved=True).vectors(TEXTS), rows)
    alone = np.concatenate([BertModel(path, halved=True).vectors([text]) for text in TEXTS])
    np.testing.assert_allclose(alone, rows, atol=5e-3)
    assert bool(np.any(rows != exact)) is supported


def test_halved_products_are_used_only_where_they_are_nearly_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    weight, bias, rows = torch.randn(4, 3), torch.randn(4), torch.randn(2, 3)
    right = torch.nn.functional.linear(rows, weight, bias)

    class Wrong:
        _reorder_linear_weight = staticmethod(lambda weight, _: weight)
        _linear_pointwise = staticmethod(lambda rows, *_: torch.zeros(len(rows), 4, dtype=rows.dtype))

    monkeypatch.setattr("torch.ops.mkldnn", Wrong())
    torch.testing.assert_close(bert._halved(weight, bias)(rows), right)


@pytest.mark.model
def test_the_default_model_with_halved_products_stays_within_its_tolerance() -> None:
    """What is said of it in `BertModel`."""
    from lifelong.serving import locate

    path = Path(locate("all-minilm-l6-v2"))
    texts = ["hi", "My bicycle is green.", "Which colour has my bicycle?", "SELECT a FROM t WHERE b = 1;", "word " * 130]
    halved, exact = MiniLMEncoder(path, halved=True).encode(texts), MiniLMEncoder(path).encode(texts)
    assert float((halved * exact).sum(axis=1).min()) > 0.9999
    np.testing.assert_allclose(halved @ halved.T, exact @ exact.T, atol=5e-3)
