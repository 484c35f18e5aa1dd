"""One perceiver a tenant: in step with the record whoever writes it, bounded in memory, and the same from a file as from the rows."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scripted import open_scripted
from two_skills import KINDS, THINGS, asked, episodes, fill, many

from lifelong.core import Episode, Task
from lifelong.orchestrator import LifelongLearner
from lifelong.orchestrator import perceiver as module
from lifelong.orchestrator.skill_heads import build_head, difference, labelled_vectors, state_file
from lifelong.perception import HashedEncoder


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state of more than 128 rows is worth a file; many more would only take longer."""
    monkeypatch.setattr(module, "WORTH_A_FILE", 128)


def apart(learner: LifelongLearner, tenant: str = "default") -> float:
    """How far the head that answers is from one made anew of the record."""
    head = learner._components.perceiver(tenant).head
    return difference(head, build_head(learner.record, tenant, 0), labelled_vectors(learner.record, tenant)[0])


@pytest.mark.parametrize("each", [10, pytest.param(25, marks=pytest.mark.slow)])
def test_eight_threads_lose_no_verdict(tmp_path: Path, each: int) -> None:
    with open_scripted(tmp_path) as learner:
        fill(learner, episodes(60) + episodes(60, "other"))

        def work(thread: int) -> list[Episode]:
            tenant = ("default", "other")[thread % 2]
            runs: list[Episode] = []
            for number in range(each):
                kind = sorted(KINDS)[number % 2]
                text = KINDS[kind].format(THINGS[number % 8], 1000 * thread + number)
                runs.append(learner.wake(Task(id=f"{thread}-{number}", goal=text, tenant=tenant, skill=kind, environment="chat")))
                if number % 5 == 0:
                    learner.feedback(runs[-1].id, tenant=tenant, success=bool(number % 2))
            return runs

        with ThreadPoolExecutor(8) as pool:
            runs = [run for part in pool.map(work, range(8)) for run in part]
        assert learner.status().faults == {}
        assert len(runs) == 8 * each
        assert all(run.verdict is not None and run.verdict.skill == run.skill for run in runs)
        assert all(run.answer_chance is not None for run in runs)
        assert learner.record.episodes.count() == 120 + 8 * each
        for tenant in ("default", "other"):
            assert apart(learner, tenant) < 1e-6, "every task was learned once, whatever thread it came by"
            hits = learner._components.index
            hits.sync(learner.record, tenant)
            found = hits.search(learner.record, tenant, np.ones(384, dtype=np.float32), 1000)
            assert len(found) == len(learner.record.verified.numbers(tenant)) > 0


