"""Wishes that ask for something to be done, and wishes that stand: "I want to find a hotel" states nothing, "I want short answers" does.

Rules of word lists, for English and German, a few for French and Spanish. What they do not know counts as a statement.
"""

from __future__ import annotations

import re

READ = 400
"""Characters of a sentence that are read."""


def _any_of(text: str) -> str:
    """An alternative of the words of `text`; an underscore stands for a space inside one of them."""
    return "(?:" + "|".join(re.escape(word).replace("_", r"\s") for word in text.split()) + ")"


_SOUGHT = _any_of(
    """
    find locate search look_up look_for check know calculate compute determine estimate evaluate solve convert compare translate
    summarise summarize retrieve fetch list identify analyse analyze generate predict obtain verify figure_out find_out work_out
    understand ask extract filter sort count visualise visualize simulate multiply divide subtract
    """
)
"""What is done with what can be known: whoever wants to do it asks for the result."""
_ORDERED = _any_of(
    """
    book reserve order schedule cancel rename delete remove add update request rent transfer reset arrange repair install draft print renew
    upgrade download upload subscribe unsubscribe withdraw exchange return track
    """
)
"""What is done for somebody."""
_EITHER = _any_of(
    "see get buy change write make create send plan play watch read learn hear draw cook bake build set put open close start stop hire move"
)
"""What is asked for where the sentence says exactly what, and else is a plan for life."""
_THINGS = _any_of(
    """
    area volume perimeter circumference radius diameter distance length height weight speed velocity sum product mean median average
    percentage probability derivative integral slope solution value price prices cost costs fare total number list lists summary
    translation definition explanation description overview comparison breakdown forecast weather temperature population rate rates
    directions route map recipe recipes quote estimate information info details data results result statistics news score scores
    timetable status balance names synonyms example examples code script function query plot chart graph point formula
    help assistance advice tips ideas suggestions suggestion recommendation recommendations instructions steps
    room rooms table seat seats ticket tickets taxi cab flight flights hotel hotels hostel hostels restaurant restaurants
    reservation appointment babysitter plumber book books article articles film films movie movies song songs video videos podcast
    invoice hours
    """
)
"""What a request is for."""
_OF_LIFE = _any_of(
    """
    job work position flat apartment house home partner husband wife girlfriend boyfriend friend friends flatmate roommate church
    stelle job arbeit wohnung haus partner partnerin freund freunde mitbewohner mitbewohnerin zuhause
    """
)
"""What is sought for months: that somebody does is a fact about them."""
_NO_LINK = r"(?!(?:as|with|without|for|in|on|at|to|of|from|by|and|or|because|when)\b)"
_SOME_THING = rf"(?:{_NO_LINK}[\w'.-]+\s){{0,4}}?(?:{_THINGS}\b|(?:cheapest|nearest|closest|fastest|latest)\b)"
_EXACT = (
    rf"(?:\d|\bfor\sme\b|\bnear\b|\btonight\b|\btomorrow\b|\btoday\b|\bthis\s(?:week|evening|morning|afternoon|weekend)\b"
    rf"|\bon\s(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b{_THINGS}\b)"
)
_OFTEN = r"(?:(?:really|just|also|only|urgently|still|now|currently|desperately|quickly|first|please|kindly)\s)*"
_ONE = rf"(?:i|we)\s{_OFTEN}"
_WANT = (
    rf"(?:{_ONE}(?:want|need|wish|require)|(?:i|we)(?:'d|\swould)\s{_OFTEN}(?:like|love|appreciate|need|want)"
    r"|(?:i|we)\swanted)\s"
)
_AIM = (
    rf"(?:(?:i'm|we're|i\sam|we\sare|i\swas|i've\sbeen|we've\sbeen)\s{_OFTEN}(?:trying|hoping|aiming|wanting)\sto\s"
    r"|(?:my|our|the|your)\s(?:goal|aim|task|objective|assignment)\s(?:is|was)\sto\s)"
)
_BEING = rf"(?:i'm|we're|i\sam|we\sare|i\swas|we\swere)\s{_OFTEN}"
_SETTLED = _any_of("cancelled canceled closed deleted removed translated refunded fixed renewed delivered repaired picked_up")
"""What somebody wants to be done with a thing, once."""
_MOST = r"(?:the|all)\s(?:\w+\s){0,3}?(?!rest\b|forest\b|test\b|west\b|guest\b|interest\b|request\b|harvest\b)\w{2,}est\b"
"""Whoever wants what is most of a kind asks which that is."""
_SENT = r"send\s(?:\w+\s){0,2}?(?:e-?mails?|letters?|messages?|flowers|parcels?|packages?|invitations?|cards?|money|reports?|files?)\b"
_NOW = rf"(?:i'm|we're|i\sam|we\sare)\s{_OFTEN}"
_MANNER = _any_of("be stay remain avoid use answer speak talk sound act treat remember know understand believe think call address keep")
"""What somebody wants an assistant to be or do for good."""

