"""Function calls written as the leaderboard writes them: some of each category more than may be learned from."""

from __future__ import annotations

import json
from pathlib import Path


def written(folder: Path) -> Path:
    """Write the three categories under a data directory, and return it."""
    for name in ("simple_python", "multiple", "parallel"):
        rows, answers = [], []
        for number in range(104 if name == "simple_python" else 54):
            function = {
                "name": "math.add",
                "description": "Add.",
                "parameters": {"type": "dict", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            }
            times = 2 if name == "parallel" else 1
            rows.append(
                {"id": f"{name}_{number}", "question": [[{"role": "user", "content": f"Add {number}, {name}."}]], "function": [function]}
            )
            answers.append({"id": f"{name}_{number}", "ground_truth": [{"math.add": {"a": [number + more]}} for more in range(times)]})
        for place, some in ((folder / "bfcl", rows), (folder / "bfcl" / "possible_answer", answers)):
            place.mkdir(parents=True, exist_ok=True)
            (place / f"BFCL_v4_{name}.json").write_text("\n".join(map(json.dumps, some)))
    return folder
