"""The words of the package as frozen dataclasses, its settings and its errors. No torch, no I/O."""

from __future__ import annotations

from .codec import Codec, Conversation, Reply
from .episodes import (
    Adapter,
    AdapterStatus,
    Episode,
    GateReport,
    Lesson,
    LessonStatus,
    Receipt,
    SkillGate,
    demonstration_id,
)
from .errors import (
    AdapterRejected,
    DataMissing,
    EngineUnreachable,
    LifelongError,
    MalformedTask,
    ModelCorrupt,
    ModelMissing,
    NothingFound,
    PackageMissing,
    PluginError,
    SettingsError,
    StoreError,
)
from .redaction import redact, split_url
from .settings import Settings
from .steps import Action, Message, Observation, Recall, Reward, Step, Thought, ToolResult, to_messages
from .tasks import NO_VERDICT, UNKNOWN, Judge, Outcome, Task, Usage, Verdict
from .tenants import tenant_name
from .text import one_line, printable

__all__ = [
    "NO_VERDICT",
    "UNKNOWN",
    "Action",
    "Adapter",
    "AdapterRejected",
    "AdapterStatus",
    "Codec",
    "Conversation",
    "DataMissing",
    "EngineUnreachable",
    "Episode",
    "GateReport",
    "Judge",
    "Lesson",
    "LessonStatus",
    "LifelongError",
    "MalformedTask",
    "Message",
    "ModelCorrupt",
    "ModelMissing",
    "NothingFound",
    "Observation",
    "Outcome",
    "PackageMissing",
    "PluginError",
    "Recall",
    "Receipt",
    "Reply",
    "Reward",
    "Settings",
    "SettingsError",
    "SkillGate",
    "Step",
    "StoreError",
    "Task",
    "Thought",
    "ToolResult",
    "Usage",
    "Verdict",
    "demonstration_id",
    "one_line",
    "printable",
    "redact",
    "split_url",
    "tenant_name",
    "to_messages",
]