_ENGLISH = re.compile(
    "|".join(
        (
            rf"{_WANT}(?:to\s(?:{_SOUGHT}|{_ORDERED})\b|to\s{_EITHER}\b(?=.*{_EXACT})|you\sto\s(?!{_MANNER}\b)|your\shelp\b|{_SOME_THING}"
            rf"|(?:\w+\s){{1,4}}{_SETTLED}(?:\s(?:to|by|on|at|tomorrow|today)\b|\W*$)|some(?:one|body)\sto\b"
            rf"|{_MOST}|to\s{_SENT}|(?:a|an|some|two|three|four|five|\d+)\s.*\b(?:near|nearby|close\sto)\b)",
            rf"{_AIM}(?:(?:{_SOUGHT}|{_ORDERED})\b|{_EITHER}\b(?=.*{_EXACT}))",
            rf"{_ONE}(?:have\sto|must|should|ought\sto|got\sto)\s{_SOUGHT}\b",
            rf"(?:{_NOW}|)(?:looking|searching)\s(?:for|to)\b(?!\s(?:my|our)\b)(?!.*\b{_OF_LIFE}\b)",
            rf"(?:i|we)(?:\swas|\swere|'ve\sbeen|\shave\sbeen)\s(?:asked|told)\sto\s{_SOUGHT}\b",
            rf"{_BEING}curious\b",
            rf"(?:need|wanted|want)\s(?:{_SOME_THING}|to\s{_SOUGHT}\b)",
            rf"{_BEING}interested\sin\s(?:finding|knowing|learning|seeing|getting|booking|buying|hearing)\b",
            rf"{_BEING}(?:hoping|wondering|asking)\b.*?\b(?:you|if|whether|what|how|when|where|which|who)\b",
            r"(?:it|that)(?:\swould|'d)\s(?:really\s|also\s)?be\s(?:great|nice|good|helpful|lovely|kind|wonderful|fantastic|perfect)"
            r"\s(?:if\s(?:you|i|we)\b|to\s(?:see|know|have|get)\b)",
            r"(?:i|we)(?:'d|\swould)\s(?:be\s(?:very\s|so\s)?(?:grateful|glad|happy|thankful)|appreciate\sit)\sif\syou\b",
            rf"you\s(?:should|must|can|need\sto|have\sto)\s(?!know\sthat\b|find\s(?:me|us)\b)(?:{_SOUGHT}|{_ORDERED}|{_EITHER})\b",
            rf"let's\s{_SOUGHT}\b|(?:i|we)\swanted\sto\sask\b",
            r"any\s(?:chance|ideas?|way)\s(?:you|we|i|to|if|how|what|where|when|of\s(?:a|an|the|getting|finding))\b|have\syou\s(?:got|any|seen|heard)\b|let\sme\s(?:know|see)\b|mind\s\w+ing\b",
        )
    )
)
_ORDER_BEHIND = re.compile(
    r"[,;]\s(?:so\s|then\s|please\s|and\s)?(?:calculate|compute|determine|solve|estimate|write|list)"
    r"\s(?:one|it|its|them|the|their|my|this|that|how|what|a|an)\b"
)
"""An order behind a clause."""
_THINGS_DE = _any_of(
    """
    fläche volumen umfang radius entfernung preis preise liste zusammenfassung übersetzung namen wegbeschreibung informationen infos
    anzahl wetter wettervorhersage vorhersage rezept rezepte hilfe hotel hotels tisch zimmer karten taxi auskunft überblick adresse
    öffnungszeiten termin wechselkurs route beispiel beispiele ergebnis summe mittelwert restaurants flug flüge babysitter
    doppelzimmer einzelzimmer einwohnerzahl bevölkerung nachrichten telefonnummer
    """
)
_KNOWN_DE = _any_of(
    """
    finden herausfinden wissen erfahren berechnen ausrechnen umrechnen ermitteln bestimmen übersetzen vergleichen prüfen nachsehen
    abfragen zusammenfassen schätzen lösen
    """
)
_DONE_DE = _any_of(
    """
    suchen buchen bestellen reservieren mieten stornieren anfordern löschen eintragen umbuchen zurücksetzen überweisen kündigen verlängern
    verschieben
    """
)
_EITHER_DE = _any_of("kaufen sehen ändern schreiben senden schicken hören lesen spielen")
_EXACT_DE = r"(?:\d|\b(?:zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|heute|morgen)\b)"
_NO_LINK_DE = r"(?!(?:als|mit|ohne|für|in|im|an|am|auf|zu|von|und|oder|weil|wenn)\b)"
_MOST_DE = _any_of("größten kleinsten höchsten längsten besten billigsten günstigsten neuesten nächsten schnellsten letzten meisten")
_SOME_THING_DE = rf"(?:{_NO_LINK_DE}[\w.-]+\s){{0,4}}?(?:{_THINGS_DE}|{_MOST_DE})\b"
_GERMAN = re.compile(
    "|".join(
        (
            r"(?:ich|wir)\s(?:möchten?|will|wollen|würden?\sgerne?)\b(?!.*\b"
            rf"{_OF_LIFE}\b).*\b(?:{_KNOWN_DE}|{_DONE_DE})\b",
            rf"(?:ich|wir)\s(?:möchten?|will|wollen|würden?\sgerne?)\b(?=.*{_EXACT_DE}).*\b{_EITHER_DE}\b",
            r"(?:ich|wir)\s(?:möchten?|will|wollen|hätten?\sgerne?|bitte\sdarum)\s?,?\sdass\s(?:du|sie|ihr)\b(?!\s(?:weißt|wissen)\b)",
            r"(?:ich|wir)\s(?:brauchen?|bräuchten?|benötigen?|hätten?\s(?:bitte\s)?gerne?|möchten?|will|wollen)\s(?:bitte\s|noch\s|dringend\s)*"
            rf"{_SOME_THING_DE}",
            rf"(?:ich|wir)\s(?:bin\sauf\sder\ssuche|suchen?)\b(?!\s(?:mein|unser))(?!.*\b{_OF_LIFE}\b)",
            rf"(?:ich|wir)\s(?:muss|müssen|sollten?)\b.*\b{_KNOWN_DE}\b",
            r"(?:ich|wir)\s(?:wollten?|möchten?|will)\s(?:\w+\s)?fragen\b",
            rf"(?:mich|uns)\swürden?\sinteressieren\b|(?:ich|wir)\sinteressieren?\s(?:mich|uns)\sfür\s{_SOME_THING_DE}",
            rf"lass\suns\s.*\b{_KNOWN_DE}\b",
            r"es\swäre\s(?:sehr\s)?(?:schön|toll|nett|super|gut|lieb|hilfreich),?\swenn\s(?:du|sie|ihr)\b",
        )
    )
)
_ROMANCE = re.compile(
    r"je\s(?:veux|voudrais|souhaite|aimerais)\s(?:savoir|trouver|réserver|chercher|commander|calculer|connaître)\b|je\scherche\s"
    r"|j'ai\sbesoin\s(?:de\s|d')(?:savoir|trouver|réserver|calculer|connaître)\b"
    r"|(?:quiero|quisiera|necesito|me\sgustaría)\s(?:encontrar|saber|reservar|buscar|pedir|calcular|conocer)\b"
)
_STANDING = re.compile(
    r"\b(?:from\s(?:now|today|here)\son|in\sfuture|henceforth|whenever|(?:every|each)\stime|any\s?time\syou"
    r"|ab\s(?:jetzt|sofort|heute)|von\s(?:jetzt|nun)\san|künftig|zukünftig|in\szukunft|immer\swenn|jedes\s?mal|à\sl'avenir|désormais"
    r"|en\sadelante|call\sme\s(?!back|at|on|when|if|tomorrow|later|today|tonight|now)|address\sme"
    r"|nenn(?:e|t|en\ssie)?\s(?:mich|uns)|appelle[zs]?[- ]moi|llámame)\b"
)
"""What makes even an order one that stands."""
_GENERAL = re.compile(
    r"\b(?:(?:for|before|after|of|vor|für|bei|nach)\s(?:every|each|any|jede[mnrs]?)\s|before\si\s|constantly|all\sthe\stime|ständig|dauernd|in\sgeneral|generally|as\sa\srule|normally|usually|by\sdefault|at\sall\stimes|every\s(?:day|morning|evening|night|week|month|year)"
    r"|(?:once|twice|times)\sa\s(?:day|week|month|year)|(?:be|been)\s(?:called|addressed)|called\s(?!for\b)"
    r"|grundsätzlich|generell|im\sallgemeinen|normalerweise|standardmäßig|jeden\s(?:tag|morgen|abend)|(?:ein|zwei|drei|vier)mal\s(?:am|pro|in\sder)"
    r"|nennst|nennen|genannt|ansprichst|angesprochen|(?:kurz|knapp)\s(?:fasst|fassen|hältst)|duzt|siezt|que\sme\sllames|que\stu\sm'appelles)\b"
)
"""What makes a wish one that stands."""
_FORM = re.compile(
    rf"{_WANT}(?:my|our|all|any|every)\s.*\bto\sbe\b|{_WANT}(?:all\s|my\s|our\s)?\w+s\s(?:in|as)\s(?:a\s)?(?:celsius|fahrenheit|kelvin|euros?|dollars|pounds|francs|met(?:ric|res|ers)|imperial"
    r"|kilomet(?:res|ers)|miles|inches|feet|tables?|bullet\spoints|lists?|plain\stext|prose|english|german|french|spanish|italian)\b"
)
"""In which form somebody wants all that is of one kind."""
_EARLY = re.compile(r"(?:\S+\s){0,4}?(?:always|never|immer|nie|niemals|stets|toujours|jamais|siempre|nunca)\b")
_REASON = re.compile(r"\b(?:because|since|as|weil|da|denn)\s(?:i|i'm|we|my|our|ich|wir|mein\w*|unser\w*)\b")
"""A reason says something about whoever wishes."""
_CONDITION = re.compile(
    r"(?:it|they|this|that|these|those|he|she|es|er|sie|das|die|the\s\w+|der\s\w+)\s(?:also\s|just\s|auch\s)?"
    r"(?:should|must|needs?\sto|has\sto|have\sto|ought\sto|may\snot|soll(?:te|ten|en)?|muss|müssen|müsste|darf|dürfen)\b"
)
"""How what is asked for has to be."""
_BEFORE = re.compile(
    r"(?:\W*\b(?:hey|hi|hello|so|and|but|ok|okay|well|now|also|then|please|oh|um|btw|thanks|listen|first|next|finally|kindly"
    r"|tonight|today|tomorrow|bitte|hallo|dann|nun|und|aber|heute|morgen)\b)+\W*"
)
_LEAD = re.compile(
    r"(?:for|in|on|at|from|with|using|given|based\son|among|to|if|für|aus|mit|im|in|bei)\b[^,.!?;:]{1,80},\s*(?:please\s|bitte\s)?(?=\w)"
)
"""What may stand before an order, up to its comma."""


