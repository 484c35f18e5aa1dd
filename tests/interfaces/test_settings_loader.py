"""Settings: three places, one order, and every mistake refused by name and place."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifelong.core import Settings, SettingsError
from lifelong.interfaces import load_settings


def write(folder: Path, text: str) -> Path:
    file = folder / "lifelong.toml"
    file.write_text(text)
    return file


def test_nothing_given_means_the_defaults() -> None:
    assert load_settings(None, {}, {}) == Settings()


def test_flags_beat_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "seed = 1\n[sleep]\nrank = 2\nepochs = 2\nlearning_rate = 0.002\n")
    settings = load_settings(file, {"LIFELONG_SLEEP_RANK": "4", "LIFELONG_SLEEP_EPOCHS": "4"}, {"sleep.rank": "8"})
    assert settings.seed == 1
    assert settings.sleep.learning_rate == 0.002
    assert settings.sleep.epochs == 4
    assert settings.sleep.rank == 8


def test_environment_reads_home_seed_and_names_with_underscores(tmp_path: Path) -> None:
    environ = {"LIFELONG_HOME": str(tmp_path), "LIFELONG_SEED": "7", "LIFELONG_WAKE_CONTROL_SHARE": "0.5", "PATH": "/bin"}
    settings = load_settings(None, environ, {})
    assert (settings.home, settings.seed, settings.wake.control_share) == (tmp_path, 7, 0.5)


def test_places_on_this_machine_are_no_settings() -> None:
    environ = {
        "LIFELONG_DATA": "d",
        "LIFELONG_CACHE": "c",
        "LIFELONG_VLLM_PYTHON": "p",
        "LIFELONG_TORCH_INDEX": "i",
        "LIFELONG_PYTHON": "q",
    }
    assert load_settings(None, environ, {}) == Settings()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[sleep]\nrnak = 8\n", "sleep.rnak"),
        ("[sleeping]\nrank = 8\n", "sleeping"),
        ("[sleep]\nrank = 0\n", "sleep.rank is 0"),
        ("[sleep]\nrank = 'many'\n", "sleep.rank"),
        ("[sleep]\nrank = [1]\n", "sleep.rank"),
        ("[sleep.deep]\nrank = 8\n", "sleep.deep"),
        ("sleep = 3\n", "sleep"),
        ("sed = 3\n", "sed"),
        ("[sleep\n", "not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_path_and_the_name(tmp_path: Path, text: str, named: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {}, {})
    assert str(file) in str(caught.value)
    assert named in str(caught.value)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path / "none.toml", {}, {})
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load_settings(tmp_path / "binary.toml", {}, {})


@pytest.mark.parametrize("variable", ["LIFELONG_SLEP_RANK", "LIFELONG_SLEEP_RNAK", "LIFELONG_SLEEP", "LIFELONG_NONSENSE", "LIFELONG_"])
def test_an_unknown_variable_is_refused_by_its_own_name(variable: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable}:"):
        load_settings(None, {variable: "8"}, {})


def test_an_out_of_range_flag_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"command line: sleep\.replay is 101"):
        load_settings(None, {}, {"sleep.replay": "101"})
