"""What a user's next turn says of the answer before: a correction, the same request again, thanks.

Such an outcome is inferred (`Judge.INFERRED`): it is counted and shown, overruled by everybody, and nothing is trained on it.
"""

from __future__ import annotations

from ...core import UNKNOWN, Judge, Outcome

LONGEST = 200
"""Characters of a turn that are kept as evidence."""
SHORT = 60
"""Characters up to which a turn of thanks is nothing but that; a longer one asks for something else."""

CORRECTIONS = (
    "no,", "no.", "nope", "wrong", "that's wrong", "that is wrong", "this is wrong", "not what i", "that's not", "that is not", "i meant",
    "incorrect", "still wrong", "still doesn't", "still not", "it doesn't work", "doesn't work", "you forgot", "nein,", "falsch",
    "das ist falsch",
    "das stimmt nicht", "non,", "c'est faux", "no es", "incorrecto", "不对", "错了", "不是",
)  # fmt: skip
"""How a turn begins that corrects the answer before."""
REDOS = ("try again", "again, please", "once more", "redo", "noch einmal", "nochmal", "encore une fois", "otra vez", "再试", "重新")
"""How a turn begins that wants the same again."""
THANKS = (
    "thanks", "thank you", "thx", "perfect", "great", "that works", "it works", "works now", "exactly", "danke",
    "perfekt", "genau", "merci", "parfait", "gracias", "perfecto", "谢谢", "很好", "完美",
)  # fmt: skip
"""How a turn begins that is content."""


def outcome_of_reaction(text: str, request: str) -> Outcome:
    """What a turn says of the answer to the request before it; `UNKNOWN` where it says nothing.

    >>> outcome_of_reaction("No, the other one.", "Close the ticket.").success
    False
    >>> outcome_of_reaction("And the next one?", "Close the ticket.").success is None
    True
    """
    said = " ".join(text.casefold().split())
    if said and said == " ".join(request.casefold().split()):
        return _inferred(success=False, text=text)
    if said.startswith((*CORRECTIONS, *REDOS)):
        return _inferred(success=False, text=text)
    if len(said) <= SHORT and said.startswith(THANKS) and "?" not in said and "but" not in said.split():
        return _inferred(success=True, text=text)
    return UNKNOWN


def _inferred(*, success: bool, text: str) -> Outcome:
    return Outcome(success=success, score=float(success), judge=Judge.INFERRED, evidence=text.strip()[:LONGEST])
