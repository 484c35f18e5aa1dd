"""Credentials are masked wherever they may stand, in linear time, and URLs are taken apart without showing them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.core import SettingsError, redact, split_url
from lifelong.core.settings import ModelSettings, Settings


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no connection to http://admin:S3CRETPW@host:1/v1 (refused)", "no connection to http://***@host:1/v1 (refused)"),
        ("http://tok3n@host", "http://***@host"),
        ("http://a:p@ss@host/x and https://b:c@d", "http://***@host/x and https://***@d"),
        ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer ***"),
        ('{"authorization": "Basic YWRtaW46UzNDUkVUUFc="}', '{"authorization": "Basic ***"}'),
        ("Incorrect API key provided: sk-proj-abcdefghijklmnop1234", "Incorrect API key provided: ***"),
        ("HF_TOKEN=hf_abcdefghijklmnopqrst", "HF_TOKEN=***"),
        ("mail me@example.org about http://host/a@b", "mail me@example.org about http://host/a@b"),
        ("max_tokens: 160, tokens read", "max_tokens: 160, tokens read"),
    ],
)
def test_what_is_shown(text, shown):
    assert redact(text) == shown


def test_known_secrets_go_in_every_spelling_and_before_the_cut():
    address = split_url("http://admin:p%2Fss%20word@host:8000/v1")
    assert (address.url, address.user, address.password) == ("http://host:8000/v1", "admin", "p/ss word")
    for spelling in address.secrets:
        assert redact(f"you sent {spelling}!", address.secrets) == "you sent ***!"
    assert redact("x" * 8 + " http://u:secret@h", limit=20) == "x" * 8 + " http://***@h"[:12] + " ..."
    assert "p/ss" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "host:8000",
        "ftp://u:PASSWORD@h",
        "http://",
        "http://u:PASSWORD@",
        "http://u:PASS/WORD@host",
        "http://u:PASS#WORD@host",
        "http://h:PASSWORD",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_being_shown(url):
    for make in (split_url, lambda value: ModelSettings(url=value)):
        with pytest.raises(SettingsError, match=r"http://|percent-encode") as caught:
            make(url)
        assert "PASS" not in str(caught.value)
        assert "WORD" not in str(caught.value)


@given(st.text(alphabet=st.characters(codec="ascii", categories=("L", "N")), min_size=8), st.text("abc", min_size=1))
def test_no_password_survives(password, user):
    assert password not in redact(f"error at http://{user}:{password}@host.example/v1 in step")


@pytest.mark.parametrize("unit", ["://", "://a", "bearer ", "token=", "sk-", "a@", " ", "authorization: basic ", "http://x:y"])
def test_a_megabyte_of_the_worst_kind_takes_no_time(unit):
    started = time.perf_counter()
    redact(unit * (1_000_000 // len(unit)))
    assert time.perf_counter() - started < 5


def test_settings_never_show_a_password():
    settings = Settings().with_values(
        {"model.engine": "vllm", "model.url": "http://admin:S3CRETPW@h:1", "model.reflector_url": "http://x:S3CRETPW@h"}
    )
    assert settings.model.url == "http://admin:S3CRETPW@h:1", "the engine needs it"
    assert "S3CRETPW" not in repr(settings)
    assert "S3CRETPW" not in str(settings.as_dict())
    assert settings.as_dict()["model"]["url"] == "http://***@h:1"


def test_a_key_in_place_of_a_variable_name_is_refused_and_not_shown():
    with pytest.raises(SettingsError, match="name of an environment variable") as caught:
        ModelSettings(api_key_variable="sk-abc-123")
    assert "sk-abc" not in str(caught.value)
