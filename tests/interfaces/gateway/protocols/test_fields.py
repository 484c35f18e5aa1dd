"""Fields of all protocols: whole characters, and what is said of a body that does not fit."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from lifelong.interfaces.gateway.protocols.fields import Text, validation_message


class Body(BaseModel):
    text: Text
    numbers: list[int] = []


def test_text_is_whole_characters() -> None:
    assert Body(text="Zoë 🙂").text == "Zoë 🙂"
    with pytest.raises(ValidationError) as caught:
        Body(text="\ud83d")
    assert validation_message(caught.value) == "text: Value error, half of a surrogate pair is no text"


def test_every_wrong_field_is_named_on_one_line_and_no_value_is_repeated() -> None:
    with pytest.raises(ValidationError) as caught:
        Body.model_validate({"numbers": ["plum"] * 12})
    said = validation_message(caught.value)
    assert said.startswith("text: Field required; numbers.0: ")
    assert said.endswith("; and 5 more")
    assert "plum" not in said
    assert "\n" not in said


def test_a_body_of_another_kind_is_called_the_body() -> None:
    with pytest.raises(ValidationError) as caught:
        Body.model_validate([])
    assert validation_message(caught.value).startswith("body: ")
