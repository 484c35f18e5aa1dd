"""Function calls are judged as the leaderboard's description says, and its own answers pass."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from made.function_calls import written

from lifelong.checks import check_environment
from lifelong.core import DataMissing, MalformedTask, Task, reply_text, tool_call
from lifelong.evals.data.function_calls import FunctionCallEnvironment, makes, right_answer
from lifelong.serving import ChatRequest, grammar_accepts, grammar_of

DATA = Path(os.environ.get("LIFELONG_DATA", Path(__file__).parents[3] / ".." / "shared" / "data"))
present = pytest.mark.skipif(not (DATA / "bfcl").is_dir(), reason=f"the leaderboard's files are not under {DATA}; set LIFELONG_DATA")
AREA = {"geometry.area": {"base": [10], "height": [2.5, 3.0], "unit": ["square metres", ""], "exact": [True, ""]}}


def call(name: str, **arguments: Any) -> Any:
    return tool_call(name, json.dumps(arguments), "call_0")


@pytest.mark.parametrize(
    ("given", "right"),
    [
        (call("geometry_area", base=10, height=2.5), True),
        (call("geometry_area", base=10, height=3, unit="Square-Metres", exact=True), True),
        (call("geometry_area", base=10.0, height=2.5), False),
        (call("geometry_area", base=10), False),
        (call("geometry_area", base=10, height=2.5, colour="red"), False),
        (call("geometry_area", base="10", height=2.5), False),
        (call("geometry_area", base=10, height=2.5, exact=1), False),
        (call("geometry_area", base=10, height=2.5, unit=""), False),
        (call("geometry.area", base=10, height=2.5), False),
        (tool_call("geometry_area", "{", "call_0"), False),
        (tool_call("geometry_area", "[10]", "call_0"), False),
    ],
)
def test_a_call_is_right_where_name_and_values_count(given: Any, right: bool) -> None:
    assert makes([given], [AREA]) is right


def test_several_calls_may_come_in_any_order_and_none_too_many_or_too_few() -> None:
    wanted = [{"play": {"artist": ["Swift"]}}, {"play": {"artist": ["Maroon 5"]}}]
    one, other = call("play", artist="swift"), call("play", artist="maroon 5")
    assert makes([other, one], wanted)
    assert not makes([one], wanted)
    assert not makes([one, one], wanted)
    assert not makes([one, other, one], wanted)
    assert not makes([], [])


def test_lists_and_objects_are_compared_inside() -> None:
    wanted = [{"plot": {"points": [[1, 2], [3]], "style": [{"line": ["dashed", ""], "width": [2]}]}}]
    assert makes([call("plot", points=[3], style={"width": 2})], wanted)
    assert not makes([call("plot", points=[1], style={"width": 2})], wanted)
    assert not makes([call("plot", points=[3], style={"line": "dashed"})], wanted)
    assert not makes([call("plot", points=[3], style="dashed")], wanted)


def test_the_environment_keeps_the_rules(tmp_path: Path) -> None:
    environment = FunctionCallEnvironment(written(tmp_path))
    train, test = environment.tasks("train", 200), environment.tasks("test", 12)
    assert [task.id.split("-")[0] for task in test] == ["simple", "multiple", "parallel"] * 4
    assert not {task.id for task in train} & {task.id for task in test}
    with pytest.raises(ValueError, match="ask for fewer"):
        environment.tasks("test", 13)
    with pytest.raises(MalformedTask):
        environment.reset(options={"task": Task(id="simple-999", goal="x", environment=environment.id)})
    parallel = next(task for task in test if task.id.startswith("parallel"))
    answer = environment.demonstrate(parallel).actions[0]
    assert environment.right_at_once(parallel, answer)
    assert not environment.right_at_once(parallel, reply_text("", [call("math_add", a=50)]))
    check_environment(environment)


def test_without_the_files_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="put the leaderboard's files there"):
        FunctionCallEnvironment(tmp_path).tasks("train", 1)
    (written(tmp_path) / "bfcl" / "BFCL_v4_multiple.json").write_text("{")
    with pytest.raises(DataMissing, match="is not the leaderboard's"):
        FunctionCallEnvironment(tmp_path).tasks("train", 1)


@present
def test_every_answer_of_the_leaderboard_is_right_and_can_be_written_under_its_schema() -> None:
    environment = FunctionCallEnvironment(DATA)
    refused = []
    tasks = [*environment.tasks("train", 200), *environment.tasks("test", 400)]
    for task in tasks:
        answer = right_answer(environment._wanted(task))
        assert environment.right_at_once(task, answer), task.goal
        if not grammar_accepts(grammar_of(ChatRequest(messages=[], tools=task.tools, tool_choice="required")), answer):
            refused.append(task.id)
    # In a few the answer that counts has another type than the schema asks for.
    assert len(refused) < 0.05 * len(tasks), refused
