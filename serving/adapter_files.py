"""What a LoRA directory must look like before an engine loads it, and the zero adapter.

An adapter's files may come from anywhere: nothing in them is evaluated (patterns, code), every weight is looked at, and every file
must still have the hash that stands in the manifest, which training writes. Without a manifest an adapter is not loaded.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core import Adapter, AdapterRejected
from ..core.paths import AnyPath
from .adapter_weights import first_bad_weight, read_header
from .manifest import MANIFEST, changed_file, read_manifest, sha256_of, write_manifest

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"

KNOWN_FILES = frozenset({CONFIG, WEIGHTS, MANIFEST, "training.json", "README.md"})
"""What an adapter's directory may hold; nothing else is accepted, so that no loader finds a file to run or to prefer."""

LARGEST_CONFIG = 1_000_000
"""Most bytes of `adapter_config.json`."""

LARGEST_SCALE = 64.0
"""Largest `lora_alpha / r` (Hu et al. 2021, section 4.1); 2 is usual."""

PLAIN_NAME = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")
"""Name of a module or of the end of its path. Loaders read anything else as a regular expression."""

PLAIN_INITS = frozenset({"gaussian", "eva", "orthogonal", "mica", "lora_ga"})
"""Initialisations after which a saved adapter is an ordinary LoRA; the others move the base weights."""

UNSERVED_FEATURES = {
    "use_dora": "DoRA",
    "lora_bias": "a LoRA bias",
    "alora_invocation_tokens": "activated LoRA",
    "layer_replication": "layer replication",
    "use_bdlora": "block-diagonal LoRA",
    "use_qalora": "QALoRA",
    "modules_to_save": "fully trained modules (modules_to_save)",
    "target_parameters": "adapted parameters (target_parameters)",
    "trainable_token_indices": "trained tokens (trainable_token_indices)",
    "megatron_config": "Megatron, whose code it names",
    "layers_pattern": "a pattern of layers (layers_pattern)",
}
"""Keys of `adapter_config.json` that vLLM 0.32 cannot serve (`vllm/lora/peft_helper.py`)."""

PROJECTIONS = ("q_proj.weight", "qkv_proj.weight", "query_key_value.weight")
"""Weights that every LoRA server can adapt; the first one found carries the zero adapter."""

INSIDE_A_BLOCK = re.compile(r"\.\d+\.[^.]")
"""Layers of numbered blocks."""


@dataclass(frozen=True, kw_only=True)
class LinearLayer:
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

    projection: LinearLayer
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
    provenance: str
    """What the manifest says the adapter was made from; empty where whoever sealed it did not say."""
    projection: LinearLayer
    """One layer that it adapts."""


def check_adapter(adapter: Adapter, *, bases: Collection[str], max_rank: int, layers: Collection[str] = ()) -> AdapterFiles:
    """Read and check an adapter's files. `bases` are the names of the served base model, `layers` what it adapts (empty: not known).

    Raises `AdapterRejected` when files are missing, damaged, not those that were sealed, or of a kind that is not accepted; when
    base, rank or kind do not fit; and when a weight or the scale is not finite or absurdly large.
    """
    path = Path(adapter.path).resolve()
    provenance, config, modules = _inspect(adapter.name, path)
    for base in (adapter.base, str(config.get("base_model_name_or_path") or adapter.base)):
        if not any(same_model(base, known) for known in bases):
            raise AdapterRejected(
                f"adapter {adapter.name} was trained on {base!r}, the engine serves {sorted(bases)}; train it on this base"
            )
    _check_rank(adapter, config, max_rank)
    names = {projection.module.rpartition(".")[2] for projection in modules}
    if layers and not names <= set(layers):
        raise AdapterRejected(f"adapter {adapter.name} adapts {sorted(names - set(layers))}, the engine only {sorted(layers)}; train these")
    return AdapterFiles(path=path, sha256=sha256_of(path / WEIGHTS), provenance=provenance, projection=modules[0])


def check_directory(path: AnyPath) -> None:
    """Raise `AdapterRejected` unless a directory holds a sealed plain LoRA whose files, names, scale and weights are safe to load."""
    path = Path(path)
    _inspect(path.name, path)


def _inspect(name: str, path: Path) -> tuple[str, dict[str, Any], list[LinearLayer]]:
    """Provenance, configuration and adapted layers of a directory that is safe to load, whatever base it belongs to."""
    provenance = _check_files(name, path)
    config = _read_config(name, path)
    _check_kind(name, config)
    _check_names(name, config)
    rank = _check_numbers(name, config)
    modules = _read_weights(name, path / WEIGHTS, None if config.get("rank_pattern") else rank)
    if not is_sealed(path):
        raise AdapterRejected(
            f"adapter {name}: {path} has no {MANIFEST}, so nobody knows whether its files are those that were trained; train it again, or, "
            "if you trust them as they are, seal them with lifelong.serving.seal_adapter"
        )
    return provenance, config, modules


