"""Settings: what is read from text, what is refused by name, and old names."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.core import Settings, SettingsError
from lifelong.core.settings import RENAMED


def test_texts_are_read_as_the_fields_type() -> None:
    settings = Settings().with_values(
        {"sleep.rank": "4", "sleep.learning_rate": "0.5", "sleep.gate": "no", "home": "elsewhere", "seed": "7"}
    )
    assert (settings.sleep.rank, settings.sleep.learning_rate, settings.sleep.gate) == (4, 0.5, False)
    assert (settings.home, settings.seed) == (Path("elsewhere"), 7)
    assert Settings().sleep.gate, "the one that was changed is another"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"sleep.rnak": 4}, "unknown setting 'sleep.rnak'; known here: "),
        ({"slep.rank": 4}, "unknown settings group 'slep' in 'slep.rank'; known: model, memory, wake, sleep, gateway"),
        ({"sleep": 4}, "unknown setting 'sleep'"),
        ({"home.name": 4}, "unknown settings group 'home'"),
        ({"sleep.rank": "four"}, "sleep.rank is 'four'; it must be of type int"),
        ({"sleep.rank": 4.5}, "sleep.rank is 4.5; it must be a whole number"),
        ({"sleep.rank": True}, "sleep.rank is True; it must be of type int"),
        ({"sleep.gate": "perhaps"}, "sleep.gate is 'perhaps'; it must be true or false"),
        ({"sleep.rank": float("inf")}, "sleep.rank is inf; it must be of type int"),
        ({"sleep.learning_rate": float("nan")}, "sleep.learning_rate is nan; it must lie between"),
        ({"sleep.rank": 0}, "sleep.rank is 0; it must lie between"),
        ({"model.engine": "steam"}, "model.engine is 'steam'; it must be one of embedded"),
        ({"gateway.max_running": 0}, "gateway.max_running is 0; it must lie between 1 and 1024"),
    ],
)
def test_what_cannot_be_is_refused_by_name(values: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings().with_values(values)
    assert words in str(caught.value)


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_name_is_read_with_a_warning(old: str, new: str) -> None:
    group, _, name = new.partition(".")
    value = getattr(getattr(Settings(), group), name)
    with pytest.warns(FutureWarning, match=f"{old} is now called {new}"):
        assert Settings().with_values({old: value}) == Settings()


def test_a_url_is_printed_without_its_password() -> None:
    settings = Settings().with_values({"model.engine": "openai", "model.url": "http://ann:plum@example.org/v1"})
    for shown in (repr(settings), str(settings.as_dict())):
        assert "plum" not in shown
        assert "example.org" in shown
    assert "plum" in settings.model.url


def dotted(settings: Any, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in fields(settings):
        value = getattr(settings, each.name)
        found |= dotted(value, f"{each.name}.") if is_dataclass(value) else {prefix + each.name: value}
    return found


@given(st.sampled_from(sorted(dotted(Settings()))))
def test_every_default_is_a_value_that_may_be_set_as_text(name: str) -> None:
    assert Settings().with_values({name: str(dotted(Settings())[name])}) == Settings()
