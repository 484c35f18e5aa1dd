"""The lock of nights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lifelong.orchestrator.night_lock import holder, night_lock
from lifelong.orchestrator.phases import NightStopped


def test_the_lock_names_its_holder_and_outlives_no_process(tmp_path: Path) -> None:
    program = f"""
import time
from pathlib import Path
from lifelong.orchestrator.night_lock import night_lock
with night_lock(Path({str(tmp_path)!r}), "ann", lambda: None):
    print("held", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    found = holder(tmp_path)
    assert found is not None
    assert (found.pid, found.tenant) == (process.pid, "ann")

    def give_up() -> None:
        if holder(tmp_path):
            raise NightStopped

    with pytest.raises(NightStopped), night_lock(tmp_path, "ben", give_up):
        pass
    process.kill()
    process.wait()
    process.stdout.close()
    with night_lock(tmp_path, "ben", lambda: None):
        found = holder(tmp_path)
        assert found is not None
        assert found.tenant == "ben"
    assert holder(tmp_path) is None
