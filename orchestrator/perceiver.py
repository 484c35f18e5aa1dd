"""`Perceiver`: what is known of one tenant's tasks, kept in step with the record."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Episode, Settings, Verdict
from ..core.paths import draft_path
from ..learners import Refit, SkillHead
from ..memory import START, Changes, Position, Record
from ..numerics.arrays import Arrays, Vector
from ..perception import Calibration, HashedEncoder, OutcomeModel, Recogniser, SelectiveRule, acceptance_reason
from .skill_heads import (
    PROBED,
    Labelled,
    difference,
    head_file,
    labelled_vectors,
    learn_outcome,
    load_refit,
    outcome_model_of,
    refit,
    refit_stamp,
    skill_routes,
    state_file,
    with_refit,
)

log = logging.getLogger("lifelong")

CATCH_UP = 4096
"""Most rows that one request reads of what other processes have written, about a second's work; a thread reads the rest."""
SLICE = 1024
"""Rows read at a time: requests of the same tenant wait for no more than that."""
SAVE_EVERY = 4096
"""Rows after which the state is written, and which the next start has to read again at most."""
WORTH_A_FILE = 1024
"""Rows up to which a state is made again from the record sooner than a file is worth its bytes; of fewer the calibration alone is kept."""
COMPARED = 20_000
"""Tasks up to which an erasure is checked against a head made anew, in about a second."""
CALIBRATED_AT_ONCE = 1024
"""Sampled tasks up to which a request calibrates what was read of them, in half a second; of more a thread of its own does."""
WORDING = 384
"""Columns of the second view: hashed words and letters of the text, which see a name or a spelling that a sentence model does not."""
FORMAT = 4
"""Of the file; another one is not read."""


