"""What clients may send to the gateway, with its types and ranges."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, AliasChoices, BaseModel, Field, StrictBool, ValidationError, model_validator


def _whole_characters(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair is no text") from None
    return text


Text: TypeAlias = Annotated[str, AfterValidator(_whole_characters)]
"""Text that can be stored and sent: no lone surrogates."""


class TextPart(BaseModel):
    """A piece of a message; only text can be read here."""

    type: Literal["text"]
    text: Text


class ChatMessage(BaseModel):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """The content as one text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(BaseModel):
    """What a stream holds beside the answer."""

    include_usage: StrictBool = False


class ChatBody(BaseModel):
    """A request for a completion. Fields that are not named here are ignored, since clients send many."""

    model: Text = Field("lifelong", max_length=512)
    messages: list[ChatMessage] = Field(min_length=1)
    stream: StrictBool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    max_tokens: int | None = Field(None, ge=1, le=32_768)
    max_completion_tokens: int | None = Field(None, ge=1, le=32_768)
    n: Literal[1] | None = None
    user: Text | None = None

    @property
    def token_limit(self) -> int | None:
        """Most tokens of the answer, under its new name or its old one."""
        return self.max_completion_tokens or self.max_tokens


class FeedbackBody(BaseModel):
    """A user's judgement of an answer. A client cannot speak for an environment."""

    episode_id: Text = Field(min_length=1, max_length=256, validation_alias=AliasChoices("episode_id", "completion_id", "id"))
    # Strict: "yes" and 1 are no judgement of anybody.
    success: StrictBool | None = None
    score: float | None = Field(None, ge=0, le=1, strict=True)
    correction: Text = Field("", max_length=65_536)
    reason: Text = Field("", max_length=4096)
    judge: Literal["user"] = "user"
    user: Text | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.success is not None and self.score is not None and self.success != (self.score >= 0.5):
            raise ValueError(f"success {self.success} and score {self.score} contradict each other; send one of them")
        return self

    @property
    def verdict(self) -> bool | None:
        """Success as said, else whether the score reaches one half, else unknown."""
        if self.success is None and self.score is not None:
            return self.score >= 0.5
        return self.success


class SleepBody(BaseModel):
    """A request for a night."""

    user: Text | None = None


def validation_message(error: ValidationError) -> str:
    """Every field that is wrong and why, on one line."""
    found = [f"{'.'.join(str(part) for part in one['loc']) or 'body'}: {one['msg']}" for one in error.errors(include_input=False)]
    return "; ".join(found[:8]) + (f"; and {len(found) - 8} more" if len(found) > 8 else "")
