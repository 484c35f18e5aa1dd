"""Fields that every protocol has: text without half characters, and what is said of a body that does not fit."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, ValidationError


def _whole_characters(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair is no text") from None
    return text


Text: TypeAlias = Annotated[str, AfterValidator(_whole_characters)]
"""Text that can be stored and sent: no lone surrogates."""


def validation_message(error: ValidationError) -> str:
    """Every field that is wrong and why, on one line."""
    found = [f"{'.'.join(str(part) for part in one['loc']) or 'body'}: {one['msg']}" for one in error.errors(include_input=False)]
    return "; ".join(found[:8]) + (f"; and {len(found) - 8} more" if len(found) > 8 else "")
