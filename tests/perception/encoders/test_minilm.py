"""Loading a sentence-transformers model: what is not there, what is damaged, and what brings code of its own."""

import json
from pathlib import Path

import numpy as np
import pytest

from lifelong.core import ModelCorrupt, ModelMissing
from lifelong.perception import MiniLMEncoder
from lifelong.perception.encoders import minilm
from lifelong.serving import locate


def test_a_folder_without_a_model_is_missing(tmp_path: Path) -> None:
    for path in (tmp_path, str(tmp_path)):
        with pytest.raises(ModelMissing, match="models pull"):
            MiniLMEncoder(path)


def test_a_damaged_model_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelCorrupt, match="cannot be read"):
        MiniLMEncoder(tmp_path).encode(["x"])


@pytest.mark.parametrize("kind", ["evil_module.Evil", "evil.Evil", "os.system"])
def test_a_module_that_is_not_the_library_s_is_never_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    marker = tmp_path / "ran"
    folder = tmp_path / "model"
    folder.mkdir()
    for place in (tmp_path / "evil_module.py", folder / "evil.py"):
        place.write_text(f"open({str(marker)!r}, 'w').close()\nclass Evil: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    (folder / "config.json").write_text(
        json.dumps({"model_type": "evil", "auto_map": {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil"}})
    )
    (folder / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": kind}]))
    with pytest.raises(ModelCorrupt, match="program code that is not part of sentence-transformers"):
        MiniLMEncoder(folder).encode(["x"])
    (folder / "modules.json").unlink()
    with pytest.raises(ModelCorrupt):
        MiniLMEncoder(folder).encode(["x"])
    assert not marker.exists()


def test_every_piece_is_read_once_and_not_too_much_at_a_time() -> None:
    pieces = ["x" * length for length in (700, 3, 0, 700, 50, 699, 700, 700, 700, 3, *range(100))]
    batches = list(minilm._batches(pieces))
    assert sorted(place for batch in batches for place in batch) == list(range(len(pieces)))
    # What is read is as long as the longest of a batch, for each of them.
    read = [len(batch) * max(len(pieces[place]) for place in batch) for batch in batches]
    assert max(read) <= minilm.BATCH_CHARACTERS
    assert max(map(len, batches)) <= minilm.BATCH


@pytest.mark.model
def test_its_rows_are_those_of_the_library() -> None:
    from sentence_transformers import SentenceTransformer

    path = locate("all-minilm-l6-v2")
    texts = ["Book a flight to Rome", "", "a longer text " * 20, "[SEP] \u200bÉ ﬁ İ", "日本 🙂" * 40]
    texts += ["word " * count for count in range(1, 60)]
    rows = SentenceTransformer(str(path), device="cpu").encode(texts, normalize_embeddings=True)
    np.testing.assert_allclose(MiniLMEncoder(path).encode(texts), rows, atol=1e-6)
