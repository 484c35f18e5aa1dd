from __future__ import annotations

import json
from pathlib import Path

import pytest

from lifelong.core import DataMissing
from lifelong.evals.data.dialogues import LOCOMO, joined, locomo, own_dialogues


def test_own_dialogues_are_whole() -> None:
    own = own_dialogues()
    assert len(own) >= 3
    for one in own:
        assert all(asked.evidence and max(asked.evidence) < len(one.turns) for asked in one.questions)
        assert len({turn.speaker for turn in one.turns}) == 2
        assert [turn.created for turn in one.turns] == sorted(turn.created for turn in one.turns)


def test_joined_dialogues_keep_their_evidence() -> None:
    own = own_dialogues()
    both = joined(own[:2])
    shifted = both.questions[len(own[0].questions)]
    first = own[1].questions[0]
    assert shifted.text == first.text
    assert {both.turns[place].text for place in shifted.evidence} == {own[1].turns[place].text for place in first.evidence}
    assert len({turn.session for turn in both.turns}) == sum(len({turn.session for turn in one.turns}) for one in own[:2])


def test_ids_of_evidence_are_read_in_all_their_spellings(tmp_path: Path) -> None:
    turns = [{"speaker": "A", "dia_id": f"D1:{number}", "text": f"t{number}"} for number in range(1, 4)]
    turns[0]["blip_caption"] = "a red boat"
    talk = {"sample_id": "c", "conversation": {"session_1": turns, "session_1_date_time": "1:56 pm on 8 May, 2023"}}
    talk["qa"] = [{"question": "q", "category": 1, "evidence": ["D1:1; D:1:02", "D1:9"], "answer": 3}]
    (tmp_path / "locomo").mkdir()
    (tmp_path / LOCOMO).write_text(json.dumps([talk]))
    [one] = locomo(tmp_path)
    assert one.questions[0].evidence == {0, 1}
    assert one.turns[0].text == "t1 [a red boat]"
    with pytest.raises(DataMissing, match="--data"):
        locomo(tmp_path / "elsewhere")
