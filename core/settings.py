"""Every setting of the package, with its unit and its range; an invalid one is refused by name."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Self, get_type_hints

from .errors import SettingsError
from .gateway_settings import GatewaySettings, within
from .plugins import check_name
from .redaction import redact, split_url

__all__ = ["RENAMED", "GatewaySettings", "MemorySettings", "ModelSettings", "Settings", "SleepSettings", "WakeSettings"]

RENAMED = {
    "wake.doubtful_tries": "wake.max_attempts_when_unlikely",
    "wake.tries": "wake.max_attempts",
    "wake.promised_risk": "wake.target_risk",
    "wake.abstain_on_doubt": "wake.abstain_on_low_confidence",
    "sleep.fresh": "sleep.train_from_base",
    "sleep.specialise": "sleep.per_skill_routing",
}
"""Names of version 0.1 that are still read, with a warning."""
CONTRAST_SETTINGS = ("off", "unlikelihood", "dpo", "kto", "grpo", "rdb_cl")
"""Values of `sleep.contrast`."""


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """Which language model acts and learns, and where it runs."""

    name: str = "smollm2-135m-instruct"
    """A name that `lifelong models list` shows, a local directory, or a hub id."""
    engine: str = "embedded"
    """`embedded` (in this process), `vllm` (with adapters), `openai` (any compatible URL, no adapters), an installed plug-in, or
    `module:Class`."""
    url: str = ""
    """Where `vllm` or `openai` is asked; empty with `vllm`: start a server of our own."""
    max_tokens: int = 160
    """Most tokens one answer in an environment may have; an environment that needs fewer gets fewer. Answers to chats are as long as the
    client allows, else as the model's context."""
    api_key_variable: str = ""
    """Name of the environment variable that holds the key for `url`, such as `OPENAI_API_KEY`; empty: no key is sent."""
    reflector_url: str = ""
    """An OpenAI-compatible URL of a stronger model that words the lessons; empty: the evidence alone."""
    reflector_model: str = ""
    """The model's name at `reflector_url`."""
    reflector_api_key_variable: str = ""
    """Name of the environment variable that holds the key for `reflector_url`; empty: no key is sent."""

    def __post_init__(self) -> None:
        check_name("engines", self.engine, "model.engine")
        for name in ("url", "reflector_url"):
            if getattr(self, name):
                split_url(getattr(self, name), f"model.{name}")
        for name in ("api_key_variable", "reflector_api_key_variable"):
            value = getattr(self, name)
            if value and not (value.isascii() and value.isidentifier()):
                # What stands there may be the key itself, so it is not shown.
                raise SettingsError(f"model.{name} must be the name of an environment variable that holds the key, not the key")
        within("model", self, max_tokens=(1, 32_768))

    def __repr__(self) -> str:
        """All fields, with the credentials of URLs masked: a repr ends up in logs and error texts."""
        return f"ModelSettings({', '.join(f'{name}={value!r}' for name, value in _printable(self).items())})"


