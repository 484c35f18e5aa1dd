"""Small made-up files in the form of CLINC150, BANKING77 and CIFAR-10, and what lets suites run on them in this process."""

from __future__ import annotations

import csv
import importlib
import io
import json
import pkgutil
from concurrent.futures import Future
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

WORDS = [
    a + b for a in ("ba", "de", "fi", "go", "lu", "mi", "no", "pe", "ra", "su") for b in ("ban", "dor", "fel", "gim", "lun", "mar", "nos")
]


def sentence(draw: np.random.Generator, name: str) -> str:
    """A sentence that names its class in most words."""
    return " ".join([*(f"{name}{draw.integers(4)}" for _ in range(4)), *draw.choice(WORDS, 3)])


def write_clinc150(folder: Path, *, train: int = 54, validation: int = 4, test: int = 5) -> None:
    draw = np.random.default_rng(0)
    names = [f"intent{number:03d}" for number in range(150)]
    counts = {"train": train, "val": validation, "test": test}
    plain = {part: [[sentence(draw, name), name] for name in names for _ in range(count)] for part, count in counts.items()}
    for part, count in {"oos_train": 40, "oos_val": 40, "oos_test": 200}.items():
        plain[part] = [[sentence(draw, f"other{number}"), "oos"] for number in range(count)]
    folder.mkdir(parents=True)
    (folder / "data_full.json").write_text(json.dumps(plain))
    (folder / "all_wiki_sents.txt").write_text("\n".join(" ".join(draw.choice(WORDS, 12)) for _ in range(300)))


def write_banking77(folder: Path, *, train: int = 30, test: int = 5) -> None:
    draw = np.random.default_rng(1)
    names = [f"topic{number:02d}" for number in range(77)]
    folder.mkdir(parents=True)
    (folder / "categories.json").write_text(json.dumps(names))
    for part, count in {"train": train, "test": test}.items():
        with (folder / f"{part}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["text", "category"], *([sentence(draw, name), name] for name in names for _ in range(count))])


def write_cifar10(folder: Path, *, train: int = 40, test: int = 20) -> None:
    from PIL import Image

    draw = np.random.default_rng(2)
    folder.mkdir(parents=True)
    with ZipFile(folder / "cifar10_jpeg.zip", "w") as archive:
        for part, count in {"train": train, "test": test}.items():
            for number in range(10 * count):
                pixels = draw.integers(0, 60, (32, 32, 3)) + 19 * (number % 10)
                content = io.BytesIO()
                Image.fromarray(pixels.astype(np.uint8)).save(content, "JPEG")
                archive.writestr(f"{part}/class{number % 10}/{number:04d}.jpg", content.getvalue())


WRITERS = {"clinc150": write_clinc150, "banking77": write_banking77, "cifar10": write_cifar10}


def write_needed(folder: Path, files: tuple[str, ...]) -> Path | None:
    """Write the data sets that hold these files, unless they are there; None where there are no files or one cannot be made."""
    sets = {file.partition("/")[0] for file in files}
    if not sets or not sets <= set(WRITERS):
        return None
    for name in sets:
        if not (folder / name).exists():
            WRITERS[name](folder / name)
    return folder


class InProcess:
    """A pool whose work is done at once in this process, where what a test has exchanged is exchanged."""

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def map(self, function: Any, *arguments: Any) -> Any:
        return map(function, *arguments)

    def submit(self, function: Any, *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*arguments))
        return future


def run_in_process(monkeypatch: Any, cache: Path) -> None:
    """Let every suite work in this process, encode with the hashed encoder, and keep what it decodes and encodes under `cache`."""
    import lifelong.evals.data as shared
    import lifelong.evals.suites as suites
    from lifelong.perception import HashedEncoder

    modules = [
        importlib.import_module(one.name)
        for package in (shared, suites)
        for one in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    for module in modules:
        if hasattr(module, "worker_pool"):
            monkeypatch.setattr(module, "worker_pool", InProcess)
        if hasattr(module, "cache_directory"):
            monkeypatch.setattr(module, "cache_directory", lambda: cache / "models")
        if hasattr(module, "MiniLMEncoder"):
            monkeypatch.setattr(module, "MiniLMEncoder", lambda _: HashedEncoder())
            monkeypatch.setattr(module, "locate", lambda name: name)


@lru_cache
def tiny_sentence_encoder(folder: Path) -> Path:
    """A random two-layer BERT with a byte vocabulary, saved as sentence-transformers saves one."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    alphabet = special + sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={token: place for place, token in enumerate(alphabet)}, merges=[], unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]")
    config = BertConfig(vocab_size=len(alphabet), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
