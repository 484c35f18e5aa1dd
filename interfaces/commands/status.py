"""What `lifelong status` shows: figures of one tenant and of the home, from the record alone."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...core import LessonStatus, Settings, printable, redact
from ...memory import Record, memory_effect
from ...orchestrator import acceptance_rule
from ...orchestrator.effects import effects_of
from ...orchestrator.nights import as_seen
from ...orchestrator.run_state import Fault, Night, OtherMemory, PendingSleep, SleepReport
from ...perception import SelectiveRule, why_nothing_is_accepted

LAST_NIGHTS = 5
"""Nights of single skills that are listed, newest first."""


def describe(record: Record, settings: Settings, tenant: str) -> dict[str, Any]:
    """Everything that `status` shows, as JSON values."""
    episodes, effect = record.episodes, memory_effect(record, tenant)
    routes, sizes = record.adapters.routes(tenant), episodes.skills(tenant=tenant)
    rule = acceptance_rule(record, tenant, settings.wake.target_risk)
    nights = record.state.find(SleepReport, tenant=tenant)[::-1][:LAST_NIGHTS]
    night = max(record.state.find(Night, tenant=tenant), key=lambda one: one.started, default=None)
    erasures = record.receipts.find()
    return {
        "home": str(settings.home.resolve()),
        "record": str(record.path.resolve()),
        "bytes": _sizes(settings.home, record.path),
        "tenant": tenant,
        "episodes": episodes.count(tenant=tenant),
        "trainable": episodes.count(tenant=tenant, trainable=True),
        "unknown": episodes.count(tenant=tenant, skill=""),
        "compressed": {"episodes": len(record.cues.find(tenant=tenant)), "bytes": record.cues.bytes(tenant)},
        "skills": {skill: {"episodes": sizes.get(skill, 0), "adapter": routes.get(skill, "")} for skill in sorted({*sizes, *routes})},
        "lessons": {stage.value: len(record.lessons.find(tenant, status=stage)) for stage in LessonStatus},
        "memory": {
            "with": {"solved": effect.treated_successes, "tasks": effect.treated_total},
            "control_arm": {"solved": effect.control_successes, "tasks": effect.control_total},
            "difference": effect.difference,
            "ci95": list(effect.ci95) if effect.difference is not None else None,
        },
        "effect": effects_of(record, tenant).as_dict(),
        "other_memories": [asdict(one) for one in record.state.find(OtherMemory, tenant=tenant)],
        "accepts": {
            "target_risk": settings.wake.target_risk,
            "coverage": rule.coverage if rule else 0.0,
            **_acceptance_figures(rule, settings.wake.target_risk),
        },
        "pending_nights": [asdict(one) for one in record.state.find(PendingSleep, tenant=tenant)],
        "last_skill_nights": [
            {"skill": one.skill, "state": one.state.value, "adapter": one.adapter, "reason": one.reason, "ended": one.ended}
            for one in nights
        ],
        "last_night": _night(night) if night else None,
        "pending_erasures": [{"id": one.id, "episodes": len(one.ids)} for one in record.erasures.find()],
        "last_erasure": {"id": erasures[-1].id, "erasure": erasures[-1].erasure, "created": erasures[-1].created} if erasures else None,
        "faults": [asdict(one) for one in record.state.find(Fault)],
    }


def lines(status: dict[str, Any]) -> list[str]:
    """The same for a reader: one fact a line, its name in the first column."""
    memory, accepts, size = status["memory"], status["accepts"], status["bytes"]
    compressed = status["compressed"]
    rows = [
        ("record", f"{status['record']}, {_amount(size['record'])}"),
        ("home", f"{_amount(size['home'])} with index and adapters"),
        ("tenant", status["tenant"]),
        ("episodes", f"{status['episodes']}, of which {status['trainable']} may be learned from"),
        ("unknown", f"{status['unknown']} episodes of no known skill"),
        ("compressed", f"{compressed['episodes']} older episodes, kept as {compressed['bytes']:,} bytes of cues"),
        *[
            ("skill", f"{name}: {one['episodes']} episodes, served by {one['adapter'] or 'the base model'}")
            for name, one in status["skills"].items()
        ],
        ("lessons", ", ".join(f"{count} {stage}" for stage, count in status["lessons"].items())),
        ("with memory", f"{memory['with']['solved']} of {memory['with']['tasks']} tasks solved"),
        ("without", f"{memory['control_arm']['solved']} of {memory['control_arm']['tasks']} tasks solved, in the control arm"),
    ]
    rows += _effect(status["effect"])
    rows += [
        ("beside it", f"text of another memory ({one['id']}) stood in {one['runs']} runs{_when(one['last'])}")
        for one in status["other_memories"]
    ]
    rows.append(("accepts", _acceptance(accepts)))
    rows += [("night", f"{one['skill']}: not finished, adapter {one['adapter']}") for one in status["pending_nights"]]
    rows += [("night", f"{one['skill']}: {one['state']}{_when(one['ended'])}; {one['reason']}") for one in status["last_skill_nights"]]
    if last := status["last_night"]:
        doing = f" ({last['phase']})" if last["phase"] else ""
        since = f", since {_when(last['started'])[2:]}" if not last["ended"] else _when(last["ended"])
        rows.append(("last night", f"{last['state']}{doing}{since}" + (f"; {redact(last['reason'])}" if last["reason"] else "")))
    rows += [("erasure", f"{one['id']}: not finished, {one['episodes']} episodes") for one in status["pending_erasures"]]
    if last := status["last_erasure"]:
        rows.append(("erasure", f"{last['id']}: {last['erasure'] or 'done'}{_when(last['created'])}"))
    rows += [("fault", f"{one['id']}: {one['count']} times, last {one['error']}{_when(one['last'])}") for one in status["faults"]]
    return [f"{name:<12}{printable(str(text))}" for name, text in rows]


def _effect(effect: dict[str, Any]) -> list[tuple[str, str]]:
    """What memory does, over all, by skill and by lesson, and what was withdrawn."""
    rows = [("effect", f"on {_difference(one)}") for one in effect["tenant"]]
    rows += [
        ("effect", f"{skill or 'no known skill'}: on {_difference(one)}")
        for skill, found in effect["skills"].items()
        for one in found
        if one["measure"] == "success" and len(effect["skills"]) > 1
    ]
    rows += [
        ("effect", f"lesson {lesson['id']} of {lesson['skill']}, {lesson['status']}: on {_difference(one)}")
        for lesson in effect["lessons"]
        for one in lesson["differences"]
        if one["measure"] == "success"
    ]
    return rows + [
        ("withdrawn", f"{one['skill'] or 'no known skill'}: {one['reason']}{_when(one['created'])}") for one in effect["withdrawn"]
    ]


def _difference(one: dict[str, Any]) -> str:
    units = {"success": "success", "tokens": "tokens of a run", "seconds": "seconds of a run"}
    digits = {"success": 3, "tokens": 0, "seconds": 2}[one["measure"]]
    interval = "too few sessions for an interval"
    if one["ci95"]:
        low, high = one["ci95"]
        interval = f"95 % interval {low:+.{digits}f} to {high:+.{digits}f}"
    with_it, without = one["sessions"]
    return f"{units[one['measure']]}: {one['difference']:+.{digits}f} against {one['arm']}, {interval}, {with_it} and {without} sessions"


def _night(night: Night) -> dict[str, Any]:
    shown = as_seen(night)
    names = ("id", "state", "phase", "reason", "started", "ended")
    return {name: getattr(shown, name) for name in names} | {"state": shown.state.value}


def _acceptance_figures(rule: SelectiveRule | None, risk: float) -> dict[str, Any]:
    """What a rule accepts, or what is missing for one that accepts anything."""
    if rule and rule.coverage:
        return {"threshold": rule.threshold, "risk": rule.risk, "risk_bound": rule.risk_bound}
    samples, failures = (rule.samples, rule.failures) if rule else (0, 0)
    return {"missing": why_nothing_is_accepted(samples, failures, risk=risk)}


def _acceptance(accepts: dict[str, Any]) -> str:
    if not accepts["coverage"]:
        return f"no task yet: {accepts['missing']}"
    return (
        f"{accepts['coverage']:.0%} of the known tasks, those with a chance of success of {accepts['threshold']:.2f} or more; "
        f"{accepts['risk']:.1%} of these failed, and with 95 % confidence at most {accepts['risk_bound']:.1%} do"
    )


def _sizes(home: Path, record: Path) -> dict[str, int]:
    beside = [record.with_name(record.name + suffix) for suffix in ("", "-wal", "-shm")]
    return {"record": sum(_bytes(file) for file in beside), "home": sum(_bytes(file) for file in home.rglob("*"))}


def _bytes(file: Path) -> int:
    try:
        return file.lstat().st_size if not file.is_dir() else 0
    except OSError:  # gone meanwhile, or not readable
        return 0


def _amount(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size:,} bytes"


def _when(seconds: float) -> str:
    return f", {datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC" if seconds else ""