@dataclass(frozen=True, kw_only=True)
class MemorySettings:
    """What is kept outside the weights and how much of it is shown."""

    encoder: str = "minilm"
    """`minilm`, `multilingual` (sixteen languages in one space; what was said in one is found in another), or `hashed`, which needs no
    model file; an installed plug-in, or `module:Class`."""
    store: str = "sqlite"
    """Where it is kept: `sqlite`, one file in the home; an installed plug-in, or `module:Class`. A home stays with its store."""
    recall: str = "nearest"
    """Which past runs are shown: `nearest` verified ones, the `latest` successes, or `off`."""
    recall_tokens: int = 256
    """Most tokens of recalled text in one prompt."""
    recall_episodes: int = 3
    """Most past episodes in one prompt."""
    min_similarity: float = 0.25
    """Cosine of a past run's task and the present one from which on the run is shown; unrelated questions then recall nothing."""
    near_similarity: float = 0.8
    """Cosine from which on a question counts as one that a user has corrected or confirmed before, asked in the same or other words:
    that run is then shown alone, and also where an adapter serves the skill, since weights do not learn well what was told once."""
    recall_statements: int = 4
    """Most things that a person or a tool said earlier in one prompt; 0 for none."""
    statement_floor: float = 0.15
    """Probability that the request needs something said earlier, from which on it is shown unasked. A line too many costs little:
    with this floor one request in thirty that needs nothing is shown something, on the dialogues that it was chosen by."""
    learn_recall: bool = True
    """Whether sleep learns from the answers what recall should put first, for each tenant apart; what was learned serves only where it
    finds more on questions that it was not learned from."""
    profile_tokens: int = 64
    """Most tokens of a person's profile (names, preferences, standing facts, chosen in sleep) at the beginning of what a session is
    shown, out of `recall_tokens`; 0 for no profile."""
    max_episodes: int = 200_000
    """Episodes kept per tenant; the oldest unverified ones go first."""
    tenants_in_memory: int = 64
    """Tenants whose skills are kept in memory, 2 to 8 MB each; those that waited longest for a request are read again when needed."""
    probation_share: float = 0.3
    """Share of tasks in which a lesson on probation is shown, so that its help can be measured."""

    def __post_init__(self) -> None:
        check_name("encoders", self.encoder, "memory.encoder")
        check_name("stores", self.store, "memory.store")
        if self.recall not in ("nearest", "latest", "off"):
            raise SettingsError(f"memory.recall is {self.recall!r}; it must be 'nearest', 'latest' or 'off'")
        within(
            "memory",
            self,
            recall_tokens=(0, 32_768),
            recall_episodes=(0, 64),
            max_episodes=(1, 10**9),
            tenants_in_memory=(1, 10**6),
            min_similarity=(-1, 1),
            near_similarity=(-1, 1),
            probation_share=(0, 1),
            recall_statements=(0, 64),
            statement_floor=(0, 1),
            profile_tokens=(0, 32_768),
        )


@dataclass(frozen=True, kw_only=True)
class WakeSettings:
    """How one task is handled."""

    strategy: str = "repair"
    """How tasks are run: `direct` (one answer), `retry` (refused answers are written anew), `repair` (and repaired where the
    environment names candidates), `revise` (written anew in sight of what was refused and why), `best_of_n` (several answers, tried
    without being judged; the result that most agree on), the name that an installed package adds, or `module:Class`."""
    grammar: bool = True
    """Whether answers are kept to the grammar that an environment declares, where the engine can do that."""
    templates: bool = True
    """Whether some of several answers (`best_of_n`, and attempts at night) follow the forms of solved tasks of the same skill, where the
    environment says how."""
    control_share: float = 0.1
    """Share of sessions that run with no memory and no adapter: the control arm."""
    placebo_share: float = 0.0
    """Share of sessions that run with text of equal length in memory's place that helps nobody. It tells what the words of memory do from
    what any text there does; it costs its tokens and helps none of these sessions, so it is off unless somebody wants to know."""
    max_attempts: int = 2
    """Most answers tried on a task while the executor refuses them."""
    max_attempts_when_unlikely: int = 3
    """The same where the agent is likely to fail: there it spends more."""
    novelty_quantile: float = 0.99
    """Quantile of the known tasks' own novelty above which a task counts as unknown."""
    abstain_on_unknown: bool = False
    """Whether an unknown task is declined instead of tried on the base model."""
    target_risk: float = 0.2
    """Error rate that the tasks are accepted do not exceed, with 95 % confidence."""
    abstain_on_low_confidence: bool = False
    """Whether a known task below the acceptance threshold is declined, once there is such a threshold."""

    def __post_init__(self) -> None:
        check_name("strategies", self.strategy, "wake.strategy")
        within(
            "wake",
            self,
            control_share=(0, 1),
            placebo_share=(0, 1),
            max_attempts=(1, 16),
            max_attempts_when_unlikely=(1, 16),
            novelty_quantile=(0.5, 1),
            target_risk=(0.001, 0.999),
        )
        if self.control_share + self.placebo_share > 1:
            both = self.control_share + self.placebo_share
            raise SettingsError(f"wake.control_share and wake.placebo_share are {both:g} together; they must be at most 1")


