"""Weights are read as the safetensors library reads them, for every element type."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lifelong.serving.adapter_weights import LARGEST_WEIGHT, first_bad_weight, read_header


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_the_largest_weight_is_found_in_every_element_type(tmp_path: Path, dtype: torch.dtype) -> None:
    file = tmp_path / "w.safetensors"
    good = torch.linspace(-LARGEST_WEIGHT, LARGEST_WEIGHT, 24).reshape(4, 6).to(dtype)
    save_file({"a": good, "b": torch.zeros(0, 3, dtype=dtype)}, file)
    header = read_header(file)
    assert {name: tensor.shape for name, tensor in header.items()} == {"a": (4, 6), "b": (0, 3)}
    assert first_bad_weight(file, header) == ""
    for bad in (float("nan"), float("-inf"), -2 * LARGEST_WEIGHT):
        worse = good.clone()
        worse[2, 3] = bad
        save_file({"a": good, "z": worse}, file)
        assert first_bad_weight(file, read_header(file)).startswith("z holds a weight")


def test_whole_numbers_are_no_weights(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2, dtype=torch.int64)}, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match="'I64'"):
        read_header(tmp_path / "w.safetensors")


def test_what_is_cut_off_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    save_file({"a": torch.ones(64)}, file)
    whole = file.read_bytes()
    for length in (*range(0, len(whole), 7), len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"."):
            read_header(file)


def test_noise_is_an_error_and_never_a_crash(tmp_path: Path) -> None:
    file, draw = tmp_path / "w.safetensors", np.random.default_rng(0)
    save_file({"a": torch.ones(16), "b": torch.ones(2, 2)}, file)
    whole = bytearray(file.read_bytes())
    for _ in range(300):
        changed = bytearray(whole)
        for place in draw.integers(0, len(whole), 3):
            changed[place] = draw.integers(256)
        file.write_bytes(changed)
        with suppress(ValueError):
            first_bad_weight(file, read_header(file))
