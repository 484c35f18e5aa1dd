"""The audit of a home: whatever stands in a file is found, wherever it stands, as fast as a file is read."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from properties import examples

from lifelong.memory import audit
from lifelong.memory.audit import CHUNK, FEW, LONG, SAMPLE, _search, encoded_forms

TEXT = "the wine of Zoë's garden"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("at", [0, 1, SAMPLE - 3, SAMPLE, CHUNK - 7, CHUNK, 2 * CHUNK - 1, 3 * CHUNK])
def test_a_text_is_found_wherever_it_stands(tmp_path: Path, at: int, encoding: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, size=3 * CHUNK + 1000, dtype=np.uint8).tobytes()
    text = TEXT.encode(encoding)
    (tmp_path / "file").write_bytes(noise[:at] + text + noise[at + len(text) :])
    others = [f"something else, number {number}" for number in range(20)]
    assert audit(tmp_path, [TEXT, *others]).found == ((TEXT, "file"),)
    assert audit(tmp_path, [TEXT]).found == ((TEXT, "file"),)


def test_escaped_and_decomposed_texts_are_found(tmp_path: Path) -> None:
    for place, written in enumerate([json.dumps(TEXT), TEXT.replace("ë", "e\u0308")]):
        (tmp_path / f"file-{place}").write_text(written, encoding="utf-8")
    assert {file for _, file in audit(tmp_path, [TEXT]).found} == {"file-0", "file-1"}


def test_the_end_of_the_file_is_searched(tmp_path: Path) -> None:
    for size in range(SAMPLE + 1, SAMPLE + 9):
        (tmp_path / "file").write_bytes(bytes(size) + TEXT.encode())
        assert _search(tmp_path / "file", encoded_forms(TEXT)) == {TEXT.encode()}


@pytest.mark.parametrize("size", [SAMPLE + 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_nothing_is_found_where_nothing_stands(tmp_path: Path, size: int) -> None:
    (tmp_path / "file").write_bytes(bytes(size))
    seen = audit(tmp_path, [TEXT, "another text that is nowhere"])
    assert (seen.found, seen.bytes, seen.files) == ((), size, 1)


def test_words_that_stand_everywhere_do_not_hide_a_form(tmp_path: Path) -> None:
    everywhere = b"abcd" * (CHUNK // 2)
    forms = {b"abcd" * 4 + b"!", b"abcd" * 5, b"dabc" * 3 + b"?", b"nothing of this", b"or of that"}
    (tmp_path / "file").write_bytes(everywhere + b"!" + everywhere)
    assert _search(tmp_path / "file", forms) == {b"abcd" * 4 + b"!", b"abcd" * 5}


@settings(max_examples=examples(150), deadline=None)
@given(data=st.data())
def test_the_fast_search_finds_what_a_plain_one_finds(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    # Few letters, so that pieces of forms stand in the file without the whole form.
    letters = data.draw(st.sampled_from([b"ab", b"\0a", b"abc\0 ", bytes(range(256))]))
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    size = SAMPLE + data.draw(st.integers(1, 5000))
    content = bytearray(draw.choice(np.frombuffer(letters, dtype=np.uint8), size).tobytes())
    forms = {draw.choice(np.frombuffer(letters, dtype=np.uint8), int(length)).tobytes() for length in draw.integers(4, 60, size=2 * FEW)}
    for form in sorted(forms)[::2]:
        at = int(draw.integers(0, size - len(form) + 1))
        content[at : at + len(form)] = form
    forms |= {bytes(content[at : at + length]) for at, length in ((0, LONG), (size - 40, 40), (size // 2 + 1, LONG + 1))}
    file = tmp_path_factory.mktemp("audit") / "file"
    file.write_bytes(content)
    assert _search(file, forms) == {form for form in forms if form in content}