def wishes(sentence: str) -> bool:
    """Whether a sentence asks for something by saying that its speaker wants or needs it, once; a wish that stands does not.

    >>> [wishes(one) for one in ("I want to find a hotel.", "I need the area of it.", "I want you to call me Ben.", "I need glasses.")]
    [True, True, False, False]
    """
    said = _plain(sentence)
    if not (_ENGLISH.match(said) or _GERMAN.match(said) or _ROMANCE.match(said) or _ORDER_BEHIND.search(said)):
        return False
    return not (stands(sentence) or _GENERAL.search(said) or _FORM.match(said) or _EARLY.match(said) or _REASON.search(said))


def stands(sentence: str) -> bool:
    """Whether an order or a wish says that it is meant for good.

    >>> stands("From now on write dates in full."), stands("Write a date in full.")
    (True, False)
    """
    return _STANDING.search(_plain(sentence)) is not None


def is_condition(sentence: str) -> bool:
    """Whether a sentence, after a request, says how what is asked for has to be.

    >>> is_condition("It should have a pool."), is_condition("My son has asthma.")
    (True, False)
    """
    return _CONDITION.match(_plain(sentence)) is not None


def without_lead(sentence: str) -> str:
    """A sentence without the clause that may stand before an order; as it is where there is none.

    >>> without_lead("For the trip to Rome, find me a hotel.")
    'find me a hotel.'
    """
    start = sentence.lstrip()
    lead = _LEAD.match(start[:READ].lower())
    return start[lead.end() :] if lead else sentence


def _plain(sentence: str) -> str:
    """Its beginning in small letters, without what may stand before a wish."""
    said = " ".join(sentence[:READ].lower().replace("’", "'").split())
    before = _BEFORE.match(said)
    return said[before.end() :] if before else said
