"""Every name of OpenTelemetry's conventions for generative AI that is used here, in one table.

The conventions are in development and still change names (https://github.com/open-telemetry/semantic-conventions-genai); these are those of
September 2026. A name that changes is changed here and nowhere else.
"""

from __future__ import annotations

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
CONVERSATION = "gen_ai.conversation.id"

REQUEST_MODEL = "gen_ai.request.model"
REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE = "gen_ai.request.temperature"
REQUEST_CHOICES = "gen_ai.request.choice.count"
REQUEST_STREAM = "gen_ai.request.stream"

RESPONSE_ID = "gen_ai.response.id"
RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons"

INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"

MEMORY_RECORDS = "gen_ai.memory.record.count"
"""How many things memory showed."""

EVALUATION = "gen_ai.evaluation.result"
"""Name of the event."""
EVALUATION_NAME = "gen_ai.evaluation.name"
EVALUATION_SCORE = "gen_ai.evaluation.score.value"
EVALUATION_LABEL = "gen_ai.evaluation.score.label"

ERROR = "error.type"

CHAT = "chat"
SEARCH_MEMORY = "search_memory"
EVALUATE = "evaluate"
"""Operations; the last is this project's own."""

OTHER_ERROR = "_OTHER"
"""What the conventions say where no error has a name."""

PROVIDERS = {"openai-chat": "openai", "openai-responses": "openai", "anthropic-messages": "anthropic"}
"""The provider whose protocol it is, by the codec's name."""

ARM = "lifelong.arm"
EPISODE = "lifelong.episode"
SKILL = "lifelong.skill"
"""Names of this project's own."""