def test_a_tenant_does_not_wait_for_another(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        fill(learner, episodes(20) + episodes(20, "other"))
        with learner._components.perceiver("other")._lock:
            done = threading.Thread(target=asked, args=(learner, "book a flight to Rome on day 3"))
            done.start()
            done.join(timeout=20)
            assert not done.is_alive()


SECOND = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from scripted import open_scripted
from two_skills import KINDS, THINGS, asked, episodes, fill, many
from test_perceiver import episodes, fill
for line in sys.stdin:
    with open_scripted(Path({home!r})) as learner:
        exec(line)
    print("done", flush=True)
"""


@contextmanager
def second_process(home: Path) -> Iterator[Callable[[str], None]]:
    """Another process on the same home, which does what it is given with a learner that it opens for that."""
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")]
    code = SECOND.format(paths=paths, home=str(home))
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def do(work: str) -> None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{work}\n")
            process.stdin.flush()
            assert process.stdout.readline() == "done\n"

        yield do


def test_two_processes_notice_what_the_other_learns_judges_and_forgets(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner, second_process(tmp_path) as elsewhere:
        text = "book a flight to Rome on day 8"
        assert not asked(learner, text).skill
        elsewhere("fill(learner, episodes(40))")
        known = asked(learner, text)
        assert known.skill == "flights"
        before = learner._components.perceiver("default").outcome_counts("flights", "")
        elsewhere(f"learner.feedback({known.id!r}, success=True)")
        after = learner._components.perceiver("default").outcome_counts("flights", "")
        assert after == (before[0] + 1, before[1] + 1)
        elsewhere("learner.forget(skill='flights')")
        assert asked(learner, text).skill != "flights"
        assert "flights" not in learner._components.perceiver("default").head.skills
        assert learner.status().faults == {}


@pytest.mark.usefixtures("small_files")
def test_a_state_from_its_file_is_the_one_that_was_saved(tmp_path: Path) -> None:
    file = state_file(tmp_path, "default")
    with open_scripted(tmp_path) as learner:
        fill(learner, episodes(150))
        expected = asked(learner, "book a flight to Lima on day 9").verdict
    assert file.stat().st_mode & 0o777 == 0o600
    assert not list(file.parent.glob(".*")), "no draft is left"
    with open_scripted(tmp_path) as learner:
        perceiver = module.Perceiver(learner.record, "default", learner.settings)
        assert perceiver.position().last >= 150, "nothing has to be read again"
        vector = HashedEncoder().encode(["book a flight to Lima on day 9"])[0]
        again = perceiver.refresh().judge(vector)
        assert expected is not None
        assert (again.skill, again.known) == (expected.skill, expected.known)
        assert again.success_chance == pytest.approx(expected.success_chance, abs=0.01)
        assert apart(learner) < 1e-6
        fill(learner, episodes(20, start=2000))
        assert apart(learner) < 1e-6, "newer rows are added to it"


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("damage", ["another record", "bytes", "an erasure"])
def test_a_file_that_is_not_of_these_rows_is_not_read(tmp_path: Path, damage: str) -> None:
    with open_scripted(tmp_path) as learner:
        fill(learner, episodes(150))
        asked(learner, "book a flight to Lima on day 9")
    file = state_file(tmp_path, "default")
    if damage == "bytes":
        file.write_bytes(file.read_bytes()[:5000])
    if damage == "another record":
        for part in tmp_path.glob("record.sqlite3*"):
            part.unlink()
    with open_scripted(tmp_path) as learner:
        if damage == "another record":
            fill(learner, [*episodes(250)[100:], *episodes(1, start=3001)])
        if damage == "an erasure":
            learner.record.erase(["default-3"])
        assert module.Perceiver(learner.record, "default", learner.settings).position() == module.START
        assert apart(learner) < 1e-6
        assert learner.status().faults == {}


@pytest.mark.usefixtures("small_files")
def test_what_another_process_erased_does_not_come_back_in_a_file(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as stale, open_scripted(tmp_path) as eraser:
        fill(eraser, episodes(150))
        asked(stale, "book a flight to Lima on day 9")
        receipt = eraser.forget(episode="default-5")
        assert receipt.erasure == "exact"
        stale._components.perceivers.save()  # it has not looked at the record since
        gone = HashedEncoder().encode([episodes(6)[5].task.text])[0]
        with np.load(state_file(tmp_path, "default"), allow_pickle=False) as arrays:
            for view in np.split(arrays["recogniser/banks"], 2, axis=1):
                assert (view @ gone).max() < 1 - 1e-6, "neither the meaning nor the wording of it is kept"
            assert "default-5" not in arrays["outcomes/keys"]


def test_an_erasure_leaves_the_head_of_a_record_that_never_had_it(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        fill(learner, episodes(300))
        perceiver = learner._components.perceiver("default")
        read = perceiver.position().last
        receipt = learner.forget(episode="default-4", rebuild=False)
        assert receipt.erasure == "exact"
        assert receipt.head_difference is not None
        assert receipt.head_difference < 1e-6
        assert perceiver.position().last == read, "it was taken back, and not made again from the rows"
        assert apart(learner) < 1e-6


def test_what_is_kept_in_memory_is_bounded_in_tenants(tmp_path: Path) -> None:
    with open_scripted(tmp_path, **{"memory.tenants_in_memory": 2}) as learner:
        for number in range(6):
            fill(learner, episodes(10, f"tenant-{number}"))
            assert asked(learner, "book a flight to Rome on day 8", f"tenant-{number}").verdict is not None
        assert list(learner._components.perceivers._open) == ["tenant-4", "tenant-5"]
        assert asked(learner, "book a flight to Rome on day 8", "tenant-0").skill == "flights", "given back is not forgotten"


def test_a_request_reads_a_bounded_part_and_a_thread_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE", 20)
    monkeypatch.setattr(module, "CATCH_UP", 40)
    with open_scripted(tmp_path) as learner:
        fill(learner, episodes(200))
        gate = threading.Event()
        follow = module.Perceiver._follow
        monkeypatch.setattr(module.Perceiver, "_follow", lambda self: (gate.wait(20), follow(self)))
        perceiver = learner._components.perceiver("default")
        assert perceiver.position().last == 40
        assert sum(perceiver.outcome_counts(skill, "")[1] for skill in KINDS) == 200, (
            "of outcomes only the newest count, and these come first"
        )
        gate.set()
        assert perceiver._follower is not None
        perceiver._follower.join(timeout=20)
        assert perceiver.position().last == 200
        assert apart(learner) < 1e-6
        assert sum(perceiver.outcome_counts(skill, "")[1] for skill in KINDS) == 200


class StepsCounted:
    """How much the database has done since the last look, in its own instructions: the same on any machine under any load."""

    def __init__(self, learner: LifelongLearner) -> None:
        self._done = 0
        database = learner.record._database
        for connection in (database._connection, database._reader):
            connection.set_progress_handler(self._step, 10)

    def _step(self) -> int:
        self._done += 10
        return 0

    def since_last(self) -> int:
        done, self._done = self._done, 0
        return done


def test_what_the_database_does_for_a_request_and_for_the_status_does_not_grow(tmp_path: Path) -> None:
    done: dict[str, list[int]] = {"wake": [], "status": [], "newest of a rare skill": []}
    with open_scripted(tmp_path) as learner:
        # The thread that indexes turns uses the same connections; what its search reads is counted where that is tested.
        learner._components.turns.close()
        rare = [replace(episode, id="rare", skill="rare") for episode in episodes(1)]
        fill(learner, rare)
        for start, end in ((0, 200), (200, 1800)):
            fill(learner, episodes(end - start, start=start))
            for place in range(4):
                asked(learner, f"book a flight to Rome on day {end + place}")
                learner._components.index.wait("default", 20)
            steps = StepsCounted(learner)
            asked(learner, f"book a flight to Rome on day {end + 9}")
            done["wake"].append(steps.since_last())
            learner.status()
            done["status"].append(steps.since_last())
            learner.record.episodes.find(tenant="default", skill="rare", newest_first=True, limit=5)
            done["newest of a rare skill"].append(steps.since_last())
    assert all(large <= 1.2 * small + 200 for small, large in done.values()), done
    assert min(done["wake"]) > 0


def test_every_verdict_of_waking_says_why(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        first = asked(learner, "book a flight to Rome on day 8").verdict
        assert first is not None
        assert not first.known
        fill(learner, many(160))
        known, unknown = asked(learner, "book a flight to Rome on day 8").verdict, asked(learner, "what rhymes with orange?").verdict
        assert known is not None
        assert unknown is not None
        assert known.reason.startswith("known: nearest is 'skill 0', at a distance of 0.0")
        assert known.known_chance > 0.9 > 0.1 > unknown.known_chance
        assert "not accepted, since it is unknown" in unknown.reason
        assert "; accepted: chance of success " in known.reason


def test_what_cannot_be_accepted_says_what_is_missing(tmp_path: Path) -> None:
    with open_scripted(tmp_path, **{"wake.target_risk": 0.05}) as learner:
        fill(learner, many(40))
        verdict = asked(learner, "book a flight to Rome on day 8").verdict
        assert verdict is not None
        assert verdict.known
        assert not verdict.accepted
        assert "needs 59 faultless outcomes, and there are 40, 0 of them failures" in verdict.reason
