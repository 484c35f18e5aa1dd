"""What an adapter's directory may hold: every finding has a directory that shows it, refused by every engine."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from lifelong.core import Adapter, AdapterRejected
from lifelong.serving import EmbeddedEngine, VLLMEngine, adapter_provenance, check_directory, seal_adapter
from lifelong.serving.adapter_files import CONFIG, LARGEST_SCALE, WEIGHTS, check_adapter, read_base, zero_adapter
from lifelong.serving.manifest import MANIFEST

AdapterFactory = Callable[..., Adapter]


def check(adapter: Adapter) -> None:
    check_adapter(adapter, bases={"tiny"}, max_rank=64)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e6, -1e6])
def test_weights_that_no_training_gives_are_refused(adapter: AdapterFactory, bad: float) -> None:
    made = adapter("a")
    file = Path(made.path) / WEIGHTS
    weights = load_file(file)
    name = sorted(weights)[-1]
    weights[name] = weights[name].copy()
    weights[name].flat[-1] = bad
    save_file(weights, file)
    seal_adapter(file.parent)
    with pytest.raises(AdapterRejected, match="not a finite number" if not np.isfinite(bad) else "weight of 1e\\+06"):
        check(made)


@pytest.mark.parametrize("alpha", [float("nan"), float("inf"), 0, -1, 1e9, 2 * LARGEST_SCALE + 1, "4", True, None, [4]], ids=str)
def test_a_scale_that_no_training_gives_is_refused(adapter: AdapterFactory, alpha: object) -> None:
    for config in ({"lora_alpha": alpha}, {"alpha_pattern": {"q_proj": alpha}}):
        with pytest.raises(AdapterRejected, match="lora_alpha"):
            check(adapter("a", **config))


@pytest.mark.parametrize("rank", [0, -1, 2.0, True, "2", None], ids=str)
def test_a_rank_that_is_none_is_refused(adapter: AdapterFactory, rank: object) -> None:
    made = adapter("a")
    file = Path(made.path) / CONFIG
    file.write_text(json.dumps({**json.loads(file.read_text()), "r": rank}))
    seal_adapter(file.parent)
    with pytest.raises(AdapterRejected, match="positive whole numbers"):
        check(made)


@pytest.mark.parametrize(
    "config",
    [
        {"target_modules": "([a-z_.0-9]+)+!"},
        {"target_modules": "q_proj"},
        {"target_modules": "all-linear"},
        {"target_modules": ["([a-z_.0-9]+)+!"]},
        {"target_modules": ["q_proj", 7]},
        {"target_modules": []},
        {"target_modules": None},
        {"exclude_modules": "(a+)+!"},
        {"exclude_modules": ["(a+)+!"]},
        {"rank_pattern": {"(a+)+!": 2}},
        {"rank_pattern": ["q_proj"]},
        {"alpha_pattern": {"(a+)+!": 2}},
        {"layers_pattern": "(a+)+!", "layers_to_transform": [0]},
        {"megatron_config": {"a": 1}, "megatron_core": "os"},
    ],
    ids=str,
)
def test_a_pattern_is_refused_and_not_evaluated(adapter: AdapterFactory, config: dict[str, object]) -> None:
    started = time.perf_counter()
    with pytest.raises(AdapterRejected):
        check(adapter("a", **config))
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("name", ["adapter_model.bin", "evil.py", "modules.json", "tokenizer.json", ".hidden", "folder/x.txt"])
def test_a_file_that_does_not_belong_there_is_refused(adapter: AdapterFactory, name: str) -> None:
    made = adapter("a")
    check(made)
    strange = Path(made.path) / name
    strange.parent.mkdir(exist_ok=True)
    strange.write_text("x")
    with pytest.raises(AdapterRejected, match="are accepted, so remove the rest"):
        check(made)


def test_files_are_those_that_training_wrote(adapter: AdapterFactory) -> None:
    made = adapter("a")
    path = Path(made.path)
    seal_adapter(path, provenance="made from 12 episodes, hash abc")
    check(made)
    assert check_adapter(made, bases={"tiny"}, max_rank=64).provenance == adapter_provenance(path) == "made from 12 episodes, hash abc"
    whole = {name: (path / name).read_bytes() for name in (CONFIG, WEIGHTS, MANIFEST)}
    damages: dict[str, bytes | None] = {
        WEIGHTS: whole[WEIGHTS][:-1] + b"\x01",
        CONFIG: whole[CONFIG].replace(b'"lora_alpha": 4', b'"lora_alpha": 8'),
        MANIFEST: b"{",
    }
    for name, content in damages.items():
        assert content is not None
        assert content != whole[name]
        (path / name).write_bytes(content)
        with pytest.raises(AdapterRejected, match=r"train it again|training wrote"):
            check(made)
        (path / name).write_bytes(whole[name])
    (path / MANIFEST).write_text(json.dumps({"provenance": "", "files": {}}))
    with pytest.raises(AdapterRejected, match="does not name"):
        check(made)
    (path / MANIFEST).write_text(json.dumps({"provenance": "", "files": {"../../x": {"bytes": 1, "sha256": ""}}}))
    with pytest.raises(AdapterRejected, match="damaged"):
        check(made)


def test_files_of_which_nobody_recorded_a_hash_are_refused_by_every_way_to_load_them(
    adapter: AdapterFactory, tiny_model: Path, tiny_adapter: AdapterFactory, url: str
) -> None:
    made = adapter("a")
    check(made)
    (Path(made.path) / MANIFEST).unlink()
    with pytest.raises(AdapterRejected, match="nobody knows what it was made from"):
        adapter_provenance(Path(made.path))
    with pytest.raises(AdapterRejected, match=r"no manifest\.json, so nobody knows whether"):
        check_directory(Path(made.path))
    served, embedded = VLLMEngine("tiny", url=url), EmbeddedEngine(tiny_model, dtype="float32", device="cpu")
    local = tiny_adapter("lifelong-v0001")
    (Path(local.path) / MANIFEST).unlink()
    for engine, one in ((served, made), (embedded, local)):
        with pytest.raises(AdapterRejected, match=r"no manifest.json.*seal_adapter"):
            engine.publish(one)
        seal_adapter(Path(one.path))
        engine.publish(one)
        engine.close()


def test_weights_that_are_no_lora_factor_are_refused(adapter: AdapterFactory) -> None:
    made = adapter("a")
    file = Path(made.path) / WEIGHTS
    save_file({**load_file(file), "base_model.model.lm_head.weight": np.ones((2, 2), "f4")}, file)
    seal_adapter(file.parent)
    with pytest.raises(AdapterRejected, match="no LoRA factor"):
        check(made)


@pytest.mark.parametrize("content", [b"", b"\xff" * 8, b"\x02" + b"\0" * 7 + b"[]", (2**40).to_bytes(8, "little") + b"{}"], ids=len)
def test_a_damaged_weights_file_is_named(adapter: AdapterFactory, content: bytes) -> None:
    made = adapter("a")
    (Path(made.path) / WEIGHTS).write_bytes(content)
    seal_adapter(Path(made.path))
    with pytest.raises(AdapterRejected, match="missing or damaged"):
        check(made)


def test_the_embedded_engine_refuses_what_was_changed_after_training(tiny_model: Path, tiny_adapter: AdapterFactory) -> None:
    made = tiny_adapter("lifelong-v0001")
    weights = Path(made.path) / WEIGHTS
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-2] + b"\x3f\x3f")
    engine = EmbeddedEngine(tiny_model, dtype="float32", device="cpu")
    with pytest.raises(AdapterRejected, match="wrong SHA-256"):
        engine.publish(made)
    weights.write_bytes(whole)
    engine.publish(made)
    engine.close()


def test_the_zero_adapter_passes_its_own_checks(tiny_model: Path, tmp_path: Path) -> None:
    layers = read_base(tiny_model)
    assert layers is not None
    check_directory(zero_adapter(tmp_path, layers.projection, str(tiny_model)))