class Perceiver:
    """One tenant's recogniser, skill head and outcome model, and the acceptance rule that follows. Thread-safe, behind a lock of its own.

    It never learns from the caller: `refresh` reads from the record what was added since the last time, by whatever thread or
    process, and begins anew where something was removed or filed under another name. Work on a request does not grow with the record.
    """

    def __init__(self, record: Record, tenant: str, settings: Settings) -> None:
        self.tenant = tenant
        self._record = record
        self._settings = settings
        self._lock = threading.RLock()
        self._follower: threading.Thread | None = None
        self._closed = False
        self._position = START
        self._judged_through = self._rows = self._unsaved = 0
        self._rule: tuple[tuple[tuple[str, str], ...], SelectiveRule | None] | None = None
        self._refit_stamp: object = None
        # A hashed encoder sees the wording already.
        self._wording = None if settings.memory.encoder == "hashed" else HashedEncoder(WORDING)
        self._forgotten = 0
        self._filed: Calibration | None = None
        self._begin()
        with suppress(FileNotFoundError):
            self._load()

    @property
    def head(self) -> SkillHead:
        """What names the tenant's skills."""
        with self._lock:
            return self._head

    def refresh(self) -> Perceiver:
        """Catch up with the record, by `CATCH_UP` rows at most; a thread of its own goes on where more have come. Returns itself.

        Raises `StoreError`.
        """
        with self._lock:
            complete, read = self._advance(), SLICE
            while not complete and read < CATCH_UP:
                complete, read = self._advance(), read + SLICE
            self._take_refit()
            if complete and self._recogniser.due and self._recogniser.sampled <= CALIBRATED_AT_ONCE:
                self._recogniser.calibrate()
                self._calibrated = time.time()
            if (not complete or self._recogniser.due) and (self._follower is None or not self._follower.is_alive()):
                self._follower = threading.Thread(target=self._follow, name="perceiver", daemon=True)
                self._follower.start()
        return self

    def judge(self, vector: Vector, skill: str = "", text: str = "") -> Verdict:
        """Perception's two scores of a task with unit vector `(d,)`, known or not and likely to fail or not, and whether it is accepted.

        `skill` is the task's skill where its sender has said so, `text` what its vector was made of; without a text its wording is unknown.
        """
        views = self._views(vector[None, :], [text])[0]
        with self._lock:
            verdict = with_refit(self._recogniser.judge(views), self._head, vector)
            named = skill or verdict.skill
            chance = self._outcomes.chance(vector, named, self._record.adapters.route(self.tenant, named))
            rule = self.rule()
        accepted = verdict.known and rule is not None and chance >= rule.threshold
        why = acceptance_reason(verdict.known, accepted, chance, rule, self._settings.wake.target_risk)
        return replace(verdict, success_chance=chance, accepted=accepted, reason=f"{verdict.reason}; {why}".removeprefix("; "))

    def answer_chance(self, vector: Vector, skill: str, adapter: str, likelihood: float) -> float:
        """The chance that an answer is right, now that the model's own likelihood of it is known."""
        with self._lock:
            return self._outcomes.chance(vector, skill, adapter, likelihood)

    def rule(self) -> SelectiveRule | None:
        """The chance of success from which on a task is accepted; None before any outcome."""
        with self._lock:
            routes = tuple(skill_routes(self._record, self.tenant))
            if self._rule is None or self._rule[0] != routes:
                self._rule = routes, self._outcomes.rule(routes, self._settings.wake.target_risk)
            return self._rule[1]

    def outcome_counts(self, skill: str, adapter: str) -> tuple[int, int]:
        """Successes and outcomes kept of a skill under an adapter."""
        with self._lock:
            return self._outcomes.counts(skill, adapter)

    def refit(self) -> Refit | None:
        """Refit the head on all that the record holds, and keep it in a file; None where nothing has come since the last time.

        No request waits for it: the networks are fitted beside the head that answers, and taken over at the end.
        """
        found = refit(self._record, self.tenant, head_file(self._settings.home, self.tenant), self._settings.seed)
        with self._lock:
            self._take_refit()
            self.save()
        return found

    def unlearn(self, gone: Labelled, runs: Iterable[str]) -> None:
        """Take back tasks that are about to be erased, exactly, with the outcomes of `runs`, ids of episodes."""
        vectors, skills = gone
        with self._lock:
            self._state_file.unlink(missing_ok=True)
            self._head.unlearn(vectors, skills)
            for skill in sorted(set(skills)):
                self._recogniser.forget(skill, vectors[[row for row, name in enumerate(skills) if name == skill]])
            self._outcomes.forget(runs)
            self._rule = None
            self._unsaved += 1
            self._forgotten += 1

    def accept_erasure(self, before: Position) -> bool:
        """After `unlearn` and the erasure: whether nothing else was removed since `before`, so that this state is the record's."""
        with self._lock:
            now = self._record.changes.position(self.tenant)
            if now.generation - before.generation > 1 or self._position.generation != before.generation:
                self.begin_anew()
                return False
            self._position = self._position._replace(generation=now.generation)
            return True

    def verify(self, tolerance: float) -> float | None:
        """How far the head's scores are from those of a head made anew of the record; one that is farther than the tolerance is dropped.

        None where the tenant has more than `COMPARED` tasks: every update is an exact one in float64, and reading them all would
        take as long as making the head anew.
        """
        with self._lock:
            with self._record.snapshot():
                if not self._advance() or self._rows > COMPARED:
                    return None
                vectors, skills = labelled_vectors(self._record, self.tenant)
            anew = SkillHead(seed=self._settings.seed)
            anew.learn(vectors, skills)
            apart = difference(self._head, anew, vectors[-PROBED:])
            if apart > tolerance:
                self.begin_anew()
            return apart

    def begin_anew(self) -> None:
        """Forget everything; it is read again from the record at the next `refresh`."""
        with self._lock:
            self._state_file.unlink(missing_ok=True)
            self._begin()

    def position(self) -> Position:
        """How far the record has been read."""
        with self._lock:
            return self._position

    def save(self) -> None:
        """Write the state beside the heads, where it is worth a file; never one of rows that were removed. Raises `StoreError`."""
        with self._lock:
            if self._rows >= WORTH_A_FILE:
                if self._unsaved:
                    recogniser, head, outcomes = self._recogniser.state(), self._head.statistics(), self._outcomes.state()
                    self._write({"recogniser": recogniser, "head": head, "outcomes": outcomes})
            elif self._recogniser.calibration is not None and self._recogniser.calibration is not self._filed:
                # What it learned of few rows is read again sooner than it is calibrated again.
                self._write({"calibration": self._recogniser.calibration_state()})
            self._filed = self._recogniser.calibration
            self._unsaved = 0

    def close(self) -> None:
        """Save, and let the follower end."""
        self._closed = True
        if self._follower is not None and self._follower is not threading.current_thread():
            self._follower.join(timeout=5)
        self.save()

    @property
    def _state_file(self) -> Path:
        return state_file(self._settings.home, self.tenant)

    def _begin(self) -> None:
        second = WORDING if self._wording else 0
        quantile, seed = self._settings.wake.novelty_quantile, self._settings.seed
        self._recogniser = Recogniser(quantile=quantile, seed=seed, second=second, eager=False)
        self._forgotten += 1
        self._head = SkillHead(seed=self._settings.seed)
        self._outcomes = OutcomeModel()
        self._position = START
        self._judged_through = self._rows = self._unsaved = 0
        self._calibrated = float("inf")
        self._kept: dict[str, NDArray[Any]] = {}
        self._filed = None
        self._rule = None
        self._refit_stamp = None

    def _advance(self) -> bool:
        """Take in the next rows; whether these were the last."""
        changes = self._record.changes.since(self.tenant, self._position, limit=SLICE, judged_after=self._judged_through)
        if changes is None:
            self._begin()
            with suppress(FileNotFoundError):
                self._load()
            changes = self._record.changes.since(self.tenant, self._position, limit=SLICE, judged_after=self._judged_through)
            if changes is None:
                self._begin()
                return False
        if self._position == START:
            recalled, skills = self._record.cues.recall(self.tenant)
            # What cues recall has no text any more: its wording is unknown.
            self._learn(recalled, skills, [""] * len(skills))
        if not changes.complete and self._judged_through <= self._position.last:
            # Only the newest outcomes count: they are read at once, and not with the rows that lie far back.
            self._outcomes, self._judged_through = (
                outcome_model_of(self._record, self.tenant),
                self._record.changes.position(self.tenant).last,
            )
            self._rule = None
            changes = replace(changes, judged=[])
        self._take_in(changes)
        return changes.complete

    def _take_in(self, changes: Changes) -> None:
        self._learn(changes.vectors, changes.skills, changes.texts)
        for episode, vector in changes.judged:
            learn_outcome(self._outcomes, episode, vector)
            self._watch(episode)
        if changes.judged:
            self._rule = None
        self._position = changes.position
        if changes.complete and self._kept:
            self._take_up(self._kept)
        if self._unsaved >= SAVE_EVERY:
            self.save()

    def _views(self, vectors: Vector, texts: list[str]) -> Vector:
        """Vectors `(n, d)` with the wording of their texts beside them; zeros beside the vector of an empty text."""
        if self._wording is None:
            return vectors
        wording = np.zeros((len(texts), WORDING), dtype=np.float32)
        rows = [row for row, text in enumerate(texts) if text]
        wording[rows] = self._wording.encode([texts[row] for row in rows])
        return np.hstack([vectors, wording])

    def _learn(self, vectors: Vector, skills: list[str], texts: list[str]) -> None:
        if skills:
            self._recogniser.learn_many(self._views(vectors, texts), skills)
            self._head.learn(vectors, skills)
            self._rows += len(skills)
            self._unsaved += len(skills)

    def _take_up(self, kept: dict[str, NDArray[Any]]) -> None:
        """Judge by the calibration of the file, now that its tasks have been read again."""
        self._kept = {}
        if self._recogniser.take_up(_part(kept, "calibration")):
            self._calibrated, self._filed = float(kept["calibrated"]), self._recogniser.calibration

    def _follow(self) -> None:
        complete = False
        while not complete and not self._closed:
            try:
                with self._lock:
                    complete = self._advance()
                if complete:
                    self._calibrate()
            except Exception as error:
                # The next request tries again, and counts the failure.
                log.warning("perception could not catch up with the record: %s", error)
                return

    def _watch(self, episode: Episode) -> None:
        """Let thresholds follow what the present calibration said of tasks that were then done right under the skill it had named."""
        verdict = episode.verdict
        if verdict is None or episode.created < self._calibrated or not episode.outcome.verified or verdict.skill != episode.skill:
            return
        if self._recogniser.observe(verdict.known_chance):
            log.info("tenant %r: known tasks have drifted, and the thresholds are set on the newest of them", self.tenant)
            self._unsaved, self._filed = self._unsaved + 1, None

    def _calibrate(self) -> None:
        """Calibrate beside the recogniser that judges, and let it judge by that from then on, unless tasks were forgotten meanwhile."""
        with self._lock:
            known, forgotten = self._recogniser.calibration_tasks(), self._forgotten
            if known is None or not self._recogniser.due:
                return
        calibration = Calibration.fit(known, self._settings.seed)
        with self._lock:
            if forgotten == self._forgotten:
                self._recogniser.adopt(calibration)
                self._calibrated = time.time()
                self._unsaved += 1

    def _take_refit(self) -> None:
        """Let the refit of the last sleep answer, whichever process made it, as long as it is of these skills."""
        stamp = refit_stamp(self._record, self.tenant)
        if stamp != self._refit_stamp:
            load_refit(self._record, self.tenant, self._head, head_file(self._settings.home, self.tenant))
            self._refit_stamp = stamp

    def _write(self, parts: dict[str, Arrays]) -> None:
        arrays = {f"{part}/{name}": array for part, state in parts.items() for name, array in state.items()}
        about = {"format": FORMAT, "position": self._position, "judged_through": self._judged_through, "rows": self._rows}
        about["calibrated"] = self._calibrated
        file, seed = self._state_file, self._settings.seed
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = draft_path(file)
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                seal = f"{seed} {self._record.changes.seal(self.tenant, self._position)}"
                np.savez(out, about=np.array(json.dumps(about)), seal=np.array(seal), **arrays)  # type: ignore[arg-type]  # names of arrays
                out.flush()
                os.fsync(out.fileno())
            # Within a transaction nobody erases: what was erased meanwhile never appears again in a file.
            with self._record.transaction(), suppress(FileNotFoundError):
                if self._record.generation(self.tenant) == self._position.generation:
                    draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)

    def _load(self) -> None:
        """Take up the saved state, where it is of this record and nothing was removed since. Raises `FileNotFoundError`."""
        try:
            # Opened here, as numpy leaves a damaged file open.
            with self._state_file.open("rb") as source, np.load(source, allow_pickle=False) as arrays:
                about = json.loads(str(arrays["about"]))
                position = Position(*about["position"])
                seal = f"{self._settings.seed} {self._record.changes.seal(self.tenant, position)}"
                if about["format"] != FORMAT or str(arrays["seal"]) != seal or position.generation != self._record.generation(self.tenant):
                    return
                if "calibration/fitted" in arrays:
                    self._kept = {name: arrays[name] for name in arrays.files} | {"calibrated": np.array(about["calibrated"])}
                    return
                self._recogniser.restore(_part(arrays, "recogniser"))
                self._head.restore_statistics(_part(arrays, "head"))
                self._outcomes.restore(_part(arrays, "outcomes"))
                self._position, self._judged_through, self._rows = position, about["judged_through"], about["rows"]
                self._calibrated = about["calibrated"]
        except FileNotFoundError:
            raise
        except Exception as error:
            log.warning("%s cannot be read (%s); it is made again from the record", self._state_file, error)
            self._begin()


def _part(arrays: Arrays, part: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(f"{part}/"): arrays[name] for name in arrays if name.startswith(f"{part}/")}
