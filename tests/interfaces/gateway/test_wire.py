"""What the gateway reads of feedback."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from lifelong.interfaces.gateway.wire import FeedbackBody


@pytest.mark.parametrize("value", ["yes", "true", "false", "0", 0, 1, 1.0])
def test_a_judgement_is_true_or_false_and_nothing_that_looks_like_it(value: object) -> None:
    with pytest.raises(ValidationError, match="success"):
        FeedbackBody.model_validate({"episode_id": "e", "success": value})
    assert FeedbackBody.model_validate({"episode_id": "e", "success": False}).verdict is False


@pytest.mark.parametrize("value", ["0.5", True])
def test_a_score_is_a_number(value: object) -> None:
    with pytest.raises(ValidationError, match="score"):
        FeedbackBody.model_validate({"episode_id": "e", "score": value})
    assert FeedbackBody.model_validate({"episode_id": "e", "score": 1}).verdict is True
