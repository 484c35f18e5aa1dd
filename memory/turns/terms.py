"""`terms`: what a text is found by, word by word, in spaced and in unspaced scripts."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

LONGEST = 20_000
"""Characters of a text that are read; of a longer one the two ends."""

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Myanmar, Khmer
    "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # kana, Han
)
# A word, with the marks inside it that belong to it: GB/s, pre-edit, don't, ship.sh, 7:42, a_b, C++, C#.
_WORD = re.compile(rf"[{_UNSPACED}]+|(?:(?![{_UNSPACED}])\w)+(?:[-'’./:@&](?:(?![{_UNSPACED}])\w)+)*(?:\+\+|#)?")
_UNSPACED_RUN = re.compile(rf"[{_UNSPACED}]+")
_PART = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['’]s$")

_PLAIN = re.compile(r"\w+")

STOP_WORDS = frozenset(
    _PLAIN.findall(
        """
        a an the of to in on at for and or is are was were be been being do does did has have had having i you he she it we they me him
        her them my your his its our their this that these those with as by from about into what which who whom whose when where why how
        not no so if then than there here would could should will can may might just also any some s t d ll re ve m
        """
    )
)
"""English words that nearly every text holds. Other languages need no list: what is frequent in a record weighs little."""


def terms(text: str) -> list[str]:
    """Terms of `text` in its order, repeated as often as they stand there; stop words are left out.

    Letters lose case and accents. An English word counts by its stem (Porter 1980, as Snowball has it). A word with marks inside
    counts as a whole and by its parts, so that `GB/s` is found by `GB/s` and by `gb`, and never by `GBs`. A run of a script that does
    not space its words counts by its overlapping pairs of characters, a single character by itself.

    >>> terms("My sister's build runs at 3 GB/s")
    ['sister', 'build', 'run', '3', 'gb/s', 'gb']
    >>> terms("我住在Bern。")
    ['我住', '住在', 'bern']
    """
    return [term for word in words(text) for term in _terms_of(word)]


def words(text: str) -> list[str]:
    """Words of `text` without case and accents, as they stand there; a run of an unspaced script is one."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]} {text[len(text) - LONGEST // 2 :]}"
    return _WORD.findall(_folded(text))


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()  # nothing to decompose, and a hundred times as fast
    # Decomposed, so that an accent is a character of its own that can be left out; Han and kana have none, and voiced kana are put
    # together again, since their mark tells words apart.
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c) or c in "\u3099\u309a")
    return unicodedata.normalize("NFC", plain)


@lru_cache(maxsize=50_000)
def _terms_of(word: str) -> tuple[str, ...]:
    if _UNSPACED_RUN.fullmatch(word):
        return tuple("".join(pair) for pair in pairwise(word)) or (word,)
    return tuple(_of_spaced(_POSSESSIVE.sub("", word)))


def _of_spaced(word: str) -> Iterator[str]:
    parts = _PART.findall(word)
    if parts and parts != [word]:
        yield word
    for part in parts:
        if part not in STOP_WORDS:
            yield stem(part)


_stemming = threading.local()


def stem(word: str) -> str:
    """A word in small letters without what English endings add; one with other letters as it is."""
    if not word.isascii() or not word.isalpha():
        return word
    stemmer = getattr(_stemming, "stemmer", None)
    if stemmer is None:
        import snowballstemmer

        # It keeps the word it works on, so that no two threads may share one.
        stemmer = _stemming.stemmer = snowballstemmer.stemmer("english")
    return str(stemmer.stemWord(word))
