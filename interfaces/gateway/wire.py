"""What clients may send to the gateway beside the protocols of chat, with its types and ranges."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import AliasChoices, BaseModel, Field, StrictBool, model_validator

from .protocols.fields import Text
from .protocols.openai_chat import ChatToolCall

LONGEST_CORRECTION = 65_536


class Correction(BaseModel):
    """The right answer as an assistant's message."""

    role: Literal["assistant"] = "assistant"
    content: Text | None = None
    tool_calls: list[ChatToolCall] = Field(min_length=1, max_length=64)


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


class OutcomeBody(BaseModel):
    """How a run ended: named by any answer of it, or the newest run of a session."""

    id: Text = Field("", max_length=256)
    session: Text = Field("", max_length=256)
    success: StrictBool | None = None
    score: float | None = Field(None, ge=0, le=1, strict=True)
    source: Literal["verifier", "user"] = "verifier"
    reason: Text = Field("", max_length=4096)
    correction: Text | Correction = ""
    user: Text | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if bool(self.id) == bool(self.session):
            raise ValueError("send `id`, of any answer of the run, or `session`, for its newest run")
        if isinstance(self.correction, str) and len(self.correction) > LONGEST_CORRECTION:
            raise ValueError(f"the correction is longer than {LONGEST_CORRECTION} characters; send the right answer alone")
        return self


class MemoryBody(BaseModel):
    """Other words for what a person stated, or whether it counts always."""

    text: Text | None = Field(None, max_length=LONGEST_CORRECTION)
    pinned: StrictBool | None = None
    user: Text | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.text is None and self.pinned is None:
            raise ValueError("send `text`, the new words, or `pinned`")
        return self


class SleepBody(BaseModel):
    """A request for a night."""

    user: Text | None = None
