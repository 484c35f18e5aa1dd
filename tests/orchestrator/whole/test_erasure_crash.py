"""An erasure that is interrupted is finished."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from secret_chats import Stopped, dying_at, files_with, open_echo, planted

from lifelong.core import Receipt


@pytest.mark.parametrize("target", ["episode", "tenant"])
def test_an_erasure_that_dies_at_any_write_is_finished_by_whoever_opens_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    for write in range(64):
        home = tmp_path / f"{write}"
        chats, word, other = planted(home)
        what = {"episode": chats.given[word][0]} if target == "episode" else {"tenant": "ann"}
        with dying_at(write, monkeypatch) as begun:
            try:
                chats.learner.forget(**what)
                died = False
            except Stopped:
                died = True
        chats.learner.close()
        if not died:
            assert begun[0] == write, "every write was tried"
            return
        if write == 0:
            continue  # nothing was promised yet
        with open_echo(home) as learner:
            assert files_with(home, word) == [], f"died before write {write}"
            assert files_with(home, other)
            assert learner.record.erasures.find() == []
            assert [receipt.erasure for receipt in learner.record.receipts.find()][-1] == "exact"
            assert learner.record.episodes.count(tenant="anna") == 5
    raise AssertionError("an erasure takes fewer writes than that")


def test_a_second_erasure_does_not_take_the_place_of_a_pending_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chats, word, other = planted(tmp_path)
    with dying_at(1, monkeypatch), pytest.raises(Stopped):
        chats.learner.forget(episode=chats.given[word][0])
    chats.learner.forget(episode=chats.given[other][0])
    assert len(chats.learner.record.erasures.find()) == 1
    chats.learner.close()
    with open_echo(tmp_path) as learner:
        [receipt] = learner.resume()
        assert isinstance(receipt, Receipt)
        assert receipt.asked == f"episode={chats.given[word][0]}"
        assert files_with(tmp_path, word) == files_with(tmp_path, other) == []


FORGETTER = """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[3])
    from scripted import open_scripted
    with open_scripted(Path(sys.argv[1])) as learner:
        print("ready", flush=True)
        sys.stdin.readline()
        learner.forget(episode=sys.argv[2])
        print("done", flush=True)
"""


@pytest.mark.slow
def test_erasures_that_are_killed_are_finished(tmp_path: Path) -> None:
    draw = random.Random(0)
    for attempt in range(6):
        home = tmp_path / f"{attempt}"
        chats, word, other = planted(home)
        episode = chats.given[word][0]
        chats.learner.close()
        support = str(Path(__file__).parents[2] / "support")
        command = [sys.executable, "-c", textwrap.dedent(FORGETTER), str(home), episode, support]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ}) as child:
            assert child.stdout is not None
            assert child.stdin is not None
            assert child.stdout.readline() == "ready\n"
            child.stdin.write("go\n")
            child.stdin.flush()
            time.sleep(draw.uniform(0, 0.3))
            child.kill()
        with open_echo(home) as learner:
            if learner.record.episodes.existing([episode]):
                learner.forget(episode=episode)
            assert files_with(home, word) == []
            assert files_with(home, other)