@dataclass(frozen=True, kw_only=True)
class SleepSettings:
    """How a night goes: what the adapter learns from and what the gate allows."""

    every: int = 0
    """Sleep by itself after so many recorded episodes; 0: only when asked."""
    rank: int = 16
    """LoRA rank."""
    learning_rate: float = 1e-3
    """Peak learning rate of AdamW."""
    epochs: int = 6
    """Passes over the target skill's training set."""
    batch_size: int = 8
    """Samples a step."""
    max_length: int = 1024
    """Most tokens of one sample, its prompt as the model was shown it; a longer one loses its beginning. Memory grows with the square."""
    replay: float = 0.5
    """Replayed samples of other skills, as a share of the target skill's."""
    substitution: float = 0.5
    """Share of samples whose copied names and numbers are exchanged anew in each epoch."""
    held_out: float = 0.15
    """Share of a skill's trainable episodes kept for the gate and never trained on."""
    min_held_out: int = 8
    """Fewest held-out tasks that decide on an adapter. Where fewer are kept apart, all tasks of the skill are judged in turn by
    adapters that did not learn from them (cross-fitting); where there are too few even so, the night waits for more."""
    folds: int = 2
    """Into how many parts cross-fitting divides a skill's tasks; each costs one more training, on the tasks of the other parts. Fewer
    parts are quicker and never laxer: an adapter that learned from fewer tasks makes the gain look smaller, not larger."""
    min_steps: int = 30
    """Fewest optimiser steps for a skill that no environment judges: a dozen corrected answers need more passes than `epochs`."""
    gate_tasks: int = 30
    """Most held-out tasks of one skill that the gate runs."""
    min_episodes: int = 8
    """Fewest trainable episodes for which a skill consolidates."""
    allowed_drop: float = 0.03
    """How far an old skill may fall for which the candidate goes live, as a rate."""
    train_from_base: bool = True
    """Train from the base every night. False stacks nights on nights, as naive baselines do."""
    gate: bool = True
    """Publish only what the held-out tasks prove better. False publishes whatever was trained."""
    per_skill_routing: bool = True
    """A candidate may go live for some skills only. False: one adapter serves all."""
    practice: str = "auto"
    """Whether nights practise on exercises, which the environment makes up or which are made from the tools of its tasks: `auto`, where
    nobody corrected a task of the skill; `always`; `never`."""
    exercises: int = 600
    """Most exercises of one night; fewer where the night's budget of seconds does not allow for them."""
    contrast: str = "off"
    """What a night goes on with after it has trained on right answers, where the record holds right and wrong answers to the same task:
    `unlikelihood` (away from the first token at which a wrong answer leaves the right one), `dpo`, `kto`, `grpo`, `rdb_cl`; `off`."""
    attempts: int = 4
    """Samples for each failed task that a night tries again, once an adapter serves the skill and nobody corrects; 0 for none."""
    attempted_tasks: int = 96
    """Most failed tasks that a night tries again."""
    discover_after: int = 30
    """Look for new skills once so many unknown tasks have come since the last look."""
    open_questions: int = 20
    """Discovered skills that wait for a name, at most: the largest groups become skills first, the others wait for the answers."""
    budget_seconds: float = 3600
    """A night ends after the phase in which this many seconds have passed."""

    def __post_init__(self) -> None:
        if self.practice not in ("auto", "always", "never"):
            raise SettingsError(f"sleep.practice is {self.practice!r}; it must be 'auto', 'always' or 'never'")
        if self.contrast not in CONTRAST_SETTINGS:
            raise SettingsError(f"sleep.contrast is {self.contrast!r}; it must be one of {', '.join(CONTRAST_SETTINGS)}")
        within(
            "sleep",
            self,
            exercises=(0, 100_000),
            attempts=(0, 64),
            attempted_tasks=(0, 10**6),
            every=(0, 10**9),
            rank=(1, 512),
            learning_rate=(1e-7, 1),
            epochs=(1, 1000),
            batch_size=(1, 4096),
            max_length=(16, 10**6),
            replay=(0, 100),
            substitution=(0, 1),
            held_out=(0, 0.9),
            min_held_out=(1, 10_000),
            folds=(2, 100),
            min_steps=(0, 10**6),
            gate_tasks=(1, 10_000),
            min_episodes=(1, 10**9),
            allowed_drop=(0, 1),
            discover_after=(1, 10**9),
            open_questions=(1, 10**6),
            budget_seconds=(0, 10**9),
        )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings. `lifelong.toml` has one table a group, `LIFELONG_SLEEP_RANK=8` sets one from outside."""

    home: Path = Path(".lifelong")
    """Where the record, the index and the adapters live."""
    seed: int = 0
    """Seed of everything that draws."""
    model: ModelSettings = field(default_factory=ModelSettings)
    """The language model."""
    memory: MemorySettings = field(default_factory=MemorySettings)
    """Outside the weights."""
    wake: WakeSettings = field(default_factory=WakeSettings)
    """One task."""
    sleep: SleepSettings = field(default_factory=SleepSettings)
    """One night."""
    gateway: GatewaySettings = field(default_factory=GatewaySettings)
    """The HTTP gateway."""

    def __post_init__(self) -> None:
        """Take a home that is given as text."""
        object.__setattr__(self, "home", Path(self.home))

    def as_dict(self) -> dict[str, Any]:
        """All settings as plain nested values for reports and logs; user names and passwords of URLs are masked."""
        return _printable(self)

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """A copy with dotted names replaced, such as `{"sleep.rank": 8, "seed": 1}`.

        Strings are read as the field's type, so that the environment and flags can use it.
        Raises `SettingsError` for an unknown name, a wrong type, or a value out of range.
        """
        result = self
        for dotted, value in values.items():
            if dotted in RENAMED:
                # stacklevel 2 points at whoever named the setting.
                warnings.warn(f"the setting {dotted} is now called {RENAMED[dotted]}; use the new name", FutureWarning, stacklevel=2)
                dotted = RENAMED[dotted]
            group, _, name = dotted.rpartition(".")
            if not group:
                result = replace(result, **{name: _read(result, dotted, name, value)})
                continue
            inner = getattr(result, group, None) if group in {f.name for f in fields(result)} else None
            if not is_dataclass(inner) or isinstance(inner, type):
                raise SettingsError(f"unknown settings group {group!r} in {dotted!r}; known: {_groups()}")
            changed: Any = replace(inner, **{name: _read(inner, dotted, name, value)})
            result = replace(result, **{group: changed})
        return result


def _printable(settings: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for each in fields(settings):
        value = getattr(settings, each.name)
        plain[each.name] = _printable(value) if is_dataclass(value) else redact(str(value)) if isinstance(value, str | Path) else value
    return plain


def _groups() -> str:
    return ", ".join(f.name for f in fields(Settings) if f.name not in ("home", "seed"))


def _read(owner: object, dotted: str, name: str, value: Any) -> Any:
    hints = get_type_hints(type(owner))
    if name not in hints or is_dataclass(hints[name]):
        known = ", ".join(sorted(key for key in hints if not is_dataclass(hints[key])))
        raise SettingsError(f"unknown setting {dotted!r}; known here: {known}")
    kind = hints[name]
    if kind is bool:
        if isinstance(value, bool):
            return value
        if str(value).lower() in ("true", "1", "yes", "false", "0", "no"):
            return str(value).lower() in ("true", "1", "yes")
        raise SettingsError(f"{dotted} is {value!r}; it must be true or false")
    if isinstance(value, bool):
        raise SettingsError(f"{dotted} is {value!r}; it must be of type {kind.__name__}")
    try:
        number = kind(value)
        whole = kind is not int or float(value) == number
    except (TypeError, ValueError, OverflowError):
        raise SettingsError(f"{dotted} is {value!r}; it must be of type {kind.__name__}") from None
    if not whole:
        raise SettingsError(f"{dotted} is {value!r}; it must be a whole number")
    return number
