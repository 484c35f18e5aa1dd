"""What of a statement stands for longer than its day: names, preferences, standing facts. Rules for English, some for other languages."""

from __future__ import annotations

import re
from enum import IntEnum

from ..turns.sentences import SENTENCE, asks

LONGEST = 200
"""Characters of a sentence beyond which it tells a story."""


class Topic(IntEnum):
    """What a line of a profile is about; what has the smaller number stands first."""

    PINNED = 0
    """A person has said that it always counts."""
    NAME = 1
    """What somebody is called."""
    PREFERENCE = 2
    """What somebody wants, likes or never takes."""
    FACT = 3
    """What is so from day to day."""


_NAME = re.compile(
    r"\b(?:my (?:full |first |last )?name(?:'s| is)|call me|i(?:'m| am) called|people call me|my pronouns are"
    r"|ich hei(?:ß|ss)e|nenn mich|je m[’']appelle|me llamo|mi chiamo)\b|我叫|私の名前は",
    re.IGNORECASE,
)
_PREFERENCE = re.compile(
    r"\b(?:(?:i|we) (?:really |much |strongly |always |never |generally |only )*"
    r"(?:prefer|like|love|hate|dislike|avoid|enjoy|want|favou?r)\b"
    r"|(?:i|we)(?:'d| would) (?:rather|like|prefer)|(?:i|we) (?:can't|cannot) stand|(?:my|our) (?:favou?rite|preference)"
    r"|(?:i|we) (?:never|always|don't|do not) (?:eat|drink|use|take|read|write|work|deploy|wear|buy|want|like)"
    r"|(?:i|we)(?:'m| am| are) (?:a )?(?:vegetarian|vegan|allergic|intolerant|teetotal)"
    r"|ich (?:mag|esse|trinke|bevorzuge)"
    r"|ich bin (?:vegetarier\w*|allergisch)|lieber|je (?:préfère|n[’']aime|suis végétarien\w*)|prefiero|no como)\b",
    re.IGNORECASE,
)
_FACT = re.compile(
    r"^\W*(?:\w+[:,] )?(?:(?:i|we)(?:'m| am| are| have|'ve got| live| work| own| speak| play| study| drive| use| run| keep| teach"
    r"| deploy| release)\b"
    r"|(?:my|our)\b[^.]{1,80}?\b(?:is|are|has|have|lives?|works?|runs?|goes|go|plays?|leaves?|starts?|opens?|closes?|takes?|uses?|speaks?|called)\b"
    r"|i was born|ich (?:bin|habe|wohne|lebe|arbeite)"
    r"|mein\w* .{1,60}? (?:ist|sind|heißt|wohnt|hat)|j[’']habite|je (?:suis|vis|travaille)|vivo|trabajo)",
    re.IGNORECASE,
)
_PASSING = re.compile(
    r"\b(?:today|tonight|tomorrow|yesterday|right now|at the moment|just now|this (?:morning|afternoon|evening|week|weekend|month)"
    r"|next|last"
    r"|later|soon|(?:mon|tues|wednes|thurs|fri|satur|sun)day (?:morning|evening)|minutes? ago|hours? ago|days? ago|going to|about to"
    r"|i(?:'m| am) (?:\w+ly )?\w{3,}ing|heute|morgen|gestern|demain|hier|aujourd'hui|tired|hungry|sorry|glad|happy|sure|afraid)\b",
    re.IGNORECASE,
)


def topic_of(sentence: str) -> Topic | None:
    """What a sentence says that stands; None for what passes, asks or supposes.

    >>> [topic_of(one) for one in ("My name is Kim.", "I prefer metric units.", "I live in Ulm.", "I am tired today.", "Do I live in Ulm?")]
    [<Topic.NAME: 1>, <Topic.PREFERENCE: 2>, <Topic.FACT: 3>, None, None]
    """
    if len(sentence) > LONGEST or asks(sentence):
        return None
    if _NAME.search(sentence):
        return Topic.NAME
    if _PASSING.search(sentence):
        return None
    if _PREFERENCE.search(sentence):
        return Topic.PREFERENCE
    return Topic.FACT if _FACT.search(sentence.strip()) else None


def standing(text: str) -> list[tuple[Topic, str]]:
    """The sentences of a statement that stand, in their order, each with its topic.

    >>> standing("What a day! My sister is called Ada. I am late today.")
    [(<Topic.FACT: 3>, 'My sister is called Ada.')]
    """
    return [(topic, one.strip()) for one in SENTENCE.findall(text) if (topic := topic_of(one)) is not None]
