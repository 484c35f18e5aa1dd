"""What a LoRA directory must look like before a server is asked to load it, and the zero adapter."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core import Adapter, AdapterRejected

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"

PLAIN_INITS = frozenset({"gaussian", "eva", "orthogonal", "mica", "lora_ga"})
"""Initialisations after which a saved adapter is an ordinary LoRA; the others move the base weights."""

FOREIGN_FEATURES = {
    "use_dora": "DoRA",
    "lora_bias": "a LoRA bias",
    "alora_invocation_tokens": "activated LoRA",
    "layer_replication": "layer replication",
    "use_bdlora": "block-diagonal LoRA",
    "use_qalora": "QALoRA",
    "modules_to_save": "fully trained modules (modules_to_save)",
}
"""Keys of `adapter_config.json` that vLLM 0.32 cannot serve (`vllm/lora/peft_helper.py`)."""

PROJECTIONS = ("q_proj.weight", "qkv_proj.weight", "query_key_value.weight")
"""Weights that every LoRA server can adapt; the first one found carries the zero adapter."""

INSIDE_A_BLOCK = re.compile(r"\.\d+\..*\.weight$")
"""Weights of numbered blocks."""


@dataclass(frozen=True, kw_only=True)
class Projection:
    """One linear layer of the base model."""

    module: str
    """Its dotted name in the model."""
    outputs: int
    """Rows of its weight."""
    inputs: int
    """Columns of its weight."""


@dataclass(frozen=True, kw_only=True)
class BaseLayers:
    """What of a base model can be adapted."""

    projection: Projection
    """One attention projection, for the zero adapter."""
    names: tuple[str, ...]
    """Last names of the linear layers inside the blocks, such as `q_proj`; embeddings and the output head are not among them."""


@dataclass(frozen=True, kw_only=True)
class AdapterFiles:
    """An adapter directory that passed `check_adapter`."""

    path: Path
    """The directory, absolute."""
    sha256: str
    """Hash of the weights file."""
    projection: Projection
    """One layer that it adapts."""


def check_adapter(adapter: Adapter, *, bases: Collection[str], max_rank: int, layers: Collection[str] = ()) -> AdapterFiles:
    """Read and judge an adapter's files. `bases` are the names of the served base model, `layers` what it adapts (empty: not known).

    Raises `AdapterRejected` when files are missing or damaged, or when base, rank or kind do not fit.
    """
    path = Path(adapter.path).resolve()
    config = _read_config(adapter.name, path)
    for base in (adapter.base, str(config.get("base_model_name_or_path") or adapter.base)):
        if not any(same_model(base, known) for known in bases):
            raise AdapterRejected(
                f"adapter {adapter.name} was trained on {base!r}, the engine serves {sorted(bases)}; train it on this base"
            )
    _check_kind(adapter.name, config)
    rank = _check_rank(adapter, config, max_rank)
    weights = path / WEIGHTS
    modules = _read_weights(adapter.name, weights, None if config.get("rank_pattern") else rank)
    names = {projection.module.rpartition(".")[2] for projection in modules}
    if layers and not names <= set(layers):
        raise AdapterRejected(f"adapter {adapter.name} adapts {sorted(names - set(layers))}, the engine only {sorted(layers)}; train these")
    with weights.open("rb") as file:
        return AdapterFiles(path=path, sha256=hashlib.file_digest(file, "sha256").hexdigest(), projection=modules[0])


def zero_adapter(parent: Path, projection: Projection, base: str) -> Path:
    """A LoRA whose B is zero, so that serving it is serving the base. Written once under `parent`; returns its directory.

    One adapted layer is enough: layers that an adapter does not name are left alone.
    """
    from numpy import float32, zeros
    from safetensors.numpy import save_file

    key = f"{base}\n{projection.module}\n{projection.outputs}x{projection.inputs}"
    target = (parent / f".base-null-{hashlib.sha256(key.encode()).hexdigest()[:12]}").resolve()
    if target.is_dir():
        return target
    parent.mkdir(parents=True, exist_ok=True)
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": 1,
        "lora_alpha": 1,
        "bias": "none",
        "target_modules": [projection.module.rpartition(".")[2]],
    }
    prefix = f"base_model.model.{projection.module}"
    with tempfile.TemporaryDirectory(dir=parent, prefix=".base-null-") as scratch:
        draft = Path(scratch) / "adapter"
        draft.mkdir()
        (draft / CONFIG).write_text(json.dumps(config, indent=2))
        save_file(
            {
                f"{prefix}.lora_A.weight": zeros((1, projection.inputs), dtype=float32),
                f"{prefix}.lora_B.weight": zeros((projection.outputs, 1), dtype=float32),
            },
            draft / WEIGHTS,
        )
        try:
            os.rename(draft, target)
        except OSError:
            if not target.is_dir():  # else: another process finished the same directory first
                raise
    return target


def read_base(model: Path) -> BaseLayers | None:
    """The linear layers of a base model, from the headers of its weight files; None when a zero adapter fits none of them."""
    from safetensors import safe_open

    shapes: dict[str, list[int]] = {}
    for file in sorted(model.glob("*.safetensors")):
        with safe_open(file, framework="numpy") as weights:
            shapes |= {key: weights.get_slice(key).get_shape() for key in weights.keys()}  # noqa: SIM118 (not a mapping)
    linear = [key for key, shape in sorted(shapes.items()) if INSIDE_A_BLOCK.search(key) and len(shape) == 2]
    first = next((key for key in linear if key.endswith(PROJECTIONS)), None)
    if first is None:
        return None
    projection = Projection(module=first.removesuffix(".weight"), outputs=shapes[first][0], inputs=shapes[first][1])
    return BaseLayers(projection=projection, names=tuple(sorted({key.split(".")[-2] for key in linear})))


def projection_of(path: Path) -> Projection | None:
    """A layer that a saved adapter names; None when the directory cannot be read as one."""
    try:
        return _read_weights(path.name, path / WEIGHTS, None)[0]
    except AdapterRejected:
        return None


def same_model(one: str, other: str) -> bool:
    """Whether two names mean one model: it may be recorded as a hub id, as a directory or as a plain name."""
    return one.rstrip("/").rpartition("/")[2].casefold() == other.rstrip("/").rpartition("/")[2].casefold()


def _read_config(name: str, path: Path) -> dict[str, Any]:
    try:
        config = json.loads((path / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AdapterRejected(f"adapter {name}: {path / CONFIG} cannot be read ({error}); publish a directory that peft saved") from error
    if not isinstance(config, dict) or str(config.get("peft_type")).upper() != "LORA":
        raise AdapterRejected(f"adapter {name} is not a LoRA; only LoRA adapters can be served")
    return config


def _check_kind(name: str, config: dict[str, Any]) -> None:
    found = [words for key, words in FOREIGN_FEATURES.items() if config.get(key)]
    if config.get("bias", "none") != "none":
        found.append(f"bias={config['bias']!r}")
    init = config.get("init_lora_weights", True)
    if isinstance(init, str) and init.lower() not in PLAIN_INITS:
        found.append(f"init_lora_weights={init!r}, which moves the base weights")
    if found:
        raise AdapterRejected(f"adapter {name} uses {', '.join(found)}; the server knows plain LoRA only, so convert or retrain it")


def _check_rank(adapter: Adapter, config: dict[str, Any], max_rank: int) -> int:
    ranks = [config.get("r"), *(config.get("rank_pattern") or {}).values()]
    if not all(isinstance(rank, int) and rank > 0 for rank in ranks):
        raise AdapterRejected(f"adapter {adapter.name} has ranks {ranks}; they must be positive whole numbers")
    if max(ranks) > max_rank:
        raise AdapterRejected(
            f"adapter {adapter.name} has rank {max(ranks)}, the engine serves at most {max_rank}; start it with a higher limit"
        )
    if adapter.rank != ranks[0]:
        raise AdapterRejected(
            f"adapter {adapter.name} is recorded with rank {adapter.rank}, its files say {ranks[0]}; record what was saved"
        )
    return int(ranks[0])


def _read_weights(name: str, file: Path, rank: int | None) -> list[Projection]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as weights:
            shapes = {key: weights.get_slice(key).get_shape() for key in weights.keys()}  # noqa: SIM118 (not a mapping)
    except (OSError, SafetensorError) as error:
        raise AdapterRejected(f"adapter {name}: {file} is missing or damaged ({error}); train or restore it") from error
    downs = sorted(key for key in shapes if key.endswith(".lora_A.weight"))
    if not downs:
        raise AdapterRejected(f"adapter {name}: {file} holds no LoRA weights; publish what peft saved")
    modules = []
    for down in downs:
        up, module = down.replace(".lora_A.", ".lora_B."), _module(down)
        if up not in shapes or shapes[up][1] != shapes[down][0] or rank not in (None, shapes[down][0]):
            raise AdapterRejected(f"adapter {name}: {module} does not have a pair of rank-{rank or shapes[down][0]} factors in {file}")
        modules.append(Projection(module=module, outputs=shapes[up][0], inputs=shapes[down][1]))
    return modules


def _module(key: str) -> str:
    return key.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