def seal_adapter(directory: AnyPath, provenance: str = "") -> None:
    """Record the hash of every file of an adapter, and what it was made from, in its manifest: from now on only these files are loaded.

    `provenance` is any text of the caller's, such as a hash of the training data; `adapter_provenance` gives it back.
    """
    directory = Path(directory)
    write_manifest(directory, {"kind": "adapter", "provenance": provenance})


def is_sealed(directory: AnyPath) -> bool:
    """Whether an adapter's directory has a manifest, whatever stands in it."""
    return (Path(directory) / MANIFEST).exists()


def adapter_provenance(directory: AnyPath) -> str:
    """What `seal_adapter` recorded. Raises `AdapterRejected` when there is no manifest or a file is no longer what it was."""
    directory = Path(directory)
    if not is_sealed(directory):
        raise AdapterRejected(f"adapter {directory.name} has no {MANIFEST}, so nobody knows what it was made from; train it again")
    return _check_files(directory.name, directory)


def zero_adapter(parent: Path, projection: LinearLayer, base: str) -> Path:
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
        seal_adapter(draft)
        try:
            os.rename(draft, target)
        except OSError:
            if not target.is_dir():  # else: another process finished the same directory first
                raise
    return target


def is_block_weight(key: str) -> bool:
    """Whether a tensor's name is that of a weight inside a numbered block.

    >>> is_block_weight("model.layers.3.mlp.up_proj.weight"), is_block_weight("model.norm.weight"), is_block_weight("h.3.weight")
    (True, False, False)
    """
    return key.endswith(".weight") and INSIDE_A_BLOCK.search(key.removesuffix(".weight")) is not None


def read_base(model: Path) -> BaseLayers | None:
    """The linear layers of a base model, from the headers of its weight files; None when a zero adapter fits none of them."""
    from safetensors import safe_open

    shapes: dict[str, list[int]] = {}
    for file in sorted(model.glob("*.safetensors")):
        with safe_open(file, framework="numpy") as weights:
            shapes |= {key: weights.get_slice(key).get_shape() for key in weights.keys()}  # noqa: SIM118 (not a mapping)
    linear = [key for key, shape in sorted(shapes.items()) if is_block_weight(key) and len(shape) == 2]
    first = next((key for key in linear if key.endswith(PROJECTIONS)), None)
    if first is None:
        return None
    projection = LinearLayer(module=first.removesuffix(".weight"), outputs=shapes[first][0], inputs=shapes[first][1])
    return BaseLayers(projection=projection, names=tuple(sorted({key.split(".")[-2] for key in linear})))


def projection_of(path: Path) -> LinearLayer | None:
    """A layer that a saved adapter names; None when the directory cannot be read as one."""
    try:
        return _read_weights(path.name, path / WEIGHTS, None)[0]
    except AdapterRejected:
        return None


def same_model(one: str, other: str) -> bool:
    """Whether two names mean one model: it may be recorded as a hub id, as a directory or as a plain name."""
    return one.rstrip("/").rpartition("/")[2].casefold() == other.rstrip("/").rpartition("/")[2].casefold()


def _check_files(name: str, path: Path) -> str:
    """Refuse files that do not belong there or changed since training; returns the recorded provenance."""
    try:
        strange = sorted(file.name for file in path.iterdir() if file.name not in KNOWN_FILES or not file.is_file())
        manifest = read_manifest(path, ("provenance",)) if (path / MANIFEST).is_file() else None
        what = changed_file(path, manifest["files"], hashes=True) if manifest else ""
    except (OSError, ValueError) as error:
        raise AdapterRejected(f"adapter {name}: {path} cannot be read ({error}); publish a directory that training wrote") from error
    if strange:
        raise AdapterRejected(f"adapter {name}: {path} holds {strange[:5]}; only {sorted(KNOWN_FILES)} are accepted, so remove the rest")
    if what:
        raise AdapterRejected(f"adapter {name}: {what}, so it was changed or damaged after training; restore it or train it again")
    if manifest and not {CONFIG, WEIGHTS} <= manifest["files"].keys():
        raise AdapterRejected(f"adapter {name}: its {MANIFEST} does not name {CONFIG} and {WEIGHTS}; train it again")
    return str(manifest["provenance"]) if manifest else ""


def _read_config(name: str, path: Path) -> dict[str, Any]:
    file = path / CONFIG
    try:
        if file.stat().st_size > LARGEST_CONFIG:
            raise ValueError(f"more than {LARGEST_CONFIG} bytes")
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AdapterRejected(f"adapter {name}: {file} cannot be read ({error}); publish a directory that peft saved") from error
    if not isinstance(config, dict) or str(config.get("peft_type")).upper() != "LORA":
        raise AdapterRejected(f"adapter {name} is not a LoRA; only LoRA adapters can be served")
    return config


