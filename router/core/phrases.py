"""The product's own texts as prompts."""

import re

from router.core.languages import catalogue_of
from router.core.languages.catalogue import Phrase, Tone
from router.core.plan import CALLER, WAITED, Speak, Whisper


def phrase(language: str, tone: Tone, which: Phrase, **values: str) -> Speak:
    """One of the product's own texts in a client's language, or the nearest there is; `values` are those of
    its places in braces."""
    catalogue = catalogue_of(language)
    return Speak(catalogue.text(which, tone).format(**values), catalogue.language)


DIGITS = "0123456789"

MINUTES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 60)
"""What is said of a wait; the last stands for all that is longer."""

_PLACES = re.compile(f"({re.escape(CALLER)}|{re.escape(WAITED)})")


def spelled(language: str, number: str) -> tuple[Speak, ...]:
    """A number, digit by digit; a `+` is said, too."""
    catalogue = catalogue_of(language)
    plus = catalogue.text(Phrase.PLUS, "formal")
    return tuple(Speak(plus if digit == "+" else digit, catalogue.language) for digit in number)


def whispered(whisper: Whisper, number: str, waited: float) -> tuple[Speak, ...]:
    """A whisper in a call from `number`, which is empty where the caller withholds it, who has waited so many
    seconds."""
    said = {
        CALLER: spelled(whisper.language, number) if number else (_withheld(whisper.language),),
        WAITED: (_waited(whisper.language, int(waited / 60)),),
    }
    prompts: tuple[Speak, ...] = ()
    for text in _PLACES.split(whisper.text):
        prompts += said.get(text) or _spoken(text, whisper.language)
    return prompts


def whispers(whisper: Whisper) -> tuple[Speak, ...]:
    """All that a whisper is put together of, in whatever call."""
    digits = spelled(whisper.language, f"+{DIGITS}") if CALLER in whisper.text else ()
    waits = tuple(_waited(whisper.language, minutes) for minutes in (0, *MINUTES) if WAITED in whisper.text)
    return (*whispered(whisper, "", 0.0), *digits, *waits)


def _waited(language: str, minutes: int) -> Speak:
    """How long somebody has waited, rounded down to one of MINUTES."""
    if minutes < 1:
        return phrase(language, "formal", Phrase.WAITED_LITTLE)
    told = next(known for known in reversed(MINUTES) if known <= minutes)
    if told == 1:
        return phrase(language, "formal", Phrase.WAITED_MINUTE)
    return phrase(language, "formal", Phrase.WAITED_MINUTES, minutes=str(told))


def _withheld(language: str) -> Speak:
    return phrase(language, "formal", Phrase.WITHHELD)


def _spoken(text: str, language: str) -> tuple[Speak, ...]:
    """What stands between two places; a full stop alone is nothing to speak."""
    return (Speak(text.strip(), language),) if any(map(str.isalnum, text)) else ()
