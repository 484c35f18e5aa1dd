"""What is kept outside the weights.

A `Record` is one SQLite file. It holds episodes with their embeddings, the lessons drawn from them, the adapters that
learned from them, where the work under way stands and the receipts of what was erased. Beside it stands a
`VectorIndex`, a cache that finds the nearest episodes of a tenant and can be made again at any time.

The verbs are *record*, *recall* and *forget*. `record.episodes.record` returns once an episode is on disk. `recall`
makes the step that shows lessons and verified examples to a model, inside a token budget, as data and never as
instructions. `record.erase` removes episodes and everything derived from them (`closure`), down to the bytes.
`to_frame` shows episodes as a table of pandas.
`memory_effect` tells whether all this helps: success with memory against the control arm that runs without; `arm_differences` also
what it costs, by session, skill and lesson, and against a placebo.

`CueMemory` keeps vectors of many classes as short entropy-coded cues, from which vectors close to them are recalled. Episodes
that go beyond the budget (`compress`) leave such cues in the record, by which their skills are still recognised.

The record never loses what it acknowledged, and no query of one tenant can return anything of another.
"""

from __future__ import annotations

from collections.abc import Mapping

from .artefacts import delete_artefact, delete_checkpoints, delete_run_documents, delete_strays, discard_artefact, is_ours
from .audit import Audit, audit
from .cues.cue_memory import CueMemory
from .index.vector_index import Hit, VectorIndex
from .lock import exclusive
from .recall.profile import ProfileLine, drop_superseded, profile_text, read_profile, write_profile
from .recall.recall import fit_budget, neutralise, recall
from .recall.search import Memory, search
from .sessions import (
    ROOT,
    Hints,
    Placement,
    PlacementKind,
    SessionNode,
    SessionRequest,
    SessionTree,
    call_digests,
    message_hashes,
    new_session,
    next_hash,
    resolve,
    text_digest,
)
from .sqlite.adapters import AdapterStore
from .sqlite.changes import START, ChangeLog, Changes, Position
from .sqlite.compress import compress
from .sqlite.effect import ArmDifference, MemoryEffect, arm_differences, differences_by_skill, memory_effect, posterior
from .sqlite.episodes import EpisodeStore
from .sqlite.erasures import ErasureStore
from .sqlite.fragments import says_itself
from .sqlite.lessons import LessonStore
from .sqlite.provenance import Closure, closure
from .sqlite.receipts import ReceiptStore, without_name
from .sqlite.record import Record
from .sqlite.skill_cues import SkillCueStore
from .sqlite.state import StateStore
from .store import Erased, Fingerprint, PendingErasure, Store
from .table import to_frame

MEMBERS: Mapping[str, str] = {
    "sqlite": "sqlite.record:Record",
}
"""Built-in stores, by the name in the setting `memory.store`: module and class, imported when they are asked for."""

__all__ = [
    "MEMBERS",
    "ROOT",
    "START",
    "AdapterStore",
    "ArmDifference",
    "Audit",
    "ChangeLog",
    "Changes",
    "Closure",
    "CueMemory",
    "EpisodeStore",
    "Erased",
    "ErasureStore",
    "Fingerprint",
    "Hints",
    "Hit",
    "LessonStore",
    "Memory",
    "MemoryEffect",
    "PendingErasure",
    "Placement",
    "PlacementKind",
    "Position",
    "ProfileLine",
    "ReceiptStore",
    "Record",
    "SessionNode",
    "SessionRequest",
    "SessionTree",
    "SkillCueStore",
    "StateStore",
    "Store",
    "VectorIndex",
    "arm_differences",
    "audit",
    "call_digests",
    "closure",
    "compress",
    "delete_artefact",
    "delete_checkpoints",
    "delete_run_documents",
    "delete_strays",
    "differences_by_skill",
    "discard_artefact",
    "drop_superseded",
    "exclusive",
    "fit_budget",
    "is_ours",
    "memory_effect",
    "message_hashes",
    "neutralise",
    "new_session",
    "next_hash",
    "posterior",
    "profile_text",
    "read_profile",
    "recall",
    "resolve",
    "says_itself",
    "search",
    "text_digest",
    "to_frame",
    "without_name",
    "write_profile",
]
