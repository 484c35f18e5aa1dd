"""What clients may send to the gateway beside the protocols of chat, with its types and ranges."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import AliasChoices, BaseModel, Field, StrictBool, model_validator

from .protocols.fields import Text


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
