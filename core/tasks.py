"""What comes in and how it ended: `Task`, `Judge`, `Outcome`."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .errors import MalformedTask
from .messages import ToolSpecification
from .tenants import tenant_name

_DRAWN = "drawn-"


def drawn_id() -> str:
    """An id of a task that says nothing of it: no digest, from which a guessed text could be confirmed after it was erased."""
    return _DRAWN + uuid.uuid4().hex


@dataclass(frozen=True, kw_only=True)
class Task:
    """One thing to do, as an environment, an agent loop or a chat tool hands it over."""

    id: str
    """Unique within `environment`; the same id means the same task. One of `drawn_id` is nobody else's: see `key`."""
    goal: str
    """The request itself, in the words of whoever asks."""
    context: str = ""
    """What is given with the goal (a schema, a room, a document); placed before it."""
    instructions: str = ""
    """How to answer. Stable over an environment, so that a served prefix stays cached."""
    tenant: str = "default"
    """Whose task it is. Nothing of one tenant ever reaches another."""
    environment: str = ""
    """Id of the environment or client that sent it; the key under which an environment is found."""
    skill: str = ""
    """The skill, where whoever sends the task knows it; empty where it has to be recognised."""

    session: str = ""
    """The conversation or long run that it belongs to, where the caller knows it; the control arm is drawn for it as a whole."""
    tools: tuple[ToolSpecification, ...] = field(default=(), hash=False)
    """Tools that the model may call, in OpenAI's shape; empty where actions are text."""

    def __post_init__(self) -> None:
        for name in ("goal", "context", "instructions"):
            object.__setattr__(self, name, _as_text(name, getattr(self, name)))
        for name in ("id", "goal", "tenant"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise MalformedTask(f"task field {name!r} must be a non-empty string, got {value!r}")
        for name in ("id", "goal", "context", "instructions", "tenant"):
            try:
                getattr(self, name).encode()
            except UnicodeEncodeError as error:
                raise MalformedTask(f"task field {name!r} holds bytes that are no UTF-8 text; decode them first ({error.reason})") from None
        object.__setattr__(self, "tools", tuple(self.tools or ()))
        # One spelling for one tenant, so that "Zo\u00eb" typed in two ways is one person.
        object.__setattr__(self, "tenant", tenant_name(self.tenant))

    @property
    def key(self) -> str:
        """What is the same for the same task, within its environment: its id, or what is asked where the id was drawn."""
        return self.id if not self.id.startswith(_DRAWN) else json.dumps([self.instructions, self.text])

    @property
    def text(self) -> str:
        """What an encoder reads: the context, then the goal."""
        return f"{self.context}\n{self.goal}".strip()

    @property
    def tool_names(self) -> frozenset[str]:
        """Names of the tools; what is no function with a name has none."""
        functions = [tool.get("function") for tool in self.tools if isinstance(tool, Mapping)]
        named = [function.get("name") for function in functions if isinstance(function, Mapping)]
        return frozenset(name for name in named if isinstance(name, str))


def _as_text(name: str, value: object) -> str:
    """Plain data (a mapping, a list) as JSON, bytes as UTF-8, nothing as an empty text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if value is None:
        return ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        raise MalformedTask(f"task field {name!r} must be text or plain data, got {type(value).__name__}") from None


class Judge(StrEnum):
    """Who gave an outcome. Trust falls in this order; `SELF` is also said of an outcome that nobody has given."""

    ENVIRONMENT = "environment"
    """The environment that ran the actions."""
    VERIFIER = "verifier"
    """A check that the caller ran on the result (a test suite, a reward)."""
    TOOL = "tool"
    """What the results of tools show: exit codes, summaries of tests, errors."""
    USER = "user"
    """A person who said so."""
    INFERRED = "inferred"
    """The user's next turn: a correction, the same request again, thanks."""
    SELF = "self"
    """The model itself."""

    @property
    def trusted(self) -> bool:
        """Whether a success so judged may become a lesson or a training sample (invariant Trust)."""
        return self not in (Judge.INFERRED, Judge.SELF)

    @property
    def final(self) -> bool:
        """Whether it executed or verified the result, so that no person's word overrules it."""
        return self in (Judge.ENVIRONMENT, Judge.VERIFIER)

    def may_overrule(self, other: Judge) -> bool:
        """Whether its outcome replaces one that the other gave.

        What a tool's output shows was found by reading it: it stands above what is inferred, and a person may correct it.
        """
        if self.final or other.final:
            return self.final
        if self is Judge.USER or other is Judge.USER:
            return self is Judge.USER
        order = list(Judge)
        return order.index(self) <= order.index(other)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended and who says so."""

    success: bool | None
    """True, False, or None while nobody has judged."""
    score: float = 0.0
    """Reward in [0, 1]; 1 is best."""
    judge: Judge = Judge.SELF
    """Who judged: the source of the outcome."""
    reason: str = ""
    """What the judge said, an error message for instance."""
    evidence: str = ""
    """What of the run shows it, in the run's own words: the summary line of a test run, the user's next turn."""

    @property
    def verified(self) -> bool:
        """A success that somebody other than the agent confirmed."""
        return self.success is True and self.judge.trusted


UNKNOWN = Outcome(success=None)
"""Nobody has judged yet."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What perception says of a task before the agent acts (two scores, never one)."""

    skill: str
    """The nearest known skill, empty when none is known at all."""
    known: bool
    """False when the task is unknown: no known skill is near."""
    novelty: float
    """Larger is stranger: the chance that the task is unknown, or one minus the cosine to the nearest task while none is calibrated."""
    confidence: float
    """Larger is surer: maximum softmax probability over skills, in [0, 1]."""
    success_chance: float = 0.5
    """Estimated chance that this agent solves the task, in [0, 1]."""
    accepted: bool = False
    """Whether it is accepted: known, and its chance of success above the threshold that keeps `target_risk`."""
    known_chance: float = 0.5
    """Chance that the task is known, as many unknown ones as known assumed; 0.5 while there are too few tasks to calibrate it."""
    reason: str = ""
    """Why it is called known or unknown, and accepted or not, in a sentence; what is missing where nothing can be said."""

    @property
    def likely_to_fail(self) -> bool:
        """Known, and still more likely to fail than to succeed."""
        return self.known and self.success_chance < 0.5


NO_VERDICT = Verdict(skill="", known=False, novelty=2.0, confidence=0.0)
"""Perception was silent: nothing is known yet, or it failed and the answer goes out all the same."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a run cost."""

    prompt_tokens: int = 0
    """Tokens read."""
    completion_tokens: int = 0
    """Tokens written."""
    seconds: float = field(default=0.0, compare=False)
    """Wall-clock seconds; left out of comparisons, since no two runs agree on it."""
    cached_tokens: int = 0
    """Of the tokens read, those that the server had read before and kept; 0 where it does not say."""

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            seconds=self.seconds + other.seconds,
            cached_tokens=self.cached_tokens + other.cached_tokens,
        )
