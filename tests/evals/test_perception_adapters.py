from __future__ import annotations

from lifelong.evals.perception_adapters import letter_noise, word_noise

TEXTS = ["please transfer forty dollars from my savings account to my checking account"] * 200


def test_word_noise_drops_words_and_exchanges_neighbouring_letters() -> None:
    made = [text.split() for text in word_noise(TEXTS, 0)]
    words = TEXTS[0].split()
    assert 0.75 < sum(map(len, made)) / (len(words) * len(made)) < 0.85
    known = {"".join(sorted(word)) for word in words}
    assert {"".join(sorted(word)) for text in made for word in text} == known
    assert any(word not in words for text in made for word in text)


def test_letter_noise_keeps_words_and_changes_a_letter_at_most() -> None:
    words = TEXTS[0].split()
    for text in letter_noise(TEXTS, 0):
        changed = text.split()
        assert len(changed) == len(words)
        assert all(len(old) - len(new) in (0, 1) for old, new in zip(words, changed, strict=True))
    assert len(set(letter_noise(TEXTS, 0))) > 100


def test_noise_repeats_itself_and_never_empties_a_text() -> None:
    assert word_noise(TEXTS, 3) == word_noise(TEXTS, 3) != word_noise(TEXTS, 4)
    assert all(word_noise(["a"] * 50, 0))
    assert all(letter_noise(["a"] * 50, 0))
    assert word_noise(["", " "], 0) == ["", " "]
