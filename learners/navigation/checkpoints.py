"""A navigator on disk: an immutable folder that carries the hash of its arrays and says which episodes it was made from.

A folder appears whole or not at all, and is trusted only where its arrays have the hash that it names (invariant Durability).
"""

from __future__ import annotations

import copy
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import LifelongError
from ...core.paths import AnyPath, draft_path
from ...memory.artefacts import CHECKPOINT, CHECKPOINT_KIND
from .episode_buffer import EpisodeBuffer, StoredFeatures, StoredViews
from .navigator import Navigator, NavigatorSettings
from .retention import ElasticWeights, Retention

ARRAYS = "arrays.npz"
_STORED = {one.__name__: one for one in (StoredFeatures, StoredViews)}


class CheckpointDamaged(LifelongError, ValueError):
    """A checkpoint that is not what was written."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A navigator as it was saved."""

    navigator: Navigator
    """With all that it keeps."""
    episodes: tuple[str, ...]
    """Ids of the episodes that it has learned from."""


def save_checkpoint(navigator: Navigator, folder: AnyPath, *, episodes: Sequence[str] = ()) -> Path:
    """Write a navigator to a new folder; returns it. Raises `FileExistsError` where the folder is there: a checkpoint is never changed.

    Raises `ValueError` for joint training, which keeps the trajectories themselves.
    """
    folder = Path(folder)
    if folder.exists():
        raise FileExistsError(f"{folder} is there already; a checkpoint is never written twice")
    if navigator.method.joint:
        raise ValueError("joint training keeps whole trajectories and has no checkpoint; choose another method")
    arrays, parts = _arrays(navigator)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # numpy's stub has its own flag among the names
    description = {
        "kind": CHECKPOINT_KIND, "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(), "made_with": navigator.made_with,
        "settings": asdict(navigator.settings), "stages": navigator.stages, "taught": list(navigator.taught),
        "losses": list(navigator.losses), "parts": parts, "episodes": list(episodes),
    }  # fmt: skip
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_path(folder)
    draft.mkdir()
    (draft / ARRAYS).write_bytes(buffer.getvalue())
    (draft / CHECKPOINT).write_text(json.dumps(description, indent=1), encoding="utf-8")
    draft.rename(folder)
    return folder


def load_checkpoint(folder: AnyPath) -> Checkpoint:
    """The inverse of `save_checkpoint`. Raises `CheckpointDamaged` where the folder is not one, or not as it was written."""
    folder = Path(folder)
    try:
        described: dict[str, Any] = json.loads((folder / CHECKPOINT).read_text(encoding="utf-8"))
        written = (folder / ARRAYS).read_bytes()
        if described["kind"] != CHECKPOINT_KIND or hashlib.sha256(written).hexdigest() != described["sha256"]:
            raise ValueError("its arrays do not have the hash that it names")
        with np.load(io.BytesIO(written), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        navigator = Navigator(**described["made_with"], settings=NavigatorSettings(**described["settings"]))
        _restore(navigator, described, arrays)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        reason = f"{type(error).__name__}: {error}"[:300]
        raise CheckpointDamaged(
            f"{folder} is not a checkpoint that can be used ({reason}); delete it and go on from an earlier one"
        ) from None
    return Checkpoint(navigator=navigator, episodes=tuple(described["episodes"]))


def _arrays(navigator: Navigator) -> tuple[dict[str, NDArray[Any]], list[dict[str, Any]]]:
    """Weights and all that the parts keep, by name; and what else is to be known of each part."""
    arrays = {f"network/{name}": weight.numpy() for name, weight in navigator.network.state_dict().items()}
    described: list[dict[str, Any]] = []
    for place, part in enumerate(navigator.parts):
        one: dict[str, Any] = {}
        if isinstance(part, ElasticWeights):
            one["fisher"] = len(part.fisher)
            arrays |= {f"{place}/fisher/{number}": weight.numpy() for number, weight in enumerate(part.fisher)}
        elif (buffer := getattr(part, "buffer", None)) is not None:
            one |= {"random": buffer.random_state, "stored": [[type(e).__name__, e.category] for e in buffer.episodes]}
            for number, episode in enumerate(buffer.episodes):
                for field in fields(episode):
                    if field.name != "category":
                        arrays[f"{place}/{number}/{field.name}"] = getattr(episode, field.name)
        described.append(one)
    return arrays, described


def _restore(navigator: Navigator, described: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    import torch

    weights = {name.removeprefix("network/"): torch.from_numpy(one) for name, one in arrays.items() if name.startswith("network/")}
    navigator.network = copy.deepcopy(navigator.network)
    navigator.network.load_state_dict(weights)
    navigator.stages, navigator.taught = int(described["stages"]), tuple(described["taught"])
    navigator.losses = tuple(described["losses"])
    navigator.parts = tuple(
        _part(part, place, one, arrays) for place, (part, one) in enumerate(zip(navigator.parts, described["parts"], strict=True))
    )


def _part(part: Retention, place: int, described: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Retention:
    import torch

    if isinstance(part, ElasticWeights):
        return replace(part, fisher=tuple(torch.from_numpy(arrays[f"{place}/fisher/{number}"]) for number in range(described["fisher"])))
    buffer: EpisodeBuffer[Any] | None = getattr(part, "buffer", None)
    if buffer is None:
        return part
    episodes = []
    for number, (kind, category) in enumerate(described["stored"]):
        stored: Any = _STORED[kind]
        values = {field.name: arrays[f"{place}/{number}/{field.name}"] for field in fields(stored) if field.name != "category"}
        episodes.append(stored(category=category, **values))
    return replace(part, buffer=buffer.restored(episodes, described["random"]))  # type: ignore[type-var]  # every part is a dataclass