def _check_names(name: str, config: dict[str, Any]) -> None:
    """Refuse whatever a loader would evaluate as a regular expression: it could run for ever, or adapt what nobody named."""
    targets = config.get("target_modules")
    if not isinstance(targets, list) or not targets:
        raise AdapterRejected(f"adapter {name}: target_modules must be a list of module names, since a string is read as a pattern")
    excluded = config.get("exclude_modules") or []
    if not isinstance(excluded, list):
        raise AdapterRejected(f"adapter {name}: exclude_modules must be a list of module names, since a string is read as a pattern")
    patterns = [config.get(key) or {} for key in ("rank_pattern", "alpha_pattern")]
    if not all(isinstance(pattern, dict) for pattern in patterns):
        raise AdapterRejected(f"adapter {name}: rank_pattern and alpha_pattern must be tables of module names")
    for word in (*targets, *excluded, *(key for pattern in patterns for key in pattern)):
        if not isinstance(word, str) or len(word) > 200 or not PLAIN_NAME.fullmatch(word):
            raise AdapterRejected(f"adapter {name} names the module {str(word)[:60]!r}; only plain names are accepted, no patterns")


def _check_kind(name: str, config: dict[str, Any]) -> None:
    found = [words for key, words in UNSERVED_FEATURES.items() if config.get(key)]
    if config.get("bias", "none") != "none":
        found.append(f"bias={config['bias']!r}")
    init = config.get("init_lora_weights", True)
    if isinstance(init, str) and init.lower() not in PLAIN_INITS:
        found.append(f"init_lora_weights={init!r}, which moves the base weights")
    if found:
        raise AdapterRejected(f"adapter {name} uses {', '.join(found)}; the server knows plain LoRA only, so convert or retrain it")


def _check_numbers(name: str, config: dict[str, Any]) -> int:
    """Refuse ranks and alphas that no training gives; returns the rank."""
    ranks = _ranks(config)
    if not all(type(rank) is int and rank > 0 for rank in ranks):
        raise AdapterRejected(f"adapter {name} has ranks {str(ranks)[:100]}; they must be positive whole numbers")
    for alpha in (config.get("lora_alpha"), *(config.get("alpha_pattern") or {}).values()):
        if type(alpha) not in (int, float) or not math.isfinite(alpha) or not 0 < alpha <= LARGEST_SCALE * min(ranks):
            raise AdapterRejected(
                f"adapter {name} has lora_alpha {str(alpha)[:40]}; it must be a finite number above 0 and at most "
                f"{LARGEST_SCALE:g} times the rank"
            )
    return int(ranks[0])


def _check_rank(adapter: Adapter, config: dict[str, Any], max_rank: int) -> None:
    ranks = _ranks(config)
    if max(ranks) > max_rank:
        raise AdapterRejected(
            f"adapter {adapter.name} has rank {max(ranks)}, the engine serves at most {max_rank}; start it with a higher limit"
        )
    if adapter.rank != ranks[0]:
        raise AdapterRejected(
            f"adapter {adapter.name} is recorded with rank {adapter.rank}, its files say {ranks[0]}; record what was saved"
        )


def _ranks(config: dict[str, Any]) -> list[Any]:
    return [config.get("r"), *(config.get("rank_pattern") or {}).values()]


def _read_weights(name: str, file: Path, rank: int | None) -> list[LinearLayer]:
    try:
        tensors = read_header(file)
        bad = first_bad_weight(file, tensors)
    except (OSError, ValueError) as error:
        raise AdapterRejected(f"adapter {name}: {file} is missing or damaged ({error}); train or restore it") from error
    shapes = {key: tensor.shape for key, tensor in tensors.items()}
    downs = sorted(key for key in shapes if key.endswith(".lora_A.weight"))
    if not downs:
        raise AdapterRejected(f"adapter {name}: {file} holds no LoRA weights; publish what peft saved")
    factors = {*downs, *(key.replace(".lora_A.", ".lora_B.") for key in downs)}
    if other := sorted(shapes.keys() - factors):
        raise AdapterRejected(f"adapter {name}: {file} holds {other[0][:100]!r}, which is no LoRA factor; publish plain LoRA weights only")
    if bad:
        raise AdapterRejected(f"adapter {name}: {bad}; train it again with a lower learning rate, or restore it")
    modules = []
    for down in downs:
        up, module = down.replace(".lora_A.", ".lora_B."), _module(down)
        if (
            up not in shapes
            or len(shapes[up]) != 2
            or len(shapes[down]) != 2
            or shapes[up][1] != shapes[down][0]
            or rank not in (None, shapes[down][0])
        ):
            raise AdapterRejected(f"adapter {name}: {module} does not have a pair of rank-{rank or shapes[down][0]} factors in {file}")
        modules.append(LinearLayer(module=module, outputs=shapes[up][0], inputs=shapes[down][1]))
    return modules


def _module(key: str) -> str:
    return key.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
