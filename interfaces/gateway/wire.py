"""What clients may send to the gateway, checked at the door."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import AliasChoices, BaseModel, Field, model_validator


class TextPart(BaseModel):
    """A piece of a message; only text can be read here."""

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """The content as one text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(BaseModel):
    """What a stream holds beside the answer."""

    include_usage: bool = False


class ChatBody(BaseModel):
    """A request for a completion. Fields that are not named here are ignored, since clients send many."""

    model: str = Field("lifelong", max_length=512)
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    max_tokens: int | None = Field(None, ge=1, le=32_768)
    max_completion_tokens: int | None = Field(None, ge=1, le=32_768)
    n: Literal[1] | None = None
    user: str | None = Field(None, max_length=256)

    @property
    def token_limit(self) -> int | None:
        """Most tokens of the answer, under its new name or its old one."""
        return self.max_completion_tokens or self.max_tokens


class FeedbackBody(BaseModel):
    """A user's judgement of an answer. Nobody can speak for an environment here."""

    episode_id: str = Field(min_length=1, max_length=256, validation_alias=AliasChoices("episode_id", "completion_id", "id"))
    success: bool | None = None
    score: float | None = Field(None, ge=0, le=1)
    correction: str = Field("", max_length=65_536)
    reason: str = Field("", max_length=4096)
    judge: Literal["user"] = "user"
    user: str | None = Field(None, max_length=256)

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
