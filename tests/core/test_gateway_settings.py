"""Settings of the gateway: origins of pages one by one, ranges by name."""

from __future__ import annotations

import pytest

from lifelong.core import SettingsError
from lifelong.core.settings import GatewaySettings


def test_origins_are_a_list() -> None:
    assert GatewaySettings().origin_list == []
    settings = GatewaySettings(origins="https://chat.example.org, http://localhost:3000,")
    assert settings.origin_list == ["https://chat.example.org", "http://localhost:3000"]
    assert GatewaySettings(origins="*").origin_list == ["*"]


@pytest.mark.parametrize("origins", ["chat.example.org", "https://chat.example.org/", "ftp://x", "https://a b", "https://a,nobody"])
def test_what_no_browser_sends_as_an_origin_is_refused(origins: str) -> None:
    with pytest.raises(SettingsError, match=r"gateway\.origins"):
        GatewaySettings(origins=origins)


def test_a_setting_outside_its_range_is_named() -> None:
    with pytest.raises(SettingsError, match=r"gateway\.max_running is 0"):
        GatewaySettings(max_running=0)
